"""Compiled loops of the refinement: reading at a transform, and sums of the normal equations."""

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.jit import kernel, summing_kernel
from napari_stack.operators.geometry.gather_kernels import BLOCK, gather, weights
from napari_stack.operators.geometry.warp_kernels import positions
from napari_stack.operators.registration.preprocess import Image

Matrix = NDArray[np.float64]
Row = NDArray[np.float32]

#: Rows of a band.
BAND = 16

#: Taps and channels, in the way of `gather`.
_CUBIC, _GREY = (0,) * 4, (0,)


@kernel
def resample(image: Image, matrix: Matrix, margin: int, every: int) -> Image:
    """Image read at matrix (3, 3) by cubic convolution (Keys 1981); NaN outside or near NaN.

    `margin`, at least 1, is the number of pixels at the border that count as outside. Only rows of
    every n-th band, and those next to them, are read, as `moments` needs them.
    """
    rows, columns = image.shape
    warped = np.full((rows, columns), np.nan, np.float32)
    flat = warped.ravel()
    pixels = image.ravel()
    px, py, inside = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, np.bool_)
    x, y = np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int32)
    wx, wy = np.empty(4 * BLOCK, np.float32), np.empty(4 * BLOCK, np.float32)
    begin = np.empty(BLOCK, np.int64)
    right, bottom = columns - 1 - margin, rows - 1 - margin
    for j in range(rows):
        if every > 1 and (j + 1) // BAND % every and (j - 1) // BAND % every:
            continue
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
                for q in range(count):
                    begin[q] = np.int64(y[q]) * columns + x[q] - q
                out = flat[j * columns + start : j * columns + start + count]
                gather(pixels, columns, first, last, begin, wx, wy, _CUBIC, _GREY, out)
    return warped


@summing_kernel
def _pixel(
    left: np.float32, right: np.float32, above: np.float32, below: np.float32, middle: np.float32,
    warped_left: np.float32, warped_right: np.float32, warped_above: np.float32,
    warped_below: np.float32, warped: np.float32, gain: np.float32, offset: np.float32,
    parameters: tuple[np.float32, np.float32, np.float32],
) -> tuple[np.float32, ...]:  # fmt: skip
    # Products of the two frames' gradients, not squares: noise, which they do not share, cancels,
    # where in squares it would make every step too short. Zeros where a pixel is left out.
    flat, model_error, residual = parameters
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    fx, fy = half * gain * (right - left), half * gain * (below - above)
    mx, my = half * (warped_right - warped_left), half * (warped_below - warped_above)
    fixed = gain * middle
    value = half * (fixed + warped)
    r = warped - fixed - offset
    gx, gy = half * (fx + mx), half * (fy + my)
    squared = gx * gx + gy * gy
    w = squared / ((flat + squared) * (one + model_error * squared + residual * r * r))
    counts = w >= zero
    xx = w * fx * mx if counts else zero
    xy = half * w * (fx * my + fy * mx) if counts else zero
    yy = w * fy * my if counts else zero
    return (
        xx, xy, yy, w * gx if counts else zero, w * gy if counts else zero,
        w if counts else zero, value if counts else zero, r if counts else zero,
        squared if counts else zero, one if counts else zero,
    )  # fmt: skip


@summing_kernel
def _row_moments(
    left: Row, right: Row, above: Row, below: Row, middle: Row,
    warped_left: Row, warped_right: Row, warped_above: Row, warped_below: Row, warped: Row,
    gain: np.float32, offset: np.float32, parameters: tuple[np.float32, np.float32, np.float32],
    px: Row, sums: Row,
) -> None:  # fmt: skip
    # In registers, several pixels at once; nothing is written before the end of the row.
    zero = np.float32(0)
    xx0 = xx1 = xx2 = xy0 = xy1 = xy2 = yy0 = yy1 = yy2 = xv0 = xv1 = yv0 = yv1 = zero
    x0 = x1 = y0 = y1 = xr0 = xr1 = yr0 = yr1 = zero
    vv = v = ww = vr = rr = count = power = noise = zero
    for i in range(px.size):
        xx, xy, yy, wx, wy, w, value, r, squared, one = _pixel(
            left[i], right[i], above[i], below[i], middle[i], warped_left[i], warped_right[i],
            warped_above[i], warped_below[i], warped[i], gain, offset, parameters,
        )  # fmt: skip
        p = px[i]
        wv = w * value
        xx0 += xx
        xx1 += xx * p
        xx2 += xx * p * p
        xy0 += xy
        xy1 += xy * p
        xy2 += xy * p * p
        yy0 += yy
        yy1 += yy * p
        yy2 += yy * p * p
        xv0 += wx * value
        xv1 += wx * value * p
        yv0 += wy * value
        yv1 += wy * value * p
        x0 += wx
        x1 += wx * p
        y0 += wy
        y1 += wy * p
        xr0 += wx * r
        xr1 += wx * r * p
        yr0 += wy * r
        yr1 += wy * r * p
        vv += wv * value
        v += wv
        ww += w
        vr += wv * r
        rr += w * r
        count += one
        power += w * squared
        noise += w * r * r
    row = (
        xx0, xx1, xx2, xy0, xy1, xy2, yy0, yy1, yy2, xv0, xv1, zero, yv0, yv1, zero,
        x0, x1, zero, y0, y1, zero, xr0, xr1, zero, yr0, yr1, zero,
        vv, v, ww, vr, rr, count, power, noise,
    )  # fmt: skip
    for k, total in enumerate(row):
        sums[k] = total


