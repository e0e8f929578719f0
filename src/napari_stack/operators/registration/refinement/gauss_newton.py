"""Sub-pixel refinement of a transform: Gauss-Newton over a pyramid, with gain and offset."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix, corners_of
from napari_stack.engine.opencv import cv2
from napari_stack.operators.geometry.warp_rows import resample
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.gauss_newton_kernels import banded, moments
from napari_stack.operators.registration.refinement.motion_models import (
    Transform,
    equations,
    nearest,
    update_matrix,
)

#: Refinement starts at the coarsest level whose shortest side is at least this.
FIRST_SIZE = 64
#: Most iterations on small levels, and on those of more than `LARGE` pixels.
ITERATIONS, FEW_ITERATIONS, LARGE = 12, 3, 600_000
#: Until the last step, one band of rows of so many is taken on large levels.
EVERY = 4
#: Iteration ends when the corners move less than this, in pixels of the level.
CONVERGED = 0.002
#: On large levels a step shorter than this leaves a tenth of it, which is below the noise.
CONVERGED_LARGE = 0.02
#: Weight of a pixel with gradient g and residual r, both in robust sigmas of the band-passed frame:
#: g^2 / (1 + g^2) / (1 + (0.3 g)^2 + (r / 2)^2). The first factor keeps noise in flat regions out,
#: the second bounds what strong edges (local displacements of 0.3 px) and outliers can do.
WEIGHTS = (1.0, 0.3**2, 0.5**2)
#: Pixels left out at the border, where the band-pass mirrors the frame: 1.5 wide sigmas, but
#: never more than a sixteenth of the side.
MARGIN = 12
#: A finer level may move the corners by this many of its own pixels, or as far as the one before.
LARGEST_MOVE = 0.25
#: ... or by this many of its expected errors.
SIGMAS = 2.0
#: Expected error of a level, in its pixels, that remains without any noise: interpolation.
LEAST_ERROR = 1e-4
#: More is believed only where it raises the correlation coefficient of the frames by this.
LEAST_GAIN = 0.005
#: Least share of the reference's valid pixels that must overlap.
LEAST_OVERLAP = 0.05
#: Places in the sums of `moments`.
WEIGHT, COUNT, POWER, NOISE = 11, 14, 15, 16


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
    to_full = level_to_frame(factor)
    to_level = np.linalg.inv(to_full)
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


def normed(matrix: Matrix) -> Matrix:
    """Return a matrix scaled so that its last entry is 1, where it can be."""
    return matrix / matrix[2, 2] if matrix[2, 2] > 0 else matrix


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
    warped = warp_coarsely(moving, np.linalg.inv(to_frame) @ matrix @ to_frame)
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


def level_to_frame(factor: int) -> Matrix:
    """Matrix from pixels of a level, means over factor x factor, to those of the frame."""
    half = (factor - 1) / 2
    return np.array([[factor, 0, half], [0, factor, half], [0, 0, 1]], dtype=np.float64)


def corner_distance(first: Matrix, second: Matrix, shape: tuple[int, int]) -> float:
    """Mean distance of the images of the four corners of a frame under two matrices."""
    one, two = first @ corners_of(shape), second @ corners_of(shape)
    if min(one[2].min(), two[2].min()) <= 0:  # a horizon runs through the frame
        return np.inf
    difference = one[:2] / one[2] - two[:2] / two[2]
    return float(np.hypot(difference[0], difference[1]).mean())


def margin_of(shape: tuple[int, ...]) -> int:
    """Return how many pixels at the border of a level are left out."""
    return max(min(MARGIN, min(shape) // 16), 1)


def first_level(prepared: Prepared) -> int:
    """Return the factor of the level that a refinement starts on."""
    return prepared.factors[_first(prepared)]


def _first(prepared: Prepared) -> int:
    fitting = [i for i, level in enumerate(prepared.levels) if min(level.shape) >= FIRST_SIZE]
    return fitting[-1] if fitting else 0


def refine_level(
    reference: Image,
    moving: Image,
    matrix: Matrix,
    transform: Transform,
    iterations: int,
    area: int,
    converged: float = CONVERGED,
) -> tuple[Matrix, float] | None:
    """Iterate on one level; None when the overlap does not determine the transform.

    Iteration ends when the corners move less than `converged`, in pixels of the level. Gives the
    matrix and its expected error at the corners, in pixels of the level.
    """
    rows, columns = reference.shape
    # Lengths in half diagonals, so that all unknowns weigh alike in the equations.
    radius = float(np.hypot(columns - 1, rows - 1) / 2)
    margin = margin_of(reference.shape)
    gain, offset = 1.0, 0.0
    large = reference.size > LARGE
    converged = CONVERGED_LARGE if large else converged
    few = max(1, iterations // (ITERATIONS // FEW_ITERATIONS))
    # A large level has more pixels than a step needs: the last one alone takes all of them.
    rounds, every = (few, EVERY if few > 1 else 1) if large else (iterations, 1)
    for number in range(rounds):
        every = 1 if number == rounds - 1 else every
        # Gradients take the rows above and below, too.
        lines = np.flatnonzero(np.convolve(banded(rows, every), np.ones(3), "same"))
        warped = resample(moving, matrix, margin, lines)
        model, perspective = (gain, offset, *WEIGHTS), transform == "homography"
        sums = moments(reference, warped, model, radius, margin, perspective, every)
        found = sums[COUNT, 0, 0] * every >= LEAST_OVERLAP * area
        solved = _solve(sums, transform) if found else None
        if solved is None and every == 1:
            return None
        if solved is None:  # the bands do not determine it, or do not overlap
            every = 1
            continue
        step, error = solved
        gain, offset = gain * float(np.clip(1 + step[-2], 0.5, 2)), offset + step[-1]
        update = update_matrix(step[:-2], transform, reference.shape)
        matrix = normed(matrix @ np.linalg.inv(update))
        if not matrix[2, 2] > 0:
            return None
        if corner_distance(update, np.eye(3), reference.shape) < converged:
            if every == 1:
                break
            every = 1
    return matrix, error


def _solve(
    sums: NDArray[np.float64], transform: Transform
) -> tuple[NDArray[np.float64], float] | None:
    """Step (unknowns of the transform, gain, offset) and its expected error, or None."""
    normal, right = equations(sums, transform)
    if not np.all(np.diag(normal) > 0):
        return None
    scale = np.sqrt(np.diag(normal))
    normal = normal / np.outer(scale, scale)
    if np.linalg.eigvalsh(normal)[0] < 1e-6:
        return None
    inverse = np.linalg.inv(normal) / np.outer(scale, scale)
    # Squared gradients over their products between the frames: how much noise adds to them.
    noisy = sums[POWER, 0, 0] / (sums[0, 0, 0] + sums[2, 0, 0])
    variance = sums[NOISE, 0, 0] / sums[WEIGHT, 0, 0] * noisy * np.trace(inverse[:-2, :-2])
    # Never nothing, which would let one level of identical frames overrule all others.
    return inverse @ right, float(np.sqrt(variance)) + LEAST_ERROR
