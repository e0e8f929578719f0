"""Whether kernels are being compiled now, for progress reports; numba is not imported for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_running = 0


def compiling() -> bool:
    """Tell whether this process compiles a kernel, or waits for one: the first time only."""
    return _running > 0


def count(change: int) -> None:
    """Note that so many compilations have begun (or, below 0, ended)."""
    global _running
    with _lock:
        _running += change


@contextmanager
def noted() -> Iterator[None]:
    """Note a compilation for as long as the block lasts."""
    count(1)
    try:
        yield
    finally:
        count(-1)
