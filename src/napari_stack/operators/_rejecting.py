"""Pixel kernels that tell which of a pixel's values stray."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.operators._jit import kernel

MEAN, MEDIAN = 0, 1
DEVIATION, MAD, WINSORISED = 0, 1, 2

#: Median absolute deviation of a normal distribution, to its standard deviation.
_MAD_TO_SIGMA = 1.482602218505602


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
    """Take the median of the distances from the median, walking outward through sorted values."""
    left, right = (start + stop - 1) // 2, (start + stop - 1) // 2 + 1
    wanted = (stop - start) // 2  # rank, counted from 0, of the upper of the middle ones
    before = distance = 0.0
    for _ in range(wanted + 1):
        before = distance
        if right >= stop or (left >= start and median - kept[left] <= kept[right] - median):
            distance = median - kept[left]
            left -= 1
        else:
            distance = kept[right] - median
            right += 1
    return distance if (stop - start) % 2 else 0.5 * (before + distance)


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
            width = min(width, _MAD_TO_SIGMA * distance)
    return width


@kernel
def _winsorised(
    kept: NDArray[Any], start: int, stop: int, first: float
) -> float:  # pragma: no cover
    """Take the standard deviation of the values drawn in to 1.5 of it around the median (Siril)."""
    median = _middle(kept, start, stop)
    spread = first
    for _ in range(100):
        low, high = median - 1.5 * spread, median + 1.5 * spread
        total = 0.0
        for i in range(start, stop):
            total += min(max(kept[i], low), high)
        mean = total / (stop - start)
        squares = 0.0
        for i in range(start, stop):
            squares += (min(max(kept[i], low), high) - mean) ** 2
        now = 1.134 * np.sqrt(squares / (stop - start))
        # The published 0.0005 is that share of the spread here: floats have no grey level of 1.
        settled = abs(now - spread) <= 5e-4 * spread
        spread = now
        if settled or spread <= 1e-6 * first:
            break
    return spread if spread > 1e-6 * first else 0.0


@kernel
def _limits(
    kept: NDArray[Any],
    start: int,
    stop: int,
    low: float,
    high: float,
    centre: int,
    spread: int,
    unit: float,
) -> tuple[float, float]:  # pragma: no cover
    mean = _mean(kept, start, stop)
    width = _deviation(kept, start, stop, mean)
    middle = mean
    if centre == MEDIAN:
        middle = _middle(kept, start, stop)
    if spread != DEVIATION:
        if spread == MAD:
            robust = _MAD_TO_SIGMA * _mad(kept, start, stop, _middle(kept, start, stop))
        else:
            robust = _winsorised(kept, start, stop, width)
        width = robust if robust > 0 else _least_step(kept, start, stop, width, unit)
    return middle - low * width, middle + high * width


@kernel
def sort(values: NDArray[Any], count: int) -> None:  # pragma: no cover
    if count > 40:  # beyond, numba's quick sort is quicker (measured)
        values[:count].sort()
        return
    for i in range(1, count):
        value = values[i]
        j = i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value


@kernel
def narrow(
    kept: NDArray[Any],
    count: int,
    low: float,
    high: float,
    centre: int,
    spread: int,
    iterations: int,
    unit: float,
) -> tuple[int, int]:  # pragma: no cover
    """Return start and stop of what is kept of values that are put in order."""
    start, stop = 0, count
    for _ in range(iterations):
        if stop - start < 3:
            break
        least, most = _limits(kept, start, stop, low, high, centre, spread, unit)
        first, last = start, stop
        while first < last and not kept[first] >= least:
            first += 1
        while last > first and not kept[last - 1] <= most:
            last -= 1
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
