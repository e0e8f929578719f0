"""Rows that move alike: banded systems of their shifts, and how smooth a series of scans is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Smoothness that is tried, and the differences of rows that are held small: a random walk, or one
#: whose speed wanders.
_SMOOTHNESS, _ORDERS = np.logspace(-1, 9, 11), (1, 2)

#: Noise of rows against that of their pixels, at the least and at the most, and how near to the
#: best (in powers of e) smoothness and noise are looked for.
_NOISE, _NEAR = (0.5, 50.0), 0.05

#: Standard deviation of a shift of all rows together, in px.
_SPREAD = 5.0

#: A row says something where it says this much, against the one that says most.
_LEAST = 1e-6

#: Rows that smoothness and noise are measured on, and frames of these, at the most.
_ROWS, _FRAMES = 2048, 8


@dataclass(frozen=True, eq=False)
class RowSystem:
    """Normal equations of the shifts (dx, dy) of the rows of one frame.

    Parameters
    ----------
    normal : ndarray, shape (rows, 3)
        xx, xy and yy of each row.
    pull, offsets : ndarray, shape (rows, 2)
        Towards which (dx, dy) the rows pull, and the offsets they were compared at.
    zigzag : ndarray, shape (2,)
        Right side and normal of an offset along x that odd rows have more, even ones less.
    """

    normal: Floats
    pull: Floats
    offsets: Floats
    zigzag: Floats

    @classmethod
    def of(cls, sums: Floats, offsets: Floats, gain: float, slope_noise: float) -> "RowSystem":
        """Make it of what `sum_rows` summed at some offsets, free in the offset of grey.

        Slopes of the template that are noise (of the variance `slope_noise`, for one of a pixel)
        tell nothing of a motion: as it follows a row, its pull does not change by these.
        """
        n, t, v, tt, tv, vv = sums[:, :6].sum(axis=0)
        n = max(n, 1.0)
        level = (v - gain * t) / n
        square = vv - 2 * gain * tv + gain**2 * tt - n * level**2
        variance = max(float(square / n), 1e-12)
        slopes, seen, shown = sums[:, 6:8], sums[:, 8:10], sums[:, 10:12]
        apart = seen - gain * shown - level * slopes
        squares = sums[:, 12:15:2]
        noise = sums[:, :1] * (slope_noise * variance / gain**2)
        true = np.maximum(1 - noise / np.maximum(squares, 1e-30), 0)
        shares = np.stack([true[:, 0] ** 2, true[:, 0] * true[:, 1], true[:, 1] ** 2], axis=1)
        normal = sums[:, 12:15] * shares * (gain**2 / variance)
        pull = -gain / variance * apart * true
        signs = np.where(np.arange(len(pull)) % 2, 1.0, -1.0)
        zigzag = np.array([signs @ pull[:, 0], normal[:, 0].sum()])
        return cls(normal, pull, offsets, zigzag)

    @cached_property
    def right(self) -> Floats:
        """Right side of the equations (2 rows,): dx and dy of the rows in turn."""
        return (self.pull + _times(self.normal, self.offsets)).ravel()

    @classmethod
    def joined(cls, systems: "list[RowSystem]") -> "RowSystem":
        """Return the rows of some frames after one another."""
        every = [(s.normal, s.pull, s.offsets) for s in systems]
        normal, pull, offsets = (np.concatenate(part) for part in zip(*every, strict=True))
        return cls(normal, pull, offsets, np.sum([s.zigzag for s in systems], axis=0))

    def weighed(self, noise: tuple[float, float]) -> "RowSystem":
        """Return what it says where rows are so much noisier, along x and y, than their pixels."""
        x, y = noise
        normal = self.normal / [x, np.sqrt(x * y), y]
        return RowSystem(normal, self.pull / noise, self.offsets, self.zigzag / x)

    def still(self, noise: tuple[float, float]) -> float:
        """Logarithm of the probability of what it says where no row moves, but for a constant."""
        told, right = self.normal[:, ::2], self.right.reshape(-1, 2)
        seen = told > _LEAST * told.max(initial=0.0)
        squares = (right**2 / np.where(seen, told, np.inf)).sum(axis=0)
        return -float((squares / noise + seen.sum(axis=0) * np.log(noise)).sum()) / 2

    def shifted(self) -> float:
        """Logarithm of the odds that all rows are shifted alike, against not at all."""
        xx, xy, yy = self.normal.sum(axis=0)
        cost = np.eye(2) * len(self.normal) / _SPREAD**2
        both, right = cost + np.array([[xx, xy], [xy, yy]]), self.right.reshape(-1, 2).sum(axis=0)
        told = float(right @ np.linalg.solve(both, right))
        return (told + float(np.log(np.linalg.det(cost) / np.linalg.det(both)))) / 2


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
    noise : tuple of float
        Of the rows, along x and y, against what that of their pixels makes of them: what is shared
        by the pixels of a row, as the rest that interpolation leaves of edges, is not in these.
    """

    smoothness: float
    order: int
    noise: tuple[float, float] = (1.0, 1.0)

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

        told = system.weighed(self.noise)
        band = self.band(len(told.normal)) + _band_of(told.normal)
        found: Floats = solveh_banded(band, told.right, lower=True)
        return found.reshape(-1, 2)

    def odds(self, system: RowSystem) -> float:
        """Logarithm of the odds that the rows move unlike each other, against all alike."""
        told = system.weighed(self.noise)
        return self._odds(told) - told.shifted()

    def told(self, system: RowSystem, frames: int) -> float:
        """Logarithm of the probability of what joined frames say, but for a constant."""
        return self._odds(system.weighed(self.noise), frames) + system.still(self.noise)

    def _odds(self, told: RowSystem, frames: int = 1) -> float:
        from scipy.linalg import cho_solve_banded, cholesky_banded

        band, free = _cost(self.smoothness, self.order, len(told.normal) // frames)
        both = np.tile(band, frames) + _band_of(told.normal)
        after = cholesky_banded(both, overwrite_ab=True, lower=True, check_finite=False)
        solved = cho_solve_banded((after, True), told.right, check_finite=False)
        gain = float(told.right @ solved)
        return gain / 2 - float(np.log(after[0]).sum()) + free * frames


@lru_cache(maxsize=4)
def _cost(smoothness: float, order: int, rows: int) -> tuple[Floats, float]:
    """Band of a prior, and half the logarithm of its determinant."""
    from scipy.linalg import cholesky_banded

    band = RowPrior(smoothness, order).band(rows)
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
    most = min(_FRAMES, max(1, _ROWS // len(systems[0].normal)))
    chosen = systems[:: -(-len(systems) // most)]
    joined = RowSystem.joined(chosen)

    def told(prior: RowPrior) -> float:
        return prior.told(joined, len(chosen))

    tried = _SMOOTHNESS if fixed is None else [fixed]
    starts = (max((RowPrior(float(s), order) for s in tried), key=told) for order in _ORDERS)
    return max((_nearby(start, told, fixed is None) for start in starts), key=told)


def _nearby(start: RowPrior, told: Callable[[RowPrior], float], free: bool) -> RowPrior:
    """Return the best smoothness, if it is free, and noise, from a start on."""
    from scipy.optimize import minimize

    def prior(logs: Floats) -> RowPrior:
        x, y = np.clip(np.exp(logs[:2]), *_NOISE).tolist()
        stiff = start.smoothness * float(np.exp(logs[2:].sum()))
        stiff = float(np.clip(stiff, _SMOOTHNESS[0], _SMOOTHNESS[-1])) if free else stiff
        return RowPrior(stiff, start.order, (x, y))

    begin = np.zeros(3 if free else 2)
    simplex = np.vstack([begin, np.eye(len(begin))])
    found = minimize(
        lambda logs: -told(prior(logs)), begin, method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": _NEAR, "fatol": _NEAR},
    )  # fmt: skip
    return prior(found.x)
