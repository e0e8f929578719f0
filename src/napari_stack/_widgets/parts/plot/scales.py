"""Scales of a plot: what they hold, where numbers lie on them, and their ticks."""

from dataclasses import dataclass
from math import floor, isfinite, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scale:
    """A straight scale from `low` and `high` to pixels `start` and `stop`.

    Examples
    --------
    >>> scale = Scale(0, 10, 100, 0)
    >>> scale.pixel(5), scale.value(25)
    (50.0, 7.5)
    """

    low: float
    high: float
    start: float
    stop: float

    def pixel(self, value: float) -> float:
        """Return where a number lies."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)

    def value(self, pixel: float) -> float:
        """Return the number at a place."""
        return self.low + (pixel - self.start) / (self.stop - self.start) * (self.high - self.low)


def limits(values: NDArray[Any], *more: float) -> tuple[float, float]:
    """Return limits that hold all finite values, a little wider, and apart in any case.

    Examples
    --------
    >>> limits(np.array([1.0, 3.0, np.nan]), 5.0)
    (0.8, 5.2)
    """
    finite = [float(v) for v in [*np.ravel(values), *more] if isfinite(v)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    margin = 0.05 * (high - low) or 0.5 * abs(high) or 0.5
    return low - margin, high + margin


def ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Return round numbers in a range: steps of 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> ticks(0.13, 0.92)
    [0.2, 0.4, 0.6, 0.8]
    >>> ticks(0, 59, 6)
    [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    """
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough * 0.999)
    first = -floor(-low / step)
    count = floor(high / step) - first + 1
    return [float(f"{(first + k) * step:.12g}") for k in range(max(count, 0))]
