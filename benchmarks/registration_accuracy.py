"""Corner errors and times of registration on textures with exact truth, beside other libraries.

Run as `python benchmarks/registration_accuracy.py [--size 1024] [--pairs 4]`; libraries that are
not installed are left out. Every method runs on one thread, on frames rounded to 8 bits.
"""

import argparse
import time
from collections.abc import Callable
from importlib.util import find_spec

import cv2
import numpy as np
from analytic_textures import cells, corner_error, natural, pair, similarity

from napari_stack.operators.registration.methods import Features
from napari_stack.operators.registration.search.align import align, align_by, prepare

#: Takes reference and moving frame; gives the matrix (3, 3) from one to the other, or None.
Method = Callable[[np.ndarray, np.ndarray], np.ndarray | None]


def ours(reference: np.ndarray, moving: np.ndarray) -> np.ndarray | None:
    """Register by intensities."""
    found = align(prepare(reference), prepare(moving), transform="similarity")
    return found.matrix if found.verified else None


def our_features(reference: np.ndarray, moving: np.ndarray) -> np.ndarray | None:
    """Register by key points."""
    method = Features(threshold=3.0)
    found = align_by(prepare(reference), prepare(moving), transform="similarity", method=method)
    return found.matrix if found.verified else None


def pystackreg(reference: np.ndarray, moving: np.ndarray) -> np.ndarray | None:
    """Register with pystackreg's scaled rotation (Thevenaz 1998)."""
    from pystackreg import StackReg

    return StackReg(StackReg.SCALED_ROTATION).register(reference, moving)


def opencv_sift(reference: np.ndarray, moving: np.ndarray) -> np.ndarray | None:
    """Register with OpenCV's SIFT, the ratio test and RANSAC on the frames as they are."""
    finder = cv2.SIFT_create(4000)  # matching all of them takes minutes
    (first, a), (second, b) = (
        finder.detectAndCompute(frame.astype(np.uint8), None) for frame in (reference, moving)
    )
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(a, b, k=2)
    good = [m for m, n in pairs if m.distance < 0.75 * n.distance]
    found, _ = cv2.estimateAffinePartial2D(
        np.array([first[m.queryIdx].pt for m in good]),
        np.array([second[m.trainIdx].pt for m in good]),
        ransacReprojThreshold=3.0,
    )
    return None if found is None else np.vstack([found, [0, 0, 1]])


def imreg_dft(reference: np.ndarray, moving: np.ndarray) -> np.ndarray | None:
    """Register with imreg_dft's similarity, three iterations."""
    import imreg_dft as ird

    found = ird.similarity(reference, moving, numiter=3)
    shift = (found["tvec"][1], found["tvec"][0])
    back = similarity(shift, -found["angle"], found["scale"], reference.shape)
    return np.linalg.inv(back)


METHODS: dict[str, tuple[Method, str]] = {
    "napari-stack": (ours, "numpy"),
    "napari-stack, SIFT": (our_features, "numpy"),
    "pystackreg": (pystackreg, "pystackreg"),
    "OpenCV SIFT": (opencv_sift, "cv2"),
    "imreg_dft": (imreg_dft, "imreg_dft"),
}


def frames(name: str, size: int, large: bool, count: int) -> list[tuple]:
    """Make (reference, moving, truth) with drift up to 12 px, 2 degrees, 1 %, or far more."""
    rng = np.random.default_rng(0)
    shape, made = (size, size), []
    for seed in range(count):
        texture = cells(seed) if name == "cells" else natural(seed)
        shift, turn, scale = rng.uniform(-12, 12, 2), rng.uniform(-2, 2), rng.uniform(-0.01, 0.01)
        if large:
            shift, turn, scale = shift * 200 / 12, 12 * np.sign(turn), 0.1 * np.sign(scale)
        truth = similarity(tuple(shift), turn, 1 + scale, shape)
        made.append((*pair(texture, truth, shape, 5, seed), truth))
    return made


def measure(method: Method, made: list[tuple]) -> tuple[float, float, int, float]:
    """Give the mean and greatest corner error in pixels, the failures, and seconds a pair."""
    errors, began = [], time.perf_counter()
    for reference, moving, truth in made:
        found = method(reference, moving)
        error = np.inf if found is None else corner_error(found, truth, reference.shape)
        errors.append(error)
    seconds = (time.perf_counter() - began) / len(made)
    right = [e for e in errors if e < 5]
    mean, most = (np.mean(right), np.max(right)) if right else (np.nan, np.nan)
    return float(mean), float(most), len(errors) - len(right), seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--pairs", type=int, default=4)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    warm = pair(cells(0), np.eye(3), (256, 256), 5, 0)
    available = {n: m for n, (m, package) in METHODS.items() if find_spec(package)}
    print(f"{options.size} x {options.size} px, noise 5/255, {options.pairs} pairs a line")
    print(f"{'frames':<16} {'method':<20} {'mean px':>9} {'max px':>9} {'failed':>7} {'s/pair':>7}")
    for name in ("cells", "natural"):
        for large in (False, True):
            made = frames(name, options.size, large, options.pairs)
            for label, method in available.items():
                method(*warm)
                mean, most, failed, seconds = measure(method, made)
                case = name + (", large" if large else "")
                print(f"{case:<16} {label:<20} {mean:9.4f} {most:9.4f} {failed:7} {seconds:7.2f}")


if __name__ == "__main__":
    main()
