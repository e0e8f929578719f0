"""Sub-pixel refinement of a transform: Gauss-Newton over a pyramid, with gain and offset."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from napari_stack.core.matrices import Matrix
from napari_stack.engine.opencv import cv2
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.motion_models import Transform, nearest
from napari_stack.operators.registration.refinement.one_level import (
    ITERATIONS,
    corner_distance,
    normed,
    refine_level,
)

#: Refinement starts at the coarsest level whose shortest side is at least this.
FIRST_SIZE = 64
#: A finer level may move the corners by this many of its own pixels, or as far as the one before.
LARGEST_MOVE = 0.25
#: ... or by this many of its expected errors.
SIGMAS = 2.0
#: More is believed only where it raises the correlation coefficient of the frames by this.
LEAST_GAIN = 0.005


@dataclass(frozen=True, eq=False)
class Refined:
    """A matrix on its way through the levels.

    With it go how far it moved last and its expected error, both as the mean over the corners in
    pixels of the frame, and whether no finer level is to be tried; and the factors of the levels
    that it was made of, each with its share in it.
    """

    matrix: Matrix
    move: float = np.inf
    error: float = np.inf
    ended: bool = False
    shares: tuple[tuple[int, float], ...] = ()


def refine(
    reference: Prepared,
    moving: Prepared,
    start: Refined,
    transform: Transform,
    factors: tuple[int, ...],
    iterations: int = ITERATIONS,
) -> Refined:
    """Refine the matrix (3, 3) from the reference to the moving frame, coarse to fine.

    Levels with the given factors are used. One that moves the corners further than the level
    before did, and does not make the frames more alike, is not believed (frames out of focus
    diverge on fine levels): the refinement ends there.

    Compositional Gauss-Newton (Baker & Matthews 2004) with robust weights; both frames enter
    alike (Malis 2004), so that noise and blur of one of them do not bias the result.
    """
    state = start
    for level in range(_first(reference), -1, -1):
        if state.ended:
            break
        if reference.factors[level] in factors:
            state = _next(reference, moving, state, transform, level, iterations)
    return state


def _next(
    reference: Prepared,
    moving: Prepared,
    state: Refined,
    transform: Transform,
    level: int,
    iterations: int,
) -> Refined:
    factor = reference.factors[level]
    to_full, to_level = level_to_frame(factor), frame_to_level(factor)
    images = reference.levels[level], moving.levels[level]
    area = reference.areas[level]
    found, matrix = None, to_level @ state.matrix @ to_full
    for model in _models(transform, level == _first(reference)):
        found = refine_level(*images, matrix, model, iterations, area)
        if found is None:
            return state
        matrix = found[0]
    assert found is not None
    matrix, error = normed(to_full @ matrix @ to_level), factor * found[1]
    move = corner_distance(matrix, state.matrix, reference.shape)
    suspect = move > max(state.move, LARGEST_MOVE * factor, SIGMAS * error)
    if suspect and _gain(reference, moving, state.matrix, matrix) < LEAST_GAIN:
        return replace(state, ended=True)
    return fused(state, matrix, error, move, factor, transform, reference.shape)


def fused(
    state: Refined,
    matrix: Matrix,
    error: float,
    move: float,
    factor: int,
    transform: Transform,
    shape: tuple[int, int],
) -> Refined:
    """Join what a level finds to what those before it did.

    Levels see different structure: what each adds counts by its expected error, so that a finest
    level of mere noise does not undo what the coarser ones know.
    """
    share = 1 / (1 + (error / state.error) ** 2)
    joined = nearest(share * matrix + (1 - share) * state.matrix, transform, shape)
    shares = (*((f, (1 - share) * s) for f, s in state.shares), (factor, share))
    return Refined(joined, move, error * float(np.sqrt(share)), shares=shares)


def _models(transform: Transform, coarsest: bool) -> tuple[Transform, ...]:
    """Name the kinds to refine a level with: many unknowns need a start that few found."""
    if coarsest and transform in ("affine", "homography"):
        return ("similarity", "affine")
    return (transform,)


def _gain(reference: Prepared, moving: Prepared, before: Matrix, after: Matrix) -> float:
    first, second = (overlapping(reference, moving, matrix) for matrix in (before, after))
    return likeness(*second) - likeness(*first)


def likeness(fixed: Image, warped: Image) -> float:
    """Correlation coefficient, in [-1, 1], of the pixels that are valid in both images."""
    both = np.isfinite(fixed) & np.isfinite(warped)
    a, b = fixed[both], warped[both]
    norm = np.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b / norm) if norm > 0 else -1.0


def overlapping(reference: Prepared, moving: Prepared, matrix: Matrix) -> tuple[Image, Image]:
    """Coarse images of the reference and of the warped frame, NaN outside their overlap."""
    return overlap_of(reference.coarse, moving.coarse, matrix, reference.coarse_factor)


def overlap_of(fixed: Image, moving: Image, matrix: Matrix, factor: int) -> tuple[Image, Image]:
    """Images of one level and the second warped to the first, NaN outside their overlap."""
    to_frame = level_to_frame(factor)
    warped = warp_coarsely(moving, frame_to_level(factor) @ matrix @ to_frame)
    fixed = np.where(np.isfinite(warped), fixed, np.float32(np.nan))
    return fixed, np.where(np.isfinite(fixed), warped, np.float32(np.nan))


def warp_coarsely(image: Image, matrix: Matrix, outside: float = np.nan) -> Image:
    """Image read at `matrix`; 1/32 px, OpenCV's step, does for what is only correlated."""
    plane = not matrix[2, :2].any()
    warp = cv2.warpAffine if plane else cv2.warpPerspective
    return warp(
        image,
        matrix[:2] if plane else matrix,
        image.shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=outside,
    )


@lru_cache(maxsize=32)
def level_to_frame(factor: int) -> Matrix:
    """Matrix from pixels of a level, means over factor x factor, to those of the frame."""
    half = (factor - 1) / 2
    return _shared(np.array([[factor, 0, half], [0, factor, half], [0, 0, 1]], dtype=np.float64))


@lru_cache(maxsize=32)
def frame_to_level(factor: int) -> Matrix:
    """Matrix from pixels of the frame to those of a level."""
    return _shared(np.asarray(np.linalg.inv(level_to_frame(factor)), np.float64))


def _shared(matrix: Matrix) -> Matrix:
    matrix.setflags(write=False)
    return matrix


def first_level(prepared: Prepared) -> int:
    """Return the factor of the level that a refinement starts on."""
    return prepared.factors[_first(prepared)]


def _first(prepared: Prepared) -> int:
    fitting = [i for i, shape in enumerate(prepared.levels.shapes) if min(shape) >= FIRST_SIZE]
    return fitting[-1] if fitting else 0
