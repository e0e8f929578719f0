"""Averages, at each pixel, the frames that agree with a fused image within the noise; as a fold."""

from typing import Any, Self

import numpy as np

from napari_stack.core.jit import kernel
from napari_stack.core.luminance import ChannelWeights
from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.strip_fold import Strip, StripFold
from napari_stack.operators.focus.value_range import Scales

Array = np.ndarray[Any, Any]

# Brightness is compared after smoothing (sigma in pixels), and differences over a window.
SMOOTHING = 1.0
WINDOW = 2.0
# exp(-d / (TOLERANCE v)) is a frame's weight: d its mean squared difference, v what noise gives.
TOLERANCE = 2.0
# Weight of the fused image itself: so little that it counts only where no frame agrees.
OWN = 0.05


class AgreeingFold(StripFold):
    """The fold: weighted sums of the frames.

    Parameters
    ----------
    image : (y, x, channel) ndarray
        The fused rows, in the working type.
    channels : ChannelWeights
    scales : Scales
    rows : slice
        Which rows they are.
    """

    margin = 16

    def __init__(self, image: Array, channels: ChannelWeights, scales: Scales, rows: slice) -> None:
        super().__init__(channels, rows)
        self.scales = scales
        self.smooth = _smooth(channels.grey(image), SMOOTHING)
        self.total = np.zeros_like(image)
        self.weight = np.zeros(image.shape[:2], np.float32)

    def take_in(self, index: int, strip: Strip) -> None:
        """Compare rows of a frame with the image, and add them as far as they agree."""
        rows, wide, inner = strip.rows, strip.wide, strip.inner
        colours, valid = strip.colours, strip.valid
        colours = self.scales.level(colours, index)
        difference = _smooth(self.channels.grey(colours), SMOOTHING) - self.smooth[wide]
        # In what noise makes of it: squares of any other unit might not be finite.
        expected = self.scales.noise / (2 * np.sqrt(np.pi) * SMOOTHING)
        difference /= difference.dtype.type(expected)
        difference *= difference
        spread = _smooth(difference, WINDOW)[inner]
        weight = np.exp(spread * np.float32(-1 / TOLERANCE)).astype(np.float32)
        if valid is not None:
            weight[~valid[inner]] = 0
        _gather(self.total[rows], self.weight[rows], colours[inner], weight)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        self.total += later.total
        self.weight += later.weight

    def averaged(self, image: Array) -> Array:
        """Return the average (y, x, channel) of the frames and, a little, of the fused image."""
        own = image.dtype.type(OWN)
        return (self.total + own * image) / (self.weight + own)[..., np.newaxis]


def _smooth(plane: Array, sigma: float) -> Array:
    return cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


@kernel
def _gather(total: Array, weight: Array, colours: Array, share: Array) -> None:
    for i in range(weight.shape[0]):
        for j in range(weight.shape[1]):
            if share[i, j] > 0:
                weight[i, j] += share[i, j]
                for k in range(total.shape[2]):
                    total[i, j, k] += share[i, j] * colours[i, j, k]
