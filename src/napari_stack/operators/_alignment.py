"""Registration of one prepared frame against another: hypotheses, refinement, verification."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.operators._correlation import (
    correlate,
    peaks,
    rotations_and_scales,
    spectrum_of,
)
from napari_stack.operators._features import Detector, match_features
from napari_stack.operators._preparation import Image, Prepared, prepare
from napari_stack.operators._refinement import (
    Matrix,
    level_to_frame,
    likeness,
    overlapping,
    refine,
    warp_coarsely,
)

__all__ = ["Alignment", "Prepared", "align", "align_features", "prepare"]

Transform = Literal["translation", "similarity"]

#: After alignment the correlation must peak within this many coarse pixels of zero ...
LARGEST_REST = 1.5
#: ... or have at least this share of its height there ...
LEAST_AT_ZERO = 0.85
#: ... and the second peak must stay this share of it below.
LEAST_QUALITY = 0.5
#: Quality is kept below the bound where an alignment failed for another reason.
LARGEST_FAILED = 0.49
#: The same is asked of the majority of the tiles, so many along each side, that match clearly.
TILES = 4
#: Least share of the pixels in common, and what correlation coefficient a small share needs: by
#: chance unrelated textures reach 0.34 on a seventh of the frame, but no more than 0.1 on half.
LEAST_COMMON, ENOUGH_COMMON, LIKENESS_OF_NONE = 0.1, 0.5, 0.6


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where a frame lies, and how sure that is.

    Attributes
    ----------
    matrix : ndarray (3, 3), float64
        Takes a point (x, y, 1) of the reference to the same object point in the moving frame;
        the identity where `verified` is False.
    quality : float
        1 - second / first peak of the correlation after alignment, in [0, 1]: near 1 nothing
        else fits the reference as well, 0 something else fits just as well (or the peak
        is not where it should be). Verified alignments have at least 0.5.
    verified : bool
        Whether the correlation after alignment has one clear peak at zero.
    """

    matrix: NDArray[np.float64]
    quality: float
    verified: bool


