"""Pixel kernels of sigma clipping."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.operators._blocks import as_rows, complete, covered_somewhere, mask_rows
from napari_stack.operators._clipping_tiles import (
    COUNT,
    SQUARES,
    TILE,
    clip_strays,
    count_rejected,
    find_strays,
    gather,
    look,
    mark,
    write,
)
from napari_stack.operators._jit import kernel
from napari_stack.operators._rejecting import DEVIATION, MEAN, narrow, narrow_plain, sort
from napari_stack.sources import cast


@dataclass(frozen=True)
class Rules:
    """What is clipped.

    Attributes
    ----------
    low, high : float
        Distances below and above the centre, in units of the spread.
    centre, spread : int
        `MEAN` or `MEDIAN`; `DEVIATION`, `MAD` or `WINSORISED`.
    iterations : int
    """

    low: float
    high: float
    centre: int
    spread: int
    iterations: int


@kernel
def _clip_pixel(
    values: NDArray[Any],
    valid: NDArray[Any],
    masked: bool,
    column: int,
    pixel: int,
    low: float,
    high: float,
    centre: int,
    spread: int,
    iterations: int,
    unit: float,
    kept: NDArray[Any],
    tally: NDArray[Any],
) -> tuple[int, int, float, float]:  # pragma: no cover
    """Clip one pixel; return how many values there were and are left, their mean and squares."""
    frames = values.shape[0]
    count = 0
    first = 0.0
    for frame in range(frames):
        if not masked or valid[frame, pixel]:
            value = float(values[frame, column])
            if count == 0:
                first = value
            # Distances from the first value: squares of small numbers lose no digits.
            kept[count] = value - first
            count += 1
    if count == 0:
        return 0, 0, 0.0, 0.0
    start, stop = 0, count
    if centre == MEAN and spread == DEVIATION:
        stop = narrow_plain(kept, count, low, high, iterations)
    else:
        sort(kept, count)
        start, stop = narrow(kept, count, low, high, centre, spread, iterations, unit)
    left = stop - start
    total, squares = 0.0, 0.0
    least, most = kept[start], kept[start]
    for i in range(start, stop):
        total += kept[i]
        squares += kept[i] * kept[i]
        least, most = min(least, kept[i]), max(most, kept[i])
    if left < count:
        for frame in range(frames):
            if not masked or valid[frame, pixel]:
                distance = float(values[frame, column]) - first
                if distance < least or distance > most:
                    tally[frame] += 1
    return count, left, (left * first + total) / left, squares - total * total / left


@kernel
def _clip(
    values: NDArray[Any],
    valid: NDArray[Any],
    masked: bool,
    whole: NDArray[np.bool_],
    channels: int,
    low: float,
    high: float,
    centre: int,
    spread: int,
    iterations: int,
    unit: float,
    mean: NDArray[np.float64],
    count: NDArray[np.uint16],
    rejected: NDArray[np.uint16],
    squares: NDArray[np.float32],
    tally: NDArray[np.uint32],
) -> None:  # pragma: no cover
    rows, frames, columns = values.shape
    kept = np.empty(frames, np.float64)
    state = np.empty((6, TILE), np.float64)
    work = np.empty((8, TILE), np.float64)
    near = np.empty((frames, TILE), np.float64)
    stray = np.zeros(TILE, np.bool_)
    places = np.empty(TILE, np.int64)
    detailed = squares.size > 0
    clips = iterations > 0 and frames > 2
    quick = not clips or (centre == MEAN and spread == DEVIATION)
    for row in range(rows):
        lines = values[row]
        mask = valid[row if masked else 0]
        for left in range(0, columns, TILE):
            width = min(TILE, columns - left)
            if quick:
                look(lines, left, width, low, high, state)
                strays = 0
                if clips:
                    find_strays(lines, left, width, state, stray)
                    strays = mark(stray, width, places)
                if strays:
                    some = places[:strays]
                    gather(lines, left, some, state, near)
                    clip_strays(near, some.copy(), low, high, iterations, state, work)
                write(state, left, width, frames, mean[row], rejected[row])
            if masked or not quick:
                for column in range(left, left + width):
                    pixel = column // channels
                    if quick and whole[row, pixel]:
                        continue
                    stray[column - left] = False
                    present, used, value, spare = _clip_pixel(
                        lines, mask, masked, column, pixel, low, high, centre, spread,
                        iterations, unit, kept, tally[row],
                    )  # fmt: skip
                    mean[row, column] = value
                    rejected[row, column] = present - used
                    if detailed:
                        count[row, column] = used
                        squares[row, column] = max(spare, 0.0)
            if quick:
                strays = mark(stray, width, places)
                count_rejected(lines, left, places[:strays], state, detailed, tally[row])
            if quick and detailed:
                for i in range(width):
                    if not masked or whole[row, (left + i) // channels]:
                        count[row, left + i] = int(state[COUNT, i])
                        squares[row, left + i] = state[SQUARES, i]


def clip_band(
    values: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    *,
    rules: Rules,
    dtype: np.dtype[Any],
    details: bool = False,
) -> tuple[NDArray[Any], ...]:
    """Clip and average rows of frames.

    Parameters
    ----------
    values : ndarray, shape (n, rows, x) or (n, rows, x, channel)
    valid : ndarray of bool, shape (n, rows, x), or None
        None when all are valid.
    rules : Rules
    dtype : numpy.dtype
        Of the image.
    details : bool
        Compute the standard error too.

    Returns
    -------
    image : ndarray of `dtype`, shape (rows, x) or (rows, x, channel)
    rejected : ndarray of uint16, same shape
    tally, present : ndarray of uint32, shape (rows, n)
        Values rejected and values there, of each frame in each row.
    error : ndarray of float32, shape of `image`
        Standard error of the mean; NaN for fewer than two values. Only with `details`.
    used : ndarray of uint16, shape of `image`
        Number of values averaged. Only with `details`.
    """
    shape = values.shape[1:]
    channels = shape[2] if len(shape) == 3 else 1
    flat = as_rows(values)
    unit = np.inf if flat.dtype.kind == "f" else 1.0
    mask, whole = mask_rows(valid), complete(valid)
    mean = np.empty((flat.shape[0], flat.shape[2]))
    rejected = np.empty(mean.shape, np.uint16)
    some = mean.shape if details else (0, 0)
    count, squares = np.empty(some, np.uint16), np.empty(some, np.float32)
    tally = np.zeros(flat.shape[:2], np.uint32)
    _clip(
        flat, mask, valid is not None, whole, channels, rules.low, rules.high, rules.centre,
        rules.spread, rules.iterations, unit, mean, count, rejected, squares, tally,
    )  # fmt: skip
    image = cast(mean.reshape(shape), dtype, covered_somewhere(valid))
    if valid is None:
        present = np.full(tally.shape, flat.shape[2], np.uint32)
    else:
        present = (valid.sum(axis=2, dtype=np.uint32) * np.uint32(channels)).T
    found = (image, rejected.reshape(shape), tally, np.ascontiguousarray(present))
    if not details:
        return found
    error = _standard_error(squares, count)
    return (*found, error.reshape(shape), count.reshape(shape))


def _standard_error(squares: NDArray[np.float32], count: NDArray[np.uint16]) -> NDArray[Any]:
    n = count.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(squares / (n * (n - 1)))
    error[count < 2] = np.nan
    return error
