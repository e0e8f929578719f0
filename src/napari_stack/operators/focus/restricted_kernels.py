"""Compiled inner loops of the restricted pyramid: energies, and weighted sums within a range."""

from typing import Any

import numpy as np

from napari_stack.core.jit import kernel

Array = np.ndarray[Any, Any]


@kernel
def window_mean(plane: Array, centre: float, side: float, scale: float, floor: float) -> Array:
    """Return `scale` * the mean of |plane| + `floor`; weights are side, centre, side both ways."""
    height, width = plane.shape
    out = np.empty((height, width), np.float32)
    row = np.empty(width + 2, np.float32)
    left, middle, right = row[:width], row[1 : width + 1], row[2:]
    for i in range(height):
        here, up, down = plane[i], plane[max(i - 1, 0)], plane[min(i + 1, height - 1)]
        mean = out[i]
        for j in range(width):
            middle[j] = side * (abs(up[j]) + abs(down[j])) + centre * abs(here[j])
        row[0], row[-1] = row[1], row[-2]
        for j in range(width):
            mean[j] = scale * (side * (left[j] + right[j]) + centre * middle[j]) + floor
    return out


@kernel
def gather(
    total: Array,
    weight: Array,
    values: Array,
    energy: Array,
    support: Array,
    first: Array,
    last: Array,
    index: int,
    squarings: int,
) -> None:
    """Add a frame's values, weighted by a power of the energy, where a pixel's range holds it.

    The power is 2^`squarings`; `support` is (1, 1) where all pixels of the frame are valid.
    """
    height, width, channels = total.shape
    partial = support.shape == first.shape
    powers = np.empty(width, weight.dtype)
    zero = weight.dtype.type(0)
    for i in range(height):
        share, begin, end = energy[i], first[i], last[i]
        some = False
        for j in range(width):
            power = share[j]
            for _ in range(squarings):
                power *= power
            powers[j] = power if begin[j] <= index <= end[j] else zero
        if partial:
            for j in range(width):
                powers[j] *= support[i, j]
        for j in range(width):
            weight[i, j] += powers[j]
            some |= powers[j] > 0
        if not some:
            continue
        if channels == 1:
            for j in range(width):
                total[i, j, 0] += powers[j] * values[i, j, 0]
        elif channels == 3:
            for j in range(width):
                total[i, j, 0] += powers[j] * values[i, j, 0]
                total[i, j, 1] += powers[j] * values[i, j, 1]
                total[i, j, 2] += powers[j] * values[i, j, 2]
        else:
            for j in range(width):
                for k in range(channels):
                    total[i, j, k] += powers[j] * values[i, j, k]


@kernel
def divide(total: Array, weight: Array) -> None:
    """Divide a sum by its weight, in place; what has no weight stays 0."""
    for i in range(weight.shape[0]):
        for j in range(weight.shape[1]):
            if weight[i, j] > 0:
                for k in range(total.shape[2]):
                    total[i, j, k] /= weight[i, j]
