"""A frame as focus stacking sees it: its brightness, how sharp it is, its level of light."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np

from napari_stack.operators._depth import HALVINGS, Sharpness
from napari_stack.operators._focus_curve import noise_sharpness, sharpness
from napari_stack.operators._pyramid_frame import (
    channel_weights,
    finite,
    has_alpha,
    split_alpha,
)
from napari_stack.operators._pyramid_kernels import generating_weights, reduce, weighted_sum
from napari_stack.stack import Stack

Array = np.ndarray[Any, Any]

# Rows that are measured together: their planes stay in the caches, and few of them exist at once.
STRIP = 256
# Rows around a strip that its filters see: the window's reach, and twice the pyramid's kernel.
MARGIN = 32
# Cells along the longer side of the small picture that tells a frame's level of light.
CELLS = 16
# A frame that is darker or brighter by more than this is no flicker: it is left as it is.
GREATEST_GAIN = 1.5


@dataclass(frozen=True)
class Sight:
    """What of a frame's channels decides where it is sharp.

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
        colours, opacity = split_alpha(values, self.rgb, self.alpha)
        colours, valid = finite(colours, valid)
        return colours, opacity, valid

    def weights(self, channels: int, dtype: Any) -> Array:
        """Return what each channel counts."""
        return channel_weights(channels, self.rgb, np.dtype(dtype), self.channel)

    def has_alpha(self, shape: tuple[int, ...]) -> bool:
        """Tell whether the last channel of a frame of this shape is alpha."""
        return has_alpha(shape, self.rgb, self.alpha)

    def grey(self, colours: Array) -> Array:
        """Return the brightness (y, x) in the floating type of the colours, float32 at least."""
        dtype = np.result_type(colours.dtype, np.float32)
        return weighted_sum(colours, self.weights(colours.shape[2], dtype))


class Light(NamedTuple):
    """A small picture of a frame: sums of brightness, and how many pixels counted."""

    total: Array
    pixels: Array


class Measured(NamedTuple):
    """What one pass learns of a frame."""

    sharpness: tuple[Sharpness, ...]
    light: Light
    noise: float  # standard deviation of the brightness
    top: float  # largest brightness


def measure_frame(stack: Stack, index: int, sight: Sight) -> Measured:
    """Read a frame and measure its sharpness at two scales, its light and its noise."""
    colours, _, valid = sight.split(*stack.read(index))
    taps = generating_weights(0.4, np.dtype(np.float32))
    height, width = colours.shape[:2]
    energy = np.empty((height, width), np.float32)
    halves = -(-height // 4), -(-width // 4)
    coarse, top = np.empty(halves, np.float32), -np.inf
    for start in range(0, height, STRIP):
        stop = min(start + STRIP, height)
        first, last = max(start - MARGIN, 0), min(stop + MARGIN, height)
        grey = sight.grey(colours[first:last]).astype(np.float32, copy=False)
        inner = slice(start - first, stop - first)
        energy[start:stop] = sharpness(grey)[inner]
        top = max(top, float(grey[inner].max()))
        small = _halved(grey, taps)
        place = slice(start // 4, -(-stop // 4))
        coarse[place] = small[inner.start // 4 : inner.start // 4 + place.stop - place.start]
    fine_noise = noise_sharpness(_sampled(colours, sight))
    support = None
    if valid is not None:
        energy[~valid] = -1
        support = _halved(valid.astype(np.float32), taps) > 1 - 1e-4
    coarse_energy = sharpness(coarse)
    if support is not None:
        coarse_energy[~support] = -1
    scales = (Sharpness(energy, fine_noise), Sharpness(coarse_energy, noise_sharpness(coarse)))
    return Measured(scales, _light(coarse, support), fine_noise, top)


def _halved(plane: Array, taps: Array) -> Array:
    plane = plane[..., np.newaxis]
    for _ in range(HALVINGS):
        plane = reduce(plane, taps)
    return plane[..., 0]


def _sampled(colours: Array, sight: Sight) -> Array:
    """Return triples of rows, one after another, of a tall frame: enough to tell its noise."""
    height = len(colours)
    if height <= 3 * 128:
        return sight.grey(colours)
    first = np.linspace(0, height - 3, 128).astype(int)
    rows = (first[:, np.newaxis] + np.arange(3)).ravel()
    return sight.grey(np.ascontiguousarray(colours[rows]))


def _light(coarse: Array, support: Array | None) -> Light:
    count = np.ones(coarse.shape, np.float32) if support is None else support.astype(np.float32)
    share = min(CELLS / max(coarse.shape), 1)
    size = tuple(max(1, round(side * share)) for side in coarse.shape[::-1])
    total, count = (
        cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (coarse * count, count)
    )
    return Light(total, count)


def gain_of(light: Light, reference: Light) -> float:
    """Return the factor that brings a frame to the reference's level of light; 1 where unsure.

    It is the weighted median over the cells of small pictures: a few cells, into which a blurred
    bright edge spills, have no say.
    """
    seen = (light.pixels > 0.5) & (reference.pixels > 0.5)
    here, there = (picture.total[seen] / picture.pixels[seen] for picture in (light, reference))
    weight = np.maximum(here + there, 0)
    usable = (here > 0) & (there > 0)
    if not usable.any():
        return 1.0
    ratio, weight = (there[usable] / here[usable]).astype(float), weight[usable].astype(float)
    order = np.argsort(ratio, kind="stable")
    place = np.cumsum(weight[order])
    gain = float(ratio[order][np.searchsorted(place, place[-1] / 2)])
    return gain if 1 / GREATEST_GAIN < gain < GREATEST_GAIN else 1.0
