"""`one_blas_thread`: linear algebra stays in the threads that ask for it, for the time of a run."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_lock = threading.Lock()
#: What limits BLAS while runs last, and how many runs are under way.
_limit: list[Any] = []
_runs: list[int] = []


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS (NumPy's, SciPy's) from threads of its own; the last of several to end restores it.

    Frames are at work in threads already. On two processors that others use too, the eigenvectors
    of a matrix of 578 x 578 take 0.2 s on one thread of BLAS, and 4 s on two, which wait for each
    other.
    """
    with _lock:
        _runs.append(1)
        if not _limit:
            from threadpoolctl import threadpool_limits

            _limit.append(threadpool_limits(1, "blas"))
    try:
        yield
    finally:
        with _lock:
            _runs.pop()
            if not _runs:
                _limit.pop().restore_original_limits()
