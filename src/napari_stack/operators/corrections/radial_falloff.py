"""Estimation of the radial fall-off of light in images of any scene."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Distances, in pixels of the reduced image, at which the brightness of a scene is compared.
_LAGS = (8, 16, 32)

#: Of these differences every n-th along both axes is taken.
_EVERY = 2

_ROUNDS = 15

#: Residuals of this multiple of their median size, 2 standard deviations, count a quarter.
_OUTLYING = 2 * 1.4826

#: What keeps a division by a residual of 0 finite.
_TINY = 1e-9 / 1.4826

#: Tiles along each axis that are left out in turn to tell how sure a fit is.
_TILES = 4

#: A fall-off that is not this many times its own error is taken for the scene's.
_SURE = 3.0

#: Slopes of the logarithm (Bernstein coefficients of its derivative in q) to coefficients of q,
#: q**2, q**3: with no slope above zero, the light never grows towards the corners.
_FROM_SLOPES = np.array([[1, 0, 0], [-1, 1, 0], [1 / 3, -2 / 3, 1 / 3]])


class Pairs(NamedTuple):
    """Differences of the logarithm between two places of the sensor, and what they weigh.

    Attributes
    ----------
    difference : ndarray, shape (n,)
    one, other : ndarray, shape (n, 2)
        Places (x, y) in half diagonals from the middle of the frame.
    offset : bool
        The two may differ in brightness as a whole besides.
    """

    difference: Array
    one: Array
    other: Array
    offset: bool = False


class Fit(NamedTuple):
    """Fall-off found: ``log g = c1 q + c2 q**2 + c3 q**3`` with q = (r / half diagonal)**2.

    Attributes
    ----------
    centre : ndarray, shape (2,)
        (x, y) in half diagonals from the frame's middle.
    coefficients : ndarray, shape (3,)
    sureness : float
        How many times its own error the fall-off is; 0 where none was found.
    """

    centre: Array
    coefficients: Array
    sureness: float = 0.0


def positions(size: tuple[int, ...]) -> Array:
    """Places (x, y) of pixels in half diagonals from the middle, shape (y, x, 2)."""
    y, x = np.indices(size[:2], np.float64)
    return places(x, y, size)


def places(x: Array, y: Array, size: tuple[int, ...]) -> Array:
    """Places of points in half diagonals from the middle of a frame, shape (..., 2)."""
    half = np.hypot(size[0], size[1]) / 2
    return np.stack([x - (size[1] - 1) / 2, y - (size[0] - 1) / 2], axis=-1) / half


def powers(points: Array, centre: Array) -> Array:
    """Return q, q**2, q**3 at points, shape (..., 3)."""
    q = ((points - centre) ** 2).sum(axis=-1)
    return np.stack([q, q**2, q**3], axis=-1)


def scene_pairs(image: NDArray[Any], seen: NDArray[np.bool_]) -> list[Pairs]:
    """Pair neighbours in one image, some distances apart.

    A scene has no radial order of its own: between neighbours its logarithm goes up as often as
    down, with few large steps, while the fall-off adds a small step to all of them.

    Parameters
    ----------
    image : ndarray, shape (y, x)
        Reduced image, black level taken off.
    seen : ndarray of bool, shape (y, x)
        Pixels that may be measured; those not above zero never are.
    """
    seen = seen & (image > 0)
    logs = np.log(np.where(seen, image, 1), dtype=np.float64)
    points = positions(image.shape)
    found = []
    for lag in (lag for lag in _LAGS if lag < min(image.shape) / 2):
        for low, high in (
            (np.s_[:-lag], np.s_[lag:]),
            (np.s_[:, :-lag], np.s_[:, lag:]),
        ):
            # Neighbouring differences over such distances say nearly the same.
            few = np.s_[::_EVERY, ::_EVERY]
            both = (seen[low] & seen[high])[few]
            difference = (logs[high] - logs[low])[few][both]
            found.append(Pairs(difference, points[low][few][both], points[high][few][both]))
    return [pairs for pairs in found if len(pairs.difference) > 100]


def fit_falloff(pairs: Sequence[Pairs], free_centre: bool) -> Fit:
    """Fit an even polynomial to the logarithm of the light's fall-off, robustly.

    The weights are those of Geman and McClure; after Zheng et al. 2009, "Single-image vignetting
    correction", who fit the slopes of the logarithm likewise.

    Parameters
    ----------
    pairs : sequence of Pairs
        Each with noise of its own.
    free_centre : bool
        Look for the centre of the fall-off; else it is the frame's middle.

    Returns
    -------
    Fit
        All zero where the fall-off is not surely there.
    """
    centre, theta = np.zeros(2), np.zeros(3)
    if not pairs:
        return Fit(centre, theta)
    for _ in range(_ROUNDS):
        normal, right = _system(pairs, centre, theta, free_centre)
        if free_centre:
            normal[3:, 3:] += 1e-3 * np.trace(normal[3:, 3:]) * np.eye(2)
            move = np.linalg.lstsq(normal, right, rcond=None)[0][3:]
            move = np.clip(move, -0.05, 0.05)
            centre = np.clip(centre + move, -0.5, 0.5)
            right = right[:3] - normal[:3, 3:] @ move
        theta = _falling(normal[:3, :3], right[:3])
    sureness = _sureness(pairs, centre, theta)
    if sureness > _SURE:
        return Fit(centre, theta, sureness)
    return Fit(np.zeros(2), np.zeros(3))


def _system(
    pairs: Sequence[Pairs], centre: Array, theta: Array, free_centre: bool
) -> tuple[Array, Array]:
    size = 5 if free_centre else 3
    normal, right = np.zeros((size, size)), np.zeros(size)
    for pair in pairs:
        columns, weighted, difference = _equations(pair, centre, theta, free_centre)
        normal += weighted.T @ columns
        right += weighted.T @ difference
    return normal, right


def _equations(
    pair: Pairs, centre: Array, theta: Array, free_centre: bool
) -> tuple[Array, Array, Array]:
    """Columns of the fit, these by their weights, and differences; without a common offset."""
    columns = powers(pair.other, centre) - powers(pair.one, centre)
    residual, difference = pair.difference - columns @ theta, pair.difference
    weights = _weights(residual - np.median(residual) if pair.offset else residual)
    if free_centre:
        moved = _moved(pair.other, centre, theta) - _moved(pair.one, centre, theta)
        columns = np.hstack([columns, moved])
    if pair.offset:
        columns = columns - np.average(columns, axis=0, weights=weights)
        difference = difference - np.average(difference, weights=weights)
    return columns, columns * weights[:, np.newaxis], difference


def _weights(residual: Array) -> Array:
    """Weigh residuals by how far they stand out of the others."""
    size = np.median(np.abs(residual)) + _TINY
    weights: Array = 1 / (1 + (residual / (_OUTLYING * size)) ** 2) ** 2
    return weights / size**2


def _moved(points: Array, centre: Array, theta: Array) -> Array:
    """Change of the logarithm as the centre moves, shape (n, 2)."""
    away = points - centre
    q = (away**2).sum(axis=-1, keepdims=True)
    return -2 * away * (theta[0] + 2 * theta[1] * q + 3 * theta[2] * q**2)


def _falling(normal: Array, right: Array) -> Array:
    """Solve for coefficients with which the light does not grow towards the corners."""
    from scipy.optimize import nnls

    slopes = -_FROM_SLOPES
    normal, right = slopes.T @ normal @ slopes, slopes.T @ right
    root = np.linalg.cholesky(normal + 1e-9 * np.trace(normal) * np.eye(3))
    found, _ = nnls(root.T, np.linalg.solve(root, right))
    return slopes @ found


def _sureness(pairs: Sequence[Pairs], centre: Array, theta: Array) -> float:
    """Tell how many times its own error a fall-off is, by the jackknife over tiles."""
    count = _TILES**2
    normal, right = np.zeros((count, 3, 3)), np.zeros((count, 3))
    for pair in pairs:
        columns, weighted, difference = _equations(pair, centre, theta, free_centre=False)
        tiles = np.clip((pair.one + 1) / 2 * _TILES, 0, _TILES - 1).astype(int) @ [1, _TILES]
        for tile in np.unique(tiles):
            here = tiles == tile
            normal[tile] += weighted[here].T @ columns[here]
            right[tile] += weighted[here].T @ difference[here]
    whole, sums = normal.sum(axis=0), right.sum(axis=0)
    whole = whole + 1e-9 * np.trace(whole) * np.eye(3)
    parts = np.flatnonzero(right.any(axis=1))
    left_out = np.array([np.linalg.solve(whole - normal[j], sums - right[j]) for j in parts])
    away = left_out - left_out.mean(axis=0)
    covariance = (len(parts) - 1) / len(parts) * away.T @ away
    q = np.linspace(0, 1, 33)  # as many pixels lie at each q of a disc
    rows = np.stack([q, q**2, q**3], axis=-1)
    error = np.einsum("ij,jk,ik->", rows, covariance, rows)
    signal = ((rows @ theta) ** 2).sum()
    return float(np.sqrt(signal / error)) if signal > 0 else 0.0


def fit_sigmoid(share: Callable[[Array], Array], steps: int) -> tuple[float, float]:
    """Fit the sigmoid ``1 / (1 + exp(exp(k (r - r0))))`` to a fall-off.

    Parameters
    ----------
    share : callable
        Part of the light that is left at radii in half diagonals.
    steps : int
        Rings of equal width.

    Returns
    -------
    k, r0 : float
        In half diagonals.
    """
    from scipy.optimize import least_squares

    radii = (np.arange(steps) + 0.5) / steps
    wanted = share(radii)
    weights = np.sqrt(radii)  # a ring holds pixels in proportion to its radius

    def misfit(parameters: Array) -> Array:
        return (sigmoid(radii, *parameters) - wanted) * weights

    starts = ([2.0, 1.5], [5.0, 1.0], [1.0, 3.0])
    fits = [least_squares(misfit, s, bounds=([0.01, 0.05], [50, 20])) for s in starts]
    best = min(fits, key=lambda fit: fit.cost)
    return float(best.x[0]), float(best.x[1])


def sigmoid(radii: Array, k: float, r0: float) -> Array:
    """Sigmoid fall-off, 1 at the centre."""

    def inner(r: Array) -> Array:
        return 1 + np.exp(np.minimum(np.exp(np.minimum(k * (r - r0), 50.0)), 50.0))

    return inner(np.zeros(1)) / inner(np.asarray(radii, np.float64))
