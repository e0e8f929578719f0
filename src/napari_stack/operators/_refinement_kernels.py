"""Compiled loops of the refinement: reading at a transform, and sums of the normal equations."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_stack.operators._jit import kernel
from napari_stack.operators._preparation import Image
from napari_stack.operators._warping_kernels import BLOCK, gather_one, positions, weights

Matrix = NDArray[np.float64]


@kernel
def resample(image: Image, matrix: Matrix, margin: int) -> Image:
    """Image read at matrix (3, 3) by cubic convolution (Keys 1981); NaN outside or near NaN.

    `margin`, at least 1, is the number of pixels at the border that count as outside.
    """
    rows, columns = image.shape
    warped = np.full((rows, columns, 1), np.nan, np.float32)
    pixels = image.ravel()
    px, py, inside = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, np.bool_)
    x, y = np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int32)
    wx, wy = np.empty((6, BLOCK), np.float32), np.empty((6, BLOCK), np.float32)
    right, bottom = columns - 1 - margin, rows - 1 - margin
    for j in range(rows):
        for start in range(0, columns, BLOCK):
            count = min(start + BLOCK, columns) - start
            positions(matrix, j, start, columns, rows, False, px, py, inside[:count])
            # Those within the margin are an interval.
            first, last = 0, count
            while first < last and not (
                margin <= px[first] < right and margin <= py[first] < bottom
            ):
                first += 1
            while last > first and not (
                margin <= px[last - 1] < right and margin <= py[last - 1] < bottom
            ):
                last -= 1
            if first < last:
                weights(4, count, px, x, wx)
                weights(4, count, py, y, wy)
                out = warped[j, start : start + count]
                gather_one(pixels, columns, first, last, x, y, wx, wy, out)
    return warped[:, :, 0]


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
    parameters: tuple[np.float32, np.float32, np.float32],
    perspective: bool,
) -> NDArray[np.float64]:
    """Sum over the pixels what the weighted equations of any transform are made of.

    Entry [q, k, l] is the sum of quantity q times px^k py^l, where (px, py) is the place about
    the centre in units of `radius`. The quantities are products of gradients xx, xy, yy; of
    gradients and value xv, yv; gradients x, y; of gradients and residual xr, yr; then, for
    k = l = 0 alone, vv, v, 1, vr, r, all of these weighted; the number of pixels; the squared
    gradients; the squared residuals. Powers above those of an affine transform are summed only
    for a `perspective`.

    NaN in either frame leaves a pixel out (the flags of fastmath keep the meaning of NaN).
    """
    rows, columns = reference.shape
    flat, model_error, residual = parameters
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
