"""The brightness of frames: what of their channels decides, and frames that are brightness."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_stack.core.source import Pixels
from napari_stack.core.sources.stack_source import StackSource
from napari_stack.core.stack import Stack
from napari_stack.core.system.jit import kernel

Array = np.ndarray[Any, Any]

# ITU-R BT.601, the luma of the usual colour spaces.
LUMINOSITY = (0.299, 0.587, 0.114)
# Rows that are read together: their planes stay in the caches, and few of them exist at once.
STRIP = 256


@dataclass(frozen=True)
class ChannelWeights:
    """How much each channel of a frame counts in its brightness, and which one is alpha.

    Parameters
    ----------
    rgb, alpha : bool
        As in a `Stack`.
    channel : int or "all"
        The one that is measured; for "all" the luminosity of colours, or the mean of bands.
    """

    rgb: bool = False
    alpha: bool = False
    channel: int | str = "all"

    def split(self, values: Array, valid: Array | None) -> tuple[Array, Array | None, Array | None]:
        """Return colours (y, x, channel), alpha (y, x, 1) or None, and what is valid."""
        values = values[..., np.newaxis] if values.ndim == 2 else values
        opacity = None
        if self.has_alpha(values.shape):
            values, opacity = values[..., :-1], np.ascontiguousarray(values[..., -1:])
        colours, valid = finite(np.ascontiguousarray(values), valid)
        return colours, opacity, valid

    def weights(self, channels: int, dtype: Any) -> Array:
        """Return the weight of each channel in the brightness.

        That is its luminosity for RGB, else all are equal; or one channel counts alone.
        """
        if not isinstance(self.channel, str):
            return (np.arange(channels) == self.channel).astype(dtype)
        if self.rgb and channels == len(LUMINOSITY):
            return np.array(LUMINOSITY, dtype)
        return np.full(channels, 1 / channels, dtype)

    def has_alpha(self, shape: tuple[int, ...]) -> bool:
        """Tell whether the last channel of a frame of this shape is the alpha that is declared."""
        return self.alpha and len(shape) == 3 and shape[2] > 1

    def grey(self, colours: Array) -> Array:
        """Return the brightness (y, x) in the floating type of the colours, float32 at least."""
        dtype = np.result_type(colours.dtype, np.float32)
        return weighted_sum(colours, self.weights(colours.shape[2], dtype))


@dataclass(frozen=True)
class Brightness(StackSource):
    """The brightness of a stack's frames, as the source of another stack."""

    channels: ChannelWeights

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return self.stack.shape[:3]

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return self.stack.working

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        """Return the brightness of a frame; its colours are read a few rows at a time."""
        rows = rows or slice(0, self.shape[1])
        frame = self.stack.opened(index)
        grey = np.empty((rows.stop - rows.start, self.shape[2]), self.dtype)
        valid = None
        for part in strips_of(len(grey), STRIP):
            strip = slice(rows.start + part.start, rows.start + part.stop)
            colours, _, counts = self.channels.split(*frame.values(0, strip))
            grey[part] = self.channels.grey(colours)
            if counts is not None:
                valid = np.ones(grey.shape, bool) if valid is None else valid
                valid[part] = counts
        return grey, valid


def brightness_of(stack: Stack, channels: ChannelWeights) -> Stack:
    """Return the stack of the frames' brightness: it is what is warped, where nothing else is."""
    moved = all(correction.moves for correction in stack.corrections)
    base = replace(stack, corrections=()) if moved else stack
    corrections = stack.corrections if moved else ()
    return Stack(Brightness(base, channels), corrections, stack.used)


def strips_of(height: int, tall: int) -> list[slice]:
    """Give the rows of an image in strips."""
    return [slice(start, min(start + tall, height)) for start in range(0, height, tall)]


def weighted_sum(image: Array, weights: Array) -> Array:
    """Return the (y, x) sum over the channels, each times its weight, in the weights' type."""
    if image.shape[2] == 1:
        return np.multiply(image[..., 0], weights[0], dtype=weights.dtype)
    out = np.empty(image.shape[:2], weights.dtype)
    add_up = _sum_of_three if image.shape[2] == 3 else _sum_of_many
    add_up(image.reshape(-1), weights, out.reshape(-1))
    return out


@kernel
def _sum_of_three(pixels: Array, weights: Array, out: Array) -> None:
    """Sum three channels: their number is known, so that several pixels are summed at once."""
    as_float = weights.dtype.type
    red, green, blue = weights[0], weights[1], weights[2]
    for i in range(out.size):
        out[i] = (
            red * as_float(pixels[3 * i])
            + green * as_float(pixels[3 * i + 1])
            + blue * as_float(pixels[3 * i + 2])
        )


@kernel
def _sum_of_many(pixels: Array, weights: Array, out: Array) -> None:
    as_float = weights.dtype.type
    for i in range(out.size):
        first = i * weights.size
        total = weights[0] * as_float(pixels[first])
        for k in range(1, weights.size):
            total += weights[k] * as_float(pixels[first + k])
        out[i] = total


def finite(colours: Array, valid: Array | None) -> tuple[Array, Array | None]:
    """Replace what is not finite by the nearest finite pixel, and mark it as not valid."""
    if colours.dtype.kind in "ui":
        return colours, valid
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(colours.sum()):
            return colours, valid
    finite: Array = np.logical_and.reduce(np.isfinite(colours), axis=2)
    if finite.all():  # only the sum was too large
        return colours, valid
    valid = finite if valid is None else valid & finite
    if not finite.any():
        return np.zeros_like(colours), valid
    from scipy.ndimage import distance_transform_edt

    rows, columns = distance_transform_edt(~finite, return_distances=False, return_indices=True)
    return np.ascontiguousarray(colours[rows, columns]), valid


def brightness(values: Array, rgb: bool) -> Array:
    """Brightness of pixels of shape (y, x, channel): the luminosity of colours, else the mean.

    Returns
    -------
    ndarray, shape (y, x)
    """
    if values.shape[2] == 1:
        return values[..., 0]
    if rgb:
        return np.asarray(values[..., :3] @ np.array(LUMINOSITY, values.dtype))
    return np.asarray(values.mean(axis=2))
