"""Grids of control points over a frame: bases, normal matrices, and what bends cost."""

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.operators.geometry.spline_grids import inner, weights

Floats = NDArray[np.float64]

#: Of the cost of bends, that which a shift and a slope cost: so little that they are free.
_FREE = 1e-4

#: A cubic B-spline meets those up to so many control points away.
_REACH = 3


@dataclass(frozen=True)
class ControlPoints:
    """Control points of displacements over a frame.

    Parameters
    ----------
    size : tuple of int
        Height and width of the frame.
    spacing : float
        In px.
    """

    size: tuple[int, int]
    spacing: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        height, width = (ceil((side - 1) / self.spacing) + 3 for side in self.size)
        return height, width

    @property
    def place(self) -> Floats:
        """Take a point of the frame to its (column, row) among the control points."""
        share = 1 / self.spacing
        return np.array([[share, 0, 1], [0, share, 1], [0, 0, 1.0]])

    def bases(self, size: tuple[int, int], step: int) -> tuple[Floats, Floats]:
        """Weights of control points at the pixels of a reduced frame, along y and along x."""
        down, across = (
            self._basis(side, count, step) for side, count in zip(size, self.shape, strict=True)
        )
        return down, across

    def _basis(self, pixels: int, count: int, step: int) -> Floats:
        full = np.arange(pixels) * float(step) + (step - 1) / 2
        position = (full / self.spacing + 1.0).astype(np.float64)
        first, share = weights(inner(position, count))
        basis = np.zeros((pixels, count))
        for k in range(4):
            np.add.at(basis, (np.arange(pixels), np.minimum(first + k, count - 1)), share[:, k])
        return basis

    def stiffness(self) -> Floats:
        """Return what third differences cost (k, k), of control points in C order.

        Of the orders 1 to 3 the third makes series of smooth motion the most probable.
        """
        rows, columns = self.shape
        d1, d2, d3 = (
            [np.diff(np.eye(n), order, axis=0) for n in (rows, columns)] for order in (1, 2, 3)
        )
        y, x, root = np.eye(rows), np.eye(columns), np.sqrt(3)
        parts = [
            np.kron(y, d3[1]), np.kron(d3[0], x),
            root * np.kron(d2[0], d1[1]), root * np.kron(d1[0], d2[1]),
        ]  # fmt: skip
        cost: Floats = sum((part.T @ part for part in parts), _FREE * np.eye(rows * columns))
        return cost


def normal_matrix(slopes: tuple[Any, Any], counts: Any, bases: tuple[Floats, Floats]) -> Floats:
    """Return the normal matrix (2k, 2k) of control points of (dx, dy).

    Parameters
    ----------
    slopes : tuple of ndarray
        Of a template, along x and y.
    counts : ndarray
        Weights of the pixels.
    bases : tuple of ndarray
        As `ControlPoints.bases` gives them.
    """
    down, across = bases
    rows, columns = down.shape[1], across.shape[1]
    total = np.zeros((2, rows, columns, 2, rows, columns))
    for one, other in ((0, 0), (0, 1), (1, 1)):
        products = (slopes[one] * slopes[other] * counts).astype(np.float64)
        for right in range(-_REACH, _REACH + 1):
            a, pairs = _pairs(across, right)
            along = products @ pairs
            for below in range(-_REACH, _REACH + 1):
                b, lines = _pairs(down, below)
                j, i = np.meshgrid(b, a, indexing="ij")
                found = lines.T @ along
                total[one, j, i, other, j + below, i + right] = found
                total[other, j, i, one, j + below, i + right] = found
    count = 2 * rows * columns
    return total.reshape(count, count)


def _pairs(basis: Floats, apart: int) -> tuple[NDArray[np.intp], Floats]:
    """Products of the basis functions of neighbours so far apart, and the numbers of the first."""
    count = basis.shape[1]
    first = np.arange(max(0, -apart), min(count, count - apart))
    return first, basis[:, first] * basis[:, first + apart]
