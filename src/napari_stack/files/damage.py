"""Damaged files: what decoders raise becomes one sentence that names the file."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from napari_stack.core.errors import UserError

#: What damaged data raise in decoders.
_DAMAGE = (ArithmeticError, EOFError, LookupError, ValueError, struct.error, zipfile.BadZipFile,
           zlib.error)  # fmt: skip

#: What some libraries raise for damaged data besides. Raised by our own code, these are errors of
#: the program.
_OF_LIBRARIES = (AssertionError, AttributeError, RuntimeError, SyntaxError, TypeError)

_OURS = __name__.partition(".")[0]


class UnsupportedError(UserError):
    """The file is whole, but stored in a way that is not read here."""


class NoImageError(UserError):
    """The file is whole, and holds no image."""


@contextmanager
def damage_named(path: str, libraries: tuple[str, ...] = ()) -> Iterator[None]:
    """Turn what a decoder raises into one sentence that names the file.

    Parameters
    ----------
    path : str
    libraries : tuple of str
        Packages whose own assertions, and errors of types and attributes, mean damage as well:
        tifffile compares texts with numbers where the type of a tag is wrong, Pillow raises
        SyntaxError, and imagecodecs RuntimeError. The same error in our own code keeps its
        traceback.

    Raises
    ------
    UserError, OSError
    """
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} does not exist (any more): put it back") from error
    except OSError as error:
        if error.errno is None:  # a decoder's, not the system's
            raise _damaged(path, error) from error
        reason = error.strerror or error
        raise type(error)(f"{path} cannot be read ({reason}): check its permissions") from error
    except UnsupportedError as error:
        raise UserError(
            f"{path} cannot be read: {error}; save it as an ordinary TIFF (uncompressed or zlib)"
        ) from error
    except NoImageError as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    except _DAMAGE as error:
        if str(error).startswith(path):  # it names the file already
            raise
        raise _damaged(path, error) from error
    except _OF_LIBRARIES as error:
        if not _raised_by(error, libraries):
            raise
        raise _damaged(path, error) from error


def _raised_by(error: BaseException, libraries: tuple[str, ...]) -> bool:
    """Return whether an error was raised below a call of one of these packages by our own code."""
    called: set[str] = set()
    traceback = error.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        # Functions compiled by Cython have no globals, but a name with their module in front.
        package = frame.f_globals.get("__name__", frame.f_code.co_name).partition(".")[0]
        called = set() if package == _OURS else called | {package}
        traceback = traceback.tb_next
    return not called.isdisjoint(libraries)


def _damaged(path: str, error: Exception) -> UserError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return UserError(
        f"{path} is damaged, cut off, or of a kind that cannot be read ({reason}): copy or save it "
        "anew, or leave it out"
    )
