"""Counts of right, loose, flagged and silently wrong registrations of hard pairs, beside SIFT.

Run as `python benchmarks/registration_trials.py [--kinds mixed,mover] [--transforms rigid]
[--trials 100] [--seed 10000]`. A result is right within the tolerance of its pair, wrong beyond
4 px. The second table compares the quality that was reported with how often the place was right: of
flagged frames, which are left where they are, the place that was thought likeliest.
"""

import argparse
import warnings
from collections import Counter
from itertools import pairwise

import cv2
import numpy as np
from registration_pairs import KINDS, TRANSFORMS, Pair, error_of, make

from napari_stack import Stack, measure_transforms
from napari_stack.operators.registration.methods import Features
from napari_stack.operators.registration.preprocess import prepare
from napari_stack.operators.registration.search.hypotheses import Search

#: Error in px above which a result that was not flagged is silently wrong.
WRONG = 4.0
#: Edges of the bins of reported quality.
BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 1.0001)


def verdict(matrix: np.ndarray | None, pair: Pair) -> str:
    """Say whether a matrix is right, loose or wrong; None is flagged."""
    if matrix is None:
        return "flagged"
    if pair.matrix is None:
        return "wrong"
    error = error_of(matrix, pair.matrix, pair.frames.shape[1:], pair.region)
    return "right" if error < pair.tolerance else "loose" if error < WRONG else "wrong"


def ours(pair: Pair, transform: str) -> tuple[np.ndarray | None, np.ndarray, float]:
    """Matrix or None, the matrix in any case, and the quality."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = measure_transforms(
            Stack.wrap(pair.frames), reference=0, transform=transform, region=pair.region
        )
    matrix = found.matrices[1]
    return None if found.failed[1] else matrix, matrix, float(found.quality[1])


def likeliest(pair: Pair, transform: str) -> np.ndarray | None:
    """Where a frame that was flagged would have been placed; None where nothing was found."""
    frames = [prepare(np.float32(frame), pair.region) for frame in pair.frames]
    if not all(frame.levels for frame in frames):
        return None
    search = Search(*frames, transform)
    search.go(None, Features())
    best = search.best()
    return None if best is None else best.refined.matrix


def sift(pair: Pair, transform: str) -> np.ndarray | None:
    """Match key points with SIFT and the ratio test, and fit by RANSAC."""
    low, high = pair.frames.min(), max(pair.frames.max(), pair.frames.min() + 1)
    pictures = [np.uint8(255.0 * (f - low) / (high - low)) for f in pair.frames.astype(float)]
    (k1, d1), (k2, d2) = (cv2.SIFT_create(4000).detectAndCompute(p, None) for p in pictures)
    if d1 is None or d2 is None or min(len(k1), len(k2)) < 4:
        return None
    pairs = [p for p in cv2.BFMatcher().knnMatch(d1, d2, k=2) if len(p) == 2]
    good = [a for a, b in pairs if a.distance < 0.75 * b.distance]
    if len(good) < 6:
        return None
    one = np.float64([k1[m.queryIdx].pt for m in good])
    two = np.float64([k2[m.trainIdx].pt for m in good])
    if transform == "homography":
        found, inliers = cv2.findHomography(one, two, cv2.RANSAC, 3)
    else:
        fit = cv2.estimateAffine2D if transform == "affine" else cv2.estimateAffinePartial2D
        found, inliers = fit(one, two, ransacReprojThreshold=3)
        found = None if found is None else np.vstack([found, [0, 0, 1]])
    return None if found is None or inliers.sum() < 8 else found


def trials(kind: str, transform: str, count: int, seed: int) -> tuple[Counter, Counter, list]:
    """Tally ours and SIFT's; the qualities with whether they held."""
    tally, rival, held = Counter(), Counter(), []
    for number in range(count):
        pair = make(kind, transform, seed + number)
        matrix, _, quality = ours(pair, transform)
        said = verdict(matrix, pair)
        tally[said] += 1
        rival[verdict(sift(pair, transform), pair)] += 1
        place = likeliest(pair, transform) if said == "flagged" and quality > 0 else matrix
        held.append((quality, verdict(place, pair) == "right"))
        if said == "wrong":
            print(f"    wrong: seed {seed + number}, quality {quality:.3f}: {pair.about}")
    return tally, rival, held


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--transforms", default=",".join(TRANSFORMS))
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=10_000)
    given = parser.parse_args()
    qualities = []
    for kind in given.kinds.split(","):
        for transform in given.transforms.split(","):
            tally, rival, held = trials(kind, transform, given.trials, given.seed)
            qualities += held
            print(f"{kind:10} {transform:12} ours {dict(tally)}   SIFT {dict(rival)}", flush=True)
    quality, right = np.array(qualities, float).T
    print("reported quality: pairs, mean quality, share whose place was right")
    for low, high in pairwise(BINS):
        inside = (quality >= low) & (quality < high)
        if inside.any():
            means = quality[inside].mean(), right[inside].mean()
            print(f"  {low:.2f} to {high:.2f}: {inside.sum():5d}  {means[0]:.3f}  {means[1]:.3f}")


if __name__ == "__main__":
    main()
