"""The sums of the normal equations of a refinement, and the compiled loop that makes them."""

import numpy as np
from numpy import float32, uintp
from numpy.typing import NDArray

from napari_stack.core.system.jit import summing_kernel
from napari_stack.operators.registration.preprocess import Image

#: Rows of a band.
BAND = 16


@summing_kernel
def _row_sums(
    fixed: NDArray[np.float32], warped: NDArray[np.float32], width: int,
    lines: NDArray[np.int64], margin: int, px: NDArray[np.float32],
    model: tuple[np.float32, np.float32, np.float32, np.float32, np.float32],
    perspective: tuple[int, ...], sums: NDArray[np.float32],
) -> None:  # fmt: skip
    # Sums over rows of two images, which are flat, as `moments` takes them apart. All of a row are
    # in registers, of several pixels at once; nothing is written before its end. Indices are
    # unsigned, which spares the test for negative ones. `perspective` is empty or not.
    gain, offset, flat, model_error, residual = model
    half, one, zero = float32(0.5), float32(1), float32(0)
    line, next_ = uintp(width), uintp(1)
    for r in range(lines.size):
        first = uintp(lines[r] * width + margin)
        xx0 = xx1 = xx2 = xy0 = xy1 = xy2 = yy0 = yy1 = yy2 = xv0 = xv1 = yv0 = yv1 = zero
        x0 = x1 = y0 = y1 = xr0 = xr1 = yr0 = yr1 = zero
        vv = v = ww = vr = rr = count = power = noise = zero
        xx3 = xx4 = xy3 = xy4 = yy3 = yy4 = xv2 = yv2 = x2 = y2 = xr2 = yr2 = zero
        for i in range(uintp(px.size)):
            at, p = first + i, px[i]
            # Products of the two frames' gradients, not squares: noise, which they do not share,
            # cancels, where in squares it would make every step too short.
            fx = half * gain * (fixed[at + next_] - fixed[at - next_])
            fy = half * gain * (fixed[at + line] - fixed[at - line])
            mx = half * (warped[at + next_] - warped[at - next_])
            my = half * (warped[at + line] - warped[at - line])
            scaled = gain * fixed[at]
            value = half * (scaled + warped[at])
            r_ = warped[at] - scaled - offset
            gx, gy = half * (fx + mx), half * (fy + my)
            squared = gx * gx + gy * gy
            w = squared / ((flat + squared) * (one + model_error * squared + residual * r_ * r_))
            # Zeros where a pixel is left out: NaN in either frame.
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
            if len(perspective) > 0:
                p2 = p * p
                xx3 += xx * p2 * p
                xx4 += xx * p2 * p2
                xy3 += xy * p2 * p
                xy4 += xy * p2 * p2
                yy3 += yy * p2 * p
                yy4 += yy * p2 * p2
                xv2 += wx * value * p2
                yv2 += wy * value * p2
                x2 += wx * p2
                y2 += wy * p2
                xr2 += wx * r_ * p2
                yr2 += wy * r_ * p2
        row = (
            xx0, xx1, xx2, xx3, xx4, xy0, xy1, xy2, xy3, xy4, yy0, yy1, yy2, yy3, yy4,
            xv0, xv1, xv2, yv0, yv1, yv2, x0, x1, x2, y0, y1, y2, xr0, xr1, xr2, yr0, yr1, yr2,
            vv, v, ww, vr, rr, count, power, noise,
        )  # fmt: skip
        for k in range(len(row)):
            sums[r, k] = row[k]


def banded(rows: int, every: int) -> NDArray[np.bool_]:
    """Which of so many rows lie in every n-th band of `BAND`."""
    return np.arange(rows) // BAND % every == 0


def moments(
    reference: Image,
    warped: Image,
    model: tuple[float, float, float, float, float],
    radius: float,
    margin: int,
    perspective: bool,
    every: int,
) -> NDArray[np.float64]:
    """Sum over the pixels what the weighted equations of any transform are made of.

    Of the rows, those that are `banded` are taken.

    The model of a pixel is its gain and offset, and the three numbers of its weight.

    Entry [q, k, l] is the sum of quantity q times px^k py^l, where (px, py) is the place about
    the centre in units of `radius`. The quantities are products of gradients xx, xy, yy; of
    gradients and value xv, yv; gradients x, y; of gradients and residual xr, yr; then, for
    k = l = 0 alone, vv, v, 1, vr, r, all of these weighted; the number of pixels; the squared
    gradients; the squared residuals. Powers above those of an affine transform are summed only
    for a `perspective`.

    NaN in either frame leaves a pixel out (the flags of fastmath keep the meaning of NaN).
    """
    rows, columns = reference.shape
    lines = margin + np.flatnonzero(banded(rows, every)[margin : rows - margin])
    px, py = ((places - float32(side - 1) / 2) / float32(radius)
              for places, side in ((np.arange(margin, columns - margin, dtype=np.float32), columns),
                                   (lines.astype(np.float32), rows)))  # fmt: skip
    sums = np.empty((len(lines), 41), np.float32)
    _row_sums(
        reference.reshape(-1), warped.reshape(-1), columns, lines, margin, px,
        tuple(map(float32, model)), (0,) * perspective, sums,
    )  # fmt: skip
    heights = np.vander(py.astype(np.float64), 5, increasing=True)
    by_height = sums.T @ heights
    total = np.zeros((17, 5, 5))
    total[:3] = by_height[:15].reshape(3, 5, 5)
    total[3:9, :3] = by_height[15:33].reshape(6, 3, 5)
    total[9:, 0, 0] = by_height[33:, 0]
    return total
