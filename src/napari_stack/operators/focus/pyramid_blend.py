"""Blends frames by weights over a Laplacian pyramid, so that no seam shows; as a fold."""

from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from napari_stack.core.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.operators.focus.pyramid_kernels import add_expanded, generating_weights, reduce
from napari_stack.operators.focus.pyramid_levels import levels_of
from napari_stack.operators.focus.restricted_kernels import divide
from napari_stack.operators.focus.value_range import RangeState, Scales

Array = np.ndarray[Any, Any]

# The coarsest level's shorter side has about this many pixels.
MIN_SIZE = 32


class Weighting(Protocol):
    """Tells how much each pixel of a frame counts."""

    def __call__(self, grey: Array, index: int) -> Array:
        """Return weights (y, x) of a frame, given its brightness at the common level of light."""
        ...


class Weighted(NamedTuple):
    """A frame's details times its weights, level by level, the base last."""

    seen: Array
    valid: Array | None
    opacity: Array | None
    products: tuple[Array, ...]
    weights: tuple[Array, ...]


class BlendingFold:
    """The fold: weighted sums of details, each level with weights as smooth as itself.

    Parameters
    ----------
    stack : Stack
        The frames that will come.
    channels : ChannelWeights
    scales : Scales
    weighting : Weighting
    """

    def __init__(
        self, stack: Stack, channels: ChannelWeights, scales: Scales, weighting: Weighting
    ) -> None:
        self.channels, self.scales, self.weighting = channels, scales, weighting
        self.range = RangeState(stack.shape[1:], stack.dtype, channels, slice(0, stack.shape[1]))
        height, width, count = self.range.low.shape
        sizes = [(height, width)]
        for _ in range(levels_of((height, width), MIN_SIZE)):
            sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
        self.totals = [np.zeros((*size, count), stack.working) for size in sizes]
        self.weights = [np.zeros(size, stack.working) for size in sizes]

    def prepare(self, stack: Stack, index: int) -> Weighted:
        """Take a frame apart."""
        colours, opacity, valid = self.channels.split(*stack.read(index))
        seen = self.range.seen(colours)
        colours = self.scales.level(colours, index)
        weight = self.weighting(self.channels.grey(colours), index).astype(
            colours.dtype, copy=False
        )
        if valid is not None:
            weight = np.where(valid, weight, 0)
        weight = weight[..., np.newaxis]
        taps = generating_weights(0.4, colours.dtype)
        products, weights = [], []
        for _ in self.totals[:-1]:
            coarse = reduce(colours, taps)
            detail = np.empty_like(colours)
            add_expanded(colours, coarse, taps, -1, detail)
            detail *= weight
            products.append(detail)
            weights.append(weight[..., 0])
            colours, weight = coarse, reduce(weight, taps)
        products.append(colours * weight)
        weights.append(weight[..., 0])
        return Weighted(seen, valid, opacity, tuple(products), tuple(weights))

    def add(self, index: int, prepared: Weighted) -> None:  # noqa: ARG002
        """Take in a frame."""
        self._sum(prepared.products, prepared.weights)
        self.range.add(prepared.seen, prepared.valid, prepared.opacity)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        self._sum(later.totals, later.weights)
        self.range.merge(later.range)

    def _sum(self, products: Any, weights: Any) -> None:
        for mine, theirs in zip((*self.totals, *self.weights), (*products, *weights), strict=True):
            mine += theirs

    def result(self) -> tuple[Array, Array]:
        """Return the image within the range of the frames, and where a frame is valid."""
        for total, weight in zip(self.totals, self.weights, strict=True):
            divide(total, weight)
        taps = generating_weights(0.4, self.totals[0].dtype)
        image = self.totals[-1]
        for detail in self.totals[-2::-1]:
            add_expanded(detail, image, taps, 1, detail)
            image = detail
        self.range.clamp(image)
        return self.range.finished(image)