def align(
    reference: Prepared,
    moving: Prepared,
    *,
    transform: Transform,
    start: NDArray[np.float64] | None = None,
) -> Alignment:
    """Align a frame with the reference by its intensities.

    Hypotheses are tried in turn until one is verified: `start`, the two best shifts, and, for
    a similarity, rotations and scales from the magnitude spectra. Each is refined over the
    pyramid, jointly with gain and offset, and then judged by one more correlation.

    Parameters
    ----------
    reference, moving : Prepared
        Two frames of the same shape.
    transform : {"translation", "similarity"}
        What the frames may differ by; a similarity is shift, rotation and one scale.
    start : ndarray (3, 3), optional
        A matrix to try first, for instance that of the neighbouring frame.

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
    similarity = transform == "similarity"
    quality, highest = 0.0, 0.0
    for hypothesis in _hypotheses(reference, moving, transform, start):
        rough = refine(reference, moving, hypothesis, similarity, finest=reference.coarse_factor)
        found, score = verify(reference, moving, rough), _score(reference, moving, rough)
        # What matches less than a hypothesis that failed is a likeness within the scene.
        if found >= LEAST_QUALITY and score >= highest:
            return _finished(reference, moving, rough, found, similarity)
        quality, highest = max(quality, found), max(highest, score)
    return Alignment(np.eye(3), min(quality, LARGEST_FAILED), False)


def _finished(
    reference: Prepared, moving: Prepared, rough: Matrix, quality: float, similarity: bool
) -> Alignment:
    """Refine a verified matrix on the levels finer than the one that verified it."""
    fine = refine(reference, moving, rough, similarity, coarsest=reference.coarse_factor - 1)
    return Alignment(fine, quality, True)


def align_features(
    reference: Prepared,
    moving: Prepared,
    *,
    transform: Transform,
    detector: Detector,
    ratio: float,
    threshold: float,
) -> Alignment:
    """Align a frame with the reference by key points; judged like `align`.

    Parameters
    ----------
    reference, moving : Prepared
        Two frames of the same shape.
    transform : {"translation", "similarity"}
        What the frames may differ by.
    detector : {"SIFT", "ORB"}
        Key points and descriptors.
    ratio : float
        A match counts when its distance is below this share of the second-best one's.
    threshold : float
        Matches within this many pixels of a transform agree with it.

    Returns
    -------
    Alignment
        Not verified, with the identity, when too few matches agree.

    Raises
    ------
    ValueError
        For frames of different shapes or working sizes.
    """
    _require_alike(reference, moving)
    if not reference.levels or not moving.levels:
        return _FAILED
    similarity = transform == "similarity"
    matrix = match_features(reference, moving, detector, ratio, threshold, similarity)
    if matrix is None:
        return _FAILED
    quality = verify(reference, moving, matrix)
    verified = quality >= LEAST_QUALITY
    return Alignment(matrix if verified else np.eye(3), quality, verified)


def verify(reference: Prepared, moving: Prepared, matrix: Matrix) -> float:
    """Quality in [0, 1] of a matrix, see `Alignment`; 0 when the frames do not match at zero."""
    fixed, warped = overlapping(reference, moving, matrix)
    common = np.isfinite(fixed).mean() / max(np.isfinite(reference.coarse).mean(), 1e-9)
    needed = LIKENESS_OF_NONE * (1 - common / ENOUGH_COMMON)
    if common < LEAST_COMMON or likeness(reference, moving, matrix) < needed:
        return 0.0
    quality, in_place = _judge(fixed, warped)
    return quality if in_place and _parts_in_place(fixed, warped) else 0.0


def _score(reference: Prepared, moving: Prepared, matrix: Matrix) -> float:
    """Correlation coefficient, less for a small overlap, where a high one means less."""
    common = np.isfinite(overlapping(reference, moving, matrix)[0]).mean()
    return likeness(reference, moving, matrix) * float(np.sqrt(common))


def _judge(fixed: Image, warped: Image) -> tuple[float, bool]:
    """How clear the highest peak of the correlation is, and whether it lies at zero."""
    surface = correlate(spectrum_of(fixed, 1.0), spectrum_of(warped, 1.0))
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
    rows, columns = (side // TILES for side in fixed.shape)
    places = []
    for y, x in np.ndindex(TILES, TILES):
        tile = (slice(y * rows, (y + 1) * rows), slice(x * columns, (x + 1) * columns))
        if np.isfinite(fixed[tile]).mean() < 0.5:
            continue
        quality, in_place = _judge(fixed[tile], warped[tile])
        if quality >= LEAST_QUALITY:
            places.append(in_place)
    return len(places) < TILES or 2 * sum(places) >= len(places)


def _hypotheses(
    reference: Prepared, moving: Prepared, transform: Transform, start: Matrix | None
) -> Iterator[Matrix]:
    """Starting matrices, likeliest first; each is computed only when the ones before failed."""
    if start is not None:
        yield np.asarray(start, np.float64)
    assert reference.spectrum is not None and moving.spectrum is not None
    factor = reference.coarse_factor
    for peak in peaks(correlate(reference.spectrum, moving.spectrum), 2):
        yield _shift(peak.x * factor, peak.y * factor)
    if transform == "similarity":
        yield from _turned(reference, moving)


def _turned(reference: Prepared, moving: Prepared) -> list[Matrix]:
    """Similarities from the magnitude spectra, each with its best shift, the clearest first."""
    fixed, image, spectrum = reference.coarse, moving.coarse, reference.spectrum
    assert fixed is not None and image is not None and spectrum is not None
    to_frame = level_to_frame(reference.coarse_factor)
    found = []
    for angle, scale in rotations_and_scales(fixed, image):
        for turn in (angle, angle + np.pi):
            linear = _turn_about_centre(turn, scale, fixed.shape)
            first, second = peaks(correlate(spectrum, spectrum_of(warp_coarsely(image, linear))), 2)
            matrix = linear @ _shift(first.x, first.y)
            found.append((second.height / first.height, matrix))
    found.sort(key=lambda pair: pair[0])
    return [to_frame @ matrix @ np.linalg.inv(to_frame) for _, matrix in found]


def _turn_about_centre(angle: float, scale: float, shape: tuple[int, ...]) -> Matrix:
    centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    matrix[:2, 2] = centre - matrix[:2, :2] @ centre
    return matrix


def _shift(x: float, y: float) -> Matrix:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], dtype=np.float64)


def _require_alike(reference: Prepared, moving: Prepared) -> None:
    same = reference.shape == moving.shape
    if same and reference.levels and moving.levels:
        same = reference.factors[0] == moving.factors[0]
    if not same:
        raise ValueError(
            f"the reference has shape {reference.shape} and the frame {moving.shape}: "
            "prepare frames of one shape with one working size"
        )


_FAILED = Alignment(np.eye(3), 0.0, False)
