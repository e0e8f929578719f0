"""The path of a z-stack's planes, taken apart: a slow trend that is left, and jitter about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Logarithm of the odds from which on planes jitter: three numbers were fitted, and any of them may
#: make chance look like it.
_ODDS = 5.0

#: Jitter, in px, that is not worth an interpolation; nor is less than each plane's own noise makes.
_LITTLE = 0.02

#: The place of the whole path is free: this holds it (1 / px^2), whatever it is.
_HOLD = 1.0

#: Logarithms of variances (px^2) stay within these. A trend may bend by up to a px a plane.
_LEAST, _MOST, _BENT = -18.0, 9.0, 0.0

#: How much structures bend from plane to plane: the usual logarithm (0.05 px), and its deviation.
_USUAL, _UNUSUAL = -6.0, 2.0

#: Pairs further from the path than so many standard deviations are left out.
_APART = 5.0

#: Unknowns that are solved for at once where only their variances are wanted.
_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Links:
    """What was measured between planes.

    Parameters
    ----------
    pairs : ndarray of int, shape (m, 2)
        Numbers of two planes, the second the greater.
    shifts : ndarray, shape (m, 2)
        How far the object lies further along (x, y) in the second.
    variances : ndarray, shape (m, 2)
        Of the shifts, up to a factor that all share, px^2.
    own : ndarray, shape (n, 2)
        Variance of the place that each plane's own noise makes, which all its pairs share, px^2.
    """

    pairs: NDArray[np.intp]
    shifts: Floats
    variances: Floats
    own: Floats

    def taken(self, kept: NDArray[np.bool_]) -> "Links":
        """Return some of the pairs."""
        return Links(self.pairs[kept], self.shifts[kept], self.variances[kept], self.own)


@dataclass(frozen=True, eq=False)
class Path:
    """A path, taken apart.

    Parameters
    ----------
    jitter : ndarray, shape (n, 2)
        (dx, dy) of each plane about the trend; 0 where no jitter is probable.
    variance : ndarray, shape (n, 2)
        Of the jitter.
    trend : ndarray, shape (n, 2)
        The slow rest: slanted structures, and drift, which look alike.
    odds : float
        Logarithm of the odds that planes jitter, against not at all.
    """

    jitter: Floats
    variance: Floats
    trend: Floats
    odds: float


def taken_apart(links: Links, period: float | None = None) -> Path:
    """Find the most probable jitter and trend.

    Each plane's jitter is independent of the others'. The slope of the trend wanders at random from
    plane to plane (an integrated random walk), any constant slope being free. How strong both are,
    and how far the pairs can be trusted, is what makes all that was measured most probable.

    Parameters
    ----------
    links : Links
    period : float, optional
        In planes: motion with this period is halved by the trend; by default the strength of both
        is fitted.
    """
    model = _Model(links, period)
    best = model.fitted()
    apart = links.shifts - np.diff(model.places(best)[links.pairs], axis=1)[:, 0]
    kept = (apart**2 <= _APART**2 * np.exp(best[2]) * links.variances).all(axis=1)
    if not kept.all() and kept.sum() >= len(links.own):
        model = _Model(links.taken(kept), period)
        best = model.fitted()
    odds = model.likelihood(best) - model.likelihood(model.still(best))
    jitter, trend, variance = model.solved(best)
    least = max(_LITTLE**2, float(np.median(links.own)))
    if odds <= _ODDS or np.exp(best[1]) < least:
        jitter, variance = np.zeros_like(jitter), np.full_like(variance, np.exp(best[1]))
    return Path(jitter, variance, trend, float(odds))


class _Model:
    """Normal equations of the places of trend and plane, in turns; bands of them for x and y.

    Places, not jitter, are solved for: what pairs tell of the places alone is well conditioned.
    """

    def __init__(self, links: Links, period: float | None) -> None:
        self.links, self.count = links, len(links.own)
        self.reach = 2 * int(np.diff(links.pairs, axis=1).max()) + 1
        self.reach = max(self.reach, 4)
        self.bent = None if period is None else 4 * np.log(2 * np.sin(np.pi / period))
        self.linked = [self._linked(axis) for axis in (0, 1)]
        second = np.diff(np.eye(min(self.count, 5)), 2, axis=0)[:1, :3]
        self.trend = self._band()
        for first in range(self.count - 2):
            _add(self.trend, 2 * (first + np.arange(3)), second.T @ second)

    def _band(self) -> Floats:
        return np.zeros((self.reach + 1, 2 * self.count))

    def _linked(self, axis: int) -> tuple[Floats, Floats, float]:
        """Band and right side of the pairs along an axis, and what is left of them unsolved."""
        band, right = self._band(), np.zeros(2 * self.count)
        signs = np.array([-1.0, 1.0])
        weights = 1 / self.links.variances[:, axis]
        each = zip(self.links.pairs, self.links.shifts[:, axis], weights, strict=True)
        for (one, two), shift, weight in each:
            places = np.array([2 * one + 1, 2 * two + 1])
            _add(band, places, weight * np.outer(signs, signs))
            right[places] += weight * shift * signs
        return band, right, float((weights * self.links.shifts[:, axis] ** 2).sum())

    def _normal(self, axis: int, logs: Floats) -> tuple[Floats, Floats]:
        bend, jitter, noise = np.exp(np.clip(logs, _LEAST, _MOST))
        band = self.linked[axis][0] / noise + self.trend / bend
        apart = 1 / (jitter + self.links.own[:, axis])
        band[0, ::2] += apart
        band[0, 1::2] += apart
        band[1, ::2] -= apart
        band[0, 0] += _HOLD
        return band, self.linked[axis][1] / noise

    def likelihood(self, logs: Floats) -> float:
        """Logarithm of how probable the pairs are, but for a constant.

        Parameters
        ----------
        logs : ndarray, shape (3,)
            Logarithms of the variances of the trend's bends and of the jitter, and of the factor
            of the pairs' variances.
        """
        from scipy.linalg import cholesky_banded, solve_banded

        bend, jitter, noise = np.exp(np.clip(logs, _LEAST, _MOST))
        # Few planes hardly tell jitter from a trend that bends at each of them.
        total = -((max(logs[0] - _USUAL, 0.0) / _UNUSUAL) ** 2) / 2 if self.bent is None else 0.0
        for axis in (0, 1):
            band, right = self._normal(axis, logs)
            factor = cholesky_banded(band, lower=True, check_finite=False)
            half = solve_banded((self.reach, 0), factor, right, check_finite=False)
            total -= (self.linked[axis][2] / noise - float((half**2).sum())) / 2
            total -= float(np.log(factor[0]).sum()) + len(self.links.pairs) * np.log(noise) / 2
            total -= (self.count - 2) * np.log(bend) / 2
            total -= float(np.log(jitter + self.links.own[:, axis]).sum()) / 2
        return total

    def fitted(self) -> Floats:
        """Most probable logarithms."""

        def place(free: Floats) -> Floats:
            if self.bent is None:
                return free
            return np.array([free[0] + self.bent, free[0], free[1]])

        starts = [(a, b, 0.0) for a in (-9.0, -4.0) for b in (-5.0, -1.0, 2.0)]
        if self.bent is not None:
            starts = [(b, c) for _, b, c in starts[:3]]  # type: ignore[misc]
        return self._best(place, starts)

    def still(self, best: Floats) -> Floats:
        """Most probable logarithms without jitter; `best` are those with it."""
        starts = [(bend, best[2]) for bend in (-12.0, -9.0, -6.0, -3.0, 0.0, best[0])]
        return self._best(lambda free: np.array([free[0], _LEAST, free[1]]), starts)

    def _best(self, place: Callable[[Floats], Floats], starts: list[Any]) -> Floats:
        from scipy.optimize import minimize

        def cost(free: Floats) -> float:
            logs = place(free)
            beyond = np.maximum(logs - [_BENT, _MOST, _MOST], 0) + np.maximum(_LEAST - logs, 0)
            try:
                return float((beyond**2).sum()) - self.likelihood(logs)
            except np.linalg.LinAlgError:  # of planes that are alike to the last digit
                return np.inf

        start = min((np.array(some) for some in starts), key=cost)
        found = minimize(
            cost,
            start,
            method="Nelder-Mead",
            options={"xatol": 0.02, "fatol": 0.01, "maxiter": 300},
        )
        return np.clip(place(found.x), _LEAST, [_BENT, _MOST, _MOST])

    def places(self, logs: Floats) -> Floats:
        """Places (n, 2) of the planes."""
        jitter, trend, _ = self.solved(logs)
        share = np.exp(logs[1]) / (np.exp(logs[1]) + self.links.own)
        return trend + jitter / share

    def solved(self, logs: Floats) -> tuple[Floats, Floats, Floats]:
        """Jitter, trend, and the variance of the jitter, each (n, 2)."""
        from scipy.linalg import cho_solve_banded, cholesky_banded

        jitter = np.exp(logs[1])
        found = np.zeros((3, self.count, 2))
        for axis in (0, 1):
            band, right = self._normal(axis, logs)
            factor = cholesky_banded(band, lower=True, check_finite=False), True
            both = cho_solve_banded(factor, right, check_finite=False)
            own = self.links.own[:, axis]
            share = jitter / (jitter + own)
            found[0, :, axis], found[1, :, axis] = share * (both[1::2] - both[::2]), both[::2]
            found[2, :, axis] = share**2 * _variances(factor, self.count) + share * own
        return found[0], found[1], found[2]


def _variances(factor: Any, count: int) -> Floats:
    """Variances of how far each plane lies from the trend."""
    from scipy.linalg import cho_solve_banded

    found = np.empty(count)
    for first in range(0, count, _AT_ONCE):
        some = np.arange(first, min(first + _AT_ONCE, count))
        unit = np.zeros((2 * count, len(some)))
        unit[2 * some + 1, some - first], unit[2 * some, some - first] = 1, -1
        solved = cho_solve_banded(factor, unit, check_finite=False)
        found[some] = solved[2 * some + 1, some - first] - solved[2 * some, some - first]
    return found


def _add(band: Floats, places: NDArray[np.intp], block: Floats) -> None:
    """Add a symmetric block to the lower bands of a matrix."""
    row, column = np.meshgrid(places, places, indexing="ij")
    lower = row >= column
    np.add.at(band, (row[lower] - column[lower], column[lower]), block[lower])
