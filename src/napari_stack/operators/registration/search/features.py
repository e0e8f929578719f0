"""Key points, their matches, and the transform that most matches agree on."""

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.matrices import Matrix, moved
from napari_stack.engine.opencv import cv2
from napari_stack.operators.registration.methods import Features
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.gauss_newton import level_to_frame
from napari_stack.operators.registration.refinement.motion_models import Transform, nearest
from napari_stack.operators.registration.search.descriptors import are_exact, matched

Points = NDArray[np.float64]
#: Key points and their descriptors.
Described = tuple[Any, NDArray[Any]]

#: Strongest key points kept a frame: brute-force matching, which is exact and always gives the
#: same answer, then takes a fraction of a second.
MOST_POINTS = 4000
#: So many, on a level of this side, show whether frames have anything in common.
FEW_POINTS, FEW_SIDE = 1000, 160
#: A transform needs this many matches in agreement; one of eight unknowns needs more.
FEWEST_INLIERS, FEWEST_FOR_HOMOGRAPHY = 6, 10
#: Scales beyond this, or below its inverse, are matches gone wrong.
LARGEST_SCALE = 4.0
#: FLANN's numbers of its indices; hashing (6) is the one for binary descriptors.
_INDICES = {"kd-tree": 1, "k-means": 2}
_HASHES = {"algorithm": 6, "table_number": 6, "key_size": 12, "multi_probe_level": 1}
#: Key points of frames that are in use, by level, detector and descriptor.
_KNOWN: WeakKeyDictionary[Prepared, dict[tuple[int, str, str], Described]] = WeakKeyDictionary()


def match_features(
    reference: Prepared,
    moving: Prepared,
    transform: Transform,
    options: Features,
    motions: int = 1,
    *,
    brief: bool = False,
) -> list[Matrix]:
    """Matrices (3, 3) from the reference to the moving frame that enough matches agree with.

    Nearest and second-nearest descriptors must differ by a ratio (Lowe 2004); the estimator
    counts matches within a threshold, in pixels of the frame. Matches that do not agree with the
    first matrix are asked for a second, up to so many motions. When `brief`, the strongest points
    of a small level are taken: enough to see whether any agree.

    Raises
    ------
    ValueError
        For a detector or descriptor that this build of OpenCV lacks.
    """
    level = _smallest(reference) if brief else 0
    most, factor = FEW_POINTS if brief else MOST_POINTS, reference.factors[level]
    one, other = (_strongest(_known(f, level, options), most) for f in (reference, moving))
    points, others = _matched(one, other, options)
    threshold = options.threshold / factor
    to_frame = level_to_frame(factor)
    found = []
    for _ in range(motions):
        matrix = agreed(points, others, threshold, transform, options.estimator)
        if matrix is None:
            break
        left = np.hypot(*(moved(matrix, points) - others).T) > threshold
        points, others = points[left], others[left]
        if _plausible(matrix):
            matrix = to_frame @ matrix @ np.linalg.inv(to_frame)
            found.append(nearest(matrix / matrix[2, 2], transform, reference.shape))
    return found


def find_matches(reference: Image, moving: Image, options: Features) -> tuple[Points, Points]:
    """Points (n, 2) of the reference and of the moving frame that match by the ratio test."""
    return _matched(_described(reference, options), _described(moving, options), options)


def _matched(one: Described, other: Described, options: Features) -> tuple[Points, Points]:
    (first, first_descriptors), (second, second_descriptors) = one, other
    if len(first) < 2 or len(second) < 2:
        return np.empty((0, 2)), np.empty((0, 2))
    if options.matcher == "brute force" and are_exact(first_descriptors, second_descriptors):
        ours, theirs = matched(first_descriptors, second_descriptors, options.ratio)
        good = list(zip(ours.tolist(), theirs.tolist(), strict=True))
    else:
        matcher = _matcher(options, binary=first_descriptors.dtype == np.uint8)
        pairs = matcher.knnMatch(first_descriptors, second_descriptors, k=2)
        # Hashing may find one neighbour only, or none.
        both = [p for p in pairs if len(p) == 2]
        good = [
            (p[0].queryIdx, p[0].trainIdx)
            for p in both
            if p[0].distance < options.ratio * p[1].distance
        ]
    return (
        np.array([first[i].pt for i, _ in good], np.float64).reshape(-1, 2),
        np.array([second[j].pt for _, j in good], np.float64).reshape(-1, 2),
    )


def require(options: Features) -> None:
    """Refuse what this build of OpenCV, or the combination, does not offer."""
    _finder(options.detector)
    descriptor = options.descriptor
    if descriptor != "same":
        _finder(descriptor)
    if descriptor == "AKAZE" != options.detector:
        raise UserError(
            f"Features: the descriptor 'AKAZE' describes points of 'AKAZE' only, not of "
            f"{options.detector!r}: choose descriptor='same' or detector='AKAZE'"
        )


