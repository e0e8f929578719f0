"""Two frames of unlike sharpness made alike: the sharper one is blurred, place by place.

Where one frame is a blurred copy of the other, least squares find a growth that is not there: the
equations of both frames' gradients g do not vanish where the frames coincide, but leave half of
the blur's variance times the sum of g^2, as a growth would (the derivative of a growth and a blur
do not commute). No weight and no noise model takes that away; frames of like sharpness do.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from napari_stack.core.matrices import Matrix
from napari_stack.engine.opencv import cv2
from napari_stack.operators.geometry.warp_rows import resample
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.blur import VARIANCES, blur, blurred
from napari_stack.operators.registration.refinement.gauss_newton import Refined, level_to_frame
from napari_stack.operators.registration.refinement.motion_models import Transform, growth_of
from napari_stack.operators.registration.refinement.one_level import corner_distance, margin_of

#: Blur is measured on the finest level whose longest side is at most this, ...
MEASURED_SIZE = 130
#: ... or on coarser ones until its variance there is at most this, in pixels of the level squared.
LARGEST_MEASURED = 3.0
#: Rounds of measuring; the last one is that which changes the variance by less than the second.
ROUNDS, CONVERGED, LARGEST_STEP = 4, 0.02, 2.0
#: Sigma, in pixels of the frame as a share of its longest side, of the surroundings that the blur
#: of a place is measured in, and what the whole frame counts beside it.
SURROUNDINGS, WHOLE = 0.1, 0.02
#: Frames whose growth would be off by less than this, in pixels at the corners, are alike.
ALIKE = 0.01
#: A level is left out where all but this share of it would have to be blurred by more than the last
#: of `VARIANCES`: one of the frames shows nothing there to go by.
SHARING = 0.1
#: So is one of more pixels than the second where the growth is off by more px at the corners than
#: the first: the levels behind it tell where they lie to a small part of that.
LITTLE, LARGE = 0.1, 600_000
#: Frames made alike may move corners by so many times what is expected of them, and besides by so
#: many expected errors of where they were before.
MOST_MISLED, SIGMAS = 2.0, 2.0
#: What is left in the result of what misled it: of the mean of the blur over the frame, and of its
#: spread from place to place. On pairs of photographs of 200 px, blurred alike everywhere or by a
#: depth, 0.1 to 0.2 and 0.4 to 0.8.
LEFT_OF_MEAN, LEFT_OF_SPREAD = 0.15, 0.5

#: Refines a matrix; None where the frames do not determine it.
Again = Callable[[Prepared, Prepared, Matrix], Refined | None]


class Unlike(NamedTuple):
    """How unlike in sharpness two frames are.

    Parameters
    ----------
    excess : ndarray (y, x)
        By how much the variance of the moving frame's blur exceeds the other's, in px^2.
    growth : float
        By how much, in px at the corners, that can have misled a refinement.
    left : float
        By how much what is not undone still can.
    """

    excess: Image
    growth: float
    left: float

    @property
    def matters(self) -> bool:
        """Whether frames are to be made alike."""
        return self.growth >= ALIKE

    @property
    def tell_little(self) -> bool:
        """Whether large levels tell less than those behind them, and are left out."""
        return self.growth > LITTLE


def refined_alike(
    reference: Prepared,
    moving: Prepared,
    refined: Refined,
    transform: Transform,
    again: Again,
    unlike: Unlike | None = None,
) -> tuple[Prepared, Prepared, Refined, float]:
    """Refine again with both frames of one sharpness, where they differ in it.

    What moves further than unlike sharpness accounts for shows other things: bands of light, or
    parts that move by themselves. Then the frames stay as they are. How `unlike` they are is
    measured where it is not known.

    Returns
    -------
    reference, moving : Prepared
        What the matrix was measured of.
    refined : Refined
    misled : float
        Growth, in px at the corners, by which it may still be off.
    """
    unlike = unlike or unlike_sharpness(reference, moving, refined.matrix, transform)
    if unlike is None:
        return reference, moving, refined, 0.0
    if not unlike.matters:
        return reference, moving, refined, unlike.left
    one, other = made_alike(reference, moving, refined.matrix, unlike)
    found = again(one, other, refined.matrix)
    if found is not None:
        moved = corner_distance(refined.matrix, found.matrix, reference.shape)
    if found is None or moved > MOST_MISLED * unlike.growth + SIGMAS * refined.error:
        return reference, moving, refined, unlike.growth
    return one, other, found, unlike.left


def feigned_growth(
    reference: Prepared, moving: Prepared, matrix: Matrix, transform: Transform
) -> float:
    """By how much, in px at the corners, unlike sharpness would mislead a refinement."""
    unlike = unlike_sharpness(reference, moving, matrix, transform)
    return 0.0 if unlike is None else unlike.growth


def unlike_sharpness(
    reference: Prepared, moving: Prepared, matrix: Matrix, transform: Transform = "similarity"
) -> Unlike | None:
    """How unlike in sharpness two frames are; None where they do not tell, or nothing grows.

    Parameters
    ----------
    reference, moving : Prepared
        Two frames of the same shape.
    matrix : ndarray (3, 3)
        From the reference to the moving frame, to a pixel or so.
    transform : str
        What is measured.
    """
    excess = _excess(reference, moving, matrix) if growth_of(transform).any() else None
    if excess is None:
        return None
    # A blur of variance v looks like a growth of (v / 2) / (half the mean squared distance from
    # the centre), which is a third of the squared half diagonal.
    per_variance = 3 / (float(np.hypot(*reference.shape)) / 2)
    mean, spread = abs(float(excess.mean())), float(excess.std())
    growth = per_variance * float(np.hypot(mean, spread))
    left = per_variance * (LEFT_OF_MEAN * mean + LEFT_OF_SPREAD * spread)
    return Unlike(excess, growth, left)


def made_alike(
    reference: Prepared, moving: Prepared, matrix: Matrix, unlike: Unlike
) -> tuple[Prepared, Prepared]:
    """Both frames with the sharper one blurred as the other is, at each place."""
    back = np.asarray(np.linalg.inv(matrix), np.float64)
    first = _finest(reference, unlike)
    one, other = (_shown(frame, first) for frame in (reference, moving))
    return blurred(one, unlike.excess, None), blurred(other, -unlike.excess, back)


def finest_small(frame: Prepared) -> int:
    """Return the number of the finest level that is not large; the last one where all are."""
    small = [n for n, (rows, columns) in enumerate(frame.levels.shapes) if rows * columns <= LARGE]
    return min(small, default=len(frame.factors) - 1)


def _finest(frame: Prepared, unlike: Unlike) -> int:
    """Return the number of the finest level that shows enough of both frames, somewhere."""
    least = float(np.quantile(np.abs(unlike.excess), SHARING)) / VARIANCES[-1]
    first = finest_small(frame) if unlike.tell_little else 0
    shown = [n for n, f in enumerate(frame.factors) if f**2 >= least and n >= first]
    return min(shown, default=len(frame.factors) - 1)


def _shown(frame: Prepared, first: int) -> Prepared:
    levels, factors, areas = frame.levels[first:], frame.factors[first:], frame.areas[first:]
    return replace(frame, levels=levels, factors=factors, areas=areas)


def _excess(reference: Prepared, moving: Prepared, matrix: Matrix) -> Image | None:
    """By how much the variance of the moving frame's blur exceeds the other's, in the frame's px^2.

    At each pixel of a level; negative where the reference is the blurrier one.
    """
    fitting = [n for n, shape in enumerate(reference.levels.shapes) if max(shape) <= MEASURED_SIZE]
    excess = None
    for number in fitting or [len(reference.levels) - 1]:
        factor, fixed = reference.factors[number], reference.levels[number]
        to_frame = level_to_frame(factor)
        place = np.linalg.inv(to_frame) @ matrix @ to_frame
        margin = margin_of(fixed.shape)
        warped = resample(moving.levels[number], place, margin, np.arange(len(fixed)))
        found = _between(fixed, warped, margin)
        if found is None:
            return excess
        excess = found * np.float32(factor**2)
        if float(np.mean(np.abs(found))) <= LARGEST_MEASURED:
            break
    return excess


def _between(fixed: Image, warped: Image, margin: int) -> Image | None:
    """Excess variance of the blur of one image of a level over another that lies in its place.

    The difference of two images is that of their gains times their mean, plus half the variance
    times the mean's Laplacian. Products between the two images weigh it, as in the refinement: in
    them noise cancels, and as much noise in both cancels in the difference.
    """
    inside = np.zeros(fixed.shape, bool)
    inside[margin:-margin, margin:-margin] = True
    inside &= np.isfinite(fixed) & np.isfinite(warped)
    fixed, warped = (np.where(inside, i, np.float32(0)) for i in (fixed, warped))
    counted = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    if counted.sum() < counted.size / 50:
        return None
    excess = np.zeros(fixed.shape, np.float32)
    for _ in range(ROUNDS):
        step = _step(blur(fixed, excess), blur(warped, -excess), counted)
        if step is None:
            return None
        excess += step
        if float(np.abs(step).max()) < CONVERGED:
            break
    return excess


def _step(one: Image, two: Image, counted: Image) -> Image | None:
    """Change of the excess variance; None where the images do not determine it."""
    curved, curved_too = cv2.Laplacian(one, -1), cv2.Laplacian(two, -1)
    half, off = np.float32(0.5), two - one
    mean, bent = half * (one + two), half * (curved + curved_too)
    weights = counted.ravel()

    def total(first: Image, second: Image) -> float:
        return float((first * second).ravel() @ weights)

    cross = (total(one, curved_too) + total(two, curved)) / 2
    normal = np.array([[total(one, two), cross], [cross, total(curved, curved_too)]])
    if not np.linalg.det(normal) > 1e-3 * normal[0, 0] * normal[1, 1] or normal[1, 1] <= 0:
        return None
    right = np.array([total(mean, off), total(bent, off)])
    change = float(np.clip(np.linalg.solve(normal, right)[0], -1, 1))
    gain = (2 + change) / (2 - change)
    one, curved = one * np.float32(gain), curved * np.float32(gain)
    above = half * (curved + curved_too) * (two - one) * counted
    below = curved * curved_too * counted
    usual = float(below.sum() / counted.sum()) * WHOLE
    whole = float(above.sum() / below.sum())
    near = _around(above) + np.float32(usual * whole)
    weight = np.maximum(_around(below), 0) + np.float32(usual)
    step = np.clip(2 * near / weight, -LARGEST_STEP, LARGEST_STEP).astype(np.float32)
    return cv2.resize(step, one.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _around(values: Image) -> Image:
    """Mean over the surroundings of each place, on a grid of cells."""
    sigma = SURROUNDINGS * max(values.shape)
    cell = max(int(sigma / 3), 1)
    size = -(-values.shape[1] // cell), -(-values.shape[0] // cell)
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), sigma / cell, borderType=cv2.BORDER_REFLECT_101)
