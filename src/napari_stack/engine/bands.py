"""Bands of rows that hold every frame: how tall they are, and the block of memory they fill."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.engine.glimpses import small
from napari_stack.engine.scratch import unnamed_array

#: Rows of every frame that are held together where the source can give parts: small enough that
#: pages are used again and again, and stay in the caches that cores share.
_BAND_BYTES = 32 * 2**20

#: But so much is read of a frame at a time, that opening its file costs little; up to a limit.
_READ_BYTES, _MOST_BAND_BYTES = 2**19, 96 * 2**20

#: Share of the memory that results may take; larger ones lie in a file.
RESULTS_SHARE = 0.75

#: Makes the rows of the results from those of the frames: gets (values (n, rows, x[, channel]),
#: valid (n, rows, x) or None) and returns arrays whose first axis is the rows.
BandFunction = Callable[[NDArray[Any], NDArray[np.bool_] | None], Sequence[NDArray[Any]]]


def band_rows(stack: Stack, frames: int, memory: int, *, alone: bool = False) -> int:
    """Rows of a band: what fits the memory, less where that costs nothing.

    Bands that are computed `alone`, each reading its frames for itself, are as tall as can be
    where the source gives whole frames only.
    """
    _, height, width, *channels = stack.shape
    pixel = int(np.prod(channels or 1)) * stack.native.itemsize
    row = width * (pixel + (1 if may_be_invalid(stack) else 0)) * frames
    # The results (an image and a count) stay in memory besides the band, if they are not larger.
    budget = int(max(memory - height * width * (pixel + 4), (1 - RESULTS_SHARE) * memory))
    whole = row * height <= budget
    if stack.source.partial or not (whole or alone):
        wanted = max(_BAND_BYTES, min(_READ_BYTES * frames, _MOST_BAND_BYTES))
        budget = min(budget, wanted)
    return int(np.clip(budget // row, 1, height))


class Block:
    """Rows of every frame; the same memory serves band after band.

    A row of all frames lies together, so that kernels that go through them stay in the caches.
    """

    def __init__(self, stack: Stack, frames: int, rows: int) -> None:
        shape = (rows, frames, *stack.shape[2:])
        self.values = np.empty(shape, stack.native).swapaxes(0, 1)
        masked = may_be_invalid(stack)
        self.valid = np.empty(shape[:3], bool).swapaxes(0, 1) if masked else None
        self.rows = rows

    def fill(self, read: Callable[..., Any], band: slice, task: tuple[int, int]) -> None:
        """Read the rows of a frame: of the task (place, index)."""
        place, index = task
        self.rows = band.stop - band.start
        values, valid = read(index, band)
        self.values[place, : self.rows] = values
        if self.valid is not None:
            self.valid[place, : self.rows] = True if valid is None else valid

    def compute(self, function: BandFunction, rows: slice) -> Sequence[NDArray[Any]]:
        """Make some rows, counted from the band's first, of the results."""
        valid = None if self.valid is None else self.valid[:, rows]
        return function(self.values[:, rows], valid)


class Results:
    """Images that are put together from rows: in a file where they leave memory to no frames.

    Parameters
    ----------
    height : int
        All rows.
    memory : int
        Bytes; images that take more than `RESULTS_SHARE` of it go to a file without a name.
    folder : str or path, optional
        Where that file is.
    """

    def __init__(self, height: int, memory: int, folder: str | Path | None) -> None:
        self._height, self._memory, self._folder = height, memory, folder
        self.images: tuple[NDArray[Any], ...] = ()
        self._filled = 0

    def put(self, rows: slice, found: Sequence[NDArray[Any]]) -> None:
        """Take in some rows of every image.

        Raises
        ------
        OSError
            When the disk has too little free space.
        """
        if not self.images:
            row = sum(part.nbytes // len(part) for part in found)
            filed = are_filed(row * self._height, self._memory)
            self.images = tuple(self._empty(part, filed) for part in found)
        for image, part in zip(self.images, found, strict=True):
            image[rows] = part
        self._filled = rows.stop

    def glimpse(self) -> NDArray[np.float32]:
        """Return a small picture of the first image: the rows so far, NaN below them."""
        made = small(self.images[0])
        made[len(made) * self._filled // self._height :] = np.nan
        return made

    def _empty(self, part: NDArray[Any], filed: bool) -> NDArray[Any]:
        shape = (self._height, *part.shape[1:])
        if filed:
            return unnamed_array(shape, part.dtype, self._folder)
        return np.empty(shape, part.dtype)


def are_filed(results: float, memory: int) -> bool:
    """Tell whether results of so many bytes go to a scratch file, to leave memory to frames."""
    return results > RESULTS_SHARE * memory


def may_be_invalid(stack: Stack) -> bool:
    """Tell whether a mask is needed beside the values."""
    changed = bool(stack.corrections) or stack.source.computed
    return changed or stack.alpha or stack.dtype.kind == "f"


def reads_twice(stack: Stack, bands: list[slice]) -> bool:
    """Tell whether reading in bands costs more than about twice the pixels."""
    if not stack.source.partial:
        return True
    height = stack.source.shape[1]
    for index in np.flatnonzero(stack.used):
        needed = [stack.source_rows(int(index), band)[0] for band in bands]
        if sum(rows.stop - rows.start for rows in needed) > 2 * height:
            return True
    return False


def split(rows: int, workers: int) -> list[slice]:
    """Pieces of a band, several a worker, so that they end together and cancelling is quick."""
    count = min(rows, 4 * workers)
    edges = np.linspace(0, rows, count + 1).astype(int).tolist()
    return [slice(a, b) for a, b in pairwise(edges)]


def band_part(function: BandFunction, stack: Stack, band: slice) -> Sequence[NDArray[Any]]:
    """Compute a band alone, as a part of work on an executor."""
    frames = [int(i) for i in np.flatnonzero(stack.used)]
    block = Block(stack, len(frames), band.stop - band.start)
    for task in enumerate(frames):
        block.fill(stack.values, band, task)
    return block.compute(function, slice(0, block.rows))