def _finder(name: str) -> Any:
    places = (cv2, getattr(cv2, "xfeatures2d", None))
    make = next((m for place in places if (m := getattr(place, f"{name}_create", None))), None)
    missing = UserError(
        f"Features: this build of OpenCV ({cv2.__version__}) has no {name}: choose 'SIFT' or "
        "'ORB', or install a build that has it (opencv-contrib-python-headless)"
    )
    if make is None:
        raise missing
    try:
        return make(MOST_POINTS) if name in ("SIFT", "ORB") else make()
    except cv2.error as error:  # patented ones are there by name and refuse to work
        raise missing from error


def _smallest(frame: Prepared) -> int:
    """Return the number of the smallest level that shows enough key points."""
    fitting = [i for i, shape in enumerate(frame.levels.shapes) if min(shape) >= FEW_SIDE]
    return fitting[-1] if fitting else 0


def _known(frame: Prepared, level: int, options: Features) -> Described:
    """Key points of a frame, which are found once: many are compared with the reference."""
    found = _KNOWN.setdefault(frame, {})
    how = level, options.detector, options.descriptor
    if how not in found:
        found[how] = _described(frame.levels[level], options)
    return found[how]


def _described(image: Image, options: Features) -> Described:
    picture, mask = _eight_bit(image)
    finder = _finder(options.detector)
    if options.descriptor in ("same", options.detector):
        points, descriptors = finder.detectAndCompute(picture, mask)
    else:
        points = finder.detect(picture, mask)
        for point in points:  # detectors number their octaves differently
            point.octave = 0
        points, descriptors = _finder(options.descriptor).compute(picture, points)
    return _strongest((points, descriptors), MOST_POINTS)


def _strongest(described: Described, most: int) -> Described:
    """Return the strongest key points, where there are more than so many."""
    points, descriptors = described
    if len(points) <= most:
        return described
    kept = np.argsort([-p.response for p in points], kind="stable")[:most]
    return [points[i] for i in kept], descriptors[kept]


def _matcher(options: Features, binary: bool) -> Any:
    if options.matcher == "brute force":
        return cv2.BFMatcher(cv2.NORM_HAMMING if binary else cv2.NORM_L2)
    cv2.setRNGSeed(0)  # FLANN draws lots: the same ones every time
    index = {"algorithm": _INDICES[options.index], "trees": options.trees}
    return cv2.FlannBasedMatcher(_HASHES if binary else index, {"checks": options.checks})


def _eight_bit(image: Image) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Band-passed image as detectors want it, strong structure compressed, and where to look."""
    valid = np.isfinite(image)
    values = 128 + 96 * np.arcsinh(np.where(valid, image, 0) / 4)
    return np.clip(values, 0, 255).astype(np.uint8), valid.astype(np.uint8) * np.uint8(255)


def picture(image: Image) -> NDArray[np.uint8]:
    """Image in eight bits, as detectors take it."""
    return _eight_bit(image)[0]


def agreed(
    first: Points, second: Points, threshold: float, transform: Transform, estimator: str
) -> Matrix | None:
    """Transform that most matches agree with, or None where too few do."""
    if len(first) < FEWEST_INLIERS:
        return None
    if transform == "translation":
        return _translation(first, second, threshold)
    method = {"RANSAC": cv2.RANSAC, "MAGSAC": cv2.USAC_MAGSAC}[estimator]
    options: Any = {"method": method, "ransacReprojThreshold": threshold, "confidence": 0.999}
    if transform == "homography":
        found, inliers = cv2.findHomography(first, second, **options)
    else:
        # A rigid transform is the nearest to a similarity; scale costs its estimate nothing.
        whole = transform == "affine"
        function = cv2.estimateAffine2D if whole else cv2.estimateAffinePartial2D
        if not whole:  # MAGSAC has no model of four unknowns
            options["method"] = cv2.RANSAC
        found, inliers = function(first, second, **options)
    fewest = FEWEST_FOR_HOMOGRAPHY if transform == "homography" else FEWEST_INLIERS
    if found is None or np.count_nonzero(inliers) < fewest:
        return None
    return found if transform == "homography" else np.vstack([found, [0, 0, 1]])


def _plausible(matrix: Matrix) -> bool:
    scale = np.linalg.svd(matrix[:2, :2], compute_uv=False)
    return bool(1 / LARGEST_SCALE < scale[1] <= scale[0] < LARGEST_SCALE and matrix[2, 2] > 0)


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
