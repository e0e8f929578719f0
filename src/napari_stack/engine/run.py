"""`Run`: how a computation runs. These are the only loops over frames."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.core.system.processors import processors
from napari_stack.engine.bands import (
    BandFunction,
    Results,
    band_part,
    band_rows,
)
from napari_stack.engine.blas_threads import one_blas_thread
from napari_stack.engine.folds import F, R, fold_part, row_tasks
from napari_stack.engine.glimpses import Gathering, Glimpses, gathered
from napari_stack.engine.local_bands import local_bands
from napari_stack.engine.opencv_threads import opencv_threads
from napari_stack.engine.ordered import batch_of, in_batches, ordered, workers_of
from napari_stack.engine.progress import Cancelled, Progress, Tick, follow
from napari_stack.engine.scratch import Scratch

__all__ = ["Cancelled", "Run"]

#: Frames of one part of work on an executor. Fixed, so that the same series makes the same parts
#: on any number of workers.
_PART_FRAMES = 16


@dataclass(frozen=True)
class Run:
    """How to run: never *what* is computed.

    Parameters
    ----------
    workers : int, optional
        Threads (default: the processors this process may use).
    memory : int
        Bytes that pixels may take while frames are clipped or sorted. Default 1 GiB. The images
        that come out are among them; where they leave less than a quarter of it to the frames,
        they are arrays in a scratch file without a name, which goes with them.
    tick : callable, optional
        Called as ``tick(done, total, what)`` in the calling thread; raising `Cancelled` in it
        stops the work within one frame.
    executor : concurrent.futures.Executor or dask.distributed.Client, optional
        Runs the parts of the work elsewhere. The default runs them in threads. Each part takes
        as much memory as a run may. Where files give whole frames only (compressed ones), each
        part of clipping or sorting reads all of them: with more memory there are fewer parts.
    scratch : str or path, optional
        Folder for scratch files, which have no names there (default: that of the system).
    glimpses : Glimpses, optional
        Shows small pictures of results as they grow, where there are any.

    Examples
    --------
    >>> Run(workers=2, memory=2**28).memory
    268435456
    """

    workers: int | None = None
    memory: int = 2**30
    tick: Tick | None = None
    executor: Any = None
    scratch: str | Path | None = None
    glimpses: Glimpses | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise UserError(f"a run needs 1 worker or more, got {self.workers}")
        if self.memory < 2**20:
            raise UserError(f"a run needs 1 MiB of memory or more, got {self.memory} bytes")

    @property
    def threads(self) -> int:
        """Number of worker threads."""
        if self.workers is not None:
            return self.workers
        return processors()

    def part(self, index: int, count: int) -> "Run":
        """Return the run of one of `count` equal parts: its progress is a part of the whole."""
        if self.tick is None:
            return self
        whole = self.tick

        def tick(done: int, total: int, what: str) -> None:
            whole(index * total + done, count * total, what)

        return replace(self, tick=tick)

    def each(
        self,
        function: Callable[[Stack, int], Any],
        stack: Stack,
        frames: Iterable[int] | None = None,
        *,
        what: str,
        growing: Gathering | None = None,
    ) -> list[Any]:
        """Compute something small for each frame, a few frames in flight.

        Parameters
        ----------
        function : callable
            ``function(stack, index)``; module-level, so that it can be sent to a cluster.
        stack : Stack
        frames : iterable of int, optional
            By default all.
        what : str
            What is being done, in words.
        growing : Gathering, optional
            Gets every result, in order, and can show what they come to; not on an executor.

        Returns
        -------
        list
            The results in the order of `frames`.
        """
        numbers = list(range(len(stack)) if frames is None else frames)
        if self.executor is None:
            batch = batch_of(stack, len(numbers))
            arriving = self._stream(partial(function, stack), numbers, what, batch)
            return list(gathered(arriving, numbers, growing, self.glimpses))
        parts = [numbers[i : i + _PART_FRAMES] for i in range(0, len(numbers), _PART_FRAMES)]
        progress = Progress(self.tick, len(numbers), what)
        results: list[Any] = []
        with self._pool() as pool:
            for found in self._ordered(pool, partial(_each_part, function, stack), parts, progress):
                results += found
                progress.step(len(found))
        return results

    def stream(
        self, function: Callable[[Stack, int], Any], stack: Stack, *, what: str
    ) -> Generator[Any, None, None]:
        """Compute something for each frame, and hand it out in order; a few frames in flight.

        This always happens in threads of this process, since what comes out may be as large as
        the frames. Close the iterator (``contextlib.closing``) when it is not used up.
        """
        here = replace(self, executor=None)
        batch = batch_of(stack, len(stack))
        return here._stream(partial(function, stack), range(len(stack)), what, batch)

    def _stream(
        self, function: Callable[[int], Any], numbers: Sequence[int], what: str, batch: int
    ) -> Generator[Any, None, None]:
        progress = Progress(self.tick, len(numbers), what)
        with self._pool() as pool:
            for found in in_batches(
                partial(self._ordered, pool), function, numbers, progress, batch
            ):
                progress.step()
                yield found

    def fold(self, state: F, stack: Stack, *, what: str) -> F:
        """Add all used frames to a state; they are prepared in parallel and added in order.

        On an executor every part of 16 frames folds into a state of its own, and these are
        merged in order.
        """
        numbers = [int(i) for i in np.flatnonzero(stack.used)]
        progress = Progress(self.tick, len(numbers), what)
        with self._pool() as pool:
            if self.executor is None:
                prepare, batch = partial(state.prepare, stack), batch_of(stack, len(numbers))
                one_by_one = partial(self._ordered, pool)
                with closing(in_batches(one_by_one, prepare, numbers, progress, batch)) as arriving:
                    for i in numbers:  # nothing else holds what arrived while the next is made
                        state.add(i, next(arriving))
                        progress.step()
                        self._show(state)
                return state
            size = _PART_FRAMES
            parts = [numbers[i : i + size] for i in range(0, len(numbers), size)]
            # Parts begin with a state of their own: this one takes in parts while others run.
            fold = partial(fold_part, deepcopy(state), stack)
            for part, folded in zip(parts, self._ordered(pool, fold, parts, progress), strict=True):
                state.merge(folded)
                progress.step(len(part))
        return state

    def fold_rows(self, state: R, stack: Stack, *, what: str) -> R:
        """Add all used frames to a state like `fold`, in parallel over rows instead of frames.

        A frame is decoded while the one before it is taken in, and nothing else of it is held
        whole. It can be cancelled within a frame.
        """
        if self.executor is not None:
            return self.fold(state, stack, what=what)
        numbers = [int(i) for i in np.flatnonzero(stack.used)]
        progress = Progress(self.tick, len(numbers), what)
        strips = state.strips()
        with self._pool() as pool:
            # No more in flight than a frame has: a strip is taken in after the last frame's.
            ahead = min(self.threads + (self.threads > 1), len(strips))
            tasks = row_tasks(state, stack, numbers, strips, ahead)
            with closing(self._ordered(pool, _done, tasks, progress, ahead)) as arriving:
                for done in arriving:
                    progress.step(done)
                    self._show(state)
        state.close(numbers[-1])
        progress.step()
        return state

    def bands(self, function: BandFunction, stack: Stack, *, what: str) -> tuple[NDArray[Any], ...]:
        """Compute images from bands of rows that hold every used frame.

        Parameters
        ----------
        function : callable
            See `BandFunction`; module-level or a partial of such a one.
        stack : Stack
        what : str
            What is being done, in words.

        Returns
        -------
        tuple of ndarray
            The results, all rows.
        """
        frames = np.flatnonzero(stack.used)
        height = stack.shape[1]
        alone = self.executor is not None
        rows = band_rows(stack, len(frames), self.memory, alone=alone)
        if self.executor is None:
            # The pool ends first: no frame is still being put when the scratch file is closed.
            with Scratch(self.scratch) as scratch, self._pool() as pool:
                return local_bands(
                    self, partial(self._ordered, pool), scratch, function, stack, rows, what
                )
        bands = [slice(a, min(a + rows, height)) for a in range(0, height, rows)]
        progress = Progress(self.tick, len(bands), what)
        results = Results(height, self.memory, self.scratch)
        with self._pool() as pool:
            done = self._ordered(pool, partial(band_part, function, stack), bands, progress)
            for band, found in zip(bands, done, strict=True):
                results.put(band, found)
                progress.step()
        return results.images

    def _show(self, state: Any) -> None:
        if self.glimpses is not None:
            self.glimpses.offer(state)

    @contextmanager
    def _pool(self) -> Iterator[Executor]:
        """Give the executor that runs parts of work; own threads end with the block."""
        if self.executor is not None:
            client = getattr(self.executor, "get_executor", None)
            yield client(pure=False) if client else self.executor
            return
        with opencv_threads(1 if self.threads > 1 else 0), one_blas_thread():
            stop = Event()
            pool = ThreadPoolExecutor(self.threads, "napari-stack", follow, (stop,))
            try:
                yield pool
            finally:
                stop.set()  # runs within this one end too: what is still at work is not wanted
                pool.shutdown(wait=True, cancel_futures=True)

    def _ordered(
        self,
        pool: Executor,
        function: Callable[[Any], Any],
        items: Iterable[Any],
        progress: Progress,
        ahead: int | None = None,
    ) -> Generator[Any, None, None]:
        # One worker has one part in flight, for those who are short of memory.
        ahead = ahead or self.threads + (self.threads > 1)
        if self.executor is not None:  # more than there are workers, so that none is idle
            ahead = max(4 * self.threads, workers_of(self.executor) + 2)
        return ordered(pool, function, items, progress, ahead)


def _each_part(function: Callable[[Stack, int], Any], stack: Stack, part: list[int]) -> list[Any]:
    return [function(stack, index) for index in part]


def _done(task: Callable[[], int]) -> int:
    return task()
