"""Rows that move alike: banded systems of their shifts, and how smooth a series of scans is."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Smoothness that is tried, and the differences of rows that are held small: a random walk, or one
#: whose speed wanders.
_SMOOTHNESS, _ORDERS = np.logspace(-1, 9, 11), (1, 2)

#: Between two of these the best is looked for once more.
_BETWEEN = 10 ** np.array([-0.75, -0.5, -0.25, 0.25, 0.5, 0.75])

#: Standard deviation of a shift of all rows together, in px.
_SPREAD = 5.0

#: Frames that the smoothness is measured on, at the most.
_FRAMES = 8


@dataclass(frozen=True, eq=False)
class RowSystem:
    """Normal equations of the shifts (dx, dy) of the rows of one frame.

    Parameters
    ----------
    normal : ndarray, shape (rows, 3)
        xx, xy and yy of each row.
    right : ndarray, shape (2 rows,)
        dx and dy of the rows in turn.
    zigzag : ndarray, shape (2,)
        Right side and normal of an offset along x that odd rows have more, even ones less.
    """

    normal: Floats
    right: Floats
    zigzag: Floats

    @classmethod
    def of(cls, sums: Floats, offsets: Floats) -> "RowSystem":
        """Make it of what `sum_rows` summed at some offsets; free in gain and offset of grey."""
        n, t, v, tt, tv, vv = sums[:, :6].sum(axis=0)
        n = max(n, 1.0)
        gain = (tv - t * v / n) / max(tt - t * t / n, 1e-12)
        level = (v - gain * t) / n
        square = vv - level * v - gain * tv
        variance = max(float(square / n), 1e-12)
        slopes, seen, shown = sums[:, 6:8], sums[:, 8:10], sums[:, 10:12]
        apart = seen - gain * shown - level * slopes
        normal = sums[:, 12:15] * (gain**2 / variance)
        pull = -gain / variance * apart
        signs = np.where(np.arange(len(pull)) % 2, 1.0, -1.0)
        zigzag = np.array([signs @ pull[:, 0], normal[:, 0].sum()])
        return cls(normal, (pull + _times(normal, offsets)).ravel(), zigzag)


def _times(normal: Floats, offsets: Floats) -> Floats:
    xx, xy, yy = normal.T
    x, y = offsets.T
    return np.stack([xx * x + xy * y, xy * x + yy * y], axis=1)


@dataclass(frozen=True)
class RowPrior:
    """How little rows move unlike their neighbours.

    Parameters
    ----------
    smoothness : float
    order : int
        Of the differences that are small.
    """

    smoothness: float
    order: int

    def band(self, rows: int) -> Floats:
        """Return the lower band (5, 2 rows) of what shifts cost."""
        band = np.zeros((5, 2 * rows))
        band[0] = 1 / _SPREAD**2
        square = _squared_differences(rows, self.order)
        for apart in range(self.order + 1):
            band[2 * apart, : 2 * (rows - apart)] += self.smoothness * np.repeat(square[apart], 2)
        return band

    def solve(self, system: RowSystem) -> Floats:
        """Return the most probable shifts (rows, 2)."""
        from scipy.linalg import solveh_banded

        band = self.band(len(system.normal)) + _band_of(system.normal)
        found: Floats = solveh_banded(band, system.right, lower=True)
        return found.reshape(-1, 2)

    def odds(self, system: RowSystem) -> float:
        """Logarithm of the odds that the rows move, against not at all."""
        from scipy.linalg import cho_solve_banded, cholesky_banded

        band, free = _cost(self, len(system.normal))
        after = cholesky_banded(band + _band_of(system.normal), lower=True)
        told = float(system.right @ cho_solve_banded((after, True), system.right))
        return told / 2 - float(np.log(after[0]).sum()) + free


@lru_cache(maxsize=4)
def _cost(prior: RowPrior, rows: int) -> tuple[Floats, float]:
    """Band of a prior, and half the logarithm of its determinant."""
    from scipy.linalg import cholesky_banded

    band = prior.band(rows)
    return band, float(np.log(cholesky_banded(band, lower=True)[0]).sum())


def _band_of(normal: Floats) -> Floats:
    band = np.zeros((5, 2 * len(normal)))
    band[0, ::2], band[1, ::2], band[0, 1::2] = normal.T
    return band


def _squared_differences(rows: int, order: int) -> list[Floats]:
    """Diagonals, the main one first, of D^T D for differences of an order."""
    stencil = np.diff(np.eye(order + 1), order, axis=0)[0]
    found = []
    for apart in range(order + 1):
        diagonal = np.zeros(rows - apart)
        for k in range(order + 1 - apart):
            share = stencil[k] * stencil[k + apart]
            diagonal[k : k + rows - order] += share
        found.append(diagonal)
    return found


def most_probable(systems: list[RowSystem], fixed: float | None) -> RowPrior:
    """Return the prior that makes what a series says most probable.

    Parameters
    ----------
    systems : list of RowSystem
    fixed : float or None
        The smoothness, where it was given.
    """
    chosen = systems[:: -(-len(systems) // _FRAMES)]

    def told(prior: RowPrior) -> float:
        return float(sum(prior.odds(system) for system in chosen))

    if fixed is not None:
        return max((RowPrior(fixed, order) for order in _ORDERS), key=told)
    coarse = max((RowPrior(float(s), order) for order in _ORDERS for s in _SMOOTHNESS), key=told)
    near = [RowPrior(coarse.smoothness * float(f), coarse.order) for f in _BETWEEN]
    return max([coarse, *near], key=told)
