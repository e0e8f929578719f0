"""Running results of `combine`: states that frames are added to one by one, and that merge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.engine.glimpses import small
from napari_stack.operators.combine.reducers.sum_kernels import add, add_four, welford

Result = tuple[NDArray[np.float64], NDArray[np.bool_] | None]


def _flat(frame: NDArray[Any]) -> NDArray[Any]:
    flat = np.ascontiguousarray(frame).reshape(-1)
    return flat.view(np.uint8) if flat.dtype.kind == "b" else flat


def _over(by_pixel: Any, values: NDArray[Any]) -> Any:
    """Spread a mask or counts of shape (y, x) over channels; one number as it is, None as True."""
    if np.ndim(by_pixel) == 0:
        return True if by_pixel is None else by_pixel
    return by_pixel.reshape(by_pixel.shape + (1,) * (values.ndim - 2))


@dataclass
class Running:
    """What all states share: the frames as they come and how many there were at each pixel.

    Attributes
    ----------
    count : float, or ndarray of shape (y, x)
        Sum of the weights; one number while all pixels were valid.
    """

    count: Any = 0.0

    def prepare(self, stack: Stack, index: int) -> Any:
        """Read a frame."""
        return stack.values(index)

    def counted(self, valid: NDArray[np.bool_] | None, weight: float = 1.0) -> None:
        """Count a frame."""
        self.count = self.count + (weight if valid is None else weight * valid)

    def covered(self, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
        """Where any frame was valid, or None: everywhere."""
        if np.ndim(self.count) == 0:
            return None if self.count > 0 else np.zeros(shape[:2], bool)
        covered = self.count > 0
        return None if covered.all() else covered


@dataclass
class Sum(Running):
    """Weighted sum, or mean, of the frames.

    Attributes
    ----------
    mean : bool
    weights : mapping of int to float
        By frame; 1 for frames that it lacks.
    first : int
        Frame whose pixels alone say what is covered, -1 for any (for differences).
    """

    mean: bool = False
    weights: Mapping[int, float] = field(default_factory=dict)
    first: int = -1
    total: Any = None
    held: list[Any] = field(default_factory=list)

    def add(self, index: int, prepared: Any) -> None:
        """Take in a frame."""
        values, valid = prepared
        if self.total is None:
            self.total = np.zeros(values.shape)
        weight = self.weights.get(index, 1.0)
        if self.first in (-1, index):
            self.counted(valid, weight)
        else:
            weight = -weight
        if valid is None:
            self.held.append((values, weight))
        if valid is not None or len(self.held) == 4:
            self._flush()  # in order: the same frames give the same digits
        if valid is not None:
            part = np.multiply(values, weight, dtype=np.float64)
            np.add(self.total, part, out=self.total, where=_over(valid, values))

    def _flush(self) -> None:
        frames, weights = [_flat(frame) for frame, _ in self.held], [w for _, w in self.held]
        if len(frames) == 4:
            add_four(self.total.reshape(-1), *frames, np.array(weights, np.float64))
        else:
            for frame, weight in zip(frames, weights, strict=True):
                add(self.total.reshape(-1), frame, float(weight))
        self.held = []

    def glimpse(self) -> NDArray[np.float32] | None:
        """Return the mean of what was summed up so far, where no frames wait to be added."""
        if self.held:
            return None
        total = small(self.total)
        if self.first != -1 or not total.any():
            return None
        count = self.count if np.ndim(self.count) == 0 else small(self.count)
        return total / _over(np.maximum(count, 1e-12), total)

    def merge(self, later: Self) -> None:
        """Take in the state of later frames."""
        self._flush()
        later._flush()
        self.count = self.count + later.count
        self.total = later.total if self.total is None else self.total + later.total

    def result(self) -> Result:
        """Return the image and what is covered."""
        self._flush()
        covered = self.covered(self.total.shape)
        if self.mean:
            count = np.where(self.count > 0, self.count, 1.0)
            self.total /= _over(count, self.total)
        return self.total, covered


@dataclass
class Extremes(Running):
    """Least and greatest values.

    Attributes
    ----------
    method : str
        ``"minimum"``, ``"maximum"`` or ``"range"``.
    """

    method: str = "maximum"
    low: Any = None
    high: Any = None

    def add(self, index: int, prepared: Any) -> None:  # noqa: ARG002
        """Take in a frame."""
        values, valid = prepared
        self.counted(valid)
        self._step(values, values, valid)

    def glimpse(self) -> NDArray[np.float32]:
        """Return the extreme so far."""
        return small(self.low if self.high is None else self.high)

    def _step(self, low: Any, high: Any, valid: NDArray[np.bool_] | None) -> None:
        if self.method != "maximum":
            self.low = _extreme(np.minimum, self.low, low, valid)
        if self.method != "minimum":
            self.high = _extreme(np.maximum, self.high, high, valid)

    def merge(self, later: Self) -> None:
        """Take in the state of later frames."""
        self.count = self.count + later.count
        self._step(later.low, later.high, None)

    def result(self) -> Result:
        """Return the image and what is covered."""
        one = self.low if self.high is None else self.high
        covered = self.covered(one.shape)
        values = one.astype(np.float64)
        if self.method == "range":
            values -= self.low
        if covered is not None:
            values[~covered] = 0
        return values, covered


def _extreme(choose: Any, state: Any, values: Any, valid: NDArray[np.bool_] | None) -> Any:
    """Keep the lesser, or greater, values; an invalid one is the last that would be kept."""
    if valid is not None:
        limits = {"b": (False, True), "f": (-np.inf, np.inf)}.get(values.dtype.kind)
        least, most = limits or (np.iinfo(values.dtype).min, np.iinfo(values.dtype).max)
        last = values.dtype.type(most if choose is np.minimum else least)
        values = np.where(_over(valid, values), values, last)
    return values.copy() if state is None else choose(state, values, out=state)


@dataclass
class Deviation(Running):
    """Population standard deviation (Welford 1962; parts merged after Chan et al. 1979)."""

    mean: Any = None
    squares: Any = None

    def add(self, index: int, prepared: Any) -> None:  # noqa: ARG002
        """Take in a frame."""
        values, valid = prepared
        if self.mean is None:
            self.mean, self.squares = np.zeros(values.shape), np.zeros(values.shape)
        self.counted(valid)
        if np.ndim(self.count) == 0:
            mean, squares = self.mean.reshape(-1), self.squares.reshape(-1)
            welford(mean, squares, _flat(values), 1.0 / int(self.count))
            return
        distance = np.subtract(values, self.mean, dtype=np.float64)
        if valid is not None:
            distance[~valid] = 0
        count = np.maximum(self.count, 1)
        self.mean += distance / _over(count, values)
        self.squares += distance * np.subtract(values, self.mean, dtype=np.float64)

    def merge(self, later: Self) -> None:
        """Take in the state of later frames."""
        if self.mean is None:
            self.count, self.mean, self.squares = later.count, later.mean, later.squares
            return
        both = self.count + later.count
        share = _over(later.count / np.maximum(both, 1), self.mean)
        distance = later.mean - self.mean
        self.squares += later.squares + distance**2 * share * _over(self.count, self.mean)
        self.mean += distance * share
        self.count = both

    def result(self) -> Result:
        """Return the image and what is covered."""
        count = _over(np.maximum(self.count, 1), self.squares)
        return np.sqrt(np.maximum(self.squares / count, 0)), self.covered(self.mean.shape)


@dataclass
class Product(Running):
    """M * prod(v / M), M the greatest value (its size, for negative ones) of all frames.

    M is known at the end only: `values` holds the product over the greatest value so far.
    """

    top: float = 0.0
    values: Any = None

    def prepare(self, stack: Stack, index: int) -> Any:
        """Read a frame and find its greatest value."""
        values, valid = stack.values(index)
        values = np.asarray(values, np.float64)
        if valid is not None:
            values = np.where(_over(valid, values), values, 0.0)
        return values, valid, max(float(values.max()), -float(values.min()))

    def add(self, index: int, prepared: Any) -> None:  # noqa: ARG002
        """Take in a frame."""
        values, valid, top = prepared
        if self.values is None:
            self.values = np.ones(values.shape)
        self._raise(top)
        self.counted(valid)
        factor = values / (self.top or 1.0)
        np.multiply(self.values, factor, out=self.values, where=_over(valid, values))

    def _raise(self, top: float) -> None:
        """Refer the product so far to a greater value."""
        if top > self.top:
            if self.top > 0:
                self.values *= _over(np.power(self.top / top, self.count), self.values)
            self.top = top

    def merge(self, later: Self) -> None:
        """Take in the state of later frames."""
        if self.values is None:
            self.count, self.top, self.values = later.count, later.top, later.values
            return
        self._raise(later.top)
        later._raise(self.top)
        self.values *= later.values
        self.count = self.count + later.count

    def result(self) -> Result:
        """Return the image and what is covered."""
        return self.top * self.values, self.covered(self.values.shape)
