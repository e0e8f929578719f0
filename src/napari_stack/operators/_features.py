"""Key points, their matches, and the transform that most matches agree on."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_stack.operators._preparation import Image, Prepared
from napari_stack.operators._refinement import level_to_frame
from napari_stack.operators._refinement_kernels import Matrix

Detector = Literal["SIFT", "ORB"]
Points = NDArray[np.float64]

#: Strongest key points kept a frame: brute-force matching, which is exact and always gives the
#: same answer, then takes a fraction of a second.
MOST_POINTS = 4000
#: A transform needs this many matches in agreement.
FEWEST_INLIERS = 6
#: Scales beyond this, or below its inverse, are matches gone wrong.
LARGEST_SCALE = 4.0


def match_features(
    reference: Prepared,
    moving: Prepared,
    detector: Detector,
    ratio: float,
    threshold: float,
    similarity: bool,
) -> Matrix | None:
    """Matrix (3, 3) from the reference to the moving frame; None when too few matches agree.

    Nearest and second-nearest descriptors must differ by `ratio` (Lowe 2004); RANSAC counts
    matches within `threshold` pixels of the frame.
    """
    factor = reference.factors[0]
    matches = _matches(reference.levels[0], moving.levels[0], detector, ratio)
    if len(matches[0]) < FEWEST_INLIERS:
        return None
    estimate = _similarity if similarity else _translation
    matrix = estimate(*matches, threshold / factor)
    if matrix is None:
        return None
    to_frame = level_to_frame(factor)
    return to_frame @ matrix @ np.linalg.inv(to_frame)


def _matches(
    reference: Image, moving: Image, detector: Detector, ratio: float
) -> tuple[Points, Points]:
    """Points (n, 2) of the reference and of the moving frame that match by the ratio test."""
    if detector == "SIFT":
        finder, norm = cv2.SIFT_create(MOST_POINTS), cv2.NORM_L2
    else:
        finder, norm = cv2.ORB_create(MOST_POINTS), cv2.NORM_HAMMING
    first, first_descriptors = finder.detectAndCompute(*_eight_bit(reference))
    second, second_descriptors = finder.detectAndCompute(*_eight_bit(moving))
    if len(first) < 2 or len(second) < 2:
        return np.empty((0, 2)), np.empty((0, 2))
    pairs = cv2.BFMatcher(norm).knnMatch(first_descriptors, second_descriptors, k=2)
    good = [best for best, other in pairs if best.distance < ratio * other.distance]
    return (
        np.array([first[m.queryIdx].pt for m in good], np.float64).reshape(-1, 2),
        np.array([second[m.trainIdx].pt for m in good], np.float64).reshape(-1, 2),
    )


def _eight_bit(image: Image) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Band-passed image as detectors want it, strong structure compressed, and where to look."""
    valid = np.isfinite(image)
    values = 128 + 96 * np.arcsinh(np.where(valid, image, 0) / 4)
    return np.clip(values, 0, 255).astype(np.uint8), valid.astype(np.uint8) * np.uint8(255)


def _similarity(first: Points, second: Points, threshold: float) -> Matrix | None:
    found, inliers = cv2.estimateAffinePartial2D(
        first, second, method=cv2.RANSAC, ransacReprojThreshold=threshold, confidence=0.999
    )
    if found is None or np.count_nonzero(inliers) < FEWEST_INLIERS:
        return None
    scale = float(np.hypot(found[0, 0], found[1, 0]))
    if not 1 / LARGEST_SCALE < scale < LARGEST_SCALE:
        return None
    return np.vstack([found, [0, 0, 1]])


def _translation(first: Points, second: Points, threshold: float) -> Matrix | None:
    """Mean of the shifts around the one that most others lie next to."""
    shifts = second - first
    # Every shift is a hypothesis: with a sample this size none has to be drawn at random.
    sample = shifts[:: max(1, len(shifts) // 500)]
    distance = np.hypot(*(shifts[None] - sample[:, None]).transpose(2, 0, 1))
    inliers = distance[np.argmax(np.count_nonzero(distance < threshold, axis=1))] < threshold
    if np.count_nonzero(inliers) < FEWEST_INLIERS:
        return None
    matrix = np.eye(3)
    matrix[:2, 2] = shifts[inliers].mean(axis=0)
    return matrix
