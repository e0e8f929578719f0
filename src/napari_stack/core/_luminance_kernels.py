"""The compiled sum of channels that makes brightness."""

from typing import Any

import numpy as np

from napari_stack.core.jit import kernel

Array = np.ndarray[Any, Any]


@kernel
def weighted_sum(image: Array, weights: Array) -> Array:
    """Return the (y, x) sum over the channels, each times its weight, in the weights' type."""
    height, width, channels = image.shape
    out = np.empty((height, width), weights.dtype)
    as_float = weights.dtype.type
    if channels == 3:  # several pixels at once
        pixels, sums = image.ravel(), out.ravel()
        for j in range(sums.size):
            sums[j] = (
                weights[0] * as_float(pixels[3 * j])
                + weights[1] * as_float(pixels[3 * j + 1])
                + weights[2] * as_float(pixels[3 * j + 2])
            )
        return out
    for i in range(height):
        for j in range(width):
            total = weights[0] * as_float(image[i, j, 0])
            for k in range(1, channels):
                total += weights[k] * as_float(image[i, j, k])
            out[i, j] = total
    return out
