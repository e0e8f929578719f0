"""Pixel kernels of sigma clipping."""

from dataclasses import dataclass
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
from napari_stack.operators.combine.clip_pixel import DEVIATION, MEAN, narrow, narrow_plain, sort
from napari_stack.operators.combine.clip_sorted import clip_ordered
from napari_stack.operators.combine.clip_tiles import TILE, clip_quickly
from napari_stack.operators.combine.rank import TILE_BYTES, sorting_network

#: Types that kernels are compiled for; others are converted to one of them, a few rows at a time.
#: Each takes seconds to compile.
_KINDS: dict[str, np.dtype[Any]] = {
    "u1": np.dtype(np.uint16),
    "u2": np.dtype(np.uint16),
    "f2": np.dtype(np.float32),
    "f4": np.dtype(np.float32),
}
_CONVERTED_BYTES = 2**20

#: A value at the limit is kept: limits are wider by this share of the spread, which is rounding.
_SLACK = 1e-11


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
    valid: NDArray[np.bool_],
    column: int,
    pixel: int,
    low: float,
    high: float,
    centre: int,
    spread: int,
    iterations: int,
    unit: float,
    work: NDArray[np.float64],
    tally: NDArray[Any],
) -> tuple[int, int, float, float]:  # pragma: no cover
    """Clip one pixel; return how many values there were and are left, their mean and squares."""
    kept = work[0]
    frames = values.shape[0]
    count = 0
    for frame in range(frames):
        if valid[frame, pixel]:
            kept[count] = float(values[frame, column])
            count += 1
    if count == 0:
        return 0, 0, 0.0, 0.0
    start, stop = 0, count
    if centre == MEAN and spread == DEVIATION:
        stop = narrow_plain(kept, count, low, high, iterations)
    else:
        sort(kept, count)
        start, stop = narrow(work, 0, count, low, high, centre, spread, iterations, unit)
    left = stop - start
    total, squares, pivot = 0.0, 0.0, kept[start]
    least, most = pivot, pivot
    for i in range(start, stop):
        # Distances from one of the values: squares of small numbers lose no digits.
        total += kept[i] - pivot
        squares += (kept[i] - pivot) ** 2
        least, most = min(least, kept[i]), max(most, kept[i])
    if left < count:
        for frame in range(frames):
            value = float(values[frame, column])
            if valid[frame, pixel] and (value < least or value > most):
                tally[frame] += 1
    return count, left, (left * pivot + total) / left, squares - total * total / left


@kernel
def _clip_incomplete(
    values: NDArray[Any],
    valid: NDArray[np.bool_],
    whole: NDArray[np.bool_],
    channels: int,
    low: float,
    high: float,
    centre: int,
    spread: int,
    iterations: int,
    unit: float,
    mean: NDArray[np.float64],
    rejected: NDArray[np.uint16],
    count: NDArray[np.uint16],
    squares: NDArray[np.float32],
    tally: NDArray[np.uint32],
) -> None:  # pragma: no cover
    """Clip the pixels of which some frames are invalid, one after the other."""
    rows, frames, columns = values.shape
    work = np.empty((3, frames))
    for row in range(rows):
        for column in range(columns):
            if whole[row, column]:
                continue
            present, used, value, spare = _clip_pixel(
                values[row], valid[row], column, column // channels, low, high, centre, spread,
                iterations, unit, work, tally[row],
            )  # fmt: skip
            mean[row, column] = value
            rejected[row, column] = present - used
            if squares.size:
                count[row, column] = used
                squares[row, column] = max(spare, 0.0)


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
    mean = np.empty((flat.shape[0], flat.shape[2]))
    rejected = np.empty(mean.shape, np.uint16)
    some = mean.shape if details else (len(mean), 0)
    count, squares = np.empty(some, np.uint16), np.empty(some, np.float32)
    tally = np.zeros(flat.shape[:2], np.uint32)
    results = mean, rejected, count, squares, tally
    kind = _KINDS.get(flat.dtype.str[1:], np.dtype(np.float64))
    step = len(flat) if kind == flat.dtype else max(_CONVERTED_BYTES // max(flat[0].nbytes, 1), 1)
    for start in range(0, len(flat), step):
        rows = slice(start, start + step)
        part = None if valid is None else valid[:, rows]
        unit = np.inf if flat.dtype.kind == "f" else 1.0
        _clip_rows(
            flat[rows].astype(kind, copy=False),
            part,
            channels,
            rules,
            unit,
            [result[rows] for result in results],
        )
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


def _clip_rows(
    flat: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    channels: int,
    rules: Rules,
    unit: float,
    results: list[NDArray[Any]],
) -> None:
    """Clip rows (rows, n, columns) into mean, rejected, count, squares and tally."""
    rows, frames, columns = flat.shape
    whole = np.ones((rows, columns), bool)
    if valid is not None:
        whole = complete(valid).repeat(channels, 1)
    iterations = rules.iterations if frames > 2 else 0
    limits = rules.low + _SLACK, rules.high + _SLACK
    robust = *limits, rules.centre, rules.spread, iterations, unit
    if iterations > 0 and (rules.centre, rules.spread) != (MEAN, DEVIATION):
        tile = np.empty((frames, _tile_width(frames, flat.itemsize)), flat.dtype)
        clip_ordered(flat, whole, *robust, sorting_network(frames), tile, *results)
    else:
        clip_quickly(flat, whole, *limits, iterations, *results)
    if not whole.all():
        _clip_incomplete(flat, mask_rows(valid), whole, channels, *robust, *results)


def _tile_width(frames: int, itemsize: int) -> int:
    """Columns worked on at a time: what is kept of them stays in the first cache."""
    return int(np.clip(TILE_BYTES // (frames * itemsize) // 32 * 32, 32, TILE))


def _standard_error(squares: NDArray[np.float32], count: NDArray[np.uint16]) -> NDArray[Any]:
    n = count.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(squares / (n * (n - 1)))
    error[count < 2] = np.nan
    return error