@summing_kernel
def _row_perspective(
    left: Row, right: Row, above: Row, below: Row, middle: Row,
    warped_left: Row, warped_right: Row, warped_above: Row, warped_below: Row, warped: Row,
    gain: np.float32, offset: np.float32, parameters: tuple[np.float32, np.float32, np.float32],
    px: Row, sums: Row,
) -> None:  # fmt: skip
    # The powers that a perspective needs more.
    zero = np.float32(0)
    xx3 = xx4 = xy3 = xy4 = yy3 = yy4 = xv2 = yv2 = x2 = y2 = xr2 = yr2 = zero
    for i in range(px.size):
        xx, xy, yy, wx, wy, _, value, r, _, _ = _pixel(
            left[i], right[i], above[i], below[i], middle[i], warped_left[i], warped_right[i],
            warped_above[i], warped_below[i], warped[i], gain, offset, parameters,
        )  # fmt: skip
        p = px[i]
        p2 = p * p
        p3, p4 = p2 * p, p2 * p2
        xx3 += xx * p3
        xx4 += xx * p4
        xy3 += xy * p3
        xy4 += xy * p4
        yy3 += yy * p3
        yy4 += yy * p4
        xv2 += wx * value * p2
        yv2 += wy * value * p2
        x2 += wx * p2
        y2 += wy * p2
        xr2 += wx * r * p2
        yr2 += wy * r * p2
    for k, total in enumerate((xx3, xx4, xy3, xy4, yy3, yy4, xv2, yv2, x2, y2, xr2, yr2)):
        sums[k] = total


@kernel
def moments(
    reference: Image,
    warped: Image,
    gain: np.float32,
    offset: np.float32,
    radius: np.float32,
    margin: int,
    parameters: tuple[np.float32, np.float32, np.float32],
    perspective: bool,
    every: int,
) -> NDArray[np.float64]:
    """Sum over the pixels what the weighted equations of any transform are made of.

    Of the rows, those of every n-th band of `BAND` are taken.

    Entry [q, k, l] is the sum of quantity q times px^k py^l, where (px, py) is the place about
    the centre in units of `radius`. The quantities are products of gradients xx, xy, yy; of
    gradients and value xv, yv; gradients x, y; of gradients and residual xr, yr; then, for
    k = l = 0 alone, vv, v, 1, vr, r, all of these weighted; the number of pixels; the squared
    gradients; the squared residuals. Powers above those of an affine transform are summed only
    for a `perspective`.

    NaN in either frame leaves a pixel out (the flags of fastmath keep the meaning of NaN).
    """
    rows, columns = reference.shape
    half = np.float32(0.5)
    cx, cy = np.float32(columns - 1) * half, np.float32(rows - 1) * half
    low, high = margin, columns - margin
    px = np.empty(max(high - low, 0), np.float32)
    for i in range(px.size):
        px[i] = (np.float32(low + i) - cx) / radius
    sums, more = np.empty(35, np.float32), np.zeros(12, np.float32)
    total = np.zeros((17, 5, 5))
    powers = np.zeros((9, 5))
    for y in range(margin, rows - margin):
        if y // BAND % every:
            continue
        lines = (
            reference[y, low - 1 : high - 1], reference[y, low + 1 : high + 1],
            reference[y - 1, low:high], reference[y + 1, low:high], reference[y, low:high],
            warped[y, low - 1 : high - 1], warped[y, low + 1 : high + 1],
            warped[y - 1, low:high], warped[y + 1, low:high], warped[y, low:high],
            gain, offset, parameters, px,
        )  # fmt: skip
        _row_moments(*lines, sums)
        if perspective:
            _row_perspective(*lines, more)
        for q in range(9):
            for k in range(3):
                powers[q, k] = sums[3 * q + k]
            if q < 3:
                powers[q, 3], powers[q, 4] = more[2 * q], more[2 * q + 1]
            else:
                powers[q, 2] = more[q + 3]
        py = np.float64((np.float32(y) - cy) / radius)
        for q in range(9):
            for k in range(5):
                height = powers[q, k]
                for m in range(5 - k):
                    total[q, k, m] += height
                    height *= py
        for q in range(8):
            total[9 + q, 0, 0] += sums[27 + q]
    return total
