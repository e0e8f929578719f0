"""Kernel that rejects values of each pixel, in order, by a line, by ranks, by shares or by ESD."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel, summing_kernel
from napari_stack.operators.combine.line_kernels import EXACT, keep_by_lines
from napari_stack.operators.combine.ordered_kernels import (
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
from napari_stack.operators.combine.sorting import put_in_order, sort

LINE, ESD, SHARES, RANKS = 0, 1, 2, 3


@summing_kernel
def _line(
    rest: NDArray[np.float64], gone: NDArray[np.float64], far: NDArray[np.float64], count: int,
    low: float, high: float, rounds: int,
) -> int:  # pragma: no cover  # fmt: skip
    """Reject what lies far from the line through values in order, against their ranks.

    `rest` holds what is left in order, `gone` what was rejected; returned is how many are left.
    """
    left = count
    for _ in range(rounds):
        if left < 4:
            break
        middle, first = 0.5 * (left - 1), rest[left // 2]
        total = weighted = 0.0
        for i in range(left):
            distance = rest[i] - first
            total += distance
            weighted += distance * (i - middle)
        slope = 12.0 * weighted / (left * (left * left - 1.0))
        origin = first + total / left - slope * middle
        spread = 0.0
        for i in range(left):
            far[i] = rest[i] - (origin + slope * i)
            spread += abs(far[i])
        reach = spread / left * EXACT
        least, most = -low * reach, high * reach
        out = np.int64(0)
        for i in range(left):
            out += (far[i] < least) | (far[i] > most)
        if out == 0:
            break
        kept = out = np.int64(0)
        for i in range(left):
            if far[i] < least or far[i] > most:
                gone[count - left + out] = rest[i]
                out += 1
            else:
                rest[kept] = rest[i]
                kept += 1
        if kept == 0:  # nothing would be left: what was kept before stands
            for i in range(left):
                rest[i] = gone[count - left + i]
            break
        left = int(kept)
    return left


@inner_kernel
def _extremes(
    kept: NDArray[np.float64], count: int, critical: NDArray[np.float64]
) -> tuple[int, int]:  # pragma: no cover
    """Return start and stop of what the generalised ESD test leaves of values in order.

    Outliers are as many as the last step of which the extreme lies beyond its critical value.
    """
    middle = kept[count // 2]
    total = squares = 0.0
    for i in range(count):
        distance = kept[i] - middle
        total += distance
        squares += distance * distance
    start, stop = 0, count
    first, last = 0, count
    for i in range(critical.size):
        left = stop - start
        mean = total / left
        spread = squares - total * mean
        if not spread > 1e-12 * squares:  # all that are left are the same
            break
        below, above = mean - (kept[start] - middle), kept[stop - 1] - middle - mean
        far = below if below > above else above
        if below > above:
            distance = kept[start] - middle
            start += 1
        else:
            distance = kept[stop - 1] - middle
            stop -= 1
        if far * far * (left - 1) > critical[i] * critical[i] * spread:
            first, last = start, stop
        total -= distance
        squares -= distance * distance
    return first, last


@inner_kernel
def _shares(
    kept: NDArray[np.float64], count: int, low: float, high: float
) -> tuple[int, int]:  # pragma: no cover
    """Return start and stop of what lies within shares of the median from it."""
    median = 0.5 * (kept[(count - 1) // 2] + kept[count // 2])
    least, most = median - low * abs(median), median + high * abs(median)
    start, stop = 0, count
    while start < stop and kept[start] < least:
        start += 1
    while stop > start and kept[stop - 1] > most:
        stop -= 1
    if start == stop:  # an even number of two kinds: there is nothing in the middle
        return 0, count
    return start, stop


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
    near: NDArray[np.float64],
    keep: NDArray[np.float64],
    state: NDArray[np.float64],
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
    kept, gone, far : ndarray, shape (n,)
        These and the next three are scratch.
    near, keep, state : ndarray, shape (n, `APART`), (n, `APART`), (`ORDERED_STATE`,)
    mean, used, below, squares : ndarray, shape (rows, columns)
        `below` counts what was rejected below.
    rejected_per_frame : ndarray, shape (rows, n)
        Rejected values are added to it.
    """
    rows, frames, columns = values.shape
    size = tile.shape[1]
    whole = valid.shape[1] == 0
    for row in range(rows):
        lines = values[row]
        for left in range(0, columns, size):
            width = min(size, columns - left)
            if whole:
                put_in_order(lines, left, width, exchanges, tile)
                take_distances(tile, width, near, state)
                if kind == LINE and frames > 2:
                    keep_by_lines(near, frames, width, low, high, rounds, keep, state)
                else:
                    if kind == ESD and frames > 2:
                        some = critical[begins[frames] : begins[frames + 1]]
                        bound_by_extremes(near, frames, width, some, state)
                    elif kind == SHARES and frames > 2:
                        bound_by_shares(near, frames, width, low, high, state)
                    elif kind == RANKS and frames > 2:
                        for i in range(width):
                            state[START + i] = np.floor(low * frames + 1e-9)
                            state[STOP + i] -= np.floor(high * frames + 1e-9)
                    keep_run(frames, width, keep, state)
                sum_up(tile, near, keep, width, state)
                for i in range(width):
                    average = state[TOTAL + i] / state[KEPT + i]
                    mean[row, left + i] = state[PIVOT + i] + average
                    used[row, left + i] = np.uint16(state[KEPT + i])
                    below[row, left + i] = np.uint16(state[BELOW + i])
                    more = state[SQUARES + i] - state[TOTAL + i] * average
                    squares[row, left + i] = more if more > 0 else 0.0
                for frame in range(frames):
                    line = lines[frame, left : left + width]
                    rejected = 0.0
                    for i in range(width):
                        value = float(line[i])
                        outside = (value < state[LOWEST + i]) | (value > state[HIGHEST + i])
                        outside |= (value >= state[GAP + i]) & (value <= state[GAP_END + i])
                        rejected += 1.0 if outside & (state[MIXED + i] == 0.0) else 0.0
                    rejected_per_frame[row, frame] += np.uint32(rejected)
                for j in range(width):
                    if state[MIXED + j] != 2.0:
                        continue
                    again = np.int64(0)
                    for i in range(frames):  # whose they are: of equal ones the first
                        again = again if i > 0 and tile[i, j] == tile[i - 1, j] else np.int64(0)
                        if keep[i, j] > 0.0:
                            continue
                        skipped = again
                        for frame in range(frames):
                            if lines[frame, left + j] == tile[i, j]:
                                if skipped == 0:
                                    rejected_per_frame[row, frame] += np.uint32(1)
                                    break
                                skipped -= 1
                        again += 1
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
                        start, stop = _extremes(kept, count, some)
                    elif kind == SHARES:
                        start, stop = _shares(kept, count, low, high)
                    elif kind == RANKS:
                        start = np.int64(low * count + 1e-9)
                        stop = count - np.int64(high * count + 1e-9)
                lower = start
                if kind == LINE and count > 2:
                    stop = _line(kept, gone, far, count, low, high, rounds)
                    lower = np.int64(0)
                    for i in range(count - stop):
                        lower += gone[i] < kept[stop // 2]
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
