"""Compiled loops that read pixels between pixels: weights of the taps, and sums over these."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.jit import kernel
from napari_stack.operators.geometry.tap_sums import put_sum

#: As many zeros as there are taps or channels.
Each = tuple[int, ...]

#: Columns of a block: positions and weights of so many stay in the fastest cache.
BLOCK = 128

#: Most taps of a kernel, which is how many rows of weights a block has.
MOST_TAPS = 6

#: Neighbours that read neighbouring pixels are looked for in steps of so many.
_RUN = 16

#: To this a whole number, also below zero, is added that is wanted from the last bits of the sum:
#: processors have no instruction that makes several 64-bit floats whole numbers at once.
_WHOLE = 1.5 * 2.0**52

#: Positions so near to a pixel are on it.
_ON_PIXEL = 1e-9

#: Of the series of sine and cosine: each term by the one before.
A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, _, A17 = (
    1 / (n * (n - 1)) for n in range(2, 18)
)
_HALF_ROOT = float(np.sqrt(3) / 2)


@kernel
def weights(
    taps: int, count: int, position: NDArray[np.float64], base: NDArray[Any], weights: NDArray[Any]
) -> None:
    """Give the pixel of the first tap, and weights [tap * BLOCK + place]; no position is negative.

    Cubic is that of Keys 1981 with a = -1/2: exact for polynomials of the second degree.
    """
    kind = weights.dtype.type
    one, half = kind(1), kind(0.5)
    if taps == 4:
        rest = weights[:BLOCK]
        # In two loops, since the first one is done for half as many places at once.
        for q in range(count):
            x = np.floor(position[q])
            rest[q] = kind(position[q] - x)
            base[q] = np.int32(np.float64(x + (_WHOLE - 1)).view(np.int64))
        a, b = weights[BLOCK : 2 * BLOCK], weights[2 * BLOCK : 3 * BLOCK]
        c = weights[3 * BLOCK : 4 * BLOCK]
        for q in range(count):
            t = rest[q]
            u = one - t
            rest[q] = -half * t * u * u
            a[q] = one + t * t * (kind(1.5) * t - kind(2.5))
            b[q] = one + u * u * (kind(1.5) * u - kind(2.5))
            c[q] = -half * u * t * t
    elif taps == 1:
        for q in range(count):
            base[q] = np.int32(position[q] + 0.5)
            weights[q] = one
    elif taps == 2:
        for q in range(count):
            x = np.int32(position[q])
            t = kind(position[q] - x)
            weights[q] = one - t
            weights[BLOCK + q] = t
            base[q] = x
    else:
        _lanczos(count, position, base, weights)


@kernel
def _lanczos(
    count: int, position: NDArray[np.float64], base: NDArray[Any], weights: NDArray[Any]
) -> None:
    # Duchon 1979, three lobes, weights made to sum to one. Taylor series, exact to 1e-13, instead
    # of calls, so that several places are computed at once; sines of sums instead of six sines.
    for q in range(count):
        x = np.int32(position[q])
        t = position[q] - x
        near = max(min(t, 1 - t), _ON_PIXEL)  # its sine is exact in relation to it
        z = np.pi * near
        y = z * z
        sine = z * (1 - y * A3 * (1 - y * A5 * (1 - y * A7 * (1 - y * A9 * (1 - y * A11 * (
            1 - y * A13 * (1 - y * A15 * (1 - y * A17))))))))  # fmt: skip
        z = np.pi / 3 * t
        y = z * z
        third = z * (1 - y * A3 * (1 - y * A5 * (1 - y * A7 * (1 - y * A9 * (1 - y * A11 * (
            1 - y * A13 * (1 - y * A15)))))))  # fmt: skip
        cosine = 1 - y * A2 * (1 - y * A4 * (1 - y * A6 * (1 - y * A8 * (1 - y * A10 * (
            1 - y * A12 * (1 - y * A14))))))  # fmt: skip
        low, high = -third / 2 - _HALF_ROOT * cosine, -third / 2 + _HALF_ROOT * cosine
        t = max(t, _ON_PIXEL)
        a, b, c = high / ((t + 2) * (t + 2)), low / ((t + 1) * (t + 1)), third / (t * t)
        d, e, f = high / ((t - 1) * (t - 1)), low / ((t - 2) * (t - 2)), third / ((t - 3) * (t - 3))
        share = 1 / (sine * (a + b + c + d + e + f))
        weights[q] = a * sine * share
        weights[BLOCK + q] = b * sine * share
        weights[2 * BLOCK + q] = c * sine * share
        weights[3 * BLOCK + q] = d * sine * share
        weights[4 * BLOCK + q] = e * sine * share
        weights[5 * BLOCK + q] = f * sine * share
        base[q] = x - 2
    for q in range(count):
        t = position[q] - np.int32(position[q])
        if t < _ON_PIXEL or t > 1 - _ON_PIXEL:
            for k in range(6):
                weights[k * BLOCK + q] = 1 if k == 2 + (t > 0.5) else 0


@kernel
def gather(
    pixels: NDArray[Any], line: int, first: int, last: int, start: NDArray[np.int64],
    wx: NDArray[Any], wy: NDArray[Any], taps: Each, channels: Each, out: NDArray[Any],
) -> None:  # fmt: skip
    """Sum pixels around places of a line, weighted by rows and columns.

    Parameters
    ----------
    pixels : ndarray, flat
        As stored; sums are of the type of the weights and of `out`.
    line : int
        How many numbers further the next row lies.
    first, last : int
        Places of a block.
    start : ndarray of int
        Place q reads from pixel ``start[q] + q`` on.
    wx, wy : ndarray
        Weights by `weights`.
    taps, channels : tuple of zeros
        As many as there are: so that the compiler knows them, and makes a loop for each.
    out : ndarray, flat
    """
    # Unsigned indices spare the test for negative ones; columns first, then along the row.
    side, deep, kind = len(taps), len(channels), out.dtype.type
    down = np.uintp(line)
    begin = first
    while begin < last:
        stop = begin
        if deep == 1:  # neighbours that read neighbouring pixels are summed together
            odd = np.int64(0)
            while stop < last:
                end = min(stop + _RUN, last)
                for n in range(stop, end):
                    odd |= start[n] ^ start[begin]
                if odd != 0:
                    break
                stop = end
        if stop > begin:
            corner = np.uintp(start[begin] + begin)
            for m in range(np.uintp(stop - begin)):
                q = np.uintp(begin) + np.uintp(m)
                total = kind(0)
                for i in range(side):
                    p = corner + np.uintp(m) + np.uintp(i)
                    value = wy[q] * kind(pixels[p])
                    for j in range(1, side):
                        pixel = kind(pixels[p + np.uintp(j) * down])
                        value += wy[np.uintp(j * BLOCK) + q] * pixel
                    total += wx[np.uintp(i * BLOCK) + q] * value
                out[q] = total
        else:
            stop = min(begin + _RUN, last) if deep == 1 else last
            for n in range(begin, stop):
                corner = np.uintp((start[n] + n) * deep)
                put_sum(pixels, corner, down, wx, wy, out, np.uintp(n), taps, channels, BLOCK)
        begin = stop
