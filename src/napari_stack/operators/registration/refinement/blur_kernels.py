"""The compiled loop that puts an image together of blurred copies."""

import numpy as np
from numpy import float32, uintp
from numpy.typing import NDArray

from napari_stack.core.system.jit import kernel


@kernel
def add_share(
    result: NDArray[np.float32], copy: NDArray[np.float32], variance: NDArray[np.float32],
    sides: tuple[np.float32, np.float32], slopes: tuple[np.float32, np.float32],
) -> None:  # fmt: skip
    """Add a copy of an image, weighed by the variance: 1 at its own, 0 at those beside it.

    Parameters
    ----------
    result, copy, variance : ndarray of float32
        Flat.
    sides : (float32, float32)
        The variances below and above, of the copies beside it.
    slopes : (float32, float32)
        By how much the weight rises from the one, and falls to the other.
    """
    below, above = sides
    rise, fall = slopes
    one, none = float32(1), float32(0)
    for i in range(uintp(result.size)):
        weight = min((variance[i] - below) * rise, (above - variance[i]) * fall)
        result[i] += copy[i] * max(min(weight, one), none)
