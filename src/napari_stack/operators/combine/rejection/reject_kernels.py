"""Kernel that rejects values of each pixel, in order, by a line, by ranks, by shares or by ESD."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import summing_kernel
from napari_stack.operators.combine.reducers.sorting import put_in_order, sort
from napari_stack.operators.combine.rejection.line_kernels import keep_by_lines
from napari_stack.operators.combine.rejection.ordered_kernels import (
    BELOW,
    GAP,
    GAP_END,
    HIGHEST,
    KEPT,
    LOWEST,
    MIXED,
    PIVOT,
    SQUARES,
    START,
    STOP,
    TOTAL,
    bound_by_extremes,
    bound_by_shares,
    keep_run,
    sum_up,
    take_distances,
)
from napari_stack.operators.combine.rejection.reject_pixel_kernels import (
    count_each,
    keep_by_line,
    within_extremes,
    within_shares,
)

LINE, ESD, SHARES, RANKS = 0, 1, 2, 3


@summing_kernel
def reject_rows(
    values: NDArray[Any],
    valid: NDArray[np.bool_],
    channels: int,
    kind: int,
    low: float,
    high: float,
    rounds: int,
    critical: NDArray[np.float64],
    begins: NDArray[np.int64],
    exchanges: NDArray[np.int32],
    tile: NDArray[Any],
    kept: NDArray[np.float64],
    gone: NDArray[np.float64],
    far: NDArray[np.float64],
    ranks: NDArray[np.float64],
    near: NDArray[Any],
    keep: NDArray[Any],
    state: NDArray[Any],
    sums: NDArray[np.float64],
    rounded: bool | None,
    mean: NDArray[np.float64],
    used: NDArray[np.uint16],
    below: NDArray[np.uint16],
    squares: NDArray[np.float32],
    rejected_per_frame: NDArray[np.uint32],
) -> None:  # pragma: no cover
    """Reject values of rows of all frames: mean, number and squares of what is kept.

    Parameters
    ----------
    values : ndarray, shape (rows, n, columns)
        A column is a channel of a pixel.
    valid : ndarray of bool, shape (rows, n, columns / channels), or (rows, 0, 0) where all are
    kind : int
        `LINE`, `ESD`, `SHARES` or `RANKS`.
    low, high, rounds : float
        Sigmas; shares of the median; or shares of the number of values; and how often.
    critical, begins : ndarray
        Critical values of the ESD test, and where those of each number of values begin.
    exchanges, tile : ndarray
        Those that put n values in order, and scratch of shape (n, width).
    kept, gone, far, ranks : ndarray, shape (n,)
        These and the next four are scratch.
    near, keep : ndarray, shape (n or n + 1, `APART`)
        An even number of rows.
    state, sums : ndarray, shape (`ORDERED_STATE`,), (`ORDERED_SUMS`,)
    rounded : True or None
        As for `keep_by_lines`.
    mean, used, below, squares : ndarray, shape (rows, columns)
        `below` counts what was rejected below.
    rejected_per_frame : ndarray, shape (rows, n)
        Rejected values are added to it.
    """
    rows, frames, columns = values.shape
    size = tile.shape[1]
    whole = valid.shape[1] == 0
    same = near.dtype.type
    none, unit = same(0), same(1)
    for row in range(rows):
        lines = values[row]
        for left in range(0, columns, size):
            width = min(size, columns - left)
            if whole:
                put_in_order(lines, left, width, exchanges, tile)
                take_distances(tile, width, near, state)
                if kind == LINE and frames > 2:
                    keep_by_lines(near, frames, width, low, high, rounds, rounded, keep, state)
                else:
                    if kind == ESD and frames > 2:
                        some = critical[begins[frames] : begins[frames + 1]]
                        bound_by_extremes(near, frames, width, some, state, sums)
                    elif kind == SHARES and frames > 2:
                        bound_by_shares(near, frames, width, low, high, state, sums)
                    elif kind == RANKS and frames > 2:
                        for i in range(width):
                            state[START + i] = np.floor(low * frames + 1e-9)
                            state[STOP + i] -= np.floor(high * frames + 1e-9)
                    keep_run(frames, width, keep, state)
                sum_up(tile, near, keep, width, state, sums)
                for i in range(width):
                    number = float(state[KEPT + i])
                    average = sums[TOTAL + i] / number
                    mean[row, left + i] = float(state[PIVOT + i]) + average
                    used[row, left + i] = np.uint16(number)
                    below[row, left + i] = np.uint16(state[BELOW + i])
                    more = sums[SQUARES + i] - sums[TOTAL + i] * average
                    squares[row, left + i] = more if more > 0 else 0.0
                for frame in range(frames):
                    line = lines[frame, left : left + width]
                    rejected = none
                    for i in range(width):
                        value = same(line[i])
                        outside = (value < state[LOWEST + i]) | (value > state[HIGHEST + i])
                        outside |= (value >= state[GAP + i]) & (value <= state[GAP_END + i])
                        rejected += unit if outside & (state[MIXED + i] == none) else none
                    rejected_per_frame[row, frame] += np.uint32(rejected)
                for j in range(width):
                    if state[MIXED + j] != 2.0:
                        continue
                    count_each(lines, left + j, tile, keep, j, gone, far, rejected_per_frame[row])
            for column in range(left, left + width):
                if whole and state[MIXED + column - left] != 1.0:
                    continue
                count = np.int64(0)
                for frame in range(frames):
                    if whole or valid[row, frame, column // channels]:
                        kept[count] = float(lines[frame, column])
                        count += 1
                sort(kept, count)
                if count == 0:
                    mean[row, column] = 0.0
                    used[row, column] = below[row, column] = 0
                    squares[row, column] = 0.0
                    continue
                start, stop = np.int64(0), count
                if count > 2:
                    if kind == ESD:
                        some = critical[begins[count] : begins[count + 1]]
                        start, stop = within_extremes(kept, count, some)
                    elif kind == SHARES:
                        start, stop = within_shares(kept, count, low, high)
                    elif kind == RANKS:
                        start = np.int64(low * count + 1e-9)
                        stop = count - np.int64(high * count + 1e-9)
                lower = start
                if kind == LINE and count > 2:
                    stop = keep_by_line(kept, gone, far, ranks, count, low, high, rounds)
                    lower = np.int64(ranks[stop // 2]) - stop // 2
                else:
                    for i in range(start):
                        gone[i] = kept[i]
                    for i in range(stop, count):
                        gone[start + i - stop] = kept[i]
                left_over = stop - start
                pivot = kept[(start + stop) // 2]
                total = total_squares = 0.0
                for i in range(start, stop):
                    distance = kept[i] - pivot
                    total += distance
                    total_squares += distance * distance
                average = total / left_over
                mean[row, column] = pivot + average
                used[row, column] = np.uint16(left_over)
                more = total_squares - total * average
                squares[row, column] = more if more > 0 else 0.0
                below[row, column] = np.uint16(lower)
                for i in range(count - left_over):  # whose they are: of equal ones the first
                    value = gone[i]
                    again = np.int64(0)
                    for j in range(i):
                        again += gone[j] == value
                    for frame in range(frames):
                        if float(lines[frame, column]) == value and (
                            whole or valid[row, frame, column // channels]
                        ):
                            if again == 0:
                                rejected_per_frame[row, frame] += np.uint32(1)
                                break
                            again -= 1
