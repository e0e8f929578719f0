"""Addresses of data that lie elsewhere, such as https://... and s3://..."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from napari_stack.core.errors import UserError

#: A scheme of two letters at least: one is a disk of Windows. `Path` swallows the second slash.
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):/{1,2}(?=[^/])", re.IGNORECASE)


def is_remote(path: object) -> bool:
    """Tell whether a text is an address rather than a path.

    Examples
    --------
    >>> is_remote("https://a.org/b.zarr"), is_remote("C:/b.zarr"), is_remote("b.zarr")
    (True, False, False)
    """
    return _SCHEME.match(str(path)) is not None


def address(path: object) -> str:
    """Return an address with the two slashes that it had, and none at its end.

    Examples
    --------
    >>> address("s3:/bucket/a.zarr/")
    's3://bucket/a.zarr'
    """
    return _SCHEME.sub(r"\1://", str(path), count=1).rstrip("/")


@contextmanager
def unreachable_named(path: str) -> Iterator[None]:
    """Turn what goes wrong on the way to an address into a sentence that names it.

    Raises
    ------
    UserError
    """
    try:
        yield
    except ImportError as error:  # of fsspec, which names the package
        raise UserError(
            f"{path} cannot be reached: {error}; pip install 'napari-stack[remote]'"
        ) from error
    except FileNotFoundError as error:
        raise UserError(
            f"{path} holds no zarr that can be read: check the address; of what lies elsewhere "
            "only zarr and OME-Zarr are read, other files must be copied here first"
        ) from error
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"{path} cannot be reached ({type(error).__name__}: {error}): check the address, the "
            "connection and your rights"
        ) from error
