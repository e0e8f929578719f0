"""Kernels that reject values of one pixel, in order, and tell whose they are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel, summing_kernel
from napari_stack.operators.combine.rejection.line_kernels import EXACT, LITTLE


@summing_kernel
def keep_by_line(
    rest: NDArray[np.float64], gone: NDArray[np.float64], far: NDArray[np.float64],
    ranks: NDArray[np.float64], count: int, low: float, high: float, rounds: int,
) -> int:  # pragma: no cover  # fmt: skip
    """Reject what lies far from the line through values in order, against their ranks.

    `rest` holds what is left in order and `ranks` their ranks of all, `gone` what was rejected;
    returned is how many are left.
    """
    left, little = count, LITTLE * (rest[count - 1] - rest[0])
    for i in range(count):
        ranks[i] = i
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
        reach = spread / left * EXACT + little
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
                rest[kept], ranks[kept] = rest[i], ranks[i]
                kept += 1
        if kept == 0:  # nothing would be left: what was kept before stands
            for i in range(left):
                rest[i] = gone[count - left + i]
            break
        left = int(kept)
    return left


@inner_kernel
def within_extremes(
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
def within_shares(
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


@inner_kernel
def count_each(
    lines: NDArray[Any], column: int, tile: NDArray[Any], keep: NDArray[Any], place: int,
    gone: NDArray[np.float64], left: NDArray[np.float64], per_frame: NDArray[np.uint32],
) -> None:  # pragma: no cover  # fmt: skip
    """Count whose values of a pixel are rejected: of equal ones the first."""
    frames = tile.shape[0]
    number = np.int64(0)
    for i in range(frames):
        if keep[i, place] > 0:
            continue
        value = float(tile[i, place])
        if number > 0 and gone[number - 1] == value:
            left[number - 1] += 1.0
        else:
            gone[number], left[number] = value, 1.0
            number += 1
    for frame in range(frames):
        value, rejected = float(lines[frame, column]), 0.0
        for k in range(number):
            found = 1.0 if (gone[k] == value) & (left[k] > 0.0) else 0.0
            left[k] -= found
            rejected += found
        per_frame[frame] += np.uint32(rejected)
