"""Gauss-Newton on one level of two frames, with gain and offset and robust weights."""

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix, corners_of
from napari_stack.operators.geometry.warp_rows import resample
from napari_stack.operators.registration.preprocess import Image
from napari_stack.operators.registration.refinement.gauss_newton_kernels import banded, moments
from napari_stack.operators.registration.refinement.motion_models import (
    Transform,
    equations,
    update_matrix,
)
from napari_stack.operators.registration.refinement.near import WEIGHTS, Level, is_near

#: Most iterations on small levels, and on those of more than `LARGE` pixels.
ITERATIONS, FEW_ITERATIONS, LARGE = 12, 3, 600_000
#: Until the last step, one band of rows of so many is taken on large levels.
EVERY = 4
#: Iteration ends when the corners move less than this, in pixels of the level.
CONVERGED = 0.002
#: On large levels a step shorter than this leaves a tenth of it, which is below the noise.
CONVERGED_LARGE = 0.02
#: Pixels left out at the border, where the band-pass mirrors the frame: 1.5 wide sigmas, but
#: never more than a sixteenth of the side.
MARGIN = 12
#: Expected error of a level, in its pixels, that remains without any noise: interpolation.
LEAST_ERROR = 1e-4
#: Least share of the reference's valid pixels that must overlap.
LEAST_OVERLAP = 0.05
#: A strict spread is taken of about so many pixels, and is so many times their median: one and a
#: quarter standard deviations. With one, rendered series are a little better, and long ones worse.
#: The least spread is in robust sigmas of the band-passed frame.
SAMPLED, SPREAD, LEAST_SPREAD = 20_000, 1.25 * 1.4826, 0.02
#: Places in the sums of `moments`.
WEIGHT, COUNT, POWER, NOISE = 11, 14, 15, 16


def refine_level(
    reference: Image,
    moving: Image,
    matrix: Matrix,
    transform: Transform,
    iterations: int,
    area: int,
    converged: float = CONVERGED,
    apart: int = 0,
    *,
    strict: bool = False,
) -> tuple[Matrix, float] | None:
    """Iterate on one level; None when the overlap does not determine the transform.

    Iteration ends when the corners move less than `converged`, in pixels of the level. Gives the
    matrix and its expected error at the corners, in pixels of the level.

    With `apart`, for the many frames of a recording, steps are made by one compiled loop where rows
    run nearly alike: a few times as quick, once its seconds of compiling are over. It takes one row
    in so many: of two, the second says little that the first does not.

    When `strict`, pixels lose their weight where they differ by more than most do: where objects
    hide each other, frames focused elsewhere show other things.
    """
    if apart and not strict and is_near(matrix, transform):
        most = max(LEAST_OVERLAP * area, 1.0)
        level = Level(reference, moving, matrix, transform, margin_of(reference.shape), most)
        return _refine_near(level, iterations, converged, apart)
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
        shown = reference, warped, (gain, offset), margin, every
        weights = _strict(*shown) if strict else WEIGHTS
        model, perspective = (gain, offset, *weights), transform == "homography"
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


def _strict(
    reference: Image, warped: Image, light: tuple[float, float], margin: int, every: int
) -> tuple[float, float, float]:
    """Weights with the standard deviation of what differs, measured robustly on some rows."""
    rows, columns = reference.shape
    lines = np.flatnonzero(banded(rows, every)[margin : rows - margin]) + margin
    lines = lines[:: max(1, len(lines) * columns // SAMPLED)]
    inner = np.s_[lines, margin : columns - margin]
    off = warped[inner] - np.float32(light[0]) * reference[inner] - np.float32(light[1])
    off = np.abs(off[np.isfinite(off)])
    spread = max(SPREAD * float(np.median(off)), LEAST_SPREAD) if off.size else 1.0
    return (*WEIGHTS[:2], max(WEIGHTS[2], 1 / spread**2))


def _refine_near(
    level: Level, iterations: int, converged: float, apart: int
) -> tuple[Matrix, float] | None:
    """Do what `refine_level` does where rows run nearly alike, in a fraction of the time."""
    every = np.arange(level.margin, len(level.reference) - level.margin)
    lines = every[::apart]
    if level.reference.size > LARGE:
        converged, few = CONVERGED_LARGE, max(1, iterations // (ITERATIONS // FEW_ITERATIONS))
        if few > 1:
            level.iterate(every[banded(len(level.reference), EVERY)[every]], few - 1, converged)
        iterations = max(few - level.steps, 1)
    if level.iterate(lines, iterations, converged) < 0:
        return None
    return level.matrix, level.error + LEAST_ERROR


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


def margin_of(shape: tuple[int, ...]) -> int:
    """Return how many pixels at the border of a level are left out."""
    return max(min(MARGIN, min(shape) // 16), 1)


def normed(matrix: Matrix) -> Matrix:
    """Return a matrix scaled so that its last entry is 1, where it can be."""
    return matrix / matrix[2, 2] if matrix[2, 2] > 0 else matrix


def corner_distance(first: Matrix, second: Matrix, shape: tuple[int, int]) -> float:
    """Mean distance of the images of the four corners of a frame under two matrices."""
    one, two = first @ corners_of(shape), second @ corners_of(shape)
    if min(one[2].min(), two[2].min()) <= 0:  # a horizon runs through the frame
        return np.inf
    difference = one[:2] / one[2] - two[:2] / two[2]
    return float(np.hypot(difference[0], difference[1]).mean())
