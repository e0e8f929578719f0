"""Reject values of rows of frames by other methods than sigma clipping, as `clip_band` does."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.casting import cast
from napari_stack.operators.combine.reducers.band_rows import as_rows, covered_somewhere
from napari_stack.operators.combine.reducers.sorting import sorting_network, tile_width
from napari_stack.operators.combine.rejection.clip_band import (
    standard_error,
    values_there,
)
from napari_stack.operators.combine.rejection.methods import (
    GeneralisedESD,
    LinearFit,
    MinMax,
    PercentileClip,
    critical_values,
)
from napari_stack.operators.combine.rejection.ordered_kernels import (
    APART,
    ORDERED_STATE,
    ORDERED_SUMS,
    WIDE,
)
from napari_stack.operators.combine.rejection.reject_kernels import (
    ESD,
    LINE,
    RANKS,
    SHARES,
    reject_rows,
)

#: Of more, 32 bits do not decide surely enough what lies beyond a bound.
_FEW_FRAMES = 64


class Limits(NamedTuple):
    """How the kernel rejects: which way, how far below and above, and in how many rounds."""

    kind: int
    low: float
    high: float
    rounds: int = 1


def limits_of(method: Any, low: float, high: float, iterations: int, frames: int) -> Limits:
    """Return what the kernel needs of a method, for some sigmas, rounds and frames."""
    if isinstance(method, LinearFit):
        return Limits(LINE, low, high, iterations)
    if isinstance(method, PercentileClip):
        return Limits(SHARES, method.below, method.above)
    if isinstance(method, MinMax):
        return Limits(RANKS, method.least / frames, method.greatest / frames)
    return Limits(ESD, 0.0, 0.0)


def reject_band(
    values: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    *,
    method: Any,
    limits: Limits,
    dtype: np.dtype[Any],
    details: bool = False,
) -> tuple[NDArray[Any], ...]:
    """Reject values and average the others of rows of frames; it gives what `clip_band` does.

    Parameters
    ----------
    values : ndarray, shape (n, rows, x) or (n, rows, x, channel)
    valid : ndarray of bool, shape (n, rows, x), or None
        None when all are valid.
    method : LinearFit, GeneralisedESD, PercentileClip or MinMax
    limits : Limits
    dtype : numpy.dtype
        Of the image.
    details : bool
        Give the standard error, and the numbers used and rejected below, too.
    """
    shape = values.shape[1:]
    complete = valid is None or bool(valid.all())
    flat = as_rows(values)
    flat = flat.astype(_kind(flat.dtype, complete, flat.shape[1]), copy=False)
    # Distances of whole numbers of 16 bits are held exactly in 32, and worked on twice as fast.
    whole_numbers = flat.dtype.kind == "u"
    kind = np.dtype(np.float32 if whole_numbers else np.float64)
    rows, frames, columns = flat.shape
    channels = shape[2] if len(shape) == 3 else 1
    lines = np.empty((rows, 0, 0), bool)
    present = np.full((rows, columns), frames, np.uint16)
    there = np.full((rows, frames), columns, np.uint32)
    if valid is not None and not complete:
        lines = np.ascontiguousarray(valid.swapaxes(0, 1))
        present, there = values_there(valid, channels)
    critical, begins = _critical(method, present, frames)
    tile = np.empty((frames, tile_width(frames, flat.itemsize, WIDE)), flat.dtype)
    mean, used = np.empty((rows, columns)), np.empty((rows, columns), np.uint16)
    below, squares = np.empty((rows, columns), np.uint16), np.empty((rows, columns), np.float32)
    per_frame = np.zeros((rows, frames), np.uint32)
    scratch = (
        tile, *np.empty((4, frames)), *np.empty((2, frames + frames % 2, APART), kind),
        np.empty(ORDERED_STATE, kind), np.empty(ORDERED_SUMS), True if whole_numbers else None,
    )  # fmt: skip
    results = (mean, used, below, squares, per_frame)
    rules = (channels, *limits, critical, begins, sorting_network(frames))
    reject_rows(flat, lines, *rules, *scratch, *results)
    image = cast(mean.reshape(shape), dtype, covered_somewhere(valid))
    rejected = np.subtract(present, used).reshape(shape)
    found = (image, rejected, per_frame, there)
    if not details:
        return found
    error = standard_error(squares, used).reshape(shape)
    return (*found, error, used.reshape(shape), below.reshape(shape))


def _kind(dtype: np.dtype[Any], complete: bool, frames: int) -> np.dtype[Any]:
    """Type that values are worked on in: few, as each takes seconds to compile."""
    if complete and dtype.kind == "u" and dtype.itemsize <= 2 and frames <= _FEW_FRAMES:
        return np.dtype(np.uint16)
    if dtype.itemsize <= 2 or dtype == np.float32:
        return np.dtype(np.float32)
    return np.dtype(np.float64)


def _critical(
    method: Any, present: NDArray[np.uint16], frames: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Critical values of the ESD test for the numbers of values there are, and where they begin."""
    begins = np.zeros(frames + 2, np.int64)
    if not isinstance(method, GeneralisedESD):
        return np.empty(0), begins
    parts = []
    for count in np.unique(present).tolist():
        part = critical_values(count, method.outliers, method.significance)
        parts.append(part)
        begins[count + 1 :] += len(part)
    return np.concatenate(parts), begins
