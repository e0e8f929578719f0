"""The compiled loop of a warp: positions, weights of the taps, and sums over these."""

from typing import Any

import numpy as np
from numpy import float64, int32, uintp
from numpy.typing import NDArray

from napari_stack.core.jit import inlined_kernel, inner_kernel, kernel

#: Columns of a block: positions and weights of so many stay in the fastest cache.
BLOCK = 128

#: Steps within the buffers. Indices are unsigned, which spares the test for negative ones; a
#: signed number added to one would make it a float.
_ONE, _Y, _TAP = uintp(1), uintp(BLOCK), uintp(2 * BLOCK)

#: What is read outside the frame: its outermost pixels, which go on; its mirror image; the nearest
#: pixel, because the result does not count; or NaN.
EXTENDED, REFLECTED, NEAREST, NAN = range(4)

#: Neighbours that read neighbouring pixels are summed together from so many on.
_LEAST_RUN = 3

#: A tap of less weight than this does not count (whole shifts meet rounding).
_FAINT = 1e-5

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
        weight[_TAP + q] = b * sine * share
        weight[_TAP + _TAP + q] = c * sine * share
        weight[_TAP + _TAP + _TAP + q] = d * sine * share
        weight[_TAP + _TAP + _TAP + _TAP + q] = e * sine * share
        weight[_TAP + _TAP + _TAP + _TAP + _TAP + q] = f * sine * share
    for q in range(count):
        t = position[q] - int32(position[q])
        if t < _ON_PIXEL or t > 1 - _ON_PIXEL:
            for k in range(6):
                weight[uintp(k) * _TAP + q] = 1 if k == 2 + (t > 0.5) else 0


@inner_kernel
def _place(
    matrix: NDArray[np.float64], row: int, left: int, count: Any,
    limits: tuple[float, float, float, float, float], outside: int, taps: tuple[int, ...],
    position: NDArray[np.float64], base: NDArray[np.int32], weight: NDArray[Any],
    inside: NDArray[np.bool_], mask: Any,
) -> tuple[Any, Any, bool]:  # fmt: skip
    # First taps and weights of a block, and which lie inside. Returns between which
    # of them all taps lie within the frame, and whether all lie deep within.
    low_x, high_x, low_y, high_y, slack = limits
    kind, side = weight.dtype.type, len(taps)
    one, half, both = kind(1), kind(0.5), _Y + count
    # Summed in the same order everywhere: a pixel is the same in a band and in the whole.
    a, b = matrix[0, 0], matrix[0, 1] * row + matrix[0, 2]
    c, d = matrix[1, 0], matrix[1, 1] * row + matrix[1, 2]
    e, f = matrix[2, 0], matrix[2, 1] * row + matrix[2, 2]
    first = int32(left)
    for q in range(count):
        column = float64(first + int32(q))
        position[q] = a * column + b
        position[_Y + q] = c * column + d
    if e != 0 or f != 1:
        for q in range(count):
            w = e * float64(first + int32(q)) + f
            # Points behind the horizon are in no frame.
            position[q] = position[q] / w if w > 0 else -1e9
            position[_Y + q] = position[_Y + q] / w if w > 0 else -1e9
    x, y = position[0], position[_Y]
    right, bottom = position[count - _ONE], position[both - _ONE]
    deep = (
        (x >= low_x + 2) & (x <= high_x - 3) & (right >= low_x + 2) & (right <= high_x - 3)
        & (y >= low_y + 2) & (y <= high_y - 3) & (bottom >= low_y + 2) & (bottom <= high_y - 3)
    )  # fmt: skip
    if not deep:
        for q in range(count):
            x, y = position[q], position[_Y + q]
            inside[mask + q] = (
                (x >= low_x - slack) & (x <= high_x + slack)
                & (y >= low_y - slack) & (y <= high_y + slack)
            )  # fmt: skip
        for q in range(both):
            low, high = (low_x, high_x) if q < _Y else (low_y, high_y)
            x = position[q]
            if outside == REFLECTED:  # at the outermost pixel centres, as often as needed
                x = abs(x)
                x -= 2 * high * float64(int32(x / (2 * high)))
                x = x if x < high else 2 * high - x
            x = x if x > low else low  # also where it is NaN, in frames of a single row or column
            position[q] = x if x < high else high
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
            weight[_TAP + q] = weight[q]
            weight[q] = one - weight[q]
    elif side == 4:
        for q in range(both):
            t = weight[q]
            u = one - t
            weight[q] = -half * t * u * u
            weight[_TAP + q] = one + t * t * (kind(1.5) * t - kind(2.5))
            weight[_TAP + _TAP + q] = one + u * u * (kind(1.5) * u - kind(2.5))
            weight[_TAP + _TAP + _TAP + q] = -half * u * t * t
    elif side == 6:
        _lanczos(position, both, weight)
    if deep or outside == NAN:
        return uintp(0), count, deep
    begin, end, number = count, uintp(0), uintp(0)
    before, last = (side - 1) // 2, side - 1
    for q in range(count):
        column, row = base[q] - before, base[_Y + q] - before
        if column >= 0 and column <= high_x - last and row >= 0 and row <= high_y - last:
            begin = begin if begin < q else q
            end = q + _ONE
            number += _ONE
    if number == 0 or (outside == REFLECTED and end - begin != number):
        return count, count, deep
    return begin, end, deep


