"""The range of the frames at every pixel, as a fold's part: what no fused image may leave."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from napari_stack.core.casting import cast
from napari_stack.core.luminance import ChannelWeights
from napari_stack.operators.focus.pyramid_kernels import widen_range, widen_range_where

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Scales:
    """What a run measured before: gains of the frames, noise, and the brightest pixel."""

    gains: dict[int, float]
    noise: float
    top: float

    def level(self, colours: Array, index: int) -> Array:
        """Return a frame's colours at the common level of light."""
        gain = self.gains.get(index, 1.0)
        return colours if gain == 1 else colours * colours.dtype.type(gain)


class RangeState:
    """Least and greatest valid value of every pixel as seen, and the largest alpha.

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
        working = np.result_type(dtype, np.float32)
        self.stored = dtype if dtype.kind in "ui" else working
        least, most = limits(self.stored)
        self.low = np.full(shape, most, self.stored)
        self.high = np.full(shape, least, self.stored)
        self.opacity = np.full((height, width, 1), -np.inf, working) if with_alpha else None

    def seen(self, colours: Array) -> Array:
        """Return colours as stored: what is compared."""
        return colours if self.stored.kind == "f" else cast(colours, self.stored, None)

    def add(self, seen: Array, valid: Array | None, opacity: Array | None) -> None:
        """Take in a frame, as seen."""
        self._widen(slice(None), seen, valid, opacity)

    def take(self, rows: slice, colours: Array, valid: Array | None, opacity: Array | None) -> None:
        """Take in some rows of a frame."""
        self._widen(rows, self.seen(colours), valid, opacity)

    def _widen(self, rows: slice, seen: Array, valid: Array | None, opacity: Array | None) -> None:
        low, high = self.low[rows], self.high[rows]
        if valid is None:
            widen_range(low, high, seen, seen)
        else:
            widen_range_where(low, high, seen, valid)
        if self.opacity is not None and opacity is not None:
            where: Any = True if valid is None else valid[..., np.newaxis]
            np.maximum(self.opacity[rows], opacity, out=self.opacity[rows], where=where)

    def merge(self, later: Self) -> None:
        """Take in the state of other frames."""
        widen_range(self.low, self.high, later.low, later.high)
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


def limits(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Return the least and greatest value of a type."""
    if dtype.kind in "ui":
        return np.iinfo(dtype).min, np.iinfo(dtype).max
    return -np.inf, np.inf
