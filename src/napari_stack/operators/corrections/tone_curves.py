"""Tone curves: the gain, gamma or matching curve between samples of two frames."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Nodes of a matching curve at most: a 12-bit value has one of its own.
NODES = 4096

#: Range of gamma that is searched, as in the source of the method.
_GAMMAS = (0.1, 5.0)


class Curve(NamedTuple):
    """Results for ``start``, ``start + step``, and so on."""

    start: float
    step: float
    nodes: NDArray[np.float32]


def gamma_between(pixels: NDArray[Any], target: float, top: float) -> float:
    """Find the gamma with which ``top * (v / top) ** (1 / gamma)`` has the mean `target`.

    Parameters
    ----------
    pixels : ndarray, shape (n,)
    target : float
    top : float
        Value that stays as it is.

    Returns
    -------
    float
        By bisection in 0.1 to 5; the nearer end where the target lies beyond.
    """
    logs = np.log(np.clip(pixels.astype(np.float64) / top, 1e-12, 1.0))
    low, high = _GAMMAS
    for _ in range(60):
        middle = (low + high) / 2
        if top * np.exp(logs / middle).mean() < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def matching_curve(pixels: NDArray[Any], reference: NDArray[Any], whole: bool) -> Curve:
    """Find the curve that gives pixels the histogram of others: CDF_ref^-1(CDF(v)).

    Parameters
    ----------
    pixels, reference : ndarray, shapes (n,) and (m,), sorted
    whole : bool
        The values are whole numbers, so nodes lie on these.

    Notes
    -----
    Equal values share the middle of their ranks, so that a frame matched to itself stays as it is.
    """
    start, stop = float(pixels[0]), float(pixels[-1])
    step = max((stop - start) / (NODES - 1), 1e-12 * max(abs(start), abs(stop), 1e-300))
    step = float(np.ceil(step)) if whole else step
    values = start + step * np.arange(NODES)
    left = np.searchsorted(pixels, values, side="left")
    rank = (left + np.searchsorted(pixels, values, side="right")) / 2 / len(pixels)
    if whole and step == 1:  # a value that is absent lies between its neighbours
        seen = np.flatnonzero(np.searchsorted(pixels, values, side="right") > left)
        rank = np.interp(np.arange(NODES), seen, rank[seen])
    places = (np.arange(len(reference)) + 0.5) / len(reference)
    nodes = np.interp(rank, places, reference)
    beyond = values > stop
    nodes[beyond] = nodes[~beyond][-1] + (values[beyond] - stop)
    return Curve(start, step, nodes.astype(np.float32))


def curves_of(value: Any, index: int) -> list[Curve]:
    """Return the curves of a frame from a value that holds those of all; none where it has none."""
    if value.curves is None:
        return []
    every = zip(value.starts[index], value.steps[index], value.curves[index], strict=True)
    return [Curve(float(start), float(step), nodes) for start, step, nodes in every]


def curve_arrays(rows: Sequence[Sequence[Curve]]) -> dict[str, NDArray[Any]]:
    """Return the curves of frames as arrays by name: one row a frame, one column a channel."""
    return {
        "starts": np.array([[curve.start for curve in row] for row in rows]),
        "steps": np.array([[curve.step for curve in row] for row in rows]),
        "curves": np.array([[curve.nodes for curve in row] for row in rows]),
    }
