"""Registration of one prepared frame against another: by intensities, key points or spectra."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.matrices import Matrix
from napari_stack.operators.registration.methods import Features, Fourier, Imreg_dft, Phase
from napari_stack.operators.registration.preprocess import Prepared, prepare
from napari_stack.operators.registration.refinement.gauss_newton import Refined, refine
from napari_stack.operators.registration.refinement.motion_models import Transform
from napari_stack.operators.registration.refinement.one_level import ITERATIONS
from napari_stack.operators.registration.refinement.sharpness import (
    finest_small,
    refined_alike,
    unlike_sharpness,
)
from napari_stack.operators.registration.refinement.uncertainty import measure_uncertainty
from napari_stack.operators.registration.search.determined import slides
from napari_stack.operators.registration.search.evidence import gather
from napari_stack.operators.registration.search.features import match_features
from napari_stack.operators.registration.search.fourier_mellin import (
    coarse_shift,
    fine_shift,
    fourier,
    imreg_dft,
)
from napari_stack.operators.registration.search.hidden import without
from napari_stack.operators.registration.search.hypotheses import Best, Search
from napari_stack.operators.registration.search.judgement import (
    Follow,
    Weighed,
    probability,
    strayed,
    verified,
)
from napari_stack.operators.registration.search.limits import ANY, Limits
from napari_stack.operators.registration.static import held_by_pattern, only_pattern

__all__ = ["ANY", "Alignment", "Limits", "Prepared", "align", "align_by", "prepare"]

#: Quality is kept below this where an alignment failed for another reason than its probability.
LARGEST_FAILED = 0.49


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where a frame lies, and how sure that is.

    Attributes
    ----------
    matrix : ndarray (3, 3), float64
        Takes a point (x, y, 1) of the reference to the same object point in the moving frame;
        the identity where `verified` is False.
    quality : float
        Probability that the frame lies there; see `judgement`.
    verified : bool
        Whether that is enough to go by.
    transform : str, optional
        What of the transform that was asked for the frames can tell, where that is less.
    covariance : ndarray (8, 8), float64
        Of the entries m00, m01, ..., m21 of the matrix; NaN: not known.
    misled : float
        What unlike sharpness may have left in the matrix, in px at the corners: part of the
        covariance of all but the shift. Along a series it is of one sign, and adds up in chains.
    """

    matrix: NDArray[np.float64]
    quality: float
    verified: bool
    transform: Transform | None = None
    covariance: NDArray[np.float64] = field(default_factory=lambda: np.full((8, 8), np.nan))
    misled: float = 0.0
    #: Where it lies is probable, but not all else was tried: it counts as not verified.
    hurried: bool = False


def align(
    reference: Prepared,
    moving: Prepared,
    *,
    transform: Transform,
    start: NDArray[np.float64] | None = None,
    limits: Limits = ANY,
    iterations: int = ITERATIONS,
    features: Features | None = None,
    only: bool = False,
    patient: bool = True,
    follow: Follow = "largest",
) -> Alignment:
    """Align a frame with the reference by its intensities.

    Hypotheses are tried in turn until one leaves no doubt: `start`, the best shifts, for all but
    a translation rotations and scales from the magnitude spectra, what the likeliest of these
    does not explain, and key points. Each is refined on the coarse levels, jointly with gain and
    offset, and judged tile by tile; the one that explains most of the frame is refined on the
    fine levels, and again with the sharper frame blurred like the other one where they differ.
    Unknowns that the frames do not determine are left out.

    Parameters
    ----------
    reference, moving : Prepared
        Two frames of the same shape.
    transform : {"translation", "rigid", "similarity", "affine", "homography"}
        What the frames may differ by; a similarity is shift, rotation and one scale.
    start : ndarray (3, 3), optional
        A matrix to try first, for instance that of the neighbouring frame.
    limits : Limits
        Hypotheses beyond them are left out.
    iterations : int
        Most steps on a small level.
    features : Features, optional
        Key points to take hypotheses from where nothing else leaves no doubt.
    only : bool
        Try nothing but `start`.
    patient : bool
        Try all else where a place is probable, but not beyond doubt; if not, that is all that is
        told (`Alignment.hurried`).
    follow : {"largest", "background"}
        Which of several motions is taken.

    Returns
    -------
    Alignment
        Not verified, with the identity, when no hypothesis is probable enough.

    Raises
    ------
    ValueError
        For frames of different shapes or working sizes.
    """
    _require_alike(reference, moving)
    if not reference.levels or not moving.levels:
        return _FAILED
    search = Search(reference, moving, transform, limits, iterations, follow, patient)
    search.go(start, features, only=only)
    if search.hurried:
        return replace(_FAILED, hurried=True)
    best = search.best()
    if best is None:
        return _FAILED
    sure = probability(best)
    if not verified(sure):
        return Alignment(np.eye(3), sure, False)
    place = best.refined.matrix
    if only_pattern(reference, moving, place, best.evidence):
        return Alignment(np.eye(3), min(sure, LARGEST_FAILED), False)
    measured = _measured(reference, moving, best, iterations)
    if measured is None:
        return Alignment(np.eye(3), min(sure, LARGEST_FAILED), False)
    one, other, refined, misled = measured
    matrix, covariance = measure_uncertainty(one, other, refined, best.transform, misled)
    if slides(matrix, covariance, reference.shape):
        return Alignment(np.eye(3), min(sure, LARGEST_FAILED), False)
    if best.transform == transform:
        return Alignment(matrix, sure, True, covariance=covariance, misled=misled)
    # How far the unknowns that were left out move the frame is not known.
    return Alignment(matrix, sure, True, best.transform)


