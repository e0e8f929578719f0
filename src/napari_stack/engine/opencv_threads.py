"""`opencv_threads`: the number of OpenCV's own threads, limited for the time of a run."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_lock = threading.Lock()
#: Limits of the runs under way, the newest last.
_limits: list[int] = []
#: OpenCV, once `napari_stack.engine.opencv` has imported it.
_imported: list[Any] = []
#: The number of threads outside runs; empty while nothing is limited.
_unlimited: list[int] = []


@contextmanager
def opencv_threads(count: int) -> Iterator[None]:
    """Limit OpenCV's own threads while runs last, and restore their number after the last run.

    OpenCV need not be imported yet: the limit then holds from its import on.

    Parameters
    ----------
    count : int
        0 leaves the number as it is.
    """
    if count == 0:
        yield
        return
    with _lock:
        _limits.append(count)
        _set()
    try:
        yield
    finally:
        with _lock:
            _limits.remove(count)
            _set()


def limit_on_import(opencv: Any) -> None:
    """Apply the limit of the runs under way to OpenCV, which was just imported."""
    with _lock:
        _imported[:] = [opencv]
        _set()


def _set() -> None:
    if not _imported:
        return
    (opencv,) = _imported
    if _limits and not _unlimited:
        _unlimited.append(opencv.getNumThreads())
    if _limits:
        opencv.setNumThreads(_limits[-1])
    elif _unlimited:
        opencv.setNumThreads(_unlimited.pop())
