"""Weighted sums of frames, level by level of a Laplacian pyramid, so that no seam shows."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Self

import numpy as np

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.operators.focus.frame_statistics import SeriesStatistics
from napari_stack.operators.focus.pyramid_kernels import divide, reduce
from napari_stack.operators.focus.pyramid_levels import (
    collapse,
    details_of,
    gaussian_levels,
    level_count,
    level_sizes,
    small_levels,
)
from napari_stack.operators.focus.value_range import RangeState

Array = np.ndarray[Any, Any]

# The coarsest level's shorter side has about this many pixels.
MIN_SIZE = 32
# Stands for no weight where what is divided by it is 0.
_LEAST = np.finfo(np.float32).tiny


class WeightedLevels:
    """Sums of details times their weights, and of the weights, for every level of a pyramid.

    Parameters
    ----------
    sizes : iterable of (int, int)
        Rows and columns of the levels, fine to coarse.
    channels : int
    dtype : dtype
    """

    def __init__(
        self, sizes: Iterable[tuple[int, ...]], channels: int, dtype: np.dtype[Any]
    ) -> None:
        self.weights = [np.zeros(size, dtype) for size in sizes]
        self.totals = [np.zeros((*weight.shape, channels), dtype) for weight in self.weights]

    def add(self, totals: Iterable[Array], weights: Iterable[Array]) -> None:
        """Add those of a frame, or of other frames."""
        for mine, theirs in zip((*self.totals, *self.weights), (*totals, *weights), strict=True):
            mine += theirs

    def collapse(self) -> Array:
        """Return the image of the weighted means; the sums are used up."""
        for total, weight in zip(self.totals, self.weights, strict=True):
            divide(total, weight)
        return collapse(self.totals)

    def glimpse(self) -> Array | None:
        """Return a small image of the weighted means so far."""
        if not self.weights[-1].any():
            return None
        some = small_levels(self.totals)
        pairs = zip(self.totals[some], self.weights[some], strict=True)
        return collapse([total / np.maximum(weight, _LEAST)[..., None] for total, weight in pairs])


class WeightedFrame(NamedTuple):
    """A frame's details times its weights, level by level, the base last."""

    stored: Array
    opacity: Array | None
    valid: Array | None
    products: list[Array]
    weights: list[Array]


class BlendingFold:
    """The fold: weighted sums of details, each level with weights as smooth as itself.

    Parameters
    ----------
    stack : Stack
        The frames that will come.
    channels : ChannelWeights
    statistics : SeriesStatistics
    weighting : callable
        Returns the weights (y, x) of a frame, given its brightness with its gain and its number.
    """

    def __init__(
        self,
        stack: Stack,
        channels: ChannelWeights,
        statistics: SeriesStatistics,
        weighting: Callable[[Array, int], Array],
    ) -> None:
        self.channels, self.statistics, self.weighting = channels, statistics, weighting
        self.range = RangeState(stack.shape[1:], stack.dtype, channels, slice(0, stack.shape[1]))
        height, width, count = self.range.low.shape
        sizes = level_sizes((height, width), level_count((height, width), MIN_SIZE))
        self.sums = WeightedLevels(sizes, count, stack.working)

    def prepare(self, stack: Stack, index: int) -> WeightedFrame:
        """Split a frame into levels."""
        colours, opacity, valid = self.channels.split(*stack.read(index))
        levelled = self.statistics.apply_gain(colours, index)
        stored = self.range.as_stored(levelled if self.statistics.flickers(index) else colours)
        colours = levelled
        weight = self.weighting(self.channels.grey(colours), index)
        weight = weight.astype(colours.dtype, copy=False)
        if valid is not None:
            weight = np.where(valid, weight, 0)
        weights = gaussian_levels(weight[..., np.newaxis], len(self.sums.weights) - 1)
        products = []
        for weight in weights[:-1]:
            finer, colours = colours, reduce(colours)
            products.append(details_of(finer, colours))
            products[-1] *= weight
        products.append(colours * weights[-1])
        return WeightedFrame(stored, opacity, valid, products, [w[..., 0] for w in weights])

    def add(self, index: int, prepared: WeightedFrame) -> None:  # noqa: ARG002
        """Take in a frame."""
        self.sums.add(prepared.products, prepared.weights)
        self.range.widen(slice(None), prepared.stored, prepared.opacity, prepared.valid)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        self.sums.add(later.sums.totals, later.sums.weights)
        self.range.merge(later.range)

    def glimpse(self) -> Array | None:
        """Return a small image of the frames so far."""
        return self.sums.glimpse()

    def result(self) -> tuple[Array, Array]:
        """Return the image within the range of the frames, and where a frame is valid."""
        image = self.sums.collapse()
        self.range.clamp(image)
        return self.range.finished(image)
