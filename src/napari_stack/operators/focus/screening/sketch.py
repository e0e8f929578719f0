"""`Sketch`: what is kept of a frame to compare it with the others when all have been seen."""

from typing import Any, NamedTuple

import numpy as np

from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.focus_measure import (
    noise_response,
    noise_rows,
    sharpness,
)

Array = np.ndarray[Any, Any]

# Pixels along the longer side of a frame's picture, and cells along that of its sharpness.
PICTURE, CELLS = 256, 32


class Sketch(NamedTuple):
    """A small picture of a frame, and how sharp it is in each cell.

    Attributes
    ----------
    picture : (y, x) ndarray of float32
        Brightness; its mean where a pixel is not valid.
    valid : (y, x) ndarray of bool
        Where all pixels behind one of the picture are valid.
    energy : (Y, X) ndarray of float32
        Sharpness at a quarter of the size, averaged over cells.
    deviation, noise : float
        Standard deviation of the frame at a quarter of its size, and that of its noise there.
    clipped : float
        Share of the pixels that are as bright as the brightest.
    scale : float
        Pixels of the frame in one of the picture.
    """

    picture: Array
    valid: Array
    energy: Array
    deviation: float
    noise: float
    clipped: float
    scale: float


def sketch(grey: Array, coarse: Array, support: Array | None) -> Sketch:
    """Sketch a frame from rows of its brightness and the whole at a quarter of its size.

    Parameters
    ----------
    grey : (n, x) ndarray of float
        Some rows.
    coarse : (y, x) ndarray of float
    support : (y, x) ndarray of bool or None
        Where all pixels behind one of `coarse` are valid; None for everywhere.
    """
    coarse = coarse.astype(np.float32, copy=False)
    known = np.ones(coarse.shape, bool) if support is None else support
    if not known.all():
        coarse = np.where(known, coarse, coarse[known].mean() if known.any() else np.float32(0))
    size = _size_within(coarse.shape, PICTURE)
    picture = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_AREA)
    share = cv2.resize(known.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    cells = _size_within(coarse.shape, CELLS)[::-1]
    energy = cv2.resize(sharpness(coarse), cells, interpolation=cv2.INTER_AREA)
    deviation = float(np.std(coarse[known], dtype=float)) if known.any() else 0.0
    top = float(grey.max())
    clipped = float(np.mean(grey >= top - abs(top) / 1000))
    scale = 4 * max(coarse.shape) / max(size)
    return Sketch(picture, share > 1 - 1e-4, energy, deviation, _noise(coarse), clipped, scale)


def _size_within(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    share = min(longest / max(shape), 1)
    return max(1, round(shape[0] * share)), max(1, round(shape[1] * share))


def _noise(coarse: Array) -> float:
    if min(coarse.shape) < 3:
        return 0.0
    response = noise_response(coarse, noise_rows(coarse.shape[0]))
    return float(np.median(np.abs(response))) / 0.6745 / 6