@inlined_kernel
def _tap_sum(
    pixels: NDArray[Any], corner: Any, line: Any, weight: NDArray[Any], q: Any,
    taps: tuple[int, ...], channels: tuple[int, ...],
) -> Any:  # fmt: skip
    # Columns first, then along the row; weights are those of samples.
    kind, tap = weight.dtype.type, _TAP * uintp(len(channels))
    total, y = kind(0), q + _Y * uintp(len(channels))
    for i in range(len(taps)):
        p = corner + uintp(i * len(channels))
        value = weight[y] * kind(pixels[p])
        for j in range(1, len(taps)):
            p += line
            value += weight[uintp(j) * tap + y] * kind(pixels[p])
        total += weight[uintp(i) * tap + q] * value
    return total


@inner_kernel
def _index(place: int, span: tuple[int, int], last: int, reflect: bool) -> int:
    # The row or column that is read, within those that are given.
    if reflect:
        place = abs(place)
        place = 2 * last - place if place > last else place
    place = place if place > span[0] else span[0]
    return place if place < span[1] else span[1]


@kernel
def warp_lines(
    pixels: NDArray[Any], valid: NDArray[np.bool_] | None,
    given: tuple[tuple[int, int], tuple[int, int]],
    matrix: NDArray[np.float64], first_row: int, lines: NDArray[np.int64],
    limits: tuple[float, float, float, float, float], outside: int, taps: tuple[int, ...],
    channels: tuple[int, ...], position: NDArray[np.float64], base: NDArray[np.int32],
    start: NDArray[np.int64], weight: NDArray[Any], weights: NDArray[Any], out: NDArray[Any],
    width: int, inside: NDArray[np.bool_], whole: NDArray[np.bool_] | None,
) -> None:  # fmt: skip
    """Warp lines of a frame; all arrays but the matrix are flat.

    Cubic weights are those of Keys 1981 with a = -1/2: exact for polynomials of degree two.

    Parameters
    ----------
    pixels : ndarray
        Rows of the frame, as stored.
    valid : ndarray of bool, or None
        Which of their pixels count.
    given : ((first row, last row), (0, last column))
        Which pixels of the frame these are.
    matrix : ndarray (3, 3)
        Takes points of the result to the frame.
    first_row : int
        Row of the result that the first line of `out` is.
    lines : ndarray of int
        Which lines of `out` to make.
    limits : (least x, greatest x, least y, greatest y, slack)
        Positions beyond them, by more than the slack, are outside.
    outside : int
        `EXTENDED`, `REFLECTED`, `NEAREST` or `NAN`; for the last one the taps of all positions
        within the limits lie within the frame.
    taps, channels : tuple of zeros
        As many as there are, since a length is known when it is compiled; of taps 1, 2, 4 or 6.
    position, base, start, weight : ndarray
        Buffers of 2 * BLOCK, the last one of so many a tap: x in the first half, y in the other.
    weights : ndarray
        Buffer of the weights of each channel; the same as `weight` for a single one.
    out : ndarray of float
    width : int
        Columns of `out`.
    inside : ndarray of bool
        Set to False outside.
    whole : ndarray of bool, or None
        Set to False where any pixel that the value is made of does not count.
    """
    down, across = given
    columns, last_x, last_y = across[1] + 1, across[1], int(limits[3])
    kind, side, deep, reflect = weight.dtype.type, len(taps), len(channels), outside == REFLECTED
    before, line, step = (side - 1) // 2, uintp(columns * deep), uintp(deep)
    middle = uintp(before) * _TAP
    for r in lines:
        for left in range(0, width, BLOCK):
            count = uintp(width - left if width - left < BLOCK else BLOCK)
            here = uintp(r * width + left)
            begin, end, certain = _place(
                matrix, first_row + r, left, count, limits, outside, taps, position, base, weight,
                inside, here,
            )  # fmt: skip
            if deep > 1:
                for n in range(weight.size):
                    for k in range(deep):
                        weights[uintp(n * deep + k)] = weight[uintp(n)]
            for q in range(count):
                row, column = base[_Y + q] - before - down[0], base[q] - before - np.int64(q)
                start[q] = np.int64(row) * columns + column
            q = begin
            while q < end:
                stop = q + _ONE
                while stop < end and start[stop] == start[q]:
                    stop += _ONE
                stop = stop if stop - q >= _LEAST_RUN else q + _ONE
                length, m = (stop - q) * step, q * step
                corner, target = uintp(start[q]) * step + m, here * step + m
                if length == 1:
                    out[target] = _tap_sum(pixels, corner, line, weights, m, taps, channels)
                else:
                    for n in range(length):
                        out[target + n] = _tap_sum(
                            pixels, corner + n, line, weights, m + n, taps, channels
                        )
                q = stop
            if not certain:
                for q in range(count):
                    if outside == NAN:
                        out[here + q] = out[here + q] if inside[here + q] else kind(np.nan)
                    elif q < begin or q >= end:
                        least, most = 0, side
                        if outside == NEAREST and not inside[here + q]:
                            least, most = before, before + 1
                            weight[middle + q] = weight[middle + _Y + q] = kind(1)
                        for k in range(deep):
                            total = 0.0
                            for i in range(least, most):
                                column, value = base[q] - before + i, 0.0
                                column = _index(column, across, last_x, reflect)
                                for j in range(least, most):
                                    row = base[_Y + q] - before + j
                                    row = _index(row, down, last_y, reflect) - down[0]
                                    pixel = pixels[uintp((row * columns + column) * deep + k)]
                                    value += weight[uintp(j) * _TAP + _Y + q] * kind(pixel)
                                total += weight[uintp(i) * _TAP + q] * value
                            out[(here + q) * step + uintp(k)] = total
            if valid is not None and whole is not None:
                for q in range(count):
                    for j in range(side):
                        row = _index(base[_Y + q] - before + j, down, last_y, reflect) - down[0]
                        for i in range(side):
                            share = weight[uintp(i) * _TAP + q] * weight[uintp(j) * _TAP + _Y + q]
                            column = _index(base[q] - before + i, across, last_x, reflect)
                            if abs(share) > _FAINT and not valid[uintp(row * columns + column)]:
                                whole[here + q] = False
