"""Kernel that rejects values of each pixel, in order, by a line, by ranks, by shares or by ESD."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel, summing_kernel
from napari_stack.operators.combine.line_kernels import COUNT, EXACT, reject_by_lines
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
    bounds: NDArray[np.float64],
    near: NDArray[np.float64],
    places: NDArray[np.int64],
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
    low, high : float
        Sigmas; shares of the median; or shares of the number of values.
    rounds : int
    critical, begins : ndarray
        Critical values of the ESD test, and where those of each number of values begin.
    exchanges, tile : ndarray
        Those that put n values in order, and scratch of shape (n, width).
    kept, gone, far : ndarray, shape (n,)
        Scratch.
    bounds : ndarray, shape (2, width)
        Scratch.
    near, places, state : ndarray
        Scratch of `reject_by_lines`; empty for other kinds.
    mean, used, below : ndarray, shape (rows, columns)
        `below` counts what was rejected below what is kept.
    squares : ndarray, shape (rows, columns)
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
                if kind == LINE and frames > 2:
                    reject_by_lines(tile, width, low, high, rounds, near, places, gone, state)
            for i in range(width):
                bounds[0, i], bounds[1, i] = -np.inf, np.inf
            for column in range(left, left + width):
                count = np.int64(0)
                if whole:
                    count = frames
                    for i in range(frames):
                        kept[i] = float(tile[i, column - left])
                else:
                    for frame in range(frames):
                        if valid[row, frame, column // channels]:
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
                    if whole:
                        stop = np.int64(state[COUNT + column - left])
                        for i in range(stop, count):
                            gone[i - stop] = kept[i]
                    else:
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
                least, most = kept[start], kept[stop - 1]
                outside = np.int64(0)
                for i in range(count - left_over):
                    outside += (gone[i] < least) | (gone[i] > most)
                if whole and outside == count - left_over:  # counted for all pixels at once, below
                    bounds[0, column - left], bounds[1, column - left] = least, most
                    continue
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
            if whole:
                for frame in range(frames):
                    line = lines[frame, left : left + width]
                    rejected = np.int64(0)
                    for i in range(width):
                        value = float(line[i])
                        rejected += (value < bounds[0, i]) | (value > bounds[1, i])
                    rejected_per_frame[row, frame] += np.uint32(rejected)
