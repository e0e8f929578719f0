"""`ordered`: results of parts of work in order, few of them in flight."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Executor, Future, wait
from contextlib import closing
from functools import partial
from math import prod
from typing import Any

from napari_stack.engine.progress import Progress

#: Seconds between two progress reports while a part is waited for, and so the longest time until
#: a request to stop takes effect.
_REPORT_SECONDS = 0.05

#: From so many frames on, those of a batch are so many at most, and take so many bytes.
_MANY, _MOST_FRAMES, _BATCH_BYTES = 1000, 32, 2**18


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


def batch_of(stack: Any, count: int) -> int:
    """Return how many frames are handed to a thread at a time: more than one of many small ones.

    To hand one over takes some 50 us, in which a frame of 64 x 64 pixels is read.
    """
    if count < _MANY:
        return 1
    size = prod(stack.shape[1:]) * stack.working.itemsize
    return max(1, min(_MOST_FRAMES, _BATCH_BYTES // size))


def in_batches(
    run: Callable[..., Generator[Any, None, None]],
    function: Callable[[Any], Any],
    items: Sequence[Any],
    progress: Progress,
    batch: int,
) -> Generator[Any, None, None]:
    """Yield the results of `ordered`, several items being one part of the work."""
    if batch == 1:
        yield from run(function, items, progress)
        return
    parts = [items[i : i + batch] for i in range(0, len(items), batch)]
    with closing(run(partial(_each, function), parts, progress)) as arriving:
        for found in arriving:
            yield from found


def _each(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    return [function(item) for item in items]


def _awaited(future: Future[Any], progress: Progress) -> Any:
    while progress.stoppable and not wait([future], _REPORT_SECONDS).done:
        progress.step(0)
    return future.result()


def workers_of(executor: Any) -> int:
    """Count the threads of an executor's workers; 0 where it does not tell."""
    if callable(getattr(executor, "nthreads", None)):  # a client of dask.distributed
        return sum(executor.nthreads().values())
    return getattr(executor, "_max_workers", 0)
