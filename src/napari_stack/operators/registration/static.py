"""Patterns that stay with the sensor while the scene moves: offsets of pixels, dust, hot pixels."""

import numpy as np

from napari_stack.core.matrices import Matrix
from napari_stack.engine.opencv import cv2
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.gauss_newton import (
    corner_distance,
    likeness,
    overlap_of,
)

#: A frame that moved less than the first, in pixels of the finest level, has not moved; one that
#: moved further than the second is not held by a pattern.
STILL, FAR = 0.3, 16.0
#: Sigma, in pixels of the finest level, of what is taken off to leave fine detail.
DETAIL_SIGMA = 1.5
#: Detail that is more alike without the motion, by so many standard deviations of chance, stays.
CHANCE = 5.0
#: Pixels of fine detail over which its noise is correlated.
NOISE_AREA = 4.0


def held_by_pattern(reference: Prepared, moving: Prepared, matrix: Matrix) -> bool:
    """Whether fine detail of two frames fits better where the sensor is than where the scene is.

    Such a pattern pulls a small motion towards none: what is found lies between the two.
    """
    factor = reference.factors[0]
    move = corner_distance(matrix, np.eye(3), reference.shape) / factor
    if not STILL < move < FAR:
        return False
    images = [_detail(prepared.levels[0]) for prepared in (reference, moving)]
    moved = likeness(*overlap_of(images[0], images[1], matrix, factor))
    still = likeness(*overlap_of(images[0], images[1], np.eye(3), factor))
    count = np.count_nonzero(np.isfinite(images[0])) / NOISE_AREA
    return bool(still > moved + CHANCE / np.sqrt(max(count, 1)))


def _detail(image: Image) -> Image:
    plain = np.nan_to_num(image)
    detail: Image = plain - cv2.GaussianBlur(plain, (0, 0), DETAIL_SIGMA)
    # Strong structure is compressed, so that a few bright pixels do not decide.
    detail = np.arcsinh(detail)
    detail[np.isnan(image)] = np.nan
    return detail
