"""One row of two frames whose rows run nearly alike: read along a line, compared and summed."""

from typing import Any

import numpy as np
from numpy import float32, uintp
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel


@inner_kernel
def down(
    moving: NDArray[np.float32], width: int, first: int, last: int, slope: float, start: float,
    height: int, values: NDArray[np.float32], slopes: NDArray[np.float32],
) -> None:  # fmt: skip
    # Values along the line y = slope * k + start at the columns k, first to last - 1, by cubic
    # convolution downwards (Keys 1981), and half their differences over two rows. A part of the
    # line between two rows of pixels reads the same rows: that loop is vectorised. What needs rows
    # that are not there is NaN.
    half, line = float32(0.5), uintp(width)
    k = first
    while k < last:
        y = slope * k + start
        row = int(np.floor(y))
        stop = last
        if slope > 0:
            stop = max(k + 1, int(min(np.ceil((row + 1 - start) / slope), last)))
        elif slope < 0:
            stop = max(k + 1, int(min(np.floor((row - start) / slope) + 1, last)))
        if row - 2 < 0 or row + 3 >= height:
            for q in range(k, stop):
                values[q] = slopes[q] = float32(np.nan)
            k = stop
            continue
        f0, df = float32(y - row), float32(slope)
        at, place = uintp((row - 2) * width + k), uintp(k)
        for q in range(uintp(stop - k)):
            f = f0 + df * float32(q)
            f2 = f * f
            f3 = f2 * f
            w0 = f2 - half * (f + f3)
            w1 = float32(1) - float32(2.5) * f2 + float32(1.5) * f3
            w2 = half * f + float32(2) * f2 - float32(1.5) * f3
            w3 = half * (f3 - f2)
            p = at + q
            a, b, c = moving[p], moving[p + line], moving[p + line + line]
            p += line + line + line
            d, e, g = moving[p], moving[p + line], moving[p + line + line]
            values[place + q] = w0 * b + w1 * c + w2 * d + w3 * e
            slopes[place + q] = half * (w0 * (c - a) + w1 * (d - b) + w2 * (e - c) + w3 * (g - d))
        k = stop


@inner_kernel
def across(
    values: NDArray[np.float32], slopes: NDArray[np.float32], first: int, last: int, scale: float,
    start: float, warped: NDArray[np.float32], steep: NDArray[np.float32],
) -> None:  # fmt: skip
    # Values and slopes of a line at x = scale * j + start for j from first to last - 1.
    half = float32(0.5)
    j = first
    while j < last:
        x = scale * j + start
        column = int(np.floor(x))
        stop = last
        if scale > 1:
            stop = int(np.ceil((column - j + 1 - start) / (scale - 1)))
        elif scale < 1:
            stop = int(np.floor((column - j - start) / (scale - 1))) + 1
        stop = min(last, max(j + 1, stop))
        f0, df = float32(x - column), float32(scale - 1)
        at, place = uintp(column - 1), uintp(j)
        for q in range(uintp(stop - j)):
            f = f0 + df * float32(q)
            f2 = f * f
            f3 = f2 * f
            w0 = f2 - half * (f + f3)
            w1 = float32(1) - float32(2.5) * f2 + float32(1.5) * f3
            w2 = half * f + float32(2) * f2 - float32(1.5) * f3
            w3 = half * (f3 - f2)
            p = at + q
            p1, p2, p3 = p + uintp(1), p + uintp(2), p + uintp(3)
            warped[place + q] = w0 * values[p] + w1 * values[p1] + w2 * values[p2] + w3 * values[p3]
            steep[place + q] = w0 * slopes[p] + w1 * slopes[p1] + w2 * slopes[p2] + w3 * slopes[p3]
        j = stop


@inner_kernel
def sum_row(
    fixed: NDArray[np.float32], width: int, row: int, left: int, right: int,
    warped: NDArray[np.float32], steep: NDArray[np.float32], px: NDArray[np.float32],
    turn: tuple[np.float32, np.float32],
    model: tuple[np.float32, np.float32, np.float32, np.float32, np.float32],
    sums: NDArray[np.float32],
) -> None:  # fmt: skip
    # Sums over one row, columns left to right - 1: see `gauss_newton_kernels`. `turn`: entries
    # [0, 1] and [1, 1] of the matrix, which turn the slopes of the moving frame.
    gain, offset, flat, model_error, residual = model
    half, one, zero = float32(0.5), float32(1), float32(0)
    along, scale = turn
    line, next_ = uintp(width), uintp(1)
    xx0 = xx1 = xx2 = xy0 = xy1 = xy2 = yy0 = yy1 = yy2 = xv0 = xv1 = yv0 = yv1 = zero
    x0 = x1 = y0 = y1 = xr0 = xr1 = yr0 = yr1 = zero
    vv = v = ww = vr = rr = count = power = noise = zero
    begin = uintp(row * width)
    for i in range(uintp(left), uintp(right)):
        at, p = begin + i, px[i]
        fx = half * gain * (fixed[at + next_] - fixed[at - next_])
        fy = half * gain * (fixed[at + line] - fixed[at - line])
        mx = half * (warped[i + next_] - warped[i - next_])
        my = scale * steep[i] + along * mx
        scaled = gain * fixed[at]
        value = half * (scaled + warped[i])
        r_ = warped[i] - scaled - offset
        gx, gy = half * (fx + mx), half * (fy + my)
        squared = gx * gx + gy * gy
        w = squared / ((flat + squared) * (one + model_error * squared + residual * r_ * r_))
        counts = w >= zero
        xx = w * fx * mx if counts else zero
        xy = half * w * (fx * my + fy * mx) if counts else zero
        yy = w * fy * my if counts else zero
        wx = w * gx if counts else zero
        wy = w * gy if counts else zero
        w = w if counts else zero
        value = value if counts else zero
        r_ = r_ if counts else zero
        squared = squared if counts else zero
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
        xr0 += wx * r_
        xr1 += wx * r_ * p
        yr0 += wy * r_
        yr1 += wy * r_ * p
        vv += wv * value
        v += wv
        ww += w
        vr += wv * r_
        rr += w * r_
        count += one if counts else zero
        power += w * squared
        noise += w * r_ * r_
    found = (
        xx0, xx1, xx2, xy0, xy1, xy2, yy0, yy1, yy2, xv0, xv1, yv0, yv1, x0, x1, y0, y1,
        xr0, xr1, yr0, yr1, vv, v, ww, vr, rr, count, power, noise,
    )  # fmt: skip
    for k in range(len(found)):
        sums[k] = found[k]


@inner_kernel
def between(low: float, high: float, slope: float, start: float, first: int, last: int) -> Any:
    # Whole numbers j, first <= j < last, where low <= slope * j + start < high. Limits are applied
    # before the conversion: a slope of rounding leads beyond all whole numbers.
    if slope == 0:
        return (first, last) if low <= start < high else (first, first)
    one, other = (low - start) / slope, (high - start) / slope
    if slope > 0:
        left, right = np.ceil(one), np.ceil(other)
    else:
        left, right = np.floor(other) + 1, np.floor(one) + 1
    begin, end = int(min(max(left, first), last)), int(min(max(right, first), last))
    # Rounding may let in one at either end.
    while begin < end and not low <= slope * begin + start < high:
        begin += 1
    while begin < end and not low <= slope * (end - 1) + start < high:
        end -= 1
    return begin, end
