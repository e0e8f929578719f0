"""Registration of one prepared frame against another: hypotheses, refinement, verification."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.matrices import Matrix
from napari_stack.operators.registration.correlation import correlate, peaks, repeated, spectrum_of
from napari_stack.operators.registration.features import match_features
from napari_stack.operators.registration.fourier_mellin import (
    coarse_shift,
    fine_shift,
    fourier,
    imreg_dft,
    shifted,
    turned,
)
from napari_stack.operators.registration.gauss_newton import (
    ITERATIONS,
    Refined,
    corner_distance,
    likeness,
    overlapping,
    refine,
)
from napari_stack.operators.registration.limits import ANY, Limits
from napari_stack.operators.registration.methods import Features, Fourier, Imreg_dft, Phase
from napari_stack.operators.registration.motion_models import Transform, nearest
from napari_stack.operators.registration.preprocess import Image, Prepared, prepare
from napari_stack.operators.registration.uncertainty import measure_uncertainty

__all__ = ["ANY", "Alignment", "Limits", "Prepared", "align", "align_by", "prepare"]

#: After alignment the correlation must peak within this many coarse pixels of zero ...
LARGEST_REST = 1.5
#: ... or have at least this share of its height there ...
LEAST_AT_ZERO = 0.85
#: ... and the second peak must stay this share of it below.
LEAST_QUALITY = 0.5
#: Frames that are so much alike at another place too, as a share of how much they are here, show a
#: grid. The whitened correlation does not always show it: what both lack at their borders is alike.
LARGEST_REPEATED = 0.8
#: Below one of these, quality or score, the other hypotheses are scored as well, and the one that
#: matches best is taken: a disc alone gives a clear peak at any rotation.
CERTAIN_QUALITY, CERTAIN_SCORE = 0.6, 0.7
#: Two hypotheses that pass, further apart than so many coarse pixels at the corners, contradict
#: each other when the lesser score is above this share of the greater.
SAME_PLACE, SHARE_OF_RIVAL = 5.0, 0.9
#: Quality is kept below the bound where an alignment failed for another reason.
LARGEST_FAILED = 0.49
#: The same is asked of the majority of the tiles, so many along each side, that match clearly.
TILES = 4
#: Least share of the pixels in common, and what correlation coefficient a small share needs: by
#: chance unrelated textures reach 0.34 on a seventh of the frame, and 0.07 on three quarters.
LEAST_COMMON, ENOUGH_COMMON, LIKENESS_OF_NONE, LEAST_LIKENESS = 0.1, 0.5, 0.6, 0.08


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where a frame lies, and how sure that is.

    Attributes
    ----------
    matrix : ndarray (3, 3), float64
        Takes a point (x, y, 1) of the reference to the same object point in the moving frame;
        the identity where `verified` is False.
    quality : float
        1 - second / first peak of the correlation after alignment: near 1 nothing else fits the
        reference, at 0 something else fits just as well. Verified alignments have 0.5 or more.
    verified : bool
        Whether the correlation after alignment has one clear peak at zero.
    covariance : ndarray (8, 8), float64
        Of the entries m00, m01, ..., m21 of the matrix; NaN: not known.
    """

    matrix: NDArray[np.float64]
    quality: float
    verified: bool
    covariance: NDArray[np.float64] = field(default_factory=lambda: np.full((8, 8), np.nan))


def align(
    reference: Prepared,
    moving: Prepared,
    *,
    transform: Transform,
    start: NDArray[np.float64] | None = None,
    limits: Limits = ANY,
    iterations: int = ITERATIONS,
) -> Alignment:
    """Align a frame with the reference by its intensities.

    Hypotheses are tried in turn until one is clearly verified: `start`, the two best shifts
    and, for a similarity, rotations and scales from the magnitude spectra. Each is refined on
    the coarse levels, jointly with gain and offset, and judged by one more correlation; the one
    that passes is refined on the fine levels.

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

    Returns
    -------
    Alignment
        Not verified, with the identity, when no hypothesis holds.

    Raises
    ------
    ValueError
        For frames of different shapes or working sizes.
    """
    _require_alike(reference, moving)
    if not reference.levels or not moving.levels:
        return _FAILED
    rough = tuple(f for f in reference.factors if f >= reference.coarse_factor)
    fine = tuple(f for f in reference.factors if f < reference.coarse_factor)
    best, quality, highest = None, 0.0, 0.0
    passed: list[tuple[float, Matrix]] = []
    for hypothesis in _hypotheses(reference, moving, transform, start):
        refined = refine(reference, moving, Refined(hypothesis), transform, rough, iterations)
        if not limits.allow(refined.matrix, reference.shape):
            continue
        found, score = verify(reference, moving, refined.matrix)
        # What matches less than a hypothesis that failed is a likeness within the scene.
        if score >= highest:
            best = (refined, found) if found >= LEAST_QUALITY else None
        quality, highest = max(quality, found), max(highest, score)
        if found >= LEAST_QUALITY:
            passed.append((score, refined.matrix))
        if best is not None and found >= CERTAIN_QUALITY and score >= CERTAIN_SCORE:
            break
    if best is None or _ambiguous(best[0].matrix, highest, passed, reference):
        return Alignment(np.eye(3), min(quality, LARGEST_FAILED), False)
    refined = refine(reference, moving, best[0], transform, fine, iterations)
    matrix, covariance = measure_uncertainty(reference, moving, refined, transform)
    return Alignment(matrix, best[1], verified=True, covariance=covariance)


