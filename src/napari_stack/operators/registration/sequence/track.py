"""Frames between two that were found: started from where these say, and checked cheaply."""

from dataclasses import dataclass, replace

import numpy as np

from napari_stack.core.matrices import Matrix
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.gauss_newton import (
    Refined,
    corner_distance,
    fused,
    level_to_frame,
    likeness,
    normed,
    overlap_of,
    refine_level,
)
from napari_stack.operators.registration.refinement.motion_models import Transform, nearest
from napari_stack.operators.registration.refinement.uncertainty import measure_uncertainty
from napari_stack.operators.registration.search.align import Alignment
from napari_stack.operators.registration.search.evidence import local_likeness
from napari_stack.operators.registration.search.fourier_mellin import shifted
from napari_stack.operators.registration.search.limits import Limits

#: One frame in so many is searched for from anywhere; those between start from these. Of long
#: recordings one in `FAR_KEYS` is, and one in `KEYS` starts from those first.
KEYS, FAR_KEYS = 16, 64
#: Shortest side of the level that a frame between is first refined on, and checked on.
FIRST_SIDE = 96
#: Steps on the coarsest level, and on those between and the finest, from next to their place.
FIRST_STEPS, NEXT_STEPS = 6, 1
#: They end where the corners move by less than this, in pixels of the level.
CONVERGED = 0.02
#: The last step may move the corners by so many pixels.
LAST_STEP = 0.5
#: A frame between is as much alike as the searched ones, or has this share of it ...
LEAST_ALIKE = 0.8
#: ... nearly everywhere: the share of the frame may be so much less.
LARGEST_LOST = 0.1
#: Where the likeness of searched frames was above the first, that of others is above the second.
LIKE, UNLIKE = 0.5, 0.25
#: The likeness is less at so many pixels of the level to each side.
BESIDE = 1.5


@dataclass(frozen=True, eq=False)
class Match:
    """How much alike two frames are on a coarse level: as a whole, and around each place."""

    whole: float
    local: Image
    central: bool

    def like(self, other: "Match") -> bool:
        """Whether this is as good a match as another one, nearly everywhere."""
        lost = (np.nan_to_num(other.local) > LIKE) & (self.local < UNLIKE)
        return bool(
            self.central
            and self.whole >= LEAST_ALIKE * other.whole
            and lost.sum() <= LARGEST_LOST * max(np.isfinite(other.local).sum(), 1)
        )


def match(reference: Prepared, moving: Prepared, matrix: Matrix) -> Match:
    """Compare two frames on a coarse level under a matrix."""
    level = coarsest(reference)
    factor = reference.factors[level]
    images = reference.levels[level], moving.levels[level]
    fixed, warped = overlap_of(*images, matrix, factor)
    valid, whole = np.isfinite(fixed), likeness(fixed, warped)
    step = BESIDE * factor
    beside = [
        likeness(*overlap_of(*images, matrix @ shifted(x, y), factor))
        for x, y in ((step, 0), (-step, 0), (0, step), (0, -step))
    ]
    local = local_likeness(np.nan_to_num(fixed), np.nan_to_num(warped), valid)
    return Match(whole, local, whole > max(beside))


def coarsest(reference: Prepared) -> int:
    """Return the number of the level that a frame between is first refined on."""
    fitting = [i for i, level in enumerate(reference.levels) if min(level.shape) >= FIRST_SIDE]
    return fitting[-1] if fitting else 0


def follow(
    reference: Prepared,
    moving: Prepared,
    start: Matrix,
    expected: Match,
    quality: float,
    transform: Transform,
    limits: Limits,
) -> tuple[Alignment, Match] | None:
    """Refine a start that is close; None where the frame does not lie there as surely.

    Parameters
    ----------
    reference, moving : Prepared
        `moving` may be without coarse image and spectrum.
    start : ndarray (3, 3)
    expected : Match
        Of a searched frame next to it.
    quality : float
        That frame's.
    transform, limits
        As of `align`.
    """
    matrix, first = nearest(start, transform, reference.shape), coarsest(reference)
    state = Refined(matrix)
    for level in range(first, -1, -1):
        matrix, factor = state.matrix, reference.factors[level]
        steps = FIRST_STEPS if level == first else NEXT_STEPS
        to_frame = level_to_frame(factor)
        to_level = np.linalg.inv(to_frame)
        refined = refine_level(
            reference.levels[level], moving.levels[level], to_level @ matrix @ to_frame,
            transform, steps, reference.areas[level], CONVERGED,
        )  # fmt: skip
        if refined is None:
            return None
        matrix, error = normed(to_frame @ refined[0] @ to_level), factor * refined[1]
        move = corner_distance(state.matrix, matrix, reference.shape)
        if level == 0 and error < state.error:
            state = Refined(matrix, shares=((factor, 1.0),))
        else:
            state = fused(state, matrix, error, move, factor, transform, reference.shape)
    matrix = state.matrix
    if move > LAST_STEP * reference.factors[0]:
        return None
    if not limits.allow(matrix, reference.shape):
        return None
    found = match(reference, moving, matrix)
    if not found.like(expected):
        return None
    # One level tells the covariance nearly as well as all, in half the time.
    state = replace(state, shares=(max(state.shares, key=lambda share: share[1]),))
    matrix, covariance = measure_uncertainty(reference, moving, state, transform)
    return Alignment(matrix, quality, True, covariance=covariance), found
