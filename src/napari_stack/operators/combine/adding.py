"""Pixel kernels of running sums and spreads."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.jit import kernel


@kernel
def _add_four(
    total: NDArray[np.float64],
    one: NDArray[Any],
    two: NDArray[Any],
    three: NDArray[Any],
    four: NDArray[Any],
    weights: NDArray[np.float64],
) -> None:  # pragma: no cover
    a, b, c, d = weights
    for i in range(total.size):
        value = total[i] + a * one[i]
        value += b * two[i]
        value += c * three[i]
        total[i] = value + d * four[i]


@kernel
def _add(
    total: NDArray[np.float64], frame: NDArray[Any], weight: float
) -> None:  # pragma: no cover
    for i in range(total.size):
        total[i] += weight * frame[i]


@kernel
def _welford(
    mean: NDArray[np.float64], squares: NDArray[np.float64], frame: NDArray[Any], share: float
) -> None:  # pragma: no cover
    for i in range(mean.size):
        value = float(frame[i])
        distance = value - mean[i]
        now = mean[i] + distance * share
        squares[i] += distance * (value - now)
        mean[i] = now


def _flat(frame: NDArray[Any]) -> NDArray[Any]:
    flat = np.ascontiguousarray(frame).reshape(-1)
    return flat.view(np.uint8) if flat.dtype.kind == "b" else flat


def add_deviation(
    mean: NDArray[np.float64], squares: NDArray[np.float64], frame: NDArray[Any], count: int
) -> None:
    """Add frame number `count` (from 1) to a running mean and sum of squared distances from it.

    Parameters
    ----------
    mean, squares : ndarray of float64
        They are changed.
    frame : ndarray, shape of `mean`
    count : int
    """
    _welford(mean.reshape(-1), squares.reshape(-1), _flat(frame), 1.0 / count)


def add_frames(
    total: NDArray[np.float64], frames: list[NDArray[Any]], weights: list[float]
) -> None:
    """Add weighted frames to a sum, in order; four at a time go through the memory once.

    Parameters
    ----------
    total : ndarray of float64
        It is changed.
    frames : list of ndarray, shape of `total`
    weights : list of float
    """
    flat = [_flat(frame) for frame in frames]
    sums = total.reshape(-1)
    for start in range(0, len(flat), 4):
        some = flat[start : start + 4]
        if len(some) == 4:
            _add_four(sums, *some, np.array(weights[start : start + 4]))
            continue
        for frame, weight in zip(some, weights[start:], strict=False):
            _add(sums, frame, float(weight))
