"""`cluster`: the workers of a scheduler, for the time of a command."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from napari_stack.core.errors import UserError

#: Seconds after which a scheduler that does not answer is given up.
_PATIENCE = 10


@contextmanager
def cluster(address: str) -> Iterator[Any]:
    """Connect to a dask.distributed scheduler; for no address there is None.

    Raises
    ------
    ValueError
        When distributed is not installed, or the address is none.
    OSError
        When no scheduler answers there.
    """
    if not address:
        yield None
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise UserError(
            "--scheduler needs the package distributed: pip install 'napari-stack[distributed]'"
        ) from error
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except OSError as error:
        raise OSError(
            f"no scheduler answers at {address} ({error}): start one with dask scheduler, and "
            "workers with dask worker, or leave out --scheduler"
        ) from error
    except ValueError as error:  # of distributed, for an unknown scheme
        raise UserError(
            f"{address} is no address of a scheduler ({error}): give one such as tcp://host:8786"
        ) from error
    with client:
        yield client
