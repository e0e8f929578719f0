"""Keeps the discs that bright spots become out of focus from passing for sharp."""

from typing import Any, NamedTuple

import numpy as np

from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.pyramid_levels import rows_at

Array = np.ndarray[Any, Any]

# Gaussian window, in pixels at a quarter of the size, over which light is averaged.
WINDOW = 1.0
# Share of the brightest pixel that is added to the light: noise in the dark is no contrast.
PEDESTAL = 0.1
# Sharpness is divided by the light around a pixel to this power. Where the camera clips, a disc has
# a longer rim than the spot in focus, but more light: halos (benchmarks/focus_halos.py) shrink to
# a third, and all other scenes stay within 0.1 dB.
POWER = 3
# A frame with this much more light at a place than the darkest one is veiled there by something
# bright: its details count for less, by the excess to the last power. More light than that of the
# texture itself is left alone (benchmarks/focus_quality.py stays within 0.03 dB).
FREE, VEIL_PEDESTAL, VEIL_POWER = 1.5, 0.03, 4
# That light comes from something so many times brighter than half of the image, and so bright as a
# share of the brightest pixel, within so many pixels at half the size, in the very frame that is
# dark there. Frames may differ for other reasons too: what is clear, on bright ground, refracts.
MUCH, CORE, CORE_REACH = 3.0, 0.25, 8


class Light(NamedTuple):
    """The light around each pixel, at a quarter of the size, and what is little of it."""

    mean: Array
    pedestal: float

    @property
    def has_highlights(self) -> bool:
        """Whether anything can be much brighter than half of the image."""
        return MUCH * float(np.median(self.mean)) <= self.pedestal / PEDESTAL


def light_around(coarse: Array, top: float) -> Light:
    """Return the light around each pixel of a frame.

    Parameters
    ----------
    coarse : (y, x) ndarray of float
        Its brightness at a quarter of the size.
    top : float
        Its brightest pixel.
    """
    mean = cv2.GaussianBlur(coarse, (0, 0), WINDOW, borderType=cv2.BORDER_REPLICATE)
    return Light(np.maximum(mean, 0), PEDESTAL * max(top, 0.0))


def weigh_by_light(energy: Array, light: Array, usual: Light, noise: float = 0.0) -> None:
    """Scale sharpness (y, x), in place, by how much light there usually is around each pixel.

    What noise gives, `noise`, is left as it is.
    """
    if usual.pedestal <= 0:
        return
    factor = (usual.mean + np.float32(usual.pedestal)) / (light + np.float32(usual.pedestal))
    factor **= POWER
    full = cv2.resize(factor, energy.shape[::-1], interpolation=cv2.INTER_LINEAR)
    if noise > 0:
        above = np.maximum(energy - np.float32(noise), 0) / np.maximum(energy, np.float32(noise))
        full = 1 + (full - 1) * above
    np.multiply(energy, full, out=energy, where=energy > 0)


class DarkPlaces:
    """The least light of all frames, and the brightest thing beside it, at half the size.

    Parameters
    ----------
    shape : (int, int)
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.light = np.full(shape, np.inf, np.float32)
        self.contrast, self.core = (np.full(shape, -1, np.float32) for _ in range(2))

    def add(self, half: Array) -> None:
        """Take in a frame at half its size, infinite where it is not valid."""
        valid = np.isfinite(half)
        known = np.where(valid, half, 0)
        core = cv2.dilate(known, np.ones((2 * CORE_REACH + 1,) * 2, np.uint8))
        self._take(half, np.where(valid, core - known, -1), core)

    def merge(self, later: "DarkPlaces") -> None:
        """Take in the state of the frames that follow."""
        self._take(later.light, later.contrast, later.core)

    def _take(self, light: Array, contrast: Array, core: Array) -> None:
        np.minimum(self.light, light, out=self.light)
        larger = contrast > self.contrast
        np.copyto(self.contrast, contrast, where=larger)
        np.copyto(self.core, core, where=larger)

    def least(self, top: float) -> Array:
        """Return the least light, infinite where nothing is bright beside what is dark."""
        known = np.isfinite(self.light)
        if not known.any():
            return self.light
        bright = max(CORE * top, MUCH * float(np.median(self.light[known])))
        return np.where(self.core >= bright, self.light, np.float32(np.inf))


class Veils(NamedTuple):
    """What tells where light of bright things out of focus lies over frames."""

    least: Array  # (Y, X), of `DarkPlaces`, at half the size
    label: Array  # (y, x), the frame that is sharpest around each pixel

    def rows(self, rows: slice) -> "Veils":
        """Return those of some rows; the start is even."""
        return Veils(self.least[rows_at(rows, 1)], self.label[rows])

    def share(self, half: Array, index: int, top: float) -> Array:
        """Return how far details of a frame count at each pixel, at half the size.

        Wholly, where the frame is the sharpest one, so that bright things themselves stay.

        Parameters
        ----------
        half : (Y, X) ndarray of float
            The frame's brightness at half its size.
        index : int
            Its number.
        top : float
            The brightest pixel of all frames.
        """
        pedestal = np.float32(VEIL_PEDESTAL * max(top, float(np.finfo(np.float32).tiny)))
        least, light = (np.maximum(plane, 0) + pedestal for plane in (self.least, half))
        least *= np.float32(FREE)
        share = np.minimum(least / light, 1).astype(np.float32)
        share **= VEIL_POWER
        share[self.label[::2, ::2] == index] = 1
        return share
