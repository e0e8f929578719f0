"""Clip and average rows of frames: what of a band the kernels work on, and what they give."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.casting import cast
from napari_stack.operators.combine.reducers.band_rows import as_rows, covered_somewhere
from napari_stack.operators.combine.reducers.sorting import sorting_network, tile_width
from napari_stack.operators.combine.rejection.clip_kernels import clip_rows
from napari_stack.operators.combine.rejection.clip_pixel import DEVIATION, MEAN, Rules
from napari_stack.operators.combine.rejection.clip_tile import STATE, TILE

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


def values_there(
    valid: NDArray[np.bool_], channels: int
) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
    """Count the values that are there: at places (rows, columns), and of frames (rows, n)."""
    at_places = valid.sum(axis=0, dtype=np.uint16).repeat(channels, axis=1)
    of_frames = (valid.sum(axis=2, dtype=np.uint32) * np.uint32(channels)).T
    return at_places, np.ascontiguousarray(of_frames)


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
    rejected_per_frame, present_per_frame : ndarray of uint32, shape (rows, n)
        Values rejected and values there, of each frame in each row.
    error : ndarray of float32, shape of `image`
        Standard error of the mean; NaN for fewer than two values. Only with `details`.
    used : ndarray of uint16, shape of `image`
        Number of values averaged. Only with `details`.
    below : ndarray of uint16, shape of `image`
        Number of values rejected below what was kept. Only with `details`.
    """
    shape = values.shape[1:]
    flat = as_rows(values)
    rows, frames, columns = flat.shape
    mean, used = np.empty((rows, columns)), np.empty((rows, columns), np.uint16)
    squares = np.empty(mean.shape if details else (rows, 0), np.float32)
    below = np.zeros(squares.shape, np.uint16)
    rejected_per_frame = np.zeros((rows, frames), np.uint32)
    whole = np.empty((rows, 0), bool)
    present: np.uint16 | NDArray[np.uint16] = np.uint16(frames)
    present_per_frame = np.full((rows, frames), columns, np.uint32)
    if valid is not None and not (complete := valid.all(axis=0)).all():
        channels = columns // valid.shape[2]
        whole = complete.repeat(channels, axis=1)
        present, present_per_frame = values_there(valid, channels)
    _clip(flat, valid, whole, rules, [mean, used, squares, below, rejected_per_frame])
    image = cast(mean.reshape(shape), dtype, covered_somewhere(valid))
    rejected = np.subtract(present, used).reshape(shape)
    found = (image, rejected, rejected_per_frame, present_per_frame)
    if not details:
        return found
    error = standard_error(squares, used).reshape(shape)
    return (*found, error, used.reshape(shape), below.reshape(shape))


def _clip(
    flat: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    whole: NDArray[np.bool_],
    rules: Rules,
    results: list[NDArray[Any]],
) -> None:
    """Clip rows (rows, n, columns) into mean, used, squares, below and rejected per frame.

    Three kernels are compiled for each way to clip: for whole numbers without a mask, and for
    floats with one. Floats without a mask get one that is not read, whole numbers with one become
    floats, which hold them exactly.
    """
    rows, frames, columns = flat.shape
    kind = _KINDS.get(flat.dtype.str[1:], np.dtype(np.float64))
    if kind.kind == "u" and valid is not None:
        kind = np.dtype(np.float32)
    rules = rules._replace(
        low=rules.low + _SLACK,
        high=rules.high + _SLACK,
        iterations=rules.iterations if frames > 2 else 0,
        unit=rules.unit if flat.dtype.kind == "f" else 1.0,
    )
    exchanges, tile = None, np.empty((2, TILE), kind)
    if rules.iterations > 0 and (rules.centre, rules.spread) != (MEAN, DEVIATION):
        exchanges = sorting_network(frames)
        tile = np.empty((frames, tile_width(frames, kind.itemsize, TILE)), kind)
    lines, channels = None, 1
    if valid is None and kind.kind == "f":
        lines = np.empty((rows, 0, 0), bool)
    elif valid is not None:
        lines, channels = np.ascontiguousarray(valid.swapaxes(0, 1)), columns // valid.shape[2]
    scratch = (
        tile, np.empty((2, frames, TILE)), np.empty(STATE), np.empty((3, frames)),
        np.empty((2, TILE + 1), np.int64), np.empty(TILE, bool),
    )  # fmt: skip
    step = rows if kind == flat.dtype else max(_CONVERTED_BYTES // max(flat[0].nbytes, 1), 1)
    for start in range(0, rows, step):
        some = slice(start, start + step)
        part = flat[some].astype(kind, copy=False)
        there = None if lines is None else lines[some]
        clipped = [found[some] for found in results]
        clip_rows(part, there, whole[some], channels, rules, exchanges, *scratch, *clipped)


def standard_error(squares: NDArray[np.float32], used: NDArray[np.uint16]) -> NDArray[Any]:
    """Return the standard error of means, from squares about them; NaN for fewer than two."""
    n = used.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(squares / (n * (n - 1)))
    error[used < 2] = np.nan
    return error
