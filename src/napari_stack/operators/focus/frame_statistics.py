"""A frame as focus stacking sees it: its brightness, how sharp it is, its level of light."""

from typing import Any, NamedTuple

import numpy as np

from napari_stack.core.luminance import STRIP, ChannelWeights, brightness_of, strips_of
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.depth import HALVINGS, Sharpness
from napari_stack.operators.focus.focus_measure import noise_sharpness, sharpness
from napari_stack.operators.focus.pyramid_kernels import generating_weights
from napari_stack.operators.focus.pyramid_levels import reduced_plane

Array = np.ndarray[Any, Any]

# Rows around a strip that its filters see: the window's reach, and twice the pyramid's kernel.
MARGIN = 32
# Cells along the longer side of the small picture that tells a frame's level of light.
CELLS = 16
# A frame that is darker or brighter by more than this is no flicker: it is left as it is.
GREATEST_GAIN = 1.5


class Light(NamedTuple):
    """A small picture of a frame: sums of brightness, and how many pixels counted."""

    total: Array
    pixels: Array


class Measured(NamedTuple):
    """What one pass learns of a frame."""

    sharpness: tuple[Sharpness, ...]
    light: Light
    noise: float  # standard deviation of the brightness
    top: float  # largest brightness, or darkness of data below 0


def measure_frame(stack: Stack, index: int, channels: ChannelWeights) -> Measured:
    """Read a frame and measure its sharpness at two scales, its light and its noise."""
    grey, valid = brightness_of(stack, channels).read(index)
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
    top = float(max(grey.max(), -grey.min()))
    return Measured(scales, _light(coarse, support), fine_noise, top)


def reference_light(stack: Stack, channels: ChannelWeights) -> Light:
    """Measure the light of the middle frame; of two in the middle, so that order is no matter."""
    numbers = np.flatnonzero(stack.used)
    middle = {int(numbers[(len(numbers) - 1) // 2]), int(numbers[len(numbers) // 2])}
    greys = (brightness_of(stack, channels).read(index) for index in sorted(middle))
    lights = [_light(*_coarse(grey.astype(np.float32, copy=False), valid)) for grey, valid in greys]
    return Light(*(sum(pictures) / len(lights) for pictures in zip(*lights, strict=True)))


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
