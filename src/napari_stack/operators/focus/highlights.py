"""Keeps the discs that bright spots become out of focus from passing for sharp."""

from typing import Any, NamedTuple

import numpy as np

from napari_stack.engine.opencv import cv2

Array = np.ndarray[Any, Any]

# Gaussian window, in pixels at a quarter of the size, over which light is averaged.
WINDOW = 1.0
# Share of the brightest pixel that is added to the light: noise in the dark is no contrast.
PEDESTAL = 0.1
# Sharpness is divided by the light around a pixel to this power. Where the camera clips, a disc has
# a longer rim than the spot in focus, but more light: halos (benchmarks/focus_halos.py) shrink to
# a third, and all other scenes stay within 0.1 dB.
POWER = 3


class Light(NamedTuple):
    """The light around each pixel, at a quarter of the size, and what is little of it."""

    mean: Array
    pedestal: float


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


def weigh_by_light(energy: Array, light: Array, usual: Light) -> None:
    """Scale sharpness (y, x), in place, by how much light there usually is around each pixel."""
    if usual.pedestal <= 0:
        return
    factor = (usual.mean + np.float32(usual.pedestal)) / (light + np.float32(usual.pedestal))
    factor **= POWER
    full = cv2.resize(factor, energy.shape[::-1], interpolation=cv2.INTER_LINEAR)
    np.multiply(energy, full, out=energy, where=energy > 0)
