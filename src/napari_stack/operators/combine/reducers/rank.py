"""Pixel kernel of medians and percentiles, by partial selection."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.casting import cast
from napari_stack.core.system.jit import kernel
from napari_stack.operators.combine.reducers.band_rows import as_rows, covered_somewhere
from napari_stack.operators.combine.reducers.sorting import (
    put_in_order,
    selection_network,
    sort,
    tile_width,
)


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
    rows, _, columns = values.shape
    size = tile.shape[1]
    for row in range(rows):
        lines = values[row]
        for left in range(0, columns, size):
            width = min(size, columns - left)
            put_in_order(lines, left, width, exchanges, tile)
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
            count: Any = np.int64(0)  # of a literal 0, the sort would be compiled twice
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
    tile = np.empty((frames, tile_width(frames, flat.itemsize, 1024)), flat.dtype)
    result = np.empty((flat.shape[0], flat.shape[2]))
    exchanges = selection_network(frames, first, last)
    _select(flat, exchanges, tile, first, last, place - first, result)
    if valid is not None:
        whole = valid.all(axis=0)
        if not whole.all():
            lines = np.ascontiguousarray(valid.swapaxes(0, 1))
            _select_valid(flat, lines, whole, channels, share, result)
    return (cast(result.reshape(shape), dtype, covered_somewhere(valid)),)
