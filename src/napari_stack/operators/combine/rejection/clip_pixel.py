"""Kernels that clip one pixel, of which the values are in order: outliers lie at both ends.

The values are rows of a `work` array of three: the values themselves, and two for sums.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.statistics import MAD_TO_SIGMA
from napari_stack.core.system.jit import inner_kernel

MEAN, MEDIAN = 0, 1
DEVIATION, MAD, WINSORISED = 0, 1, 2


class Rules(NamedTuple):
    """What is clipped.

    Attributes
    ----------
    low, high : float
        Distances below and above the centre, in units of the spread.
    centre, spread : int
        `MEAN` or `MEDIAN`; `DEVIATION`, `MAD` or `WINSORISED`.
    iterations : int
    unit : float
        One grey level; infinite for floats.
    """

    low: float
    high: float
    centre: int
    spread: int
    iterations: int
    unit: float = np.inf


@inner_kernel
def _mean_and_deviation(
    kept: NDArray[np.float64], start: int, stop: int
) -> tuple[float, float]:  # pragma: no cover
    total = squares = 0.0
    for i in range(start, stop):
        total += kept[i]
    mean = total / (stop - start)
    for i in range(start, stop):
        squares += (kept[i] - mean) ** 2
    return mean, np.sqrt(squares / (stop - start))


@inner_kernel
def _distance_of_rank(
    kept: NDArray[np.float64], start: int, stop: int, median: float, rank: int
) -> float:  # pragma: no cover
    """Find the distance from the median of a rank, counted from 1.

    The distances to the left and to the right are in order each: by halving it is found how many
    of the least ones lie on the left.
    """
    half = (stop - start) // 2
    middle = start + half
    few, many = max(0, rank - (stop - middle)), min(rank, half)
    while few < many:
        taken = (few + many) // 2
        if median - kept[middle - taken - 1] >= kept[middle + rank - taken - 1] - median:
            many = taken
        else:
            few = taken + 1
    # Of a side that none is taken from, the median's other neighbour stands in: at most 0 away.
    return max(median - kept[middle - few], kept[middle + rank - few - 1] - median)


@inner_kernel
def _least_step(
    kept: NDArray[np.float64], start: int, stop: int, median: float, width: float
) -> float:  # pragma: no cover
    """Take the least distance from the median that is not 0, as a spread; at most `width`."""
    for i in range(start, stop):
        distance = MAD_TO_SIGMA * abs(kept[i] - median)
        if 0 < distance < width:
            width = distance
    return width


@inner_kernel
def _add_outward(
    work: NDArray[np.float64], start: int, stop: int, median: float
) -> None:  # pragma: no cover
    """Sum up distances from the median and their squares, from the middle outward to both ends."""
    kept, sums, squares = work[0], work[1], work[2]
    right = start + (stop - start) // 2
    left = right - 1
    left_sum = left_squares = right_sum = right_squares = 0.0
    while right < stop:  # both sides in turn: neither waits for the sums of the other
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


@inner_kernel
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


@inner_kernel
def _centre_and_spread(
    work: NDArray[np.float64], start: int, stop: int, rules: Rules
) -> tuple[float, float]:  # pragma: no cover
    """Measure what is kept; a spread of 0 by a robust measure is replaced by a small one.

    Most values are the same then: it is the least distance from the median that is not 0, one
    grey level of whole numbers, or the standard deviation: the least of these.
    """
    kept, count = work[0], stop - start
    middle = median = 0.5 * (kept[(start + stop - 1) // 2] + kept[(start + stop) // 2])
    width = 0.0
    if rules.spread == MAD:
        width = _distance_of_rank(kept, start, stop, median, (count + 1) // 2)
        if count % 2 == 0:
            width = 0.5 * (width + _distance_of_rank(kept, start, stop, median, count // 2 + 1))
        width *= MAD_TO_SIGMA
    elif rules.spread == WINSORISED:
        _add_outward(work, start, stop, median)
        width = _winsorised(work, start, stop, median)
    if rules.centre == MEAN or width == 0:
        mean, deviation = _mean_and_deviation(kept, start, stop)
        if rules.centre == MEAN:
            middle = mean
        if rules.spread == DEVIATION:
            width = deviation
        elif width == 0:
            width = _least_step(kept, start, stop, median, min(deviation, rules.unit))
    return middle, width


@inner_kernel
def clip_sorted(
    work: NDArray[np.float64], count: int, rules: Rules, least: float, most: float, known: bool
) -> tuple[int, int]:  # pragma: no cover
    """Return start and stop of what is kept of the first `count` values of `work[0]`.

    The first limits may be `known`: `least` and `most`.
    """
    kept = work[0]
    start: Any = np.int64(0)  # of a literal 0, what is called would be compiled twice
    stop = count
    for done in range(rules.iterations):
        if stop - start < 3:
            break
        if done > 0 or not known:
            middle, width = _centre_and_spread(work, start, stop, rules)
            least, most = middle - rules.low * width, middle + rules.high * width
        first, last = start, stop
        while first < last and not kept[first] >= least:
            first += 1
        while last > first and not kept[last - 1] <= most:
            last -= 1
        # Below one sigma nothing may be left: then what was kept before stands.
        if last - first == 0 or last - first == stop - start:
            break
        start, stop = first, last
    return start, stop
