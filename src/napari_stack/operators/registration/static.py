"""Patterns that stay with the sensor while the scene moves: offsets of pixels, dust, hot pixels."""

import numpy as np

from napari_stack.core.matrices import Matrix
from napari_stack.engine.opencv import cv2
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.gauss_newton import likeness, overlap_of
from napari_stack.operators.registration.refinement.one_level import corner_distance
from napari_stack.operators.registration.search.evidence import Evidence

#: A frame that moved less than the first, in pixels of the finest level that was measured, has not
#: moved; one that moved further than the second is not held by a pattern.
STILL, FAR = 0.3, 16.0
#: Sigma, in pixels of that level, of what is taken off to leave fine detail.
DETAIL_SIGMA = 1.5
#: Detail that is more alike without the motion, by so many standard deviations of chance, stays.
CHANCE = 5.0
#: Frames whose corners lie closer than this, in coarse pixels, on average, lie in one place.
NEXT_TO = 3.0
#: By few parts: less than the first share of the tiles match clearly, the second peak at zero, ...
FEW_CLEAR, FEW_PLACED = 0.36, 0.7
#: ... and more than this share shows structure that is not alike: ...
LARGEST_OPEN = 0.06
#: a blur of so many coarse pixels leaves this share of its power (of noise it leaves 0.14), with a
#: correlation coefficient below the last.
STRUCTURE_SIGMA, STRUCTURE, UNLIKE = 2.5, 0.35, 0.6
#: Pixels of fine detail over which its noise is correlated.
NOISE_AREA = 4.0


def held_by_pattern(reference: Prepared, moving: Prepared, matrix: Matrix, level: int = 0) -> bool:
    """Whether fine detail of two frames fits better where the sensor is than where the scene is.

    Such a pattern pulls a small motion towards none: what is found lies between the two. It is
    looked for on the finest level that the motion was measured on; the blocks of JPEG, for one,
    stay in their places on levels that are finer than what blurred frames show.
    """
    factor = reference.factors[level]
    move = corner_distance(matrix, np.eye(3), reference.shape) / factor
    if not STILL < move < FAR:
        return False
    images = [_detail(prepared.levels[level]) for prepared in (reference, moving)]
    moved = likeness(*overlap_of(images[0], images[1], matrix, factor))
    still = likeness(*overlap_of(images[0], images[1], np.eye(3), factor))
    count = np.count_nonzero(np.isfinite(images[0])) / NOISE_AREA
    return bool(still > moved + CHANCE / np.sqrt(max(count, 1)))


def only_pattern(reference: Prepared, moving: Prepared, matrix: Matrix, evidence: Evidence) -> bool:
    """Whether two frames lie in one place by few of their parts, though others show structure.

    Dust and the like are all that matches then; what moves on a ground that stays matches in more.
    """
    factor, tiles, tile = reference.coarse_factor, len(evidence.points), evidence.tile
    if corner_distance(matrix, np.eye(3), reference.shape) > NEXT_TO * factor:
        return False
    if evidence.in_place > FEW_CLEAR * tiles or evidence.placed.mean() > FEW_PLACED:
        return False
    places = np.round((evidence.points - (factor - 1) / 2) / factor).astype(int)

    def sums(image: Image) -> Image:
        return cv2.boxFilter(image, -1, (tile, tile))[places[:, 1], places[:, 0]]

    first, second = (
        np.nan_to_num(i) for i in overlap_of(reference.coarse, moving.coarse, matrix, factor)
    )
    one, two = (cv2.GaussianBlur(i, (0, 0), STRUCTURE_SIGMA) for i in (first, second))
    of_one, of_two = sums(one * one), sums(two * two)
    structured = (of_one > STRUCTURE * sums(first * first)) & (
        of_two > STRUCTURE * sums(second * second)
    )
    unlike = sums(one * two) < UNLIKE * np.sqrt(of_one * of_two)
    return bool(np.mean(structured & unlike & ~evidence.placed) > LARGEST_OPEN)


def _detail(image: Image) -> Image:
    plain = np.nan_to_num(image)
    detail: Image = plain - cv2.GaussianBlur(plain, (0, 0), DETAIL_SIGMA)
    # Strong structure is compressed, so that a few bright pixels do not decide.
    detail = np.arcsinh(detail)
    detail[np.isnan(image)] = np.nan
    return detail
