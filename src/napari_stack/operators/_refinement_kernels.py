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
    """Image read at matrix (3, 3) by cubic convolution (Keys 1981); NaN outside or near NaN.

    `margin`, at least 1, is the number of pixels at the border that count as outside.
    """
    rows, columns = image.shape
    warped = np.full((rows, columns), np.nan, np.float32)
    pixels = image.ravel()
    a, b, c = matrix[0, 0], matrix[0, 1], matrix[0, 2]
    d, e, f = matrix[1, 0], matrix[1, 1], matrix[1, 2]
    g, h, k = matrix[2, 0], matrix[2, 1], matrix[2, 2]
    perspective = g != 0 or h != 0
    right, bottom = columns - 1 - margin, rows - 1 - margin
    half, one, two, three = np.float32(0.5), np.float32(1), np.float32(2), np.float32(3)
    four, five = np.float32(4), np.float32(5)
    line = np.uintp(columns)
    for j in range(rows):
        for i in range(columns):
            u, v = a * i + (b * j + c), d * i + (e * j + f)
            if perspective:
                w = g * i + (h * j + k)
                if w <= 0:
                    continue
                u, v = u / w, v / w
            if not (u >= margin and v >= margin and u < right and v < bottom):
                continue
            x, y = int(u), int(v)
            s, t = np.float32(u - x), np.float32(v - y)
            s0, s1 = s * (s * (two - s) - one), s * s * (three * s - five) + two
            s2, s3 = s * (s * (four - three * s) + one), s * s * (s - one)
            t0, t1 = t * (t * (two - t) - one), t * t * (three * t - five) + two
            t2, t3 = t * (t * (four - three * t) + one), t * t * (t - one)
            # Unsigned indices spare the test for negative ones; columns first, four at once.
            n = np.uintp((y - 1) * columns + x - 1)
            m, o = n + line, n + line + line
            q = o + line
            z1, z2, z3 = np.uintp(1), np.uintp(2), np.uintp(3)
            v0 = t0 * pixels[n] + t1 * pixels[m] + t2 * pixels[o] + t3 * pixels[q]
            v1 = (
                t0 * pixels[n + z1]
                + t1 * pixels[m + z1]
                + t2 * pixels[o + z1]
                + t3 * pixels[q + z1]
            )
            v2 = (
                t0 * pixels[n + z2]
                + t1 * pixels[m + z2]
                + t2 * pixels[o + z2]
                + t3 * pixels[q + z2]
            )
            v3 = (
                t0 * pixels[n + z3]
                + t1 * pixels[m + z3]
                + t2 * pixels[o + z3]
                + t3 * pixels[q + z3]
            )
            warped[j, i] = half * half * (s0 * v0 + s1 * v1 + s2 * v2 + s3 * v3)
    return warped


def _fast_kernel(function: Callable[..., Any]) -> Any:
    """Like `kernel`, with sums that may be reordered; NaN keeps its meaning."""
    flags = {"reassoc", "contract", "nsz", "arcp"}
    try:
        return njit(nogil=True, cache=True, fastmath=flags)(function)
    except RuntimeError:
        return njit(nogil=True, fastmath=flags)(function)


@_fast_kernel
def moments(
    reference: Image,
    warped: Image,
    gain: np.float32,
    offset: np.float32,
    radius: np.float32,
    margin: int,
    weights: tuple[np.float32, np.float32, np.float32],
    perspective: bool,
) -> NDArray[np.float64]:
    """Sums over the pixels that the weighted equations of any transform are made of.

    Entry [q, k, l] is the sum of quantity q times px^k py^l, where (px, py) is the place about
    the centre in units of `radius`. The quantities are products of gradients xx, xy, yy; of
    gradients and value xv, yv; gradients x, y; of gradients and residual xr, yr; then, for
    k = l = 0 alone, vv, v, 1, vr, r, all of these weighted; the number of pixels; the squared
    gradients; the squared residuals. Powers above those of an affine transform are summed only
    for a `perspective`.

    NaN in either frame leaves a pixel out (the flags of fastmath keep the meaning of NaN).
    """
    rows, columns = reference.shape
    flat, model_error, residual = weights
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    cx, cy = np.float32(columns - 1) * half, np.float32(rows - 1) * half
    total = np.zeros((17, 5, 5))
    for y in range(margin, rows - margin):
        py = np.float64((np.float32(y) - cy) / radius)
        xx0 = xx1 = xx2 = xx3 = xx4 = xy0 = xy1 = xy2 = xy3 = xy4 = zero
        yy0 = yy1 = yy2 = yy3 = yy4 = xv0 = xv1 = xv2 = yv0 = yv1 = yv2 = zero
        x0 = x1 = x2 = y0 = y1 = y2 = xr0 = xr1 = xr2 = yr0 = yr1 = yr2 = zero
        vv = v = ww = vr = rr = count = power = noise = zero
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
            wx, wy, wv = w * gx, w * gy, w * value
            p2 = px * px
            xx0 += xx
            xx1 += xx * px
            xx2 += xx * p2
            xy0 += xy
            xy1 += xy * px
            xy2 += xy * p2
            yy0 += yy
            yy1 += yy * px
            yy2 += yy * p2
            xv0 += wx * value
            xv1 += wx * value * px
            yv0 += wy * value
            yv1 += wy * value * px
            x0 += wx
            x1 += wx * px
            y0 += wy
            y1 += wy * px
            xr0 += wx * r
            xr1 += wx * r * px
            yr0 += wy * r
            yr1 += wy * r * px
            vv += wv * value
            v += wv
            ww += w
            vr += wv * r
            rr += w * r
            count += one
            power += w * squared
            noise += w * r * r
            if perspective:
                p3 = p2 * px
                xx3 += xx * p3
                xy3 += xy * p3
                yy3 += yy * p3
                xx4 += xx * p2 * p2
                xy4 += xy * p2 * p2
                yy4 += yy * p2 * p2
                xv2 += wx * value * p2
                yv2 += wy * value * p2
                x2 += wx * p2
                y2 += wy * p2
                xr2 += wx * r * p2
                yr2 += wy * r * p2
        for q, row in enumerate((
            (xx0, xx1, xx2, xx3, xx4), (xy0, xy1, xy2, xy3, xy4), (yy0, yy1, yy2, yy3, yy4),
            (xv0, xv1, xv2, zero, zero), (yv0, yv1, yv2, zero, zero), (x0, x1, x2, zero, zero),
            (y0, y1, y2, zero, zero), (xr0, xr1, xr2, zero, zero), (yr0, yr1, yr2, zero, zero),
        )):  # fmt: skip
            for k, value in enumerate(row):
                height = np.float64(value)
                for m in range(5 - k):
                    total[q, k, m] += height
                    height *= py
        for q, value in enumerate((vv, v, ww, vr, rr, count, power, noise)):
            total[9 + q, 0, 0] += value
    return total
