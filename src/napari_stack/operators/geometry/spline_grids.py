"""Cubic B-splines over coarse grids of control points: read at points, and fitted to values."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Control points along a side at the least: a cubic B-spline has four about each place.
LEAST = 4


def inner(position: Floats, count: int) -> Floats:
    """Return positions among so many control points, held within those that the spline covers."""
    return np.clip(position, 1.0, count - 2.0)


def weights(position: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Return the first of four control points about each position, and their weights (n, 4)."""
    first = np.floor(position)
    t = position - first
    u = 1 - t
    four = (u**3, 4 - 6 * t**2 + 3 * t**3, 4 - 6 * u**2 + 3 * u**3, t**3)
    return first.astype(np.intp) - 1, np.stack(four, axis=-1) / 6


def read(grid: Floats, places: Floats) -> Floats:
    """Read a spline at points; beyond the grid its border goes on.

    Parameters
    ----------
    grid : ndarray, shape (rows, columns, k)
        Control points; the spline covers all but the outermost.
    places : ndarray, shape (points, 2)
        (column, row) among the control points.
    """
    rows, columns = grid.shape[:2]
    left, across = weights(inner(places[:, 0], columns))
    top, down = weights(inner(places[:, 1], rows))
    total = np.zeros((len(places), grid.shape[2]))
    for j in range(4):
        row = np.minimum(top + j, rows - 1)  # on the last one the fourth weight is 0
        for i in range(4):
            share = down[:, j] * across[:, i]
            total += share[:, None] * grid[row, np.minimum(left + i, columns - 1)]
    return total


def fitted(values: Floats) -> Floats:
    """Control points of the spline that takes values (rows, columns, k) at whole positions.

    One control point is added on each side; there the second difference is 0.
    """
    return _along(_along(values, 0), 1)


def _along(values: Floats, axis: int) -> Floats:
    count = values.shape[axis]
    system = np.zeros((count + 2, count + 2))
    middle = np.arange(1, count + 1)
    for step, share in ((-1, 1 / 6), (0, 4 / 6), (1, 1 / 6)):
        system[middle, middle + step] = share
    system[0, :3] = system[-1, -3:] = 1, -2, 1
    moved = np.moveaxis(values, axis, 0)
    right = np.zeros((count + 2, *moved.shape[1:]))
    right[1:-1] = moved
    found = np.linalg.solve(system, right.reshape(count + 2, -1))
    return np.moveaxis(found.reshape(right.shape), 0, axis)
