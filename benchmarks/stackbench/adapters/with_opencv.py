"""OpenCV: SIFT (4000 points, ratio 0.75) with RANSAC (3 px) for a similarity, ECC for shifts.

ECC starts from phaseCorrelate. Depth is the frame of the largest modified Laplacian, smoothed by a
Gaussian of 4 px.
"""

import contextlib

import numpy as np

REQUIREMENTS = ("opencv-python-headless",)
BUILT_IN = True


def version():
    """Tell the version."""
    import cv2

    return cv2.__version__


def _bytes(frame):
    return np.clip(frame.astype(float) / frame.max() * 255, 0, 255).astype(np.uint8)


def registration(frames, transform):
    """Register every frame against the middle one."""
    pair = _shift if str(transform) == "translation" else _features
    fixed = frames[len(frames) // 2]
    return np.stack([pair(fixed, frame) for frame in frames])


def _shift(fixed, frame):
    import cv2

    a, b = (cv2.GaussianBlur(f.astype(np.float32), (0, 0), 1.0) for f in (fixed, frame))
    (x, y), _ = cv2.phaseCorrelate(a, b, cv2.createHanningWindow(a.shape[::-1], cv2.CV_32F))
    start = np.array([[1, 0, x], [0, 1, y]], np.float32)
    ends = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-6)
    with contextlib.suppress(cv2.error):  # where it does not converge, the correlation stands
        start = cv2.findTransformECC(a, b, start, cv2.MOTION_TRANSLATION, ends, None, 5)[1]
    return np.vstack([start, [0, 0, 1]])


def _features(fixed, frame):
    import cv2

    finder = cv2.SIFT_create(4000)
    (first, a), (second, b) = (finder.detectAndCompute(_bytes(f), None) for f in (fixed, frame))
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(a, b, k=2)
    good = [m for m, n in pairs if m.distance < 0.75 * n.distance]
    found, _ = cv2.estimateAffinePartial2D(
        np.array([first[m.queryIdx].pt for m in good]),
        np.array([second[m.trainIdx].pt for m in good]),
        ransacReprojThreshold=3.0,
    )
    return np.vstack([found, [0, 0, 1]])


def depth(frames):
    """Return the frame of the largest sharpness."""
    import cv2

    kernel = np.array([[-1, 2, -1]], np.float32)
    energies = []
    for frame in frames.astype(np.float32):
        both = (np.abs(cv2.filter2D(frame, -1, k)) for k in (kernel, kernel.T))
        energies.append(cv2.GaussianBlur(sum(both), (0, 0), 4.0))
    return np.argmax(energies, axis=0).astype(float)
