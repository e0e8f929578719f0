"""Frames between two that were found: started from where these say, and checked cheaply."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix, centre_of, moved
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.gauss_newton import (
    Refined,
    frame_to_level,
    fused,
    level_to_frame,
    warp_coarsely,
)
from napari_stack.operators.registration.refinement.motion_models import (
    Transform,
    nearest,
)
from napari_stack.operators.registration.refinement.one_level import (
    corner_distance,
    normed,
    refine_level,
)
from napari_stack.operators.registration.refinement.sharpness import (
    feigned_growth,
    refined_alike,
)
from napari_stack.operators.registration.refinement.uncertainty import (
    measure_uncertainty,
    of_entries,
    of_growth,
    of_unknowns,
)
from napari_stack.operators.registration.search.align import Alignment
from napari_stack.operators.registration.search.correlation import (
    compressed,
    correlate,
    peaks,
    spectrum_of,
)
from napari_stack.operators.registration.search.evidence import local_likeness
from napari_stack.operators.registration.search.fourier_mellin import shifted
from napari_stack.operators.registration.search.limits import Limits

#: One frame in so many is searched for from anywhere; those between start from these. Of long
#: recordings one in up to `FAR_KEYS` is; one in `KEYS` starts from those first.
KEYS, FAR_KEYS = 16, 256
#: Shortest side of the level that a frame between is first refined on, and checked on.
FIRST_SIDE = 96
#: Steps on the coarsest level, and on finer ones, from next to their place.
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
#: Frames beside one whose sharpness would mislead by more than this, in px at the corners, and by
#: so many times what noise does, are made as sharp as the reference, which needs all levels.
LEAST_GROWTH, NOISES = 0.02, 2.0
#: The first unknowns of a transform, which sharpness does not change.
SHIFTS = 2
#: The likeness is less at so many pixels of the level to each side.
BESIDE = 2
#: A correlation has one peak where no other is higher than this share of it.
LARGEST_SECOND = 0.4
#: Of rows on finer levels than the coarsest, one in so many is taken: the fine blur leaves little
#: that its neighbour does not say.
APART = 2


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


@dataclass(frozen=True, eq=False)
class Place:
    """Where a frame lies, and what those beside it are compared with.

    Attributes
    ----------
    alignment : Alignment
    match : Match
    levels : tuple of int
        Numbers of the levels that a frame beside it is refined on, the coarsest first.
    error : float
        What that refinement expects to be off at the corners, in pixels of the frame.
    unknowns : ndarray
        Covariance of the unknowns of the transform, but for what unlike sharpness does.
    growth : float
        By how much, in px at the corners, its sharpness would mislead a refinement.
    """

    alignment: Alignment
    match: Match
    levels: tuple[int, ...]
    error: float
    unknowns: NDArray[np.float64]
    growth: float = 0.0

    @property
    def unlike(self) -> bool:
        """Whether the frame is so unlike the reference in sharpness that those beside it may be."""
        return _unlike(self.unknowns, self.growth)

    @property
    def wanted(self) -> tuple[int, ...]:
        """Numbers of the levels that a frame beside it is measured on; none: all of them."""
        return () if self.unlike else self.levels


def placed(
    reference: Prepared, moving: Prepared, alignment: Alignment, transform: Transform
) -> Place | None:
    """Tell what frames beside one that was searched for are compared with.

    The finest level alone follows the coarsest where it tells most; else all of them count.
    None where a refinement does not stay in its place.
    """
    every, matrix = tuple(range(coarsest(reference), -1, -1)), alignment.matrix
    alone = [_descended(reference, moving, matrix, (n,), transform) for n in every]
    errors = [np.inf if state is None else state.error for state in alone]
    levels = tuple(dict.fromkeys((every[0], 0))) if errors[-1] <= min(errors) else every
    state = _descended(reference, moving, matrix, levels, transform)
    if state is None:
        return None
    # Not that of the search: here the reference is without its defects, and may tell less. One
    # level tells nearly as well as all, in half the time.
    state = replace(state, shares=(max(state.shares, key=lambda share: share[1]),))
    _, covariance = measure_uncertainty(reference, moving, state, transform)
    unknowns = of_unknowns(state.matrix, covariance, transform, reference.shape)
    found = match(reference, moving, matrix)
    growth = feigned_growth(reference, moving, matrix, transform)
    return Place(alignment, found, levels, state.error, unknowns, growth)


def _unlike(unknowns: NDArray[np.float64], growth: float) -> bool:
    """Whether sharpness would mislead by more than noise does."""
    if len(unknowns) <= SHIFTS:
        return False
    noise = float(np.sqrt(np.trace(unknowns[SHIFTS:, SHIFTS:]) / (len(unknowns) - SHIFTS)))
    return growth > max(LEAST_GROWTH, NOISES * noise)


def match(reference: Prepared, moving: Prepared, matrix: Matrix) -> Match:
    """Compare two frames on a coarse level under a matrix."""
    level = coarsest(reference)
    factor, fixed = reference.factors[level], reference.levels[level]
    place = frame_to_level(factor) @ matrix @ level_to_frame(factor)
    warped = warp_coarsely(moving.levels[level], place)
    valid = np.isfinite(fixed + warped)
    if not valid.all():
        fixed, warped = (np.where(valid, image, np.float32(0)) for image in (fixed, warped))
    whole = float(fixed.ravel() @ warped.ravel())
    beside = [
        float(np.vdot(one, other))
        for first, second in ((fixed, warped), (warped, fixed))
        for one, other in (
            (first[BESIDE:], second[:-BESIDE]), (first[:, BESIDE:], second[:, :-BESIDE])
        )
    ]  # fmt: skip
    power = float(fixed.ravel() @ fixed.ravel()) * float(warped.ravel() @ warped.ravel())
    likeness = whole / np.sqrt(power) if power > 0 else -1.0
    return Match(likeness, local_likeness(fixed, warped, valid), whole > max(beside))


def coarsest(reference: Prepared) -> int:
    """Return the number of the level that a frame between is first refined on."""
    fitting = [i for i, shape in enumerate(reference.levels.shapes) if min(shape) >= FIRST_SIDE]
    return fitting[-1] if fitting else 0


def starts(reference: Prepared, moving: Prepared, predicted: Matrix) -> Iterator[Matrix]:
    """Give what was predicted, then the same shifted to where the coarsest levels correlate.

    There alone, and only where no other peak comes near: a scene that repeats is not searched for
    by this.
    """
    yield predicted
    level = coarsest(reference)
    images = (compressed(frame.levels[level]) for frame in (reference, moving))
    first, second = peaks(correlate(*map(spectrum_of, images)), 2)
    if second.height < LARGEST_SECOND * first.height:
        factor, centre = reference.factors[level], centre_of(reference.shape)
        place = moved(predicted, centre[None])[0]
        x, y = centre + factor * np.array([first.x, first.y]) - place
        yield shifted(x, y) @ predicted


def follow(
    reference: Prepared,
    moving: Prepared,
    start: Matrix,
    beside: Place,
    quality: float,
    transform: Transform,
    limits: Limits,
    *,
    afresh: bool = False,
) -> Place | None:
    """Refine a start that is close; None where the frame does not lie there as surely.

    Its covariance is that of the frame beside it, as much greater or less as the refinement
    expects to be off more or less.

    Parameters
    ----------
    reference, moving : Prepared
        `moving` may be without coarse image and spectrum, and have no levels but those `wanted`.
    start : ndarray (3, 3)
    beside : Place
        A frame next to it.
    quality : float
        The quality to give.
    transform, limits
        As of `align`.
    afresh : bool
        Measure its sharpness, which takes all levels; else it is taken to be that of `beside`.
    """
    begin = nearest(start, transform, reference.shape)
    state = _descended(reference, moving, begin, beside.levels, transform)
    if state is None or not limits.allow(state.matrix, reference.shape):
        return None
    found = match(reference, moving, state.matrix)
    if not found.like(beside.match):
        return None
    unknowns = beside.unknowns * (state.error / beside.error) ** 2
    matrix, misled = state.matrix, beside.alignment.misled
    growth, unlike = beside.growth, beside.unlike
    if afresh:
        growth = feigned_growth(reference, moving, matrix, transform)
        unlike = _unlike(unknowns, growth)
    if unlike:
        again = partial(_on_every_level, transform=transform)
        _, _, found_again, misled = refined_alike(reference, moving, state, transform, again)
        matrix = found_again.matrix
    whole = unknowns + of_growth(misled, len(unknowns))
    covariance = of_entries(matrix, whole, transform, reference.shape)
    alignment = Alignment(matrix, quality, True, covariance=covariance, misled=misled)
    return Place(alignment, found, beside.levels, state.error, unknowns, growth)


def _on_every_level(
    reference: Prepared, moving: Prepared, matrix: Matrix, transform: Transform
) -> Refined | None:
    every = tuple(range(coarsest(reference), -1, -1))
    return _descended(reference, moving, matrix, every, transform)


def _descended(
    reference: Prepared,
    moving: Prepared,
    matrix: Matrix,
    levels: tuple[int, ...],
    transform: Transform,
) -> Refined | None:
    """Refine on some levels, from coarse to fine; None where the last one leads away."""
    state, move = Refined(matrix), 0.0
    for level in levels:
        factor = reference.factors[level]
        to_frame, to_level = level_to_frame(factor), frame_to_level(factor)
        refined = refine_level(
            reference.levels[level], moving.levels[level], to_level @ state.matrix @ to_frame,
            transform, FIRST_STEPS if level == levels[0] else NEXT_STEPS,
            reference.areas[level], CONVERGED, 1 if level == levels[0] else APART,
        )  # fmt: skip
        if refined is None:
            return None
        matrix, error = normed(to_frame @ refined[0] @ to_level), factor * refined[1]
        move = corner_distance(state.matrix, matrix, reference.shape)
        if level == 0 and error < state.error:
            state = Refined(matrix, error=error, shares=((factor, 1.0),))
        else:
            state = fused(state, matrix, error, move, factor, transform, reference.shape)
    return None if len(levels) > 1 and move > LAST_STEP * reference.factors[0] else state
