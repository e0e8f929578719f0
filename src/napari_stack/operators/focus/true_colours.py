"""Gives a fused image the colours of its frames: at each pixel those nearest to it; as a fold."""

from typing import Any, Self

import numpy as np

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.core.system.jit import kernel
from napari_stack.engine.run import Run
from napari_stack.operators.focus.pyramid_kernels import flat, keep_larger
from napari_stack.operators.focus.value_range import RangeState

Array = np.ndarray[Any, Any]


class TrueColoursFold:
    """The fold: the nearest frame's colours of every pixel so far, and how near they are.

    Parameters
    ----------
    stack : Stack
        The frames that will come.
    channels : ChannelWeights
    image : (y, x, channel) ndarray
        The fused colours, in the working type.
    """

    def __init__(self, stack: Stack, channels: ChannelWeights, image: Array) -> None:
        self.channels, self.image = channels, image
        self.range = RangeState(stack.shape[1:], stack.dtype, channels, slice(0, 0))
        self.picked = np.zeros(image.shape, self.range.dtype)
        self.nearness = np.full(image.shape[:2], -np.inf, np.float32)

    def prepare(self, stack: Stack, index: int) -> tuple[Array, Array]:
        """Return how near a frame, as stored, is to the image; and its colours."""
        colours, _, valid = self.channels.split(*stack.read(index))
        stored = self.range.as_stored(colours)
        nearness = np.empty(stored.shape[:2], np.float32)
        _compare(stored.reshape(-1), self.image.reshape(-1), flat(nearness))
        if valid is not None:
            nearness[~valid] = -np.inf
        return nearness, stored

    def add(self, index: int, prepared: tuple[Array, Array]) -> None:  # noqa: ARG002
        """Take in a frame."""
        keep_larger(self.nearness, self.picked, *prepared)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        keep_larger(self.nearness, self.picked, later.nearness, later.picked)


def nearest_colours(stack: Stack, run: Run, channels: ChannelWeights, image: Array) -> Array:
    """Return an image (y, x[, channel]) in which every pixel is that of one of the frames."""
    colours, opacity, _ = channels.split(image, None)
    fold = run.fold(TrueColoursFold(stack, channels, colours), stack, what="Picking colours")
    picked = fold.picked.astype(image.dtype, copy=False)
    if opacity is not None:
        picked = np.concatenate([picked, opacity], axis=2)
    return picked.reshape(image.shape)


@kernel
def _compare(stored: Array, image: Array, nearness: Array) -> None:
    channels = image.size // nearness.size
    if channels == 3:  # strides that are known make quick loops
        for i in range(nearness.size):
            red = abs(stored[3 * i] - image[3 * i])
            green = abs(stored[3 * i + 1] - image[3 * i + 1])
            blue = abs(stored[3 * i + 2] - image[3 * i + 2])
            nearness[i] = 0.0 - red - green - blue
        return
    for i in range(nearness.size):
        total = 0.0
        for k in range(i * channels, (i + 1) * channels):
            total -= abs(stored[k] - image[k])
        nearness[i] = total
