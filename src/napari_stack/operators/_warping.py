"""Pixel kernels that warp rows of a frame, at exact positions (nothing is quantised)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.operators._jit import kernel

_TAPS = {"nearest": 1, "linear": 2, "cubic": 4}

#: A position this far outside the outermost pixel centre still counts as inside: rounding.
_SLACK = 1e-6

#: A tap of less weight than this is as good as not there (whole shifts meet rounding).
_FAINT = 1e-5


@kernel
def _place(matrix: NDArray[np.float64], x: float, y: float) -> tuple[float, float]:
    # Summed in the same order everywhere: a pixel is the same in a band and in the whole.
    px = matrix[0, 0] * x + (matrix[0, 1] * y + matrix[0, 2])
    py = matrix[1, 0] * x + (matrix[1, 1] * y + matrix[1, 2])
    if matrix[2, 0] != 0 or matrix[2, 1] != 0 or matrix[2, 2] != 1:
        w = matrix[2, 0] * x + (matrix[2, 1] * y + matrix[2, 2])
        return px / w, py / w
    return px, py


@kernel
def _weights(taps: int, t: Any) -> tuple[Any, Any, Any, Any]:
    # Of the pixels -1, 0, 1 and 2 around a position, in the type of t; unused ones are 0.
    one = t * 0 + 1
    half = one / 2
    if taps == 4:
        # Keys 1981 with a = -1/2: exact for polynomials of the second degree.
        u = one - t
        return -half * t * u * u, one + t * t * (3 * half * t - 5 * half), (
            one + u * u * (3 * half * u - 5 * half)), -half * u * t * t  # fmt: skip
    if taps == 2:
        return one - one, one - t, t, one - one
    if t < half:
        return one - one, one, one - one, one - one
    return one - one, one - one, one, one - one


@kernel
def _clamped(value: int, last: int) -> int:
    return min(max(value, 0), last)


@kernel
def _between(slope: float, offset: float, low: float, high: float, end: int) -> tuple[int, int]:
    # Columns c, 0 <= c < end, with low <= slope * c + offset <= high; a little fewer at the ends.
    if abs(slope) < 1e-12:
        return (0, end) if low + 1e-3 <= offset <= high - 1e-3 else (0, 0)
    first, last = (low - offset) / slope, (high - offset) / slope
    if slope < 0:
        first, last = last, first
    first, last = max(first, -1.0), min(last, float(end))
    return max(int(np.ceil(first)) + 1, 0), min(int(np.floor(last)), end)


@kernel
def _inner_columns(
    matrix: NDArray[np.float64], row: int, columns: int, top: int, bottom: int, width: int
) -> tuple[int, int]:
    # Columns whose taps all lie within rows top to bottom of the frame; none for a perspective.
    if matrix[2, 0] != 0 or matrix[2, 1] != 0 or matrix[2, 2] != 1:
        return 0, 0
    x = matrix[0, 1] * row + matrix[0, 2]
    y = matrix[1, 1] * row + matrix[1, 2]
    a, b = _between(matrix[0, 0], x, 1.0, width - 3.0, columns)
    c, d = _between(matrix[1, 0], y, top + 1.0, bottom - 2.0, columns)
    first, last = max(a, c), min(b, d)
    return (first, last) if first < last else (0, 0)


@kernel
def _inner(
    source: NDArray[Any],
    first_source_row: int,
    matrix: NDArray[np.float64],
    row: int,
    taps: int,
    first: int,
    last: int,
    values: NDArray[Any],
) -> None:  # pragma: no cover
    channels = values.shape[1]
    line = source.shape[1] * channels
    pixels = source.ravel()  # one index instead of three: half the time
    kind = source.dtype.type
    for column in range(first, last):
        px, py = _place(matrix, float(column), float(row))
        x, y = int(px), int(py)
        a, b, c, d = _weights(taps, kind(px - x))
        e, f, g, h = _weights(taps, kind(py - y))
        at = (y - 1 - first_source_row) * line + (x - 1) * channels
        for k in range(channels):
            i = at + k
            n, m = i + channels, i + 2 * channels
            o = i + 3 * channels
            values[column, k] = (
                e * (a * pixels[i] + b * pixels[n] + c * pixels[m] + d * pixels[o])
                + f * (a * pixels[i + line] + b * pixels[n + line]
                       + c * pixels[m + line] + d * pixels[o + line])
                + g * (a * pixels[i + 2 * line] + b * pixels[n + 2 * line]
                       + c * pixels[m + 2 * line] + d * pixels[o + 2 * line])
                + h * (a * pixels[i + 3 * line] + b * pixels[n + 3 * line]
                       + c * pixels[m + 3 * line] + d * pixels[o + 3 * line])
            )  # fmt: skip


@kernel
def _outer(
    source: NDArray[Any],
    first_source_row: int,
    height: int,
    matrix: NDArray[np.float64],
    row: int,
    taps: int,
    first: int,
    last: int,
    values: NDArray[Any],
    inside: NDArray[np.bool_],
) -> None:  # pragma: no cover
    width, last_row = source.shape[1], source.shape[0] - 1
    kind = source.dtype.type
    for column in range(first, last):
        px, py = _place(matrix, float(column), float(row))
        inside[column] = (
            -_SLACK <= px <= width - 1 + _SLACK and -_SLACK <= py <= height - 1 + _SLACK
        )
        px = min(max(px, 0.0), width - 1.0)
        py = min(max(py, 0.0), height - 1.0)
        x, y = int(px), int(py)  # never negative: the cast is the floor
        a, b, c, d = _weights(taps, kind(px - x))
        e, f, g, h = _weights(taps, kind(py - y))
        y -= first_source_row
        i, n = _clamped(x - 1, width - 1), _clamped(x, width - 1)
        m, o = _clamped(x + 1, width - 1), _clamped(x + 2, width - 1)
        p, q = _clamped(y - 1, last_row), _clamped(y, last_row)
        r, s = _clamped(y + 1, last_row), _clamped(y + 2, last_row)
        for k in range(values.shape[1]):
            values[column, k] = (
                e * (a * source[p, i, k] + b * source[p, n, k]
                     + c * source[p, m, k] + d * source[p, o, k])
                + f * (a * source[q, i, k] + b * source[q, n, k]
                       + c * source[q, m, k] + d * source[q, o, k])
                + g * (a * source[r, i, k] + b * source[r, n, k]
                       + c * source[r, m, k] + d * source[r, o, k])
                + h * (a * source[s, i, k] + b * source[s, n, k]
                       + c * source[s, m, k] + d * source[s, o, k])
            )  # fmt: skip


@kernel
def _warp_rows(
    source: NDArray[Any],
    first_source_row: int,
    height: int,
    matrix: NDArray[np.float64],
    first_row: int,
    taps: int,
    values: NDArray[Any],
    inside: NDArray[np.bool_],
) -> None:  # pragma: no cover
    rows, columns = inside.shape
    bottom = first_source_row + source.shape[0] - 1
    for i in range(rows):
        row = first_row + i
        first, last = _inner_columns(
            matrix, row, columns, first_source_row, bottom, source.shape[1]
        )
        inside[i, first:last] = True
        _inner(source, first_source_row, matrix, row, taps, first, last, values[i])
        for a, b in ((0, first), (last, columns)):
            _outer(source, first_source_row, height, matrix, row, taps, a, b, values[i], inside[i])


@kernel
def _keep_whole(
    valid: NDArray[np.bool_],
    first_source_row: int,
    height: int,
    matrix: NDArray[np.float64],
    first_row: int,
    taps: int,
    inside: NDArray[np.bool_],
) -> None:  # pragma: no cover
    width, last_row = valid.shape[1], valid.shape[0] - 1
    for row in range(inside.shape[0]):
        for column in range(inside.shape[1]):
            if not inside[row, column]:
                continue
            px, py = _place(matrix, float(column), float(row + first_row))
            px = min(max(px, 0.0), width - 1.0)
            py = min(max(py, 0.0), height - 1.0)
            x, y = int(px), int(py)
            weights_x, weights_y = _weights(taps, px - x), _weights(taps, py - y)
            for j in range(4):
                for i in range(4):
                    if abs(weights_x[i] * weights_y[j]) > _FAINT:
                        v = _clamped(y - 1 + j - first_source_row, last_row)
                        inside[row, column] &= valid[v, _clamped(x - 1 + i, width - 1)]


def warp_rows(
    source: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    first_source_row: int,
    height: int,
    matrix: NDArray[np.float64],
    rows: slice,
    columns: int,
    interpolation: str,
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Warp some rows of a frame; beyond its border the nearest pixel goes on.

    Parameters
    ----------
    source : ndarray, shape (rows, x) or (rows, x, channel)
        Rows of the frame from `first_source_row` on.
    valid : ndarray of bool, shape (rows, x), or None
        Pixels of `source` that count; None for all.
    height : int
        Height of the whole frame.
    matrix : ndarray, shape (3, 3)
        Takes a point (x, y) of the result to the frame.
    rows : slice
        Rows of the result to make.
    columns : int
        Width of the result.
    interpolation : {"nearest", "linear", "cubic"}
        Cubic is that of Keys (1981), a = -1/2.

    Returns
    -------
    values : ndarray, shape (rows, columns) or (rows, columns, channel)
    inside : ndarray of bool, shape (rows, columns)
        Whether the position lies between the outermost pixel centres of the frame, and every
        pixel that the value was made of counts.
    """
    taps = _TAPS[interpolation]
    shape = (rows.stop - rows.start, columns)
    pixels = np.ascontiguousarray(source).reshape(*source.shape[:2], -1)
    values = np.empty((*shape, pixels.shape[2]), source.dtype)
    inside = np.empty(shape, bool)
    place = (first_source_row, height, np.ascontiguousarray(matrix, np.float64), rows.start, taps)
    _warp_rows(pixels, *place, values, inside)
    if valid is not None:
        _keep_whole(np.ascontiguousarray(valid), *place, inside)
    return values.reshape(*shape, *source.shape[2:]), inside