#: What a matrix was measured of, the matrix, and by how much it may be misled.
_Measured = tuple[Prepared, Prepared, Refined, float]


def _measured(
    reference: Prepared, moving: Prepared, best: Best, iterations: int
) -> _Measured | None:
    """Refine on the fine levels, with frames made alike; None where a pattern holds them.

    Frames of unlike sharpness are made alike as soon as they are placed on levels that are not
    large: the large ones are refined once, or not at all where they do not count. Where the result
    contradicts that, they are refined as they are, and again made alike.
    """

    def again(one: Prepared, other: Prepared, place: Matrix) -> Refined:
        how = best.transform, one.factors, iterations
        return refine(one, other, Refined(place), *how, strict=True)

    small, unlike = finest_small(reference), None
    if small:
        unlike = unlike_sharpness(reference, moving, best.refined.matrix, best.transform)
    if unlike is not None and unlike.matters:
        fixed, refined = _refined_finely(reference, moving, best, iterations, small)
        found = refined_alike(fixed, moving, refined, best.transform, again, unlike)
        if found[0] is not fixed:
            finest = small if unlike.tell_little else 0
            held = held_by_pattern(fixed, moving, found[2].matrix, finest)
            return None if held else found
    fixed, refined = _refined_finely(reference, moving, best, iterations)
    if held_by_pattern(fixed, moving, refined.matrix):
        return None
    return refined_alike(fixed, moving, refined, best.transform, again)


def _refined_finely(
    reference: Prepared, moving: Prepared, best: Best, iterations: int, finest: int = 0
) -> tuple[Prepared, Refined]:
    """Refine on the levels up to a finest one, without what moves otherwise.

    Unless that leads away.
    """
    hidden = best.of_others()
    last = reference.coarse_factor + hidden.any()  # the coarse level was measured with all of it
    fine = tuple(f for f in reference.factors[finest:] if f < last)
    measured = without(reference, hidden) if hidden.any() else reference
    refined = refine(measured, moving, best.refined, best.transform, fine, iterations)
    if strayed(reference, moving, best.refined.matrix, refined.matrix):
        return measured, best.refined
    return measured, refined


def align_by(
    reference: Prepared,
    moving: Prepared,
    *,
    transform: Transform,
    method: Features | Phase | Fourier | Imreg_dft,
    limits: Limits = ANY,
) -> Alignment:
    """Align a frame with the reference by key points or spectra; judged like `align`.

    Parameters
    ----------
    reference, moving : Prepared
        Two frames of the same shape.
    transform : {"translation", "rigid", "similarity", "affine", "homography"}
        What the frames may differ by.
    method : Features, Phase, Fourier or Imreg_dft
        How, with its options.
    limits : Limits
        What a transform may do at most.

    Returns
    -------
    Alignment
        Not verified, with the identity, when too few matches agree or what they tell is not
        probable enough.

    Raises
    ------
    ValueError
        For frames of different shapes or working sizes, or a detector that is not built.
    """
    _require_alike(reference, moving)
    if not reference.levels or not moving.levels:
        return _FAILED
    matrix = _matrix_by(reference, moving, transform, method)
    if matrix is None or not limits.allow(matrix, reference.shape):
        return _FAILED
    evidence = gather(reference, moving, matrix)
    if evidence is None:
        return _FAILED
    sure = probability(Weighed.alone(evidence, transform))
    return Alignment(matrix if verified(sure) else np.eye(3), sure, verified(sure))


def _matrix_by(
    reference: Prepared, moving: Prepared, transform: Transform, method: Any
) -> Matrix | None:
    if isinstance(method, Features):
        return next(iter(match_features(reference, moving, transform, method)), None)
    if isinstance(method, Phase):
        start = coarse_shift(reference, moving)
        return fine_shift(reference, moving, start, method.upsampling)
    if isinstance(method, Imreg_dft):
        return imreg_dft(reference, moving, transform, method)
    if transform == "translation":
        return _matrix_by(reference, moving, transform, Phase(method.upsampling))
    return fourier(reference, moving, transform, method)


def _require_alike(reference: Prepared, moving: Prepared) -> None:
    same = reference.shape == moving.shape
    if same and reference.levels and moving.levels:
        same = reference.factors[0] == moving.factors[0]
    if not same:
        raise UserError(
            f"the reference has shape {reference.shape} and the frame {moving.shape}: "
            "prepare frames of one shape with one working size"
        )


_FAILED = Alignment(np.eye(3), 0.0, False)
