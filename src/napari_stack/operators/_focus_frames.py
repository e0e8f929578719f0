"""A frame as focus stacking sees it: its brightness, how sharp it is, its level of light."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import cv2
import numpy as np

from napari_stack.operators._depth import HALVINGS, Sharpness
from napari_stack.operators._focus_curve import noise_sharpness, sharpness
from napari_stack.operators._pyramid_frame import (
    channel_weights,
    finite,
    has_alpha,
    reduced_plane,
    split_alpha,
)
from napari_stack.operators._pyramid_kernels import generating_weights, weighted_sum
from napari_stack.operators.geometry import Warp
from napari_stack.operators.resampling import Resample
from napari_stack.sources import Pixels
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


@dataclass(frozen=True)
class Brightness:
    """The brightness of a stack's frames, as the source of another stack."""

    stack: Stack
    sight: Sight

    #: It hands on what is computed with.
    computed = True

    @property
    def shape(self) -> tuple[int, ...]:
        return self.stack.shape[:3]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.stack.working

    @property
    def partial(self) -> bool:
        return self.stack.source.partial

    def read(self, index: int, rows: slice | None = None) -> Array:
        return self.pixels(index, rows)[0]

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        """Return the brightness of a frame; its colours are read a few rows at a time."""
        rows = rows or slice(0, self.shape[1])
        frame = self.stack.opened(index)
        grey = np.empty((rows.stop - rows.start, self.shape[2]), self.dtype)
        valid = None
        for part in strips_of(len(grey), STRIP):
            strip = slice(rows.start + part.start, rows.start + part.stop)
            colours, _, counts = self.sight.split(*frame.read(0, strip))
            grey[part] = self.sight.grey(colours)
            if counts is not None:
                valid = np.ones(grey.shape, bool) if valid is None else valid
                valid[part] = counts
        return grey, valid

    def label(self, index: int) -> str:
        return self.stack.source.label(index)


def brightness_of(stack: Stack, sight: Sight) -> Stack:
    """Return the stack of the frames' brightness: it is what is warped, where nothing else is."""
    moved = all(isinstance(correction, Warp | Resample) for correction in stack.corrections)
    base = replace(stack, corrections=()) if moved else stack
    corrections = stack.corrections if moved else ()
    return Stack(Brightness(base, sight), corrections, stack.used)


def strips_of(height: int, tall: int) -> list[slice]:
    """Give the rows of an image in strips."""
    return [slice(start, min(start + tall, height)) for start in range(0, height, tall)]


def measure_frame(stack: Stack, index: int, sight: Sight) -> Measured:
    """Read a frame and measure its sharpness at two scales, its light and its noise."""
    grey, valid = brightness_of(stack, sight).read(index)
    grey = grey.astype(np.float32, copy=False)
    height = len(grey)
    energy = np.empty(grey.shape, np.float32)
    for rows in strips_of(height, STRIP):
        first, last = max(rows.start - MARGIN, 0), min(rows.stop + MARGIN, height)
        inner = slice(rows.start - first, rows.stop - first)
        energy[rows] = sharpness(grey[first:last])[inner]
    coarse, support = _coarse(grey, valid)
    fine_noise = noise_sharpness(_sampled(grey))
    coarse_energy = sharpness(coarse)
    if valid is not None:
        energy[~valid] = -1
    if support is not None:
        coarse_energy[~support] = -1
    scales = (Sharpness(energy, fine_noise), Sharpness(coarse_energy, noise_sharpness(coarse)))
    return Measured(scales, _light(coarse, support), fine_noise, float(grey.max()))


def measure_light(stack: Stack, index: int, sight: Sight) -> Light:
    """Read a frame and measure its light, as `measure_frame` does."""
    grey, valid = brightness_of(stack, sight).read(index)
    return _light(*_coarse(grey.astype(np.float32, copy=False), valid))


def _coarse(grey: Array, valid: Array | None) -> tuple[Array, Array | None]:
    """Return a frame at a quarter of its size, and where all behind it is valid; None for all."""
    taps = generating_weights(0.4, np.dtype(np.float32))
    support = None
    if valid is not None:
        support = _halved(valid.astype(np.float32), taps) > 1 - 1e-4
    return _halved(grey, taps), support


def _halved(plane: Array, taps: Array) -> Array:
    for _ in range(HALVINGS):
        plane = reduced_plane(plane, taps)
    return plane


def _sampled(grey: Array) -> Array:
    """Return triples of rows, one after another, of a tall frame: enough to tell its noise."""
    height = len(grey)
    if height <= 3 * 128:
        return grey
    first = np.linspace(0, height - 3, 128).astype(int)
    return grey[(first[:, np.newaxis] + np.arange(3)).ravel()]


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
