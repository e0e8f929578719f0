"""The compiled loop behind `uncertainty`: what the pixels of some rows add to its sums."""

import numpy as np
from numpy import float32, uintp
from numpy.typing import NDArray

from napari_stack.core.system.jit import summing_kernel

#: Pixels that the differences reach.
TAPS = 3


@summing_kernel
def row_sums(
    fixed: NDArray[np.float32], warped: NDArray[np.float32], width: int,
    lines: NDArray[np.int64], slots: NDArray[np.int64], left: int, px: NDArray[np.float32],
    model: tuple[np.float32, np.float32, np.float32, np.float32, np.float32],
    matrix: NDArray[np.float64],
    inside: tuple[np.float32, np.float32, np.float32],
    score: NDArray[np.float32], sums: NDArray[np.float32],
) -> None:  # fmt: skip
    # The images are flat. All of a row's sums are in registers, of several pixels at once, as in
    # `gauss_newton_kernels`. The weighted gradients of line r
    # go to row slots[r] of `score` (2, rows, width).
    gain, offset, flat, model_error, residual = model
    half, one, zero, big = float32(0.5), float32(1), float32(0), float32(1e30)
    near, far = float32(2 / 3), float32(-1 / 12)
    eight, scale, sixth = float32(8), float32(1 / 24), float32(1 / 6)
    least, right, bottom = inside
    one_, two_, three_ = uintp(1), uintp(2), uintp(3)
    line = uintp(width)
    line2, line3 = uintp(2 * width), uintp(3 * width)
    ux, vx, hx = float32(matrix[0, 0]), float32(matrix[1, 0]), float32(matrix[2, 0])
    for r in range(lines.size):
        first = uintp(lines[r] * width + left)
        u0 = float32(matrix[0, 0] * left + matrix[0, 1] * lines[r] + matrix[0, 2])
        v0 = float32(matrix[1, 0] * left + matrix[1, 1] * lines[r] + matrix[1, 2])
        h0 = float32(matrix[2, 0] * left + matrix[2, 1] * lines[r] + matrix[2, 2])
        across, down = score[0, slots[r]], score[1, slots[r]]
        xx0 = xx1 = xx2 = xx3 = xx4 = xy0 = xy1 = xy2 = xy3 = xy4 = zero
        yy0 = yy1 = yy2 = yy3 = yy4 = bx0 = bx1 = bx2 = by0 = by1 = by2 = zero
        vv = v1 = ww = vr = r1 = power = noise = undamped = zero
        for i in range(uintp(px.size)):
            at, p = first + i, px[i]
            step = float32(i)
            # Differences of the two frames over 1, 2 and 3 pixels: odd (a, b) and even (c to e).
            ma, fa = warped[at + one_] - warped[at - one_], fixed[at + one_] - fixed[at - one_]
            mb, fb = warped[at + two_] - warped[at - two_], fixed[at + two_] - fixed[at - two_]
            mc, fc = warped[at + line] - warped[at - line], fixed[at + line] - fixed[at - line]
            md, fd = warped[at + line2] - warped[at - line2], fixed[at + line2] - fixed[at - line2]
            fa, fb, fc, fd = gain * fa, gain * fb, gain * fc, gain * fd
            m0, f0 = warped[at], gain * fixed[at]
            ex = (
                eight * (warped[at + two_] + warped[at - two_] - m0 - m0)
                + warped[at + one_] + warped[at - one_] - warped[at + three_] - warped[at - three_]
                - gain * (
                    eight * (fixed[at + two_] + fixed[at - two_] - fixed[at] - fixed[at])
                    + fixed[at + one_] + fixed[at - one_] - fixed[at + three_] - fixed[at - three_]
                )
            )  # fmt: skip
            ey = (
                eight * (warped[at + line2] + warped[at - line2] - m0 - m0)
                + warped[at + line] + warped[at - line] - warped[at + line3] - warped[at - line3]
                - gain * (
                    eight * (fixed[at + line2] + fixed[at - line2] - fixed[at] - fixed[at])
                    + fixed[at + line] + fixed[at - line] - fixed[at + line3] - fixed[at - line3]
                )
            )  # fmt: skip
            value, res = half * (m0 + f0), m0 - f0 - offset
            # Gradients of the mean of both frames: as the equations take them, and truer ones.
            gx, gy = half * half * (ma + fa), half * half * (mc + fc)
            tx, ty = (
                half * (near * (ma + fa) + far * (mb + fb)),
                half * (near * (mc + fc) + far * (md + fd)),
            )
            s = gx * gx + gy * gy
            q, p0 = residual * res * res, one + model_error * s
            d, share = p0 + q, one / (flat + s)
            w, full = s * share / d, s * share / p0  # with and without the residual's part
            dw = share / d * (flat * share - model_error * s / d)
            dpsi = w * (p0 - q) / d
            h = one / (h0 + hx * step)
            u, v = (u0 + ux * step) * h, (v0 + vx * step) * h
            all_ = ex + ey
            counts = (
                (w >= zero) & (all_ < big) & (all_ > -big)
                & (u >= least) & (v >= least) & (u < right) & (v < bottom)
            )  # fmt: skip
            # What cubic interpolation leaves: c f''' / 6 along each axis (Keys 1981).
            u, v = u - np.floor(u), v - np.floor(v)
            cu, cv = sixth * u * (one - u) * (one - u - u), sixth * v * (one - v) * (one - v - v)
            mean3 = half * (cu * (half * (mb + fb) - ma - fa) + cv * (half * (md + fd) - mc - fc))
            rest3 = (
                half
                * half
                * (cu * (half * (mb - fb) - ma + fa) + cv * (half * (md - fd) - mc + fc))
            )
            w, full = (w if counts else zero), (full if counts else zero)
            dpsi = dpsi if counts else zero
            dw = dw if counts else zero
            gx = gx if counts else zero
            gy = gy if counts else zero
            tx = tx if counts else zero
            ty = ty if counts else zero
            res = res if counts else zero
            value = value if counts else zero
            ex = scale * ex if counts else zero
            ey = scale * ey if counts else zero
            mean3 = mean3 if counts else zero
            rest3 = rest3 if counts else zero
            rx, ry = (ma - fa if counts else zero), (mc - fc if counts else zero)
            s = s if counts else zero
            quarter = half * half * res
            dxy = (dw + dw) * gx * gy
            xx = dpsi * gx * tx + quarter * (w + (dw + dw) * gx * gx) * ex
            yy = dpsi * gy * ty + quarter * (w + (dw + dw) * gy * gy) * ey
            xy = half * (dpsi * (gx * ty + gy * tx) + quarter * dxy * (ex + ey))
            bx, by = w * (gx * mean3 - half * rx * rest3), w * (gy * mean3 - half * ry * rest3)
            wx, wy = w * gx, w * gy
            across[uintp(left) + i], down[uintp(left) + i] = wx, wy
            p2 = p * p
            xx0 += xx
            xx1 += xx * p
            xx2 += xx * p2
            xx3 += xx * p2 * p
            xx4 += xx * p2 * p2
            xy0 += xy
            xy1 += xy * p
            xy2 += xy * p2
            xy3 += xy * p2 * p
            xy4 += xy * p2 * p2
            yy0 += yy
            yy1 += yy * p
            yy2 += yy * p2
            yy3 += yy * p2 * p
            yy4 += yy * p2 * p2
            bx0 += bx
            bx1 += bx * p
            bx2 += bx * p2
            by0 += by
            by1 += by * p
            by2 += by * p2
            wv = w * value
            vv += wv * value
            v1 += wv
            ww += w
            vr += wv * res
            r1 += w * res
            power += s * w * w
            noise += s * w * w * res * res
            undamped += s * w * full
        row = (
            xx0, xx1, xx2, xx3, xx4, xy0, xy1, xy2, xy3, xy4, yy0, yy1, yy2, yy3, yy4,
            bx0, bx1, bx2, by0, by1, by2, vv, v1, ww, vr, r1, power, noise, undamped,
        )  # fmt: skip
        for k in range(len(row)):
            sums[r, k] = row[k]
