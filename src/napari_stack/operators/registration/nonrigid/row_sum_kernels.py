"""Compiled sums over the rows of a scan: what each row says of its own shift."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.jit import inner_kernel, kernel

#: Sums of a row: pixels, t, v, t t, t v, v v, of gx and gy alone, times v, times t, and their
#: products; t is the template, v the frame, g the slope of the template.
SUMS = 15


@inner_kernel
def _cubic(t: float) -> tuple[float, float, float, float]:
    u = 1 - t
    return (
        -0.5 * t * u * u, 1 + t * t * (1.5 * t - 2.5), 1 + u * u * (1.5 * u - 2.5),
        -0.5 * u * t * t,
    )  # fmt: skip


@inner_kernel
def _slopes(t: float) -> tuple[float, float, float, float]:
    # Derivatives of the same weights.
    return (
        -0.5 * (1 - 4 * t + 3 * t * t), t * (4.5 * t - 5), 0.5 * (1 + 8 * t - 9 * t * t),
        0.5 * t * (3 * t - 2),
    )  # fmt: skip


@kernel
def sum_rows(
    values: NDArray[Any], counts: NDArray[np.bool_], template: NDArray[Any],
    back: NDArray[np.float64], offsets: NDArray[np.float64], out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Sum over each row of a frame, compared with a template at its own place.

    Parameters
    ----------
    values, counts : ndarray (y, x)
        The frame, and where it counts.
    template : ndarray (y, x)
        NaN where it does not count.
    back : ndarray (3, 3)
        Takes a point of the frame, offset taken off, to the template.
    offsets : ndarray (rows, 2)
        dx and dy of every row.
    out : ndarray (rows, SUMS)
        Set here.
    """
    height, width = template.shape
    for k in range(values.shape[0]):
        dx, dy = offsets[k, 0], k - offsets[k, 1]
        s = np.zeros(SUMS)
        for column in range(values.shape[1]):
            if not counts[k, column]:
                continue
            x = column - dx
            w = back[2, 0] * x + back[2, 1] * dy + back[2, 2]
            px = (back[0, 0] * x + back[0, 1] * dy + back[0, 2]) / w
            py = (back[1, 0] * x + back[1, 1] * dy + back[1, 2]) / w
            if not (px >= 1 and py >= 1 and px < width - 2 and py < height - 2):
                continue
            i, j = int(px), int(py)
            a0, a1, a2, a3 = _cubic(px - i)
            d0, d1, d2, d3 = _slopes(px - i)
            down, steep = _cubic(py - j), _slopes(py - j)
            t, tx, ty = 0.0, 0.0, 0.0
            for n in range(4):
                row = template[j + n - 1]
                p, q, r, u = row[i - 1], row[i], row[i + 1], row[i + 2]
                along = a0 * p + a1 * q + a2 * r + a3 * u
                t += down[n] * along
                ty += steep[n] * along
                tx += down[n] * (d0 * p + d1 * q + d2 * r + d3 * u)
            if not np.isfinite(t):
                continue
            gx = back[0, 0] * tx + back[1, 0] * ty
            gy = back[0, 1] * tx + back[1, 1] * ty
            v = float(values[k, column])
            s[0] += 1
            s[1] += t
            s[2] += v
            s[3] += t * t
            s[4] += t * v
            s[5] += v * v
            s[6] += gx
            s[7] += gy
            s[8] += v * gx
            s[9] += v * gy
            s[10] += t * gx
            s[11] += t * gy
            s[12] += gx * gx
            s[13] += gx * gy
            s[14] += gy * gy
        out[k] = s
