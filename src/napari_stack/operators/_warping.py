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
    # Multiplied in double precision, then divided only where the last row asks for it.
    px = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
    py = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
    if matrix[2, 0] != 0 or matrix[2, 1] != 0 or matrix[2, 2] != 1:
        w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
        return px / w, py / w
    return px, py


@kernel
def _weights(taps: int, t: float) -> tuple[float, float, float, float]:
    # Of the pixels -1, 0, 1 and 2 around a position; unused ones are 0.
    if taps == 1:
        return (0.0, 1.0, 0.0, 0.0) if t < 0.5 else (0.0, 0.0, 1.0, 0.0)
    if taps == 2:
        return 0.0, 1 - t, t, 0.0
    # Keys 1981 with a = -1/2: exact for polynomials of the second degree.
    return (
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )


@kernel
def _clamped(value: int, last: int) -> int:
    return min(max(value, 0), last)


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
    rows, columns, channels = values.shape
    width = source.shape[1]
    last_row = source.shape[0] - 1
    for row in range(rows):
        for column in range(columns):
            px, py = _place(matrix, float(column), float(row + first_row))
            inside[row, column] = (
                -_SLACK <= px <= width - 1 + _SLACK and -_SLACK <= py <= height - 1 + _SLACK
            )
            px = min(max(px, 0.0), width - 1.0)
            py = min(max(py, 0.0), height - 1.0)
            x, y = int(px), int(py)  # never negative: the cast is the floor
            a, b, c, d = _weights(taps, px - x)
            e, f, g, h = _weights(taps, py - y)
            y -= first_source_row
            if x >= 1 and y >= 1 and x + 2 < width and y + 2 <= last_row:
                x0, x1, x2, x3 = x - 1, x, x + 1, x + 2
                y0, y1, y2, y3 = y - 1, y, y + 1, y + 2
            else:
                x0, x1 = _clamped(x - 1, width - 1), _clamped(x, width - 1)
                x2, x3 = _clamped(x + 1, width - 1), _clamped(x + 2, width - 1)
                y0, y1 = _clamped(y - 1, last_row), _clamped(y, last_row)
                y2, y3 = _clamped(y + 1, last_row), _clamped(y + 2, last_row)
            for k in range(channels):
                if taps == 4:
                    values[row, column, k] = (
                        e * (a * source[y0, x0, k] + b * source[y0, x1, k]
                             + c * source[y0, x2, k] + d * source[y0, x3, k])
                        + f * (a * source[y1, x0, k] + b * source[y1, x1, k]
                               + c * source[y1, x2, k] + d * source[y1, x3, k])
                        + g * (a * source[y2, x0, k] + b * source[y2, x1, k]
                               + c * source[y2, x2, k] + d * source[y2, x3, k])
                        + h * (a * source[y3, x0, k] + b * source[y3, x1, k]
                               + c * source[y3, x2, k] + d * source[y3, x3, k])
                    )  # fmt: skip
                else:
                    values[row, column, k] = (
                        f * (b * source[y1, x1, k] + c * source[y1, x2, k])
                        + g * (b * source[y2, x1, k] + c * source[y2, x2, k])
                    )  # fmt: skip


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
