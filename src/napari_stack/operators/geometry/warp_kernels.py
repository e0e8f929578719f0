"""Compiled loops of a warp: positions, weights and sums, a block of columns at a time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.jit import kernel
from napari_stack.operators.geometry.gather_kernels import (
    BLOCK,
    MOST_TAPS,
    Each,
    gather,
    weights,
)

#: A position this far outside the outermost pixel centre still counts as inside: rounding.
_SLACK = 1e-6

#: A tap of less weight than this is as good as not there (whole shifts meet rounding).
_FAINT = 1e-5


@kernel
def _folded(position: float, last: float) -> float:
    # Mirrored at the outermost pixel centres, as often as it takes.
    if last <= 0:
        return 0.0
    position = abs(position) % (2 * last)
    return min(position, 2 * last - position)


@kernel
def positions(
    matrix: NDArray[np.float64],
    row: int,
    first: int,
    width: int,
    height: int,
    reflect: bool,
    px: NDArray[np.float64],
    py: NDArray[np.float64],
    inside: NDArray[np.bool_],
) -> bool:
    # Whether all of them lie so deep within the frame that a few pixels around do, too.
    # Summed in the same order everywhere: a pixel is the same in a band and in the whole.
    a, b, c = matrix[0, 0], matrix[0, 1] * row + matrix[0, 2], matrix[1, 0]
    d, e, f = matrix[1, 1] * row + matrix[1, 2], matrix[2, 0], matrix[2, 1] * row + matrix[2, 2]
    right, bottom = width - 1.0, height - 1.0
    if e == 0 and f == 1:
        for q in range(inside.size):
            column = np.float64(np.int32(first + q))  # from 64 bits it would be one by one
            px[q] = a * column + b
            py[q] = c * column + d
        last = inside.size - 1
        if (
            min(px[0], px[last]) >= 2 and max(px[0], px[last]) <= width - 4
            and min(py[0], py[last]) >= 2 and max(py[0], py[last]) <= height - 4
        ):  # fmt: skip
            inside[:] = True
            return True
    else:
        for q in range(inside.size):
            w = e * (first + q) + f
            # Nothing is seen behind the horizon.
            px[q] = (a * (first + q) + b) / w if w > 0 else -1e9
            py[q] = (c * (first + q) + d) / w if w > 0 else -1e9
    for q in range(inside.size):
        x, y = px[q], py[q]
        inside[q] = (x >= -_SLACK) & (x <= right + _SLACK) & (y >= -_SLACK) & (y <= bottom + _SLACK)
    if reflect:
        for q in range(inside.size):
            px[q], py[q] = _folded(px[q], right), _folded(py[q], bottom)
    else:
        for q in range(inside.size):
            px[q] = min(max(px[q], 0.0), right)
            py[q] = min(max(py[q], 0.0), bottom)
    return False


@kernel
def _index(value: int, last: int, reflect: bool) -> int:
    if reflect:
        value = abs(value)
        value = 2 * last - value if value > last else value
    return min(max(value, 0), last)


@kernel
def _gather_any(
    source: NDArray[Any], taps: int, reflect: bool, first_source_row: int, height: int,
    first: int, last: int, x: NDArray[Any], y: NDArray[Any],
    wx: NDArray[Any], wy: NDArray[Any], needed: NDArray[np.bool_], out: NDArray[Any],
) -> None:  # fmt: skip
    # Any number of taps and channels, and taps beyond the border; sums in the same order. Of what
    # is not needed the nearest pixel will do.
    right = source.shape[1] - 1
    bottom = source.shape[0] - 1
    middle = (taps - 1) // 2
    for q in range(first, last):
        if not needed[q]:
            row, column = min(max(y[q] + middle, 0), bottom), min(max(x[q] + middle, 0), right)
            for k in range(out.shape[1]):
                out[q, k] = source[row, column, k]
            continue
        for k in range(out.shape[1]):
            total = wx[q] * 0
            for i in range(taps):
                column = _index(x[q] + i, right, reflect)
                value = total * 0
                for j in range(taps):
                    row = _index(y[q] + first_source_row + j, height - 1, reflect)
                    row = min(max(row - first_source_row, 0), bottom)
                    value += wy[j * BLOCK + q] * out.dtype.type(source[row, column, k])
                total += wx[i * BLOCK + q] * value
            out[q, k] = total


@kernel
def warp_blocks(
    source: NDArray[Any], first_source_row: int, height: int, matrix: NDArray[np.float64],
    first_row: int, each_tap: Each, each_channel: Each, reflect: bool, rough: bool,
    values: NDArray[Any], inside: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Fill values (y, x, channel) and inside (y, x) with rows of the warped frame.

    Pixels are read as stored. Where `rough`, what lies outside is only the nearest pixel, since it
    does not count.
    """
    rows, columns = inside.shape
    taps, channels, width = len(each_tap), len(each_channel), source.shape[1]
    pixels, flat = source.ravel(), values.ravel()
    px, py = np.empty(BLOCK), np.empty(BLOCK)
    x, y = np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int32)
    wx = np.empty(MOST_TAPS * BLOCK, values.dtype)
    wy = np.empty(MOST_TAPS * BLOCK, values.dtype)
    start, everywhere = np.empty(BLOCK, np.int64), np.ones(BLOCK, np.bool_)
    deepest, outermost = source.shape[0] - taps, width - taps
    for r in range(rows):
        for left in range(0, columns, BLOCK):
            stop = min(left + BLOCK, columns)
            count = stop - left
            out = values[r, left:stop]
            deep = positions(matrix, first_row + r, left, width, height, reflect,
                              px, py, inside[r, left:stop])  # fmt: skip
            weights(taps, count, px, x, wx)
            weights(taps, count, py, y, wy)
            for q in range(count):
                y[q] -= np.int32(first_source_row)
                start[q] = np.int64(y[q]) * width + x[q] - q
            # The places whose taps all lie within the frame are an interval.
            first, last = 0, count
            if not deep:
                while first < count and not (
                    0 <= x[first] <= outermost and 0 <= y[first] <= deepest
                ):
                    first += 1
                while last > first and not (
                    0 <= x[last - 1] <= outermost and 0 <= y[last - 1] <= deepest
                ):
                    last -= 1
                if reflect:  # what is mirrored may come back into the frame in between
                    for q in range(first, last):
                        if not (0 <= x[q] <= outermost and 0 <= y[q] <= deepest):
                            first = last = 0
                            break
            line = flat[(r * columns + left) * channels : (r * columns + stop) * channels]
            gather(pixels, width * channels, first, last, start, wx, wy,
                   each_tap, each_channel, line)  # fmt: skip
            needed = inside[r, left:stop] if rough else everywhere
            for low, high in ((0, first), (last, count)):
                _gather_any(source, taps, reflect, first_source_row, height,
                            low, high, x, y, wx, wy, needed, out)  # fmt: skip


@kernel
def keep_whole(
    valid: NDArray[np.bool_], first_source_row: int, height: int, matrix: NDArray[np.float64],
    first_row: int, taps: int, reflect: bool, whole: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Take out of `whole` the pixels that are made of any that do not count."""
    rows, columns = whole.shape
    width, bottom = valid.shape[1], valid.shape[0] - 1
    px, py, inside = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, np.bool_)
    x, y = np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int32)
    wx, wy = np.empty(MOST_TAPS * BLOCK), np.empty(MOST_TAPS * BLOCK)
    for r in range(rows):
        for start in range(0, columns, BLOCK):
            count = min(start + BLOCK, columns) - start
            positions(matrix, first_row + r, start, width, height, reflect,
                       px, py, inside[:count])  # fmt: skip
            weights(taps, count, px, x, wx)
            weights(taps, count, py, y, wy)
            for q in range(count):
                for j in range(taps):
                    row = _index(y[q] + j, height - 1, reflect) - first_source_row
                    row = min(max(row, 0), bottom)
                    for i in range(taps):
                        if abs(wx[i * BLOCK + q] * wy[j * BLOCK + q]) > _FAINT:
                            column = _index(x[q] + i, width - 1, reflect)
                            whole[r, start + q] &= valid[row, column]
