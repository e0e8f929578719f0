"""The compiled loop of a warp: positions, weights of the taps, and sums over these."""

from typing import Any

import numpy as np
from numpy import float64, int32, uintp
from numpy.typing import NDArray

from napari_stack.core.system.jit import inlined_kernel, inner_kernel, kernel
from napari_stack.operators.geometry.tap_kernels import BLOCK, ONE, TAP, Y, pixel_index, tap_weights

#: What is read outside the frame: its outermost pixels, which go on; its mirror image; the nearest
#: pixel, because the result does not count; or NaN.
EXTENDED, REFLECTED, NEAREST, NAN = range(4)

#: Neighbours that read neighbouring pixels are summed together from so many on.
_LEAST_RUN = 3

#: A tap of less weight than this does not count (whole shifts meet rounding).
_FAINT = 1e-5


@inner_kernel
def _by_matrix(
    matrix: NDArray[np.float64], row: int, left: int, count: Any, position: NDArray[np.float64]
) -> None:
    # Summed in the same order everywhere: a pixel is the same in a band and in the whole.
    a, b = matrix[0, 0], matrix[0, 1] * row + matrix[0, 2]
    c, d = matrix[1, 0], matrix[1, 1] * row + matrix[1, 2]
    e, f = matrix[2, 0], matrix[2, 1] * row + matrix[2, 2]
    first = int32(left)
    for q in range(count):
        column = float64(first + int32(q))
        position[q] = a * column + b
        position[Y + q] = c * column + d
    if e != 0 or f != 1:
        for q in range(count):
            w = e * float64(first + int32(q)) + f
            # Points behind the horizon are in no frame.
            position[q] = position[q] / w if w > 0 else -1e9
            position[Y + q] = position[Y + q] / w if w > 0 else -1e9


