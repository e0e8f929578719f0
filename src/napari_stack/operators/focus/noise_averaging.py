"""Averages, at each pixel, the frames that agree with a fused image within the noise; as a fold."""

from typing import Any, Self

import numpy as np

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.frame_statistics import SeriesStatistics
from napari_stack.operators.focus.pyramid_kernels import add_weighted
from napari_stack.operators.focus.strip_fold import Strip, StripFold

Array = np.ndarray[Any, Any]

# Brightness is compared after smoothing (sigma in pixels), and differences over a window.
SMOOTHING = 1.0
WINDOW = 2.0
# exp(-d / (TOLERANCE v)) is a frame's weight: d its mean squared difference, v what noise gives.
TOLERANCE = 2.0
# Weight of the fused image itself: so little that it counts only where no frame agrees.
OWN = 0.05


class NoiseAveragingFold(StripFold):
    """The fold: weighted sums of the frames.

    Parameters
    ----------
    image : (y, x, channel) ndarray
        The fused rows, in the working type.
    channels : ChannelWeights
    statistics : SeriesStatistics
    rows : slice
        Which rows they are.
    """

    margin = 16

    def __init__(
        self, image: Array, channels: ChannelWeights, statistics: SeriesStatistics, rows: slice
    ) -> None:
        super().__init__(channels, rows)
        self.statistics = statistics
        self.smooth = _smooth(channels.grey(image), SMOOTHING)
        self.total = np.zeros_like(image)
        self.weight = np.zeros(image.shape[:2], np.float32)

    def take_in(self, index: int, strip: Strip) -> None:
        """Compare rows of a frame with the image, and add them as far as they agree."""
        rows, inner, valid = strip.rows, strip.inner, strip.valid
        colours = self.statistics.apply_gain(strip.colours, index)
        difference = _smooth(self.channels.grey(colours), SMOOTHING) - self.smooth[strip.wide]
        # In multiples of its noise: squares in any other unit might not be finite.
        expected = self.statistics.noise / (2 * np.sqrt(np.pi) * SMOOTHING)
        difference /= difference.dtype.type(expected)
        difference *= difference
        spread = _smooth(difference, WINDOW)[inner]
        weight = np.exp(spread * np.float32(-1 / TOLERANCE)).astype(np.float32)
        if valid is not None:
            weight[~valid[inner]] = 0
        add_weighted(self.total[rows], self.weight[rows], colours[inner], weight)

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
