"""Frames placed by pairs of points that the user picked, and refined from there."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.matrices import Matrix, corners_of
from napari_stack.core.notices import warn_of_frames
from napari_stack.core.point_pairs import PointPairs
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.run import Run
from napari_stack.operators.registration.methods import Intensity
from napari_stack.operators.registration.refinement.motion_models import Transform, nearest
from napari_stack.operators.registration.search.align import Alignment, Prepared
from napari_stack.operators.registration.sequence.chains import Found
from napari_stack.operators.registration.sequence.measure import Aligner, MeasureOptions

#: Pairs that a model needs at least.
FEWEST: dict[Transform, int] = {
    "translation": 1, "rigid": 2, "similarity": 2, "affine": 3, "homography": 4,
}  # fmt: skip

#: What is fitted instead where there are too few pairs, or they lie too close to one line.
_SIMPLER: dict[Transform, Transform] = {
    "homography": "affine", "affine": "similarity", "similarity": "translation",
    "rigid": "translation",
}  # fmt: skip

#: Pairs are picked on a screen, to one or two pixels of a frame that is shown whole: a refinement
#: further from them than this share of the diagonal, or this many pixels, is another place.
REACH, LEAST_REACH = 0.02, 5.0

#: A refinement that changes no entry of a matrix by so much did not take place.
LEAST_MOVE = 1e-9

#: Spread of points, in pixels, from which a rotation is known; for shear the lesser spread needs to
#: be this share of the greater.
LEAST_SPREAD, LEAST_BREADTH = 2.0, 0.05

#: A homography is known where the equations of its eight unknowns are not nearly dependent.
LEAST_SINGULAR = 0.02

Pairs = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Placed:
    """A frame with pairs: where it lies, the model of the pairs, and whether they agree with it."""

    alignment: Alignment
    model: Transform
    confirmed: bool
    agree: bool


def pairs_to_place(points: Any, count: int, reference: int) -> dict[int, Pairs]:
    """Read pairs of points, by frame.

    Raises
    ------
    ValueError
        For pairs of a frame that is not there, or of the reference.
    """
    pairs = {} if points is None else PointPairs.of(points).by_frame()
    for frame in pairs:
        if frame >= count or frame == reference:
            reason = "is the reference" if frame == reference else "is not there"
            raise UserError(
                f"pairs of points name frame {frame}, which {reason}: the frames are 0 to "
                f"{count - 1}, and all but {reference} can be placed"
            )
    return pairs


def place_by_hand(
    stack: Stack,
    view: MeasureOptions,
    aligner: Aligner,
    reference: int,
    found: Found,
    pairs: dict[int, Pairs],
    run: Run,
) -> Found:
    """Place the frames that have pairs of points; the others are where they were found."""
    if not pairs:
        return found
    frames = list(pairs)
    how: Any = {"view": view, "aligner": _by_intensity(aligner), "pairs": pairs}
    place = partial(_placed, fixed=view(stack, reference), **how)
    placed = dict(zip(frames, run.each(place, stack, frames, what="Placing by hand"), strict=True))
    # Where the reference is a mean, frames are placed against the frame that this lies on.
    onto: Any = found[reference].matrix if reference in found else np.eye(3)
    result = dict(found)
    for i, one in placed.items():
        known = _moved(found[i], np.linalg.inv(onto))
        if (
            one.confirmed
            or not known.verified
            or not _near(known.matrix, pairs[i], stack.shape[1:])
        ):
            result[i] = _moved(one.alignment, onto)
        else:  # without the points it was found at the same place
            placed[i] = replace(one, confirmed=True)
    _warn(stack, placed, aligner.transform)
    return result


def _by_intensity(aligner: Aligner) -> Aligner:
    """Return what refines a start: key points and spectra have no use for one."""
    intensity = isinstance(aligner.method, Intensity)
    return aligner if intensity else replace(aligner, method=Intensity())


def _placed(
    stack: Stack,
    index: int,
    *,
    view: MeasureOptions,
    aligner: Aligner,
    fixed: Prepared,
    pairs: dict[int, Pairs],
) -> Placed:
    size = stack.shape[1:3]
    model, matrix = fit_points(pairs[index], aligner.transform, size)
    agree = _near(matrix, pairs[index], size)
    refined = aligner(fixed, view(stack, index), matrix)
    # What gave up stands where it started, and says nothing about the points.
    moved = np.abs(refined.matrix - nearest(matrix, aligner.transform, size)).max() > LEAST_MOVE
    if refined.verified and moved and _near(refined.matrix, pairs[index], size):
        return Placed(refined, model, confirmed=True, agree=agree)
    return Placed(Alignment(matrix, 0.0, verified=True), model, confirmed=False, agree=agree)


def _moved(alignment: Alignment, onto: Matrix) -> Alignment:
    matrix = alignment.matrix @ onto
    return replace(alignment, matrix=matrix / matrix[2, 2])


def _near(matrix: Matrix, pairs: Pairs, size: tuple[int, ...]) -> bool:
    """Whether each point of the reference lands near its partner."""
    moved = np.column_stack([pairs[:, :2], np.ones(len(pairs))]) @ matrix.T
    distances = np.hypot(*(moved[:, :2] / moved[:, 2:] - pairs[:, 2:]).T)
    return bool(distances.max() <= max(LEAST_REACH, REACH * float(np.hypot(size[0], size[1]))))


def _warn(stack: Stack, placed: dict[int, Placed], transform: Transform) -> None:
    """Say what rests on the points alone, and what they could not give."""
    alone = {i: one for i, one in placed.items() if not one.confirmed}

    def warn(what: str, frames: list[int]) -> None:
        warn_of_frames(what, np.isin(np.arange(len(stack)), frames), stack.source.label)

    warn("placed by their points alone: the pixels do not confirm them (quality 0)", list(alone))
    for model in dict.fromkeys(one.model for one in alone.values()):
        if model != transform:
            warn(
                f"placed by a {model} only: {transform} needs {FEWEST[transform]} pairs of "
                "points, not close to one line",
                [i for i, one in alone.items() if one.model == model],
            )
    warn(
        "with pairs of points that do not agree: see that they are in the same order on both",
        [i for i, one in placed.items() if not one.agree],
    )


def fit_points(
    pairs: Pairs, transform: Transform, size: tuple[int, ...]
) -> tuple[Transform, Matrix]:
    """Least-squares transform of pairs of points, of this kind or of the richest that they give.

    Parameters
    ----------
    pairs : ndarray, shape (n, 4)
        Points (x, y) of the reference, then of the frame.
    transform : {"translation", "rigid", "similarity", "affine", "homography"}
    size : tuple of int
        Height and width of a frame.

    Returns
    -------
    transform : str
        What was fitted.
    matrix : ndarray, shape (3, 3)
    """
    first, second = pairs[:, :2], pairs[:, 2:]
    while transform != "translation":
        if len(pairs) >= FEWEST[transform]:
            matrix = _fit(first, second, transform)
            if matrix is not None and _usable(matrix, size):
                return transform, matrix
        transform = _SIMPLER[transform]
    matrix = np.eye(3)
    matrix[:2, 2] = (second - first).mean(axis=0)
    return "translation", matrix


def _usable(matrix: Matrix, size: tuple[int, ...]) -> bool:
    """Whether the frame stays in front of the camera, and is not mirrored."""
    depth = (matrix @ corners_of((size[0], size[1])))[2]
    return bool((depth > 0).all() and np.linalg.det(matrix) > 0)


def _fit(first: Pairs, second: Pairs, transform: Transform) -> Matrix | None:
    """Fit a transform; None where the points do not tell it."""
    centred = first - first.mean(axis=0)
    breadth = np.linalg.svd(centred, compute_uv=False)
    if breadth[0] < LEAST_SPREAD:
        return None
    if transform in ("rigid", "similarity"):
        return _similarity(first, second, transform)
    if breadth[1] < max(LEAST_SPREAD, LEAST_BREADTH * breadth[0]):
        return None
    if transform == "affine":
        known = np.column_stack([first, np.ones(len(first))])
        linear = np.linalg.lstsq(known, second, rcond=None)[0].T
        return np.vstack([linear, [0, 0, 1]])
    if _homography_singular(first, second) < LEAST_SINGULAR:
        return None
    found, _ = cv2.findHomography(first, second, 0)
    return None if found is None else np.asarray(found, np.float64)


def _similarity(first: Pairs, second: Pairs, transform: Transform) -> Matrix | None:
    """Fit rotation, scale and shift: in complex numbers, a line (Horn 1987)."""
    one, two = first @ [1, 1j], second @ [1, 1j]
    centred = one - one.mean()
    turn = np.vdot(centred, two - two.mean()) / np.vdot(centred, centred).real
    if not abs(turn) > 0:
        return None
    turn = turn / abs(turn) if transform == "rigid" else turn
    shift = two.mean() - turn * one.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag],
                     [0, 0, 1]])  # fmt: skip


def _homography_singular(first: Pairs, second: Pairs) -> float:
    """Least singular value but one of the equations of a homography, as a share of the greatest.

    Both sets of points are centred and scaled before (Hartley 1997).
    """
    (x, y), (u, v) = (_normalised(points).T for points in (first, second))
    one, nought = np.ones(len(x)), np.zeros(len(x))
    rows = [
        np.column_stack([x, y, one, nought, nought, nought, -u * x, -u * y, -u]),
        np.column_stack([nought, nought, nought, x, y, one, -v * x, -v * y, -v]),
    ]
    values = np.linalg.svd(np.concatenate(rows), compute_uv=False)
    return float(values[7] / values[0])


def _normalised(points: Pairs) -> Pairs:
    centred = points - points.mean(axis=0)
    return np.asarray(centred * (np.sqrt(2) / max(np.hypot(*centred.T).mean(), 1e-12)))