@inner_kernel
def _place(
    matrix: NDArray[np.float64], places: NDArray[np.float64], first_row: int, r: int,
    left: int, count: Any, limits: tuple[float, float, float, float, float], outside: int,
    taps: tuple[int, ...],
    position: NDArray[np.float64], base: NDArray[np.int32], weight: NDArray[Any],
    inside: NDArray[np.bool_], mask: Any,
) -> tuple[Any, Any, bool]:  # fmt: skip
    # First taps and weights of a block, and which lie inside. Returns between which
    # of them all taps lie within the frame, and whether all lie deep within.
    low_x, high_x, low_y, high_y, slack = limits
    side, both, half = len(taps), Y + count, uintp(places.size // 2)
    deep = True
    if places.size == 0:
        _by_matrix(matrix, first_row + r, left, count, position)
        for x, y in (
            (position[0], position[Y]), (position[count - ONE], position[both - ONE])
        ):  # fmt: skip
            deep &= (x >= low_x + 2) & (x <= high_x - 3) & (y >= low_y + 2) & (y <= high_y - 3)
    else:
        for q in range(count):
            x, y = places[mask + q], places[half + mask + q]
            position[q], position[Y + q] = x, y
            deep &= (x >= low_x + 2) & (x <= high_x - 3) & (y >= low_y + 2) & (y <= high_y - 3)
    if not deep:
        for q in range(count):
            x, y = position[q], position[Y + q]
            inside[mask + q] = (
                (x >= low_x - slack) & (x <= high_x + slack)
                & (y >= low_y - slack) & (y <= high_y + slack)
            )  # fmt: skip
        for q in range(both):
            low, high = (low_x, high_x) if q < Y else (low_y, high_y)
            x = position[q]
            if outside == REFLECTED:  # at the outermost pixel centres, as often as needed
                x = abs(x)
                x -= 2 * high * float64(int32(x / (2 * high)))
                x = x if x < high else 2 * high - x
            x = x if x > low else low  # also where it is NaN, in frames of a single row or column
            position[q] = x if x < high else high
    tap_weights(position, both, base, weight, taps)
    if deep or outside == NAN:
        return uintp(0), count, deep
    begin, end, number = count, uintp(0), uintp(0)
    before, last = (side - 1) // 2, side - 1
    for q in range(count):
        column, row = base[q] - before, base[Y + q] - before
        if column >= 0 and column <= high_x - last and row >= 0 and row <= high_y - last:
            begin = begin if begin < q else q
            end = q + ONE
            number += ONE
    # Behind a horizon they begin anew, as they do in mirror images and where frames are deformed.
    if number == 0 or end - begin != number:
        return count, count, deep
    return begin, end, deep


@inlined_kernel
def _tap_sum(
    pixels: NDArray[Any], corner: Any, line: Any, weight: NDArray[Any], q: Any,
    taps: tuple[int, ...], channels: tuple[int, ...],
) -> Any:  # fmt: skip
    # Columns first, then along the row; weights are those of samples.
    kind, tap = weight.dtype.type, TAP * uintp(len(channels))
    total, y = kind(0), q + Y * uintp(len(channels))
    for i in range(len(taps)):
        p = corner + uintp(i * len(channels))
        value = weight[y] * kind(pixels[p])
        for j in range(1, len(taps)):
            p += line
            value += weight[uintp(j) * tap + y] * kind(pixels[p])
        total += weight[uintp(i) * tap + q] * value
    return total


@kernel
def warp_lines(
    pixels: NDArray[Any], valid: NDArray[np.bool_],
    given: tuple[tuple[int, int], tuple[int, int]],
    matrix: NDArray[np.float64], places: NDArray[np.float64],
    first_row: int, lines: NDArray[np.int64],
    limits: tuple[float, float, float, float, float], outside: int, taps: tuple[int, ...],
    channels: tuple[int, ...], position: NDArray[np.float64], base: NDArray[np.int32],
    start: NDArray[np.int64], weight: NDArray[Any], weights: NDArray[Any], out: NDArray[Any],
    width: int, inside: NDArray[np.bool_], whole: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Warp lines of a frame; all arrays but the matrix are flat.

    Cubic weights are those of Keys 1981 with a = -1/2: exact for polynomials of degree two.

    Parameters
    ----------
    pixels : ndarray
        Rows of the frame, as stored.
    valid : ndarray of bool
        Which of their pixels count; empty where all do. Whether an array is empty is asked when the
        kernel runs, not when it is compiled: that costs no time, and halves the kernels there are.
    given : ((first row, last row), (0, last column))
        Which pixels of the frame these are.
    matrix : ndarray (3, 3)
        Takes points of the result to the frame.
    places : ndarray
        x of all pixels of `out` in the frame, then y; empty to find them by the matrix.
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
    whole : ndarray of bool
        Set to False where any pixel that the value is made of does not count.
    """
    down, across = given
    columns, last_x, last_y = across[1] + 1, across[1], int(limits[3])
    kind, side, deep, reflect = weight.dtype.type, len(taps), len(channels), outside == REFLECTED
    before, line, step = (side - 1) // 2, uintp(columns * deep), uintp(deep)
    middle = uintp(before) * TAP
    for r in lines:
        for left in range(0, width, BLOCK):
            count = uintp(width - left if width - left < BLOCK else BLOCK)
            here = uintp(r * width + left)
            begin, end, certain = _place(
                matrix, places, first_row, r, left, count, limits, outside, taps, position, base,
                weight, inside, here,
            )  # fmt: skip
            if deep > 1:
                for n in range(weight.size):
                    for k in range(deep):
                        weights[uintp(n * deep + k)] = weight[uintp(n)]
            for q in range(count):
                row, column = base[Y + q] - before - down[0], base[q] - before - np.int64(q)
                start[q] = np.int64(row) * columns + column
            q = begin
            while q < end:
                stop = q + ONE
                while stop < end and start[stop] == start[q]:
                    stop += ONE
                stop = stop if stop - q >= _LEAST_RUN else q + ONE
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
                            weight[middle + q] = weight[middle + Y + q] = kind(1)
                        for k in range(deep):
                            total = 0.0
                            for i in range(least, most):
                                column, value = base[q] - before + i, 0.0
                                column = pixel_index(column, across, last_x, reflect)
                                for j in range(least, most):
                                    row = base[Y + q] - before + j
                                    row = pixel_index(row, down, last_y, reflect) - down[0]
                                    pixel = pixels[uintp((row * columns + column) * deep + k)]
                                    value += weight[uintp(j) * TAP + Y + q] * kind(pixel)
                                total += weight[uintp(i) * TAP + q] * value
                            out[(here + q) * step + uintp(k)] = total
            if valid.size > 0:
                for q in range(count):
                    for j in range(side):
                        row = pixel_index(base[Y + q] - before + j, down, last_y, reflect) - down[0]
                        for i in range(side):
                            share = weight[uintp(i) * TAP + q] * weight[uintp(j) * TAP + Y + q]
                            column = pixel_index(base[q] - before + i, across, last_x, reflect)
                            if abs(share) > _FAINT and not valid[uintp(row * columns + column)]:
                                whole[here + q] = False
