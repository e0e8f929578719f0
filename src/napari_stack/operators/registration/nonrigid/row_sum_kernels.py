"""Compiled sums over the rows of a scan: what each row says of its own shift."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel, kernel, summing_kernel

#: Sums of a row: pixels, t, v, t t, t v, v v, of gx and gy alone, times v, times t, and their
#: products; t is the template, v the frame, g the slope of the smoothed template.
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
    values: NDArray[Any], counts: NDArray[np.bool_], template: NDArray[Any], smooth: NDArray[Any],
    back: NDArray[np.float64], offsets: NDArray[np.float64], out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Sum over each row of a frame, compared with a template at its own place.

    Parameters
    ----------
    values, counts : ndarray (y, x)
        The frame, and where it counts.
    template : ndarray (y, x)
        NaN where it does not count.
    smooth : ndarray (y, x)
        The template smoothed, for its slopes. Values are compared without: what a smoothed one
        lacks goes with its curvature, and looks like a motion where the curvature changes.
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
                t += down[n] * (a0 * row[i - 1] + a1 * row[i] + a2 * row[i + 1] + a3 * row[i + 2])
                row = smooth[j + n - 1]
                p, q, r, u = row[i - 1], row[i], row[i + 1], row[i + 2]
                ty += steep[n] * (a0 * p + a1 * q + a2 * r + a3 * u)
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


@summing_kernel
def sum_shifted_rows(
    values: NDArray[Any], counts: NDArray[np.bool_], template: NDArray[Any], smooth: NDArray[Any],
    back: NDArray[np.float64], offsets: NDArray[np.float64], out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Sum as `sum_rows` does, where `back` is a shift: a row then has weights of its own."""
    height, width = template.shape
    t_line, s_line = np.empty(width, np.float32), np.empty(width, np.float32)
    b_line = np.empty(width, np.float32)
    for k in range(values.shape[0]):
        out[k] = 0
        py, left = back[1, 2] + k - offsets[k, 1], back[0, 2] - offsets[k, 0]
        if not (py >= 1 and py < height - 2):
            continue
        j, shift = int(py), int(np.floor(left))
        b, c = _cubic(py - j), _slopes(py - j)
        b0, b1, b2, b3 = np.float32(b[0]), np.float32(b[1]), np.float32(b[2]), np.float32(b[3])
        c0, c1, c2, c3 = np.float32(c[0]), np.float32(c[1]), np.float32(c[2]), np.float32(c[3])
        for i in range(width):
            p, q, r, u = template[j - 1, i], template[j, i], template[j + 1, i], template[j + 2, i]
            t_line[i] = b0 * p + b1 * q + b2 * r + b3 * u
            p, q, r, u = smooth[j - 1, i], smooth[j, i], smooth[j + 1, i], smooth[j + 2, i]
            b_line[i] = b0 * p + b1 * q + b2 * r + b3 * u
            s_line[i] = c0 * p + c1 * q + c2 * r + c3 * u
        a, d = _cubic(left - shift), _slopes(left - shift)
        a0, a1, a2, a3 = np.float32(a[0]), np.float32(a[1]), np.float32(a[2]), np.float32(a[3])
        d0, d1, d2, d3 = np.float32(d[0]), np.float32(d[1]), np.float32(d[2]), np.float32(d[3])
        first = max(0, 1 - shift)
        stop = min(values.shape[1], width - 2 - shift)
        zero: Any = 0.0
        n = st = sv = stt = stv = svv = zero
        sx = sy = svx = svy = stx = sty = sxx = sxy = syy = zero
        for m in range(max(stop - first, 0)):
            column = np.uintp(first + m)
            at = np.uintp(first + m + shift - 1)
            t = (a0 * t_line[at] + a1 * t_line[at + np.uintp(1)]
                 + a2 * t_line[at + np.uintp(2)] + a3 * t_line[at + np.uintp(3)])  # fmt: skip
            gx = (d0 * b_line[at] + d1 * b_line[at + np.uintp(1)]
                  + d2 * b_line[at + np.uintp(2)] + d3 * b_line[at + np.uintp(3)])  # fmt: skip
            gy = (a0 * s_line[at] + a1 * s_line[at + np.uintp(1)]
                  + a2 * s_line[at + np.uintp(2)] + a3 * s_line[at + np.uintp(3)])  # fmt: skip
            v = np.float32(values[k, column])
            good = counts[k, column] and t == t
            one, nil = np.float32(1), np.float32(0)
            n += one if good else nil
            t, v = t if good else nil, v if good else nil
            gx, gy = gx if good else nil, gy if good else nil
            st += t
            sv += v
            stt += t * t
            stv += t * v
            svv += v * v
            sx += gx
            sy += gy
            svx += v * gx
            svy += v * gy
            stx += t * gx
            sty += t * gy
            sxx += gx * gx
            sxy += gx * gy
            syy += gy * gy
        out[k, 0], out[k, 1], out[k, 2], out[k, 3], out[k, 4] = n, st, sv, stt, stv
        out[k, 5], out[k, 6], out[k, 7], out[k, 8], out[k, 9] = svv, sx, sy, svx, svy
        out[k, 10], out[k, 11], out[k, 12], out[k, 13], out[k, 14] = stx, sty, sxx, sxy, syy
