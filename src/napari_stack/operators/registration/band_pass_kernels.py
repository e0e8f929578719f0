"""The compiled loop of a band-pass: a fine blur less a wide one that is known on a coarser grid."""

import numpy as np
from numpy import float32, uintp
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel, summing_kernel

#: Pixels to each side that the fine blur reaches, and pixels of the frame per place of the grid.
REACH, GRID = 4, 4


@inner_kernel
def _mirrored(index: int, side: int) -> int:
    # The outermost pixel is not repeated.
    index = abs(index)
    return index if index < side else 2 * (side - 1) - index


@summing_kernel
def fine_less_wide(
    pixels: NDArray[np.float32], shape: tuple[int, int], wide: NDArray[np.float32],
    taps: NDArray[np.float32], out: NDArray[np.float32],
) -> None:  # fmt: skip
    """Blur by symmetric taps along both axes, and subtract what is interpolated in the grid.

    Parameters
    ----------
    pixels, out : ndarray of float32
        Flat; sides are multiples of `GRID`, and greater than `REACH`.
    wide : ndarray (rows, columns), float32
        At the middles of blocks of GRID x GRID pixels; linear between them, the nearest beyond.
    taps : ndarray (REACH + 1,)
        Weights at the distances 0, 1, ...
    """
    height, width = shape
    t0, t1, t2, t3, t4 = taps[0], taps[1], taps[2], taps[3], taps[4]
    near, far = float32(0.625), float32(0.375)
    nearer, farther = float32(0.875), float32(0.125)
    room, level = np.empty(width + 2 * REACH, np.float32), np.empty(width, np.float32)
    columns = wide.shape[1]
    line = np.empty(columns + 2, np.float32)
    one, two, three, four = uintp(1), uintp(2), uintp(3), uintp(4)
    five, six, seven, eight = uintp(5), uintp(6), uintp(7), uintp(8)
    for r in range(height):
        p = uintp(r * width)
        a1, b1 = uintp(_mirrored(r - 1, height) * width), uintp(_mirrored(r + 1, height) * width)
        a2, b2 = uintp(_mirrored(r - 2, height) * width), uintp(_mirrored(r + 2, height) * width)
        a3, b3 = uintp(_mirrored(r - 3, height) * width), uintp(_mirrored(r + 3, height) * width)
        a4, b4 = uintp(_mirrored(r - 4, height) * width), uintp(_mirrored(r + 4, height) * width)
        for j in range(uintp(width)):
            room[j + four] = (
                t0 * pixels[p + j]
                + t1 * (pixels[a1 + j] + pixels[b1 + j]) + t2 * (pixels[a2 + j] + pixels[b2 + j])
                + t3 * (pixels[a3 + j] + pixels[b3 + j]) + t4 * (pixels[a4 + j] + pixels[b4 + j])
            )  # fmt: skip
        for k in range(REACH):
            room[REACH - 1 - k] = room[REACH + 1 + k]
            room[width + REACH + k] = room[width + REACH - 2 - k]
        place = float32((r + 0.5) / GRID - 0.5)
        upper = int(np.floor(place))
        share = place - float32(upper)
        lower = min(upper + 1, wide.shape[0] - 1)
        upper = max(upper, 0)
        for k in range(uintp(columns)):
            line[k + one] = wide[upper, k] + share * (wide[lower, k] - wide[upper, k])
        line[0], line[columns + 1] = line[1], line[columns]
        for k in range(uintp(columns)):
            before, middle, after = line[k], line[k + one], line[k + two]
            q = k * four
            level[q] = far * before + near * middle
            level[q + one] = farther * before + nearer * middle
            level[q + two] = nearer * middle + farther * after
            level[q + three] = near * middle + far * after
        for j in range(uintp(width)):
            out[p + j] = (
                t0 * room[j + four]
                + t1 * (room[j + three] + room[j + five]) + t2 * (room[j + two] + room[j + six])
                + t3 * (room[j + one] + room[j + seven]) + t4 * (room[j] + room[j + eight])
                - level[j]
            )  # fmt: skip
