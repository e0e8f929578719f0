"""Kernels that drop the pixels of a frame onto a finer grid, each with the area that it covers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel, kernel


@kernel
def drop_shifted(
    values: NDArray[Any],
    counts: NDArray[np.bool_],
    planes: NDArray[np.int64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    side: tuple[float, float],
    weight: float,
    total: NDArray[Any],
    weights: NDArray[Any],
) -> None:  # pragma: no cover
    """Drop pixels whose drops lie along the axes of the grid.

    Parameters
    ----------
    values : ndarray, shape (rows, columns, channels)
    counts : ndarray of bool, shape (rows, columns), or (0, 0) where all do
    planes : ndarray of int, shape (4,)
        Channel of the result by parity of row and column, of a mosaic; -1 for channels of pixels.
    x, y : ndarray, shape (columns,) and (rows,)
        Left and upper border of the drops, in pixels of the result counted from its border.
    side : tuple of float
        Width and height of a drop.
    weight : float
        Of the frame.
    total, weights : ndarray, shape (y, x, channels)
        Weighted values, and weights; both are added to.
    """
    height, width = total.shape[:2]
    rows, columns, channels = values.shape
    share = weight / (side[0] * side[1])
    masked = counts.size > 0
    for row in range(rows):
        top, bottom = y[row], y[row] + side[1]
        for j in range(max(int(np.floor(top)), 0), min(int(np.ceil(bottom)), height)):
            tall = min(bottom, j + 1.0) - max(top, float(j))
            if tall <= 0:
                continue
            for column in range(columns):
                if masked and not counts[row, column]:
                    continue
                left, right = x[column], x[column] + side[0]
                plane = planes[2 * (row & 1) + (column & 1)]
                for i in range(max(int(np.floor(left)), 0), min(int(np.ceil(right)), width)):
                    part = share * tall * (min(right, i + 1.0) - max(left, float(i)))
                    if plane >= 0:
                        total[j, i, plane] += part * values[row, column, 0]
                        weights[j, i, plane] += part
                    else:
                        for k in range(channels):
                            total[j, i, k] += part * values[row, column, k]
                            weights[j, i, k] += part


@inner_kernel
def _area_below(x1: float, y1: float, x2: float, y2: float) -> float:  # pragma: no cover
    """Signed area between a part of a line and the x axis, within the unit square."""
    if x1 == x2:
        return 0.0
    sign = 1.0
    if x1 > x2:
        x1, y1, x2, y2, sign = x2, y2, x1, y1, -1.0
    if x2 <= 0 or x1 >= 1:
        return 0.0
    slope = (y2 - y1) / (x2 - x1)
    if x1 < 0:
        x1, y1 = 0.0, y1 - slope * x1
    if x2 > 1:
        x2, y2 = 1.0, y2 - slope * (x2 - 1)
    if y1 <= 0 and y2 <= 0:
        return 0.0
    if y1 >= 1 and y2 >= 1:
        return sign * (x2 - x1)
    area = 0.0
    if y1 > y2:  # mirrored: the area is the same
        y1, y2, slope = y2, y1, -slope
    if y1 < 0:
        x1, y1 = x1 - y1 / slope, 0.0
    if y2 > 1:
        cut = x2 - (y2 - 1) / slope
        area = x2 - cut
        x2, y2 = cut, 1.0
    return sign * (area + 0.5 * (y1 + y2) * (x2 - x1))


@kernel
def drop_turned(
    values: NDArray[Any],
    counts: NDArray[np.bool_],
    planes: NDArray[np.int64],
    matrix: NDArray[np.float64],
    pixfrac: float,
    weight: float,
    total: NDArray[Any],
    weights: NDArray[Any],
) -> None:  # pragma: no cover
    """Drop pixels whose drops are any quadrilaterals; what they cover of each pixel is exact.

    Parameters
    ----------
    matrix : ndarray, shape (3, 3)
        Takes a point (x, y) of the frame to the result, counted from its border.
    values, counts, planes, pixfrac, weight, total, weights
        As for `drop_shifted`.
    """
    height, width = total.shape[:2]
    rows, columns, channels = values.shape
    px, py = np.empty(5), np.empty(5)
    half = 0.5 * pixfrac
    masked = counts.size > 0
    for row in range(rows):
        for column in range(columns):
            if masked and not counts[row, column]:
                continue
            for corner in range(5):  # the first one again at the end
                u = column + (half if corner in (1, 2) else -half)
                v = row + (half if corner in (2, 3) else -half)
                depth = matrix[2, 0] * u + matrix[2, 1] * v + matrix[2, 2]
                px[corner] = (matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2]) / depth
                py[corner] = (matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2]) / depth
            whole = 0.0
            for c in range(4):
                whole += 0.5 * (px[c] * py[c + 1] - px[c + 1] * py[c])
            whole = abs(whole)
            if not whole > 0:
                continue
            plane = planes[2 * (row & 1) + (column & 1)]
            first, last = max(int(np.floor(px.min())), 0), min(int(np.ceil(px.max())), width)
            for j in range(max(int(np.floor(py.min())), 0), min(int(np.ceil(py.max())), height)):
                for i in range(first, last):
                    area = 0.0
                    for c in range(4):
                        area += _area_below(px[c] - i, py[c] - j, px[c + 1] - i, py[c + 1] - j)
                    part = weight * abs(area) / whole
                    if part == 0:
                        continue
                    if plane >= 0:
                        total[j, i, plane] += part * values[row, column, 0]
                        weights[j, i, plane] += part
                    else:
                        for k in range(channels):
                            total[j, i, k] += part * values[row, column, k]
                            weights[j, i, k] += part
