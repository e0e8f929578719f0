"""`local_bands`: images from bands of rows, computed in threads of this process."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack
from napari_stack.engine.bands import (
    BandFunction,
    Block,
    Results,
    may_be_invalid,
    reads_twice,
    split,
)
from napari_stack.engine.progress import Progress
from napari_stack.engine.scratch import Scratch

if TYPE_CHECKING:
    from napari_stack.engine.run import Run


def local_bands(
    run: "Run",
    ordered: Callable[..., Iterator[Any]],
    scratch: Scratch,
    function: BandFunction,
    stack: Stack,
    rows: int,
    what: str,
) -> tuple[NDArray[Any], ...]:
    """Compute images from bands of `rows` rows that hold every used frame.

    Frames that cannot be read in parts are put to the scratch file first. Each band is filled by
    all threads, then computed by all threads, piece by piece.
    """
    frames = np.flatnonzero(stack.used)
    height = stack.shape[1]
    bands = [slice(a, min(a + rows, height)) for a in range(0, height, rows)]
    read: Callable[..., Pixels] = stack.values
    spooled = 0
    if len(bands) > 1 and reads_twice(stack, bands):
        read, spooled = scratch.values, len(frames)
        scratch.open(stack, len(frames), masked=may_be_invalid(stack))
    progress = Progress(run.tick, len(frames) * len(bands) + spooled, what)
    if spooled:
        places = {int(index): place for place, index in enumerate(frames)}
        for _ in ordered(partial(scratch.put, stack, places), frames, progress):
            progress.step()
        frames = np.arange(len(frames))
    block = Block(stack, len(frames), rows)
    results = Results(height, run.memory, run.scratch)
    for band in bands:
        tasks = list(enumerate(int(i) for i in frames))
        for _ in ordered(partial(block.fill, read, band), tasks, progress):
            progress.step()
        pieces = split(band.stop - band.start, run.threads)
        compute = partial(block.compute, function)
        done = ordered(compute, pieces, progress)
        for piece, found in zip(pieces, done, strict=True):
            progress.step(0)
            results.put(slice(band.start + piece.start, band.start + piece.stop), found)
            if run.glimpses is not None:
                run.glimpses.offer(results)
    return results.images
