"""Pixel kernel of medians and percentiles, by partial selection."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.casting import cast
from napari_stack.core.jit import kernel
from napari_stack.operators.combine.clip_blocks import (
    as_rows,
    complete,
    covered_somewhere,
    mask_rows,
)
from napari_stack.operators.combine.clip_pixel import sort

#: Bytes of all frames that are worked on at a time: they stay in a core's own cache.
TILE_BYTES = 48 * 1024


@cache
def selection_network(count: int, first: int, last: int) -> NDArray[np.int32]:
    """Exchanges that bring the values of some ranks to their places, and no more.

    They are those of a merge sort (Batcher 1968) without the ones that do not matter for these
    ranks. Whatever the values are, the exchanges are the same: so they run on many pixels at once.

    Parameters
    ----------
    count : int
        Number of values.
    first, last : int
        Ranks wanted, counted from 0, the last one included.

    Returns
    -------
    ndarray of int32, shape (exchanges, 2)
        Pairs of places; the lesser value goes to the first of a pair.
    """
    wanted = np.zeros(count, bool)
    wanted[first : last + 1] = True
    pairs = sorting_network(count)
    if wanted.all():
        return pairs
    kept = []
    for low, high in pairs[::-1].tolist():
        if wanted[low] or wanted[high]:
            wanted[low] = wanted[high] = True
            kept.append((low, high))
    return np.array(kept[::-1], np.int32).reshape(-1, 2)


@cache
def sorting_network(count: int) -> NDArray[np.int32]:
    """Exchanges of Batcher's odd-even merge sort, in order (Knuth 1998, algorithm 5.2.2M)."""
    steps = [np.empty((0, 2), np.int64)]
    block = 1
    while block < count:
        step = block
        while step >= 1:
            place = np.arange(count - step)
            low = place[(place - step % block) // step % 2 == 0]
            low = low[low >= step % block]
            low = low[low // (2 * block) == (low + step) // (2 * block)]
            steps.append(np.column_stack([low, low + step]))
            step //= 2
        block *= 2
    return np.concatenate(steps).astype(np.int32)


@kernel
def _select(
    values: NDArray[Any],
    exchanges: NDArray[np.int32],
    tile: NDArray[Any],
    first: int,
    last: int,
    share: float,
    result: NDArray[np.float64],
) -> None:  # pragma: no cover
    rows, frames, columns = values.shape
    size = tile.shape[1]
    for row in range(rows):
        for left in range(0, columns, size):
            width = min(size, columns - left)
            for frame in range(frames):
                tile[frame, :width] = values[row, frame, left : left + width]
            for pair in range(exchanges.shape[0]):
                low, high = tile[exchanges[pair, 0]], tile[exchanges[pair, 1]]
                for i in range(width):
                    one, other = low[i], high[i]
                    low[i] = min(one, other)
                    high[i] = max(one, other)
            for i in range(width):
                below, above = float(tile[first, i]), float(tile[last, i])
                result[row, left + i] = below + share * (above - below)


@kernel
def _select_valid(
    values: NDArray[Any],
    valid: NDArray[np.bool_],
    whole: NDArray[np.bool_],
    channels: int,
    share: float,
    result: NDArray[np.float64],
) -> None:  # pragma: no cover
    """Where some frames are invalid every pixel has ranks of its own."""
    rows, frames, columns = values.shape
    kept = np.empty(frames, np.float64)
    for row in range(rows):
        for column in range(columns):
            pixel = column // channels
            if whole[row, pixel]:
                continue
            count = 0
            for frame in range(frames):
                if valid[row, frame, pixel]:
                    kept[count] = float(values[row, frame, column])
                    count += 1
            if count == 0:
                result[row, column] = 0.0
                continue
            place = share * (count - 1)
            first = int(np.floor(place))
            last = min(first + 1, count - 1)
            sort(kept, count)
            below = kept[first]
            result[row, column] = below + (place - first) * (kept[last] - below)


def rank_band(
    values: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    *,
    share: float,
    dtype: np.dtype[Any],
) -> tuple[NDArray[Any]]:
    """Take a percentile of rows of frames; between two ranks it is interpolated.

    Parameters
    ----------
    values : ndarray, shape (n, rows, x) or (n, rows, x, channel)
    valid : ndarray of bool, shape (n, rows, x), or None
        None when all are valid.
    share : float
        0 (the least value) to 1 (the greatest); 0.5 is the median.
    dtype : numpy.dtype
        Of the image.
    """
    shape = values.shape[1:]
    channels = shape[2] if len(shape) == 3 else 1
    flat = as_rows(values)
    frames = flat.shape[1]
    place = share * (frames - 1)
    first = int(place)
    last = min(first + 1, frames - 1) if place > first else first
    size = int(np.clip(TILE_BYTES // (frames * flat.itemsize) // 32 * 32, 32, 1024))
    tile = np.empty((frames, size), flat.dtype)
    result = np.empty((flat.shape[0], flat.shape[2]))
    exchanges = selection_network(frames, first, last)
    _select(flat, exchanges, tile, first, last, place - first, result)
    if valid is not None:
        whole = complete(valid)
        if not whole.all():
            _select_valid(flat, mask_rows(valid), whole, channels, share, result)
    return (cast(result.reshape(shape), dtype, covered_somewhere(valid)),)
