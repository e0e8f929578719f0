"""Matrices of motions, for points (x, y, 1)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def centre_of(size: tuple[int, ...]) -> Matrix:
    """Return the (x, y) of the middle of a frame of (height, width)."""
    return np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])


def corners_of(size: tuple[int, ...]) -> Matrix:
    """Return the corner pixels of a frame of (height, width), shape (3, 4): a point a column."""
    right, bottom = size[1] - 1, size[0] - 1
    return np.array([[0, right, 0, right], [0, 0, bottom, bottom], [1, 1, 1, 1]], np.float64)


def about_centre(
    size: tuple[int, ...], cosine: float, sine: float, shift: Any = (0.0, 0.0)
) -> Matrix:
    """Return the matrix that turns and scales about the centre of a frame, then shifts.

    Parameters
    ----------
    size : tuple of int
        Height and width of the frame.
    cosine, sine : float
        Of the angle, times the scale.
    shift : (float, float)
        (x, y) in pixels.
    """
    matrix = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1.0]])
    matrix[:2, 2] = centre_of(size) - matrix[:2, :2] @ centre_of(size) + shift
    return matrix


def moved(matrix: Matrix, points: Matrix) -> Matrix:
    """Return where a matrix takes points, shape (n, 2); infinite on its horizon."""
    places = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return places[:, :2] / places[:, 2:]
