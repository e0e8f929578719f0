"""Whether kernels are being compiled now, for progress reports; numba is not imported for it."""

import threading

_lock = threading.Lock()
_running = 0


def compiling() -> bool:
    """Tell whether a kernel is being compiled in this process: it happens the first time only."""
    return _running > 0


def count(change: int) -> None:
    """Note that so many compilations have begun (or, below 0, ended)."""
    global _running
    with _lock:
        _running += change
