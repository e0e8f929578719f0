"""Gives a fused image the colours of its frames: at each pixel those nearest to it; as a fold."""

from typing import Any, NamedTuple, Self

import numpy as np

from napari_stack.core.jit import kernel
from napari_stack.core.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.focus.value_range import RangeState

Array = np.ndarray[Any, Any]


class _Seen(NamedTuple):
    colours: Array
    distance: Array


class NearestFold:
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
        self.picked = np.zeros(image.shape, self.range.stored)
        self.distance = np.full(image.shape[:2], np.inf, np.float32)

    def prepare(self, stack: Stack, index: int) -> _Seen:
        """Compare a frame, as seen, with the image."""
        colours, _, valid = self.channels.split(*stack.read(index))
        seen = self.range.seen(colours)
        distance = np.empty(seen.shape[:2], np.float32)
        _compare(seen, self.image, distance)
        if valid is not None:
            distance[~valid] = np.inf
        return _Seen(seen, distance)

    def add(self, index: int, prepared: _Seen) -> None:  # noqa: ARG002
        """Take in a frame."""
        _keep(self.picked, self.distance, prepared.colours, prepared.distance)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        _keep(self.picked, self.distance, later.picked, later.distance)


def nearest_colours(stack: Stack, run: Run, channels: ChannelWeights, image: Array) -> Array:
    """Return an image (y, x[, channel]) in which every pixel is that of one of the frames."""
    colours, opacity, _ = channels.split(image, None)
    fold = run.fold(NearestFold(stack, channels, colours), stack, what="Picking colours")
    picked = fold.picked.astype(image.dtype, copy=False)
    if opacity is not None:
        picked = np.concatenate([picked, opacity], axis=2)
    return picked.reshape(image.shape)


@kernel
def _compare(seen: Array, image: Array, distance: Array) -> None:
    for i in range(distance.shape[0]):
        for j in range(distance.shape[1]):
            total = 0.0
            for k in range(image.shape[2]):
                total += abs(seen[i, j, k] - image[i, j, k])
            distance[i, j] = total


@kernel
def _keep(picked: Array, nearest: Array, colours: Array, distance: Array) -> None:
    for i in range(nearest.shape[0]):
        for j in range(nearest.shape[1]):
            if distance[i, j] < nearest[i, j]:
                nearest[i, j] = distance[i, j]
                for k in range(picked.shape[2]):
                    picked[i, j, k] = colours[i, j, k]
