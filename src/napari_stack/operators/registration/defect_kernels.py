"""The compiled loop that replaces isolated pixels."""

import numpy as np
from numpy import float32, int32, uintp
from numpy.typing import NDArray

from napari_stack.core.system.jit import kernel


@kernel
def replace_isolated(
    pixels: NDArray[np.float32], smooth: NDArray[np.float32], around: NDArray[np.float32],
    shape: tuple[int, int], limit: np.float32,
) -> None:  # fmt: skip
    """Put the median where at most one of eight neighbours shares half of a pixel's excess.

    Parameters
    ----------
    pixels, smooth : ndarray of float32
        Flat: what is changed, and the median around each pixel.
    around : ndarray of float32
        Flat: how far each pixel is from that, with one more at each side.
    shape : (int, int)
        Of the pixels.
    limit : float32
        Excess beyond which a pixel may be a defect.
    """
    rows, columns = shape
    one, two = uintp(1), uintp(2)
    width = uintp(columns + 2)
    for y in range(rows):
        first, above = uintp(y * columns), uintp(y) * width
        here, below = above + width, above + width + width
        for x in range(uintp(columns)):
            own = around[here + x + one]
            if not abs(own) > limit:
                continue
            half = float32(0.5) * own * own
            # Those beside it first: most pixels of a structure are told from them.
            sharing = (
                int32(around[above + x + one] * own > half) + int32(around[here + x] * own > half)
                + int32(around[here + x + two] * own > half)
                + int32(around[below + x + one] * own > half)
            )  # fmt: skip
            if sharing > 1:
                continue
            sharing += (
                int32(around[above + x] * own > half) + int32(around[below + x] * own > half)
                + int32(around[above + x + two] * own > half)
                + int32(around[below + x + two] * own > half)
            )  # fmt: skip
            if sharing <= 1:
                pixels[first + x] = smooth[first + x]
