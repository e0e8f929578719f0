"""Kernels of all warps: weights of the taps at positions, and which pixel a tap reads."""

from typing import Any

import numpy as np
from numpy import int32, uintp
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel

#: Columns of a block: positions and weights of so many stay in the fastest cache.
BLOCK = 128

#: Steps within the buffers. Indices are unsigned, which spares the test for negative ones; a
#: signed number added to one would make it a float.
ONE, Y, TAP = uintp(1), uintp(BLOCK), uintp(2 * BLOCK)

#: Positions so near to a pixel are on it.
_ON_PIXEL = 1e-9

#: Of the series of sine and cosine: each term by the one before.
A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, _, A17 = (
    1 / (n * (n - 1)) for n in range(2, 18)
)
_HALF_ROOT = float(np.sqrt(3) / 2)


@inner_kernel
def _lanczos(position: NDArray[np.float64], count: Any, weight: NDArray[Any]) -> None:
    # Duchon 1979, three lobes, weights made to sum to one. Taylor series, exact to 1e-13, instead
    # of calls, so that several places are computed at once; sines of sums instead of six sines.
    for q in range(count):
        t = position[q] - int32(position[q])
        near = t if t < 1 - t else 1 - t
        near = near if near > _ON_PIXEL else _ON_PIXEL  # its sine is exact in relation to it
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
        t = t if t > _ON_PIXEL else _ON_PIXEL
        a, b, c = high / ((t + 2) * (t + 2)), low / ((t + 1) * (t + 1)), third / (t * t)
        d, e, f = high / ((t - 1) * (t - 1)), low / ((t - 2) * (t - 2)), third / ((t - 3) * (t - 3))
        share = 1 / (sine * (a + b + c + d + e + f))
        weight[q] = a * sine * share
        weight[TAP + q] = b * sine * share
        weight[TAP + TAP + q] = c * sine * share
        weight[TAP + TAP + TAP + q] = d * sine * share
        weight[TAP + TAP + TAP + TAP + q] = e * sine * share
        weight[TAP + TAP + TAP + TAP + TAP + q] = f * sine * share
    for q in range(count):
        t = position[q] - int32(position[q])
        if t < _ON_PIXEL or t > 1 - _ON_PIXEL:
            for k in range(6):
                weight[uintp(k) * TAP + q] = 1 if k == 2 + (t > 0.5) else 0


@inner_kernel
def tap_weights(
    position: NDArray[np.float64], both: Any, base: NDArray[np.int32], weight: NDArray[Any],
    taps: tuple[int, ...],
) -> None:  # fmt: skip
    # Whole parts of positions, x first and y from Y on, and the weights of the taps about them.
    kind, side = weight.dtype.type, len(taps)
    one, half = kind(1), kind(0.5)
    if side == 1:
        for q in range(both):
            base[q] = int32(position[q] + 0.5)
            weight[q] = one
    else:
        for q in range(both):
            base[q] = int32(position[q])
            weight[q] = kind(position[q] - base[q])
    if side == 2:
        for q in range(both):
            weight[TAP + q] = weight[q]
            weight[q] = one - weight[q]
    elif side == 4:
        for q in range(both):
            t = weight[q]
            u = one - t
            weight[q] = -half * t * u * u
            weight[TAP + q] = one + t * t * (kind(1.5) * t - kind(2.5))
            weight[TAP + TAP + q] = one + u * u * (kind(1.5) * u - kind(2.5))
            weight[TAP + TAP + TAP + q] = -half * u * t * t
    elif side == 6:
        _lanczos(position, both, weight)


@inner_kernel
def pixel_index(place: int, span: tuple[int, int], last: int, reflect: bool) -> int:
    # The row or column that is read, within those that are given.
    if reflect:
        place = abs(place)
        place = 2 * last - place if place > last else place
    place = place if place > span[0] else span[0]
    return place if place < span[1] else span[1]
