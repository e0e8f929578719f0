"""Pixel kernels that tell which of a pixel's values stray."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.jit import kernel

MEAN, MEDIAN = 0, 1
DEVIATION, MAD, WINSORISED = 0, 1, 2

#: Median absolute deviation of a normal distribution, to its standard deviation.
MAD_TO_SIGMA = 1.482602218505602


@kernel
def _deviation(kept: NDArray[Any], start: int, stop: int, mean: float) -> float:  # pragma: no cover
    squares = 0.0
    for i in range(start, stop):
        squares += (kept[i] - mean) ** 2
    return np.sqrt(squares / (stop - start))


@kernel
def _mean(kept: NDArray[Any], start: int, stop: int) -> float:  # pragma: no cover
    total = 0.0
    for i in range(start, stop):
        total += kept[i]
    return total / (stop - start)


@kernel
def _middle(kept: NDArray[Any], start: int, stop: int) -> float:  # pragma: no cover
    return 0.5 * (kept[(start + stop - 1) // 2] + kept[(start + stop) // 2])


@kernel
def _mad(kept: NDArray[Any], start: int, stop: int, median: float) -> float:  # pragma: no cover
    """Take the median of the distances from the median of values in order.

    The distances to the left and to the right are in order each: by halving it is found how many
    of the least ones lie on the left.
    """
    count = stop - start
    half = count // 2
    middle = start + half
    rank = (count + 1) // 2
    few, many = max(0, rank - (count - half)), min(rank, half)
    while few < many:
        taken = (few + many) // 2
        if median - kept[middle - taken - 1] >= kept[middle + rank - taken - 1] - median:
            many = taken
        else:
            few = taken + 1
    distance = 0.0
    if few > 0:
        distance = median - kept[middle - few]
    if few < rank:
        distance = max(distance, kept[middle + rank - few - 1] - median)
    if count % 2:
        return distance
    following = np.inf
    if few < half:
        following = median - kept[middle - few - 1]
    if rank - few < count - half:
        following = min(following, kept[middle + rank - few] - median)
    return 0.5 * (distance + following)


@kernel
def _least_step(
    kept: NDArray[Any], start: int, stop: int, width: float, unit: float
) -> float:  # pragma: no cover
    """Take a spread where most values are the same, so that it is 0 by any robust measure.

    It is the least distance from the median that is not 0, one grey level of whole numbers, or
    the standard deviation: the least of these.
    """
    median = _middle(kept, start, stop)
    width = min(width, unit)
    for i in range(start, stop):
        distance = abs(kept[i] - median)
        if distance > 0:
            width = min(width, MAD_TO_SIGMA * distance)
    return width


@kernel
def _add_outward(
    work: NDArray[np.float64], start: int, stop: int, median: float
) -> None:  # pragma: no cover
    """Sum up distances from the median and their squares, from the middle outward to both ends."""
    kept, sums, squares = work[0], work[1], work[2]
    left, right = start + (stop - start) // 2 - 1, start + (stop - start) // 2
    left_sum = left_squares = right_sum = right_squares = 0.0
    while right < stop:
        distance = kept[right] - median
        right_sum += distance
        right_squares += distance * distance
        sums[right], squares[right] = right_sum, right_squares
        right += 1
        if left >= start:
            distance = kept[left] - median
            left_sum += distance
            left_squares += distance * distance
            sums[left], squares[left] = left_sum, left_squares
            left -= 1


@kernel
def _winsorised(
    work: NDArray[np.float64], start: int, stop: int, median: float
) -> float:  # pragma: no cover
    """Take the standard deviation of the values drawn in to 1.5 of it around the median (Siril).

    The values are in order: so those that are drawn in lie at both ends, the sums of the others
    are known (`_add_outward`), and a round only looks where the others end.
    """
    kept, sums, squares = work[0], work[1], work[2]
    share, middle = 1.0 / (stop - start), start + (stop - start) // 2
    mean = (sums[start] + sums[stop - 1]) * share
    first = spread = np.sqrt(max((squares[start] + squares[stop - 1]) * share - mean * mean, 0.0))
    left, right = start, stop  # those from left to right are not drawn in
    rounds, settled = 0, False
    while rounds < 100 and not settled:
        rounds += 1
        reach = 1.5 * spread
        while left < middle and median - kept[left] > reach:
            left += 1
        while left > start and median - kept[left - 1] <= reach:
            left -= 1
        while right > middle and kept[right - 1] - median > reach:
            right -= 1
        while right < stop and kept[right] - median <= reach:
            right += 1
        # While the same ones are drawn in, the variance is a parabola of the reach.
        inner, outer, total, total_squares = 0.0, np.inf, 0.0, 0.0
        if left < middle:
            inner, total, total_squares = median - kept[left], sums[left], squares[left]
        if right > middle:
            inner = max(inner, kept[right - 1] - median)
            total += sums[right - 1]
            total_squares += squares[right - 1]
        if left > start:
            outer = median - kept[left - 1]
        if right < stop:
            outer = min(outer, kept[right] - median)
        slope = ((stop - right) - (left - start)) * share
        mean = total * share
        level = total_squares * share - mean * mean
        bend = ((stop - right) + (left - start)) * share - slope * slope
        slope *= -2 * mean
        while inner <= reach < outer and rounds < 100 and not settled:
            now = 1.134 * np.sqrt(max(level + reach * (slope + reach * bend), 0.0))
            # The published 0.0005 is that share of the spread: floats have no grey level of 1.
            settled = abs(now - spread) <= 5e-4 * spread or now <= 1e-6 * first
            spread, reach = now, 1.5 * now
            rounds += 1
    return spread if spread > 1e-6 * first else 0.0


@kernel
def _limits(
    work: NDArray[np.float64],
    start: int,
    stop: int,
    low: float,
    high: float,
    centre: int,
    spread: int,
    unit: float,
) -> tuple[float, float]:  # pragma: no cover
    kept = work[0]
    middle, width = _middle(kept, start, stop), 0.0
    if spread == MAD:
        width = MAD_TO_SIGMA * _mad(kept, start, stop, middle)
    elif spread == WINSORISED:
        _add_outward(work, start, stop, middle)
        width = _winsorised(work, start, stop, middle)
    if centre == MEAN or width == 0:
        mean = _mean(kept, start, stop)
        if width == 0:
            width = _deviation(kept, start, stop, mean)
            if spread != DEVIATION:
                width = _least_step(kept, start, stop, width, unit)
        if centre == MEAN:
            middle = mean
    return middle - low * width, middle + high * width


@kernel
def sort(values: NDArray[Any], count: int) -> None:  # pragma: no cover
    """Put the first `count` values in order (Shell 1959, with the gaps of Ciura 2001).

    numba's own sort takes seconds to compile.
    """
    for gap in (1750, 701, 301, 132, 57, 23, 10, 4, 1):
        if gap > 1 and (count <= gap or count < 24):  # few are put in at once
            continue
        for i in range(gap, count):
            value = values[i]
            j = i
            while j >= gap and values[j - gap] > value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value


@kernel
def shrink(
    kept: NDArray[np.float64], start: int, stop: int, least: float, most: float
) -> tuple[int, int]:  # pragma: no cover
    """Leave out, at both ends of values in order, what lies beyond bounds."""
    while start < stop and not kept[start] >= least:
        start += 1
    while stop > start and not kept[stop - 1] <= most:
        stop -= 1
    return start, stop


@kernel
def narrow(
    work: NDArray[np.float64],
    start: int,
    stop: int,
    low: float,
    high: float,
    centre: int,
    spread: int,
    iterations: int,
    unit: float,
) -> tuple[int, int]:  # pragma: no cover
    """Return start and stop of what is kept of values in order: the first row of `work`.

    Its two other rows are room for sums.
    """
    for _ in range(iterations):
        if stop - start < 3:
            break
        least, most = _limits(work, start, stop, low, high, centre, spread, unit)
        first, last = shrink(work[0], start, stop, least, most)
        # Below one sigma nothing may be left: then what was kept before stands.
        if first == last or (first, last) == (start, stop):
            break
        start, stop = first, last
    return start, stop


@kernel
def narrow_plain(
    kept: NDArray[Any], count: int, low: float, high: float, iterations: int
) -> int:  # pragma: no cover
    """Count what is kept, moved to the front: by mean and standard deviation, without order."""
    for _ in range(iterations):
        if count < 3:
            break
        mean = _mean(kept, 0, count)
        width = _deviation(kept, 0, count, mean)
        least, most = mean - low * width, mean + high * width
        left = 0
        for i in range(count):
            value = kept[i]
            if least <= value <= most:
                kept[i] = kept[left]
                kept[left] = value
                left += 1
        if left == count or left == 0:
            break
        count = left
    return count