def _ambiguous(
    best: Matrix, highest: float, passed: list[tuple[float, Matrix]], reference: Prepared
) -> bool:
    """Whether another place matches nearly as well, as with a disc or a row of stripes."""
    reach = SAME_PLACE * reference.coarse_factor
    return any(
        score > SHARE_OF_RIVAL * highest and corner_distance(best, matrix, reference.shape) > reach
        for score, matrix in passed
    )


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
        Not verified, with the identity, when too few matches agree or the correlation after
        alignment has no clear peak at zero.

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
    quality, _ = verify(reference, moving, matrix)
    verified = quality >= LEAST_QUALITY
    return Alignment(matrix if verified else np.eye(3), quality, verified)


def _matrix_by(
    reference: Prepared, moving: Prepared, transform: Transform, method: Any
) -> Matrix | None:
    if isinstance(method, Features):
        return match_features(reference, moving, transform, method)
    if isinstance(method, Phase):
        start = coarse_shift(reference, moving)
        return fine_shift(reference, moving, start, method.upsampling)
    if isinstance(method, Imreg_dft):
        return imreg_dft(reference, moving, transform, method)
    if transform == "translation":
        return _matrix_by(reference, moving, transform, Phase(method.upsampling))
    return fourier(reference, moving, transform, method)


def verify(reference: Prepared, moving: Prepared, matrix: Matrix) -> tuple[float, float]:
    """Quality in [0, 1] of a matrix, see `Alignment`, and a score to compare it with others.

    The quality is 0 when the frames do not match at zero. The score is the correlation
    coefficient, less for a small overlap, where a high one means less.
    """
    fixed, warped = overlapping(reference, moving, matrix)
    common = np.isfinite(fixed).mean() / max(np.isfinite(reference.coarse).mean(), 1e-9)
    if common < LEAST_COMMON:
        return 0.0, 0.0
    alike = likeness(fixed, warped)
    score = alike * float(np.sqrt(common))
    if alike < max(LIKENESS_OF_NONE * (1 - common / ENOUGH_COMMON), LEAST_LIKENESS):
        return 0.0, score
    spectra = spectrum_of(fixed, 1.0), spectrum_of(warped, 1.0)
    quality, in_place = _judged(correlate(*spectra))
    if not in_place or repeated(*spectra) > LARGEST_REPEATED or not _parts_in_place(fixed, warped):
        return 0.0, score
    return quality, score


def _judged(surface: Image) -> tuple[float, bool]:
    """How clear the highest peak of a correlation is, and whether it lies at zero."""
    first, second = peaks(surface, 2)
    if not first.height > 0:
        return 0.0, False
    # A blurred frame has a broad peak, whose place says less than its height at zero.
    near = np.hypot(first.x, first.y) <= LARGEST_REST
    in_place = near or surface[0, 0] >= LEAST_AT_ZERO * first.height
    return float(np.clip(1 - second.height / first.height, 0, 1)), bool(in_place)


def _parts_in_place(fixed: Image, warped: Image) -> bool:
    """Whether at least half of the tiles that match clearly do so at zero.

    A wrong rotation or scale can line up one part of the frame and give the whole a clear peak.
    """
    pairs = [_tiles(image) for image in (fixed, warped)]
    enough = np.isfinite(pairs[0]).mean(axis=(1, 2)) >= 0.5
    if np.count_nonzero(enough) < TILES:
        return True
    first, second = (spectrum_of(tiles[enough], 1.0) for tiles in pairs)
    judged = [_judged(surface) for surface in correlate(first, second)]
    places = [in_place for quality, in_place in judged if quality >= LEAST_QUALITY]
    return len(places) < TILES or 2 * sum(places) >= len(places)


def _tiles(image: Image) -> Image:
    """Tiles (number, y, x) of an image."""
    rows, columns = (side // TILES for side in image.shape)
    cut = image[: TILES * rows, : TILES * columns].reshape(TILES, rows, TILES, columns)
    return cut.swapaxes(1, 2).reshape(TILES * TILES, rows, columns)


def _hypotheses(
    reference: Prepared, moving: Prepared, transform: Transform, start: Matrix | None
) -> Iterator[Matrix]:
    """Give starting matrices, likeliest first; each is computed only when the ones before fail."""
    if start is not None and np.all(np.isfinite(start)):
        yield nearest(np.asarray(start, np.float64), transform, reference.shape)
    factor = reference.coarse_factor
    for peak in peaks(correlate(reference.spectrum, moving.spectrum), 2):
        yield shifted(peak.x * factor, peak.y * factor)
    if transform != "translation":
        for matrix in turned(reference, moving):
            yield nearest(matrix, transform, reference.shape)


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
