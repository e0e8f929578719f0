"""Kernels of running sums and means: frames added in one pass through the memory."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import kernel


@kernel
def add_four(
    total: NDArray[np.float64],
    one: NDArray[Any],
    two: NDArray[Any],
    three: NDArray[Any],
    four: NDArray[Any],
    weights: NDArray[np.float64],
) -> None:  # pragma: no cover
    """Add four weighted frames in order, in one pass through the memory."""
    a, b, c, d = weights
    for i in range(total.size):
        value = total[i] + a * one[i]
        value += b * two[i]
        value += c * three[i]
        total[i] = value + d * four[i]


@kernel
def add(total: NDArray[np.float64], frame: NDArray[Any], weight: float) -> None:  # pragma: no cover
    """Add a weighted frame."""
    for i in range(total.size):
        total[i] += weight * frame[i]


@kernel
def welford(
    mean: NDArray[np.float64], squares: NDArray[np.float64], frame: NDArray[Any], share: float
) -> None:  # pragma: no cover
    """Add a frame to a mean and the sum of squared distances from it; `share` is 1 / count."""
    for i in range(mean.size):
        value = float(frame[i])
        distance = value - mean[i]
        now = mean[i] + distance * share
        squares[i] += distance * (value - now)
        mean[i] = now
