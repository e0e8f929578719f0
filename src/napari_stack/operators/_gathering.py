"""Compiled loops that read pixels between pixels: weights of the taps, and sums over these."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.operators._jit import kernel

#: Columns of a block: positions and weights of so many stay in the fastest cache.
BLOCK = 128

#: Most taps of a kernel, which is how many rows of weights a block has.
MOST_TAPS = 6

#: Neighbours that read neighbouring pixels are found in steps of so many.
_RUN = 16

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
        for q in range(count):
            x = np.int32(position[q])
            t = kind(position[q] - x)
            u = one - t
            weights[q] = -half * t * u * u
            weights[BLOCK + q] = one + t * t * (kind(1.5) * t - kind(2.5))
            weights[2 * BLOCK + q] = one + u * u * (kind(1.5) * u - kind(2.5))
            weights[3 * BLOCK + q] = -half * u * t * t
            base[q] = x - 1
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
def _cubic_one_by_one(
    pixels: NDArray[Any], line: int, begin: int, stop: int, start: NDArray[np.int64],
    wx: NDArray[Any], wy: NDArray[Any], out: NDArray[Any],
) -> None:  # fmt: skip
    # Sums as in the other loops, written out: the compiler makes a slow loop of the short form.
    wide, z1, z2, z3 = np.uintp(line), np.uintp(1), np.uintp(2), np.uintp(3)
    for q in range(begin, stop):
        i = np.uintp(start[q] + q)
        j = i + wide
        m = j + wide
        n = m + wide
        e, f, g, h = wy[q], wy[BLOCK + q], wy[2 * BLOCK + q], wy[3 * BLOCK + q]
        v0 = e * pixels[i] + f * pixels[j] + g * pixels[m] + h * pixels[n]
        v1 = e * pixels[i + z1] + f * pixels[j + z1] + g * pixels[m + z1] + h * pixels[n + z1]
        v2 = e * pixels[i + z2] + f * pixels[j + z2] + g * pixels[m + z2] + h * pixels[n + z2]
        v3 = e * pixels[i + z3] + f * pixels[j + z3] + g * pixels[m + z3] + h * pixels[n + z3]
        out[q] = wx[q] * v0 + wx[BLOCK + q] * v1 + wx[2 * BLOCK + q] * v2 + wx[3 * BLOCK + q] * v3


def _gatherer(taps: int) -> Callable[..., None]:
    """Make the loop over pixels of one channel for a number of taps, known to the compiler."""

    @kernel
    def any_taps(
        pixels: NDArray[Any], line: int, begin: int, stop: int, start: NDArray[np.int64],
        wx: NDArray[Any], wy: NDArray[Any], out: NDArray[Any],
    ) -> None:  # fmt: skip
        down = np.uintp(line)
        for n in range(begin, stop):
            q, corner = np.uintp(n), np.uintp(start[n] + n)
            total = out.dtype.type(0)
            for i in range(taps):
                p = corner + np.uintp(i)
                value = wy[q] * pixels[p]
                for j in range(1, taps):
                    value += wy[np.uintp(j * BLOCK) + q] * pixels[p + np.uintp(j) * down]
                total += wx[np.uintp(i * BLOCK) + q] * value
            out[q] = total

    one_by_one = _cubic_one_by_one if taps == 4 else any_taps

    @kernel
    def gather(
        pixels: NDArray[Any], line: int, first: int, last: int, start: NDArray[np.int64],
        wx: NDArray[Any], wy: NDArray[Any], out: NDArray[Any],
    ) -> None:  # fmt: skip
        # Neighbours that read neighbouring pixels (the same start) are summed several at once.
        # Unsigned indices spare the test for negative ones; columns first, then along the row.
        down = np.uintp(line)
        begin = first
        while begin < last:
            stop, odd = begin, np.int64(0)
            while stop < last:
                end = min(stop + _RUN, last)
                for near in range(stop, end):
                    odd |= start[near] ^ start[begin]
                if odd != 0:
                    break
                stop = end
            if stop > begin:
                corner = np.uintp(start[begin] + begin)
                for m in range(np.uintp(stop - begin)):
                    n = np.uintp(m)
                    q = np.uintp(begin) + n
                    total = out.dtype.type(0)
                    for i in range(taps):
                        p = corner + n + np.uintp(i)
                        value = wy[q] * pixels[p]
                        for j in range(1, taps):
                            value += wy[np.uintp(j * BLOCK) + q] * pixels[p + np.uintp(j) * down]
                        total += wx[np.uintp(i * BLOCK) + q] * value
                    out[q] = total
            else:
                stop = min(begin + _RUN, last)
                one_by_one(pixels, line, begin, stop, start, wx, wy, out)
            begin = stop

    return gather


gather_nearest, gather_linear = _gatherer(1), _gatherer(2)
gather_cubic, gather_lanczos = _gatherer(4), _gatherer(6)
