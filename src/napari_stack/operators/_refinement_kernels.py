"""Compiled loops of the refinement: reading at a transform, and sums of the normal equations."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_stack.operators._jit import kernel
from napari_stack.operators._preparation import Image

Matrix = NDArray[np.float64]


@kernel
def resample(image: Image, matrix: Matrix, margin: int) -> Image:
    """Image read at matrix (2, 3) by cubic convolution (Keys 1981); NaN outside or near NaN.

    `margin`, at least 1, is the number of pixels at the border that count as outside.
    """
    rows, columns = image.shape
    warped = np.full((rows, columns), np.nan, np.float32)
    a, b, c = matrix[0, 0], matrix[0, 1], matrix[0, 2]
    d, e, f = matrix[1, 0], matrix[1, 1], matrix[1, 2]
    right, bottom = columns - 1 - margin, rows - 1 - margin
    one, two, three = np.float32(1), np.float32(2), np.float32(3)
    four, five = np.float32(4), np.float32(5)
    for j in range(rows):
        for i in range(columns):
            u, v = a * i + b * j + c, d * i + e * j + f
            if not (u >= margin and v >= margin and u < right and v < bottom):
                continue
            x, y = int(u), int(v)
            s, t = np.float32(u - x), np.float32(v - y)
            s0, s1 = s * (s * (two - s) - one), s * s * (three * s - five) + two
            s2, s3 = s * (s * (four - three * s) + one), s * s * (s - one)
            t0, t1 = t * (t * (two - t) - one), t * t * (three * t - five) + two
            t2, t3 = t * (t * (four - three * t) + one), t * t * (t - one)
            total = np.float32(0)
            for k, weight in enumerate((t0, t1, t2, t3)):
                row = image[y - 1 + k]
                total += weight * (
                    s0 * row[x - 1] + s1 * row[x] + s2 * row[x + 1] + s3 * row[x + 2]
                )
            warped[j, i] = np.float32(0.25) * total
    return warped


def _fast_kernel(function: Callable[..., Any]) -> Any:
    """Like `kernel`, with sums that may be reordered; NaN keeps its meaning."""
    flags = {"reassoc", "contract", "nsz", "arcp"}
    try:
        return njit(nogil=True, cache=True, fastmath=flags)(function)
    except RuntimeError:
        return njit(nogil=True, fastmath=flags)(function)


@_fast_kernel
def normal_equations(
    reference: Image,
    warped: Image,
    gain: np.float32,
    offset: np.float32,
    radius: np.float32,
    margin: int,
    weights: tuple[np.float32, np.float32, np.float32],
) -> NDArray[np.float64]:
    """Upper triangle (21), right-hand side (6), pixel count and two sums of the weighted equations.

    The two sums are those of squared gradients and of squared residuals.

    NaN in either frame leaves a pixel out (the flags of fastmath keep the meaning of NaN).
    """
    rows, columns = reference.shape
    flat, model_error, residual = weights
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    cx, cy = np.float32(columns - 1) * half, np.float32(rows - 1) * half
    total = np.zeros(30)
    for y in range(margin, rows - margin):
        py = (np.float32(y) - cy) / radius
        n00 = n01 = n02 = n03 = n04 = n05 = n11 = n12 = n13 = n14 = n15 = zero
        n22 = n23 = n24 = n25 = n33 = n34 = n35 = n44 = n45 = n55 = zero
        b0 = b1 = b2 = b3 = b4 = b5 = count = power = noise = zero
        for x in range(margin, columns - margin):
            px = (np.float32(x) - cx) / radius
            fx = half * gain * (reference[y, x + 1] - reference[y, x - 1])
            fy = half * gain * (reference[y + 1, x] - reference[y - 1, x])
            mx = half * (warped[y, x + 1] - warped[y, x - 1])
            my = half * (warped[y + 1, x] - warped[y - 1, x])
            fixed = gain * reference[y, x]
            value = half * (fixed + warped[y, x])
            r = warped[y, x] - fixed - offset
            gx, gy = half * (fx + mx), half * (fy + my)
            squared = gx * gx + gy * gy
            w = squared / ((flat + squared) * (one + model_error * squared + residual * r * r))
            if not (w >= zero):
                continue
            # Products of the two frames' gradients, not squares: noise, which they do not share,
            # cancels, where in squares it would make every step too short.
            xx, yy, xy = w * fx * mx, w * fy * my, half * w * (fx * my + fy * mx)
            n00 += xx
            n01 += xy
            n11 += yy
            xg, xt = xx * px + xy * py, xy * px - xx * py
            yg, yt = xy * px + yy * py, yy * px - xy * py
            n02 += xg
            n03 += xt
            n12 += yg
            n13 += yt
            n22 += xg * px + yg * py
            n23 += xt * px + yt * py
            n33 += yt * px - xt * py
            wx, wy, wv = w * gx, w * gy, w * value
            wg, wt = wx * px + wy * py, wy * px - wx * py
            n04 += wx * value
            n05 += wx
            n14 += wy * value
            n15 += wy
            n24 += wg * value
            n25 += wg
            n34 += wt * value
            n35 += wt
            n44 += wv * value
            n45 += wv
            n55 += w
            b0 += wx * r
            b1 += wy * r
            b2 += wg * r
            b3 += wt * r
            b4 += wv * r
            b5 += w * r
            count += one
            power += w * squared
            noise += w * r * r
        row = (
            n00, n01, n02, n03, n04, n05, n11, n12, n13, n14, n15, n22, n23, n24, n25, n33, n34,
            n35, n44, n45, n55, b0, b1, b2, b3, b4, b5, count, power, noise,
        )  # fmt: skip
        for k, value in enumerate(row):
            total[k] += value
    return total
