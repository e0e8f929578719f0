"""The compiled loop that replaces isolated pixels."""

import numpy as np
from numpy import float32, int32, uintp
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel, kernel


@inner_kernel
def _sharing_at_border(
    excess: NDArray[np.float32], shape: tuple[int, int], y: int, x: int, half: np.float32
) -> int:
    # How many share the excess of a pixel, itself among them; there is nothing beyond the border.
    sharing, own = 0, excess[y * shape[1] + x]
    for row in range(max(y - 1, 0), min(y + 2, shape[0])):
        for column in range(max(x - 1, 0), min(x + 2, shape[1])):
            sharing += int(excess[row * shape[1] + column] * own > half)
    return sharing


@kernel
def replace_isolated(
    pixels: NDArray[np.float32], smooth: NDArray[np.float32], excess: NDArray[np.float32],
    shape: tuple[int, int], limit: np.float32,
) -> None:  # fmt: skip
    """Put the median where at most one of eight neighbours shares half of a pixel's excess.

    Parameters
    ----------
    pixels, smooth, excess : ndarray of float32
        Flat: what is changed, the median around each pixel, and how far it was from that.
    shape : (int, int)
    limit : float32
        Excess beyond which a pixel may be a defect.
    """
    rows, columns = shape
    one, width = uintp(1), uintp(columns)
    for y in range(1, rows - 1):
        above, here, below = uintp((y - 1) * columns), uintp(y * columns), uintp((y + 1) * columns)
        for x in range(one, width - one):
            own = excess[here + x]
            if not abs(own) > limit:
                continue
            half = float32(0.5) * own * own
            # Those beside it first: most pixels of a structure are told from them.
            sharing = (
                int32(excess[above + x] * own > half) + int32(excess[here + x - one] * own > half)
                + int32(excess[here + x + one] * own > half) + int32(excess[below + x] * own > half)
            )  # fmt: skip
            if sharing > 1:
                continue
            sharing += (
                int32(excess[above + x - one] * own > half)
                + int32(excess[above + x + one] * own > half)
                + int32(excess[below + x - one] * own > half)
                + int32(excess[below + x + one] * own > half)
            )  # fmt: skip
            if sharing <= 1:
                pixels[here + x] = smooth[here + x]
    for y in range(rows):
        step = 1 if y == 0 or y == rows - 1 else max(columns - 1, 1)
        for x in range(0, columns, step):
            own = excess[y * columns + x]
            if not abs(own) > limit:
                continue
            if _sharing_at_border(excess, shape, y, x, float32(0.5) * own * own) <= 2:
                pixels[y * columns + x] = smooth[y * columns + x]
