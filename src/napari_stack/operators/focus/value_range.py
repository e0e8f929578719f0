"""The range of the frames at every pixel, as a part of a fold: no fused image may leave it."""

from typing import Any, Self

import numpy as np

from napari_stack.core.pixels.casting import cast
from napari_stack.core.pixels.luminance import ChannelWeights

Array = np.ndarray[Any, Any]


class RangeState:
    """Least and greatest valid value of every pixel, as stored, and the largest alpha.

    Parameters
    ----------
    shape : (int, int) or (int, int, int)
        Shape of a frame: (y, x) or (y, x, channel).
    dtype : dtype
        Type of the frames as they are stored.
    channels : ChannelWeights
    rows : slice
        Rows of the frames that count.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], channels: ChannelWeights, rows: slice
    ) -> None:
        height, width = rows.stop - rows.start, shape[1]
        count = shape[2] if len(shape) == 3 else 1
        with_alpha = channels.has_alpha(shape)
        shape = (height, width, count - with_alpha)
        working, whole = np.result_type(dtype, np.float32), dtype.kind in "ui"
        self.dtype = dtype if whole else working
        # Taken in as the least and the greatest value, these change no range.
        self.neutral = (np.iinfo(dtype).max, np.iinfo(dtype).min) if whole else (np.inf, -np.inf)
        self.low, self.high = (np.full(shape, value, self.dtype) for value in self.neutral)
        self.opacity = np.full((height, width, 1), -np.inf, working) if with_alpha else None

    def as_stored(self, colours: Array) -> Array:
        """Return colours in the type that is compared: rounded where frames hold integers."""
        return colours if self.dtype.kind == "f" else cast(colours, self.dtype, None)

    def widen(self, rows: slice, stored: Array, opacity: Array | None, valid: Array | None) -> None:
        """Take in some rows of a frame, as stored."""
        invalid = None if valid is None else np.flatnonzero(~valid)
        bounds = (self.low[rows], np.minimum), (self.high[rows], np.maximum)
        for (bound, extreme), neutral in zip(bounds, self.neutral, strict=True):
            values = stored
            if invalid is not None:
                values = stored.copy()
                values.reshape(-1, values.shape[2])[invalid] = neutral
            extreme(bound, values, out=bound)
        if self.opacity is not None and opacity is not None:
            where: Any = True if valid is None else valid[..., np.newaxis]
            np.maximum(self.opacity[rows], opacity, out=self.opacity[rows], where=where)

    def merge(self, later: Self) -> None:
        """Take in the state of other frames."""
        np.minimum(self.low, later.low, out=self.low)
        np.maximum(self.high, later.high, out=self.high)
        if self.opacity is not None and later.opacity is not None:
            np.maximum(self.opacity, later.opacity, out=self.opacity)

    def clamp(self, image: Array) -> None:
        """Bring an image (y, x, channel) into the range, in place."""
        np.clip(image, self.low, self.high, out=image)

    def finished(self, image: Array) -> tuple[Array, Array]:
        """Return an image with its alpha, 0 where no frame is valid, and where one is."""
        covered = self.high[..., 0] >= self.low[..., 0]
        if self.opacity is not None:
            image = np.concatenate([image, self.opacity], axis=2)
        if not covered.all():
            image[~covered] = 0
        return image, covered
