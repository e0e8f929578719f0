"""Which transform the frames can tell: a turn about the one place that matches is not known."""

import numpy as np

from napari_stack.core.matrices import Matrix, centre_of, moved
from napari_stack.operators.geometry.covariance import at_points
from napari_stack.operators.registration.preprocess import Prepared
from napari_stack.operators.registration.refinement.gauss_newton import likeness, overlapping
from napari_stack.operators.registration.refinement.motion_models import (
    TRANSFORMS,
    Transform,
    unknowns_of,
    update_matrix,
)
from napari_stack.operators.registration.search.evidence import Evidence

#: A change that moves the corners by so many coarse pixels must make the frames less alike ...
TEST_MOVE = 3.0
#: ... by so many standard deviations of the likeness of noise.
LEAST_SIGMAS = 4.0
#: Area, in coarse pixels, over which the noise of a band-passed image is correlated.
NOISE_AREA = 12.0
#: So many tiles in place, this far apart (rms from their centre, as a share of the half diagonal),
#: determine any transform: no test is needed.
MANY_TILES, WIDE = 8, 0.3
#: Edges that are all parallel leave a shift along them unknown: there its standard deviation is
#: more than so many pixels, and more than so many times that across. The least seen of such frames
#: was 0.75 px, and 80 times.
SLIDES, TIMES_ACROSS = 0.4, 30.0


def slides(matrix: Matrix, covariance: Matrix, shape: tuple[int, int]) -> bool:
    """Whether a frame may lie elsewhere along edges that are all parallel, as well as there.

    Noise decides then where along them, and no other hypothesis contradicts it.
    """
    if not np.isfinite(covariance).all():
        return False
    at_centre = at_points(matrix[None], covariance[None], centre_of(shape)[None])[0, 0]
    across, along = np.sqrt(np.maximum(np.linalg.eigvalsh(at_centre), 0.0))
    return bool(along > SLIDES and along > TIMES_ACROSS * across)


def determined(
    reference: Prepared, moving: Prepared, matrix: Matrix, evidence: Evidence, transform: Transform
) -> Transform:
    """Return the richest transform, up to the one asked for, whose unknowns the frames determine.

    Every unknown is changed a little about the centre of what matches: where that makes the
    frames no less alike, than by chance, nothing is known about it.
    """
    good = evidence.clear & evidence.placed
    places = evidence.points[good]
    if transform == "translation" or _spread_wide(places, reference.shape):
        return transform
    centre = _centre(evidence, reference)
    fixed, warped = overlapping(reference, moving, matrix)
    at_best = likeness(fixed, warped)
    count = np.count_nonzero(np.isfinite(fixed)) / NOISE_AREA
    noise = (1 - at_best + 0.02) * np.sqrt(2 / max(count, 1))
    known: Transform = "translation"
    for richer in TRANSFORMS[1 : TRANSFORMS.index(transform) + 1]:
        for unknown in unknowns_of(richer)[2:]:
            for sign in (-1, 1):
                step = sign * TEST_MOVE * reference.coarse_factor * unknown
                changed = matrix @ _about(centre, update_matrix(step, richer, reference.shape))
                less = at_best - likeness(*overlapping(reference, moving, changed / changed[2, 2]))
                if less < LEAST_SIGMAS * noise:
                    return known
        known = richer
    return known


def _spread_wide(places: Matrix, shape: tuple[int, int]) -> bool:
    if len(places) < MANY_TILES:
        return False
    spread = np.sqrt(np.linalg.eigvalsh(np.cov(places.T))[0])
    return bool(spread > WIDE * np.hypot(*shape) / 2 / 2)


def _centre(evidence: Evidence, reference: Prepared) -> Matrix:
    weights = np.clip(evidence.at_zero - 3, 0, 6) + 1e-6
    if not len(weights):
        return np.array([(side - 1) / 2 for side in reference.shape[::-1]])
    return weights @ evidence.points / weights.sum()


def _about(centre: Matrix, update: Matrix) -> Matrix:
    """Matrix that changes all but the place of a centre as another does."""
    shift = np.eye(3)
    shift[:2, 2] = centre - moved(update, centre[None])[0]
    return shift @ update
