"""`ordered`: results of parts of work in order, few of them in flight."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future, wait
from typing import Any

from napari_stack.engine.progress import Progress

#: Seconds between two progress reports while a part is waited for, and so the longest time until
#: a request to stop takes effect.
_REPORT_SECONDS = 0.05


def ordered(
    pool: Executor,
    function: Callable[[Any], Any],
    items: Iterable[Any],
    progress: Progress,
    ahead: int,
) -> Generator[Any, None, None]:
    """Yield results in order, with so many parts in flight that memory stays bounded.

    While a part takes long the progress is reported again, so that its tick can stop the work.
    """
    waiting: deque[Any] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= ahead:
                yield _awaited(waiting.popleft(), progress)
        while waiting:
            yield _awaited(waiting.popleft(), progress)
    finally:
        for future in waiting:
            future.cancel()


def _awaited(future: Future[Any], progress: Progress) -> Any:
    while progress.stoppable and not wait([future], _REPORT_SECONDS).done:
        progress.step(0)
    return future.result()


def workers_of(executor: Any) -> int:
    """Count the threads of an executor's workers; 0 where it does not tell."""
    if callable(getattr(executor, "nthreads", None)):  # a client of dask.distributed
        return sum(executor.nthreads().values())
    return getattr(executor, "_max_workers", 0)
