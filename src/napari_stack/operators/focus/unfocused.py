"""Where no frame shows any texture: how to tell, and what is shown there instead of noise."""

from typing import Any

import numpy as np

from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.pyramid_kernels import add_weighted, divide
from napari_stack.operators.focus.pyramid_levels import reduced_plane

Array = np.ndarray[Any, Any]

# Halvings of the plane on which texture is looked for, and the Gaussian window there, in pixels.
HALVINGS, WINDOW = 2, 2.0
# Share of the window with texture up to which a pixel is more and more shown as the average.
LITTLE = 0.06
# Frames on either side of the filled-in depth that are averaged, less the farther they are: half of
# them all within these limits. The blurred rims of bright things reach far in others.
FEWEST, MOST = 3.0, 6.0
# Weight of all others: it counts where none of those is there.
FAR = 1e-4
# A picture with less of it is fused without.
LEAST_SHARE = 0.002


def untextured(weight: Array, coarse_weight: Array) -> Array:
    """Return how surely there is no texture around each pixel, 0 to 1, smoothly.

    Parameters
    ----------
    weight : (y, x) ndarray of float32
        How much the depth that was measured at a pixel counts, 0 to 1: it is 0 for noise.
    coarse_weight : (Y, X) ndarray of float32
        The same as seen at a quarter of the size.
    """
    seen = np.maximum(reduced_plane(weight, HALVINGS), coarse_weight)
    around = cv2.GaussianBlur(seen, (0, 0), WINDOW, borderType=cv2.BORDER_REPLICATE)
    without = np.clip(1 - around / np.float32(LITTLE), 0, 1)
    without = cv2.GaussianBlur(without, (0, 0), WINDOW / 2, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(without, weight.shape[::-1], interpolation=cv2.INTER_LINEAR)


class DepthAverage:
    """The average of the frames around a depth, for the pixels that have no texture.

    Parameters
    ----------
    depth : (y, x) ndarray of float32
        Filled in from around.
    without : (y, x) ndarray of float32
        How surely there is no texture.
    frames : int
        How many there are.
    channels : int
    dtype : dtype
    """

    def __init__(
        self, depth: Array, without: Array, frames: int, channels: int, dtype: Any
    ) -> None:
        self.depth, self.without = depth, without
        self.reach = np.float32(min(max(FEWEST, frames / 2), MOST))
        self.total = np.zeros((*depth.shape, channels), dtype)
        self.weight = np.zeros(depth.shape, dtype)

    def take(self, index: int, rows: slice, colours: Array, valid: Array | None) -> None:
        """Take in some rows of a frame."""
        if not self.without[rows].any():
            return
        away = np.abs(self.depth[rows] - np.float32(index))
        weight = np.maximum(1 - away / self.reach, np.float32(FAR) / (1 + away))
        if valid is not None:
            weight[~valid] = 0
        add_weighted(self.total[rows], self.weight[rows], colours, weight)

    def merge(self, later: "DepthAverage") -> None:
        """Take in other frames."""
        self.total += later.total
        self.weight += later.weight

    def blend_into(self, image: Array) -> None:
        """Blend the average into a fused image (y, x, channel), in place; it is used up."""
        divide(self.total, self.weight)
        share = np.where(self.weight > 0, self.without, 0).astype(image.dtype)
        self.total -= image
        self.total[share == 0] = 0  # where no frame is valid, the image is no number yet
        image += share[..., np.newaxis] * self.total
