"""Counts of right, flagged and wrong registrations in hard cases, with exact truth.

Run as `python benchmarks/registration_robustness.py [--trials 100]`.
"""

import argparse
from collections.abc import Callable

import cv2
import numpy as np
from analytic_textures import cells, corner_error, natural, pair, similarity

from napari_stack.operators._alignment import align, prepare

SHAPE = (384, 448)

#: Takes a seed; gives reference, moving frame, true matrix, and the error (px) that is right.
Case = Callable[[int], tuple[np.ndarray, np.ndarray, np.ndarray, float]]


def texture(seed: int) -> Callable:
    """Cells for odd seeds, a natural texture for even ones."""
    return cells(seed, 500, 900) if seed % 2 else natural(seed, 200)


def drift(rng: np.random.Generator) -> np.ndarray:
    """Draw a similarity of up to 12 px, 2 degrees and 1 %."""
    shift = tuple(rng.uniform(-12, 12, 2))
    return similarity(shift, rng.uniform(-2, 2), 1 + rng.uniform(-0.01, 0.01), SHAPE)


def strong_noise(seed: int) -> tuple:
    """Noise as strong as the scene: an SNR of 1."""
    rng = np.random.default_rng(seed)
    truth, scene = drift(rng), texture(seed)
    frames = [scene(np.eye(3), SHAPE), scene(truth, SHAPE)]
    noisy = [(f + rng.normal(0, frames[0].std(), SHAPE)).astype(np.float32) for f in frames]
    return noisy[0], noisy[1], truth, 2.0


def large_turn(seed: int) -> tuple:
    """12 degrees and 10 % of scale."""
    signs = np.sign(np.random.default_rng(seed).normal(size=2))
    truth = similarity((30, -20), 12 * signs[0], 1 + 0.1 * signs[1], SHAPE)
    return *pair(texture(seed), truth, SHAPE, 5, seed), truth, 1.0


def large_shift(seed: int) -> tuple:
    """200 px of shift."""
    rng = np.random.default_rng(seed)
    truth = similarity((200 * np.sign(rng.normal()), rng.uniform(-20, 20)), 0, 1, SHAPE)
    return *pair(texture(seed), truth, SHAPE, 5, seed), truth, 1.0


def fixed_pattern(seed: int) -> tuple:
    """1 % hot pixels, 2 x 2 clusters, dust and bad columns that stay in place."""
    rng = np.random.default_rng(seed)
    truth = drift(rng)
    hot = np.where(rng.random(SHAPE) < 0.01, rng.uniform(30, 150, SHAPE), 0)
    for y, x in rng.integers(0, 380, (60, 2)):
        hot[y : y + 2, x : x + 2] = rng.uniform(30, 150)
    hot[:, rng.integers(0, SHAPE[1], 3)] += 60
    dust = np.ones(SHAPE)
    for y, x in rng.integers(20, 360, (8, 2)):
        cv2.circle(dust, (int(x), int(y)), 6, 0.7, -1)
    frames = pair(texture(seed), truth, SHAPE, 5, seed)
    first, second = (((f + hot) * dust).astype(np.float32) for f in frames)
    return first, second, truth, 1.0


def periodic(seed: int) -> tuple:
    """Draw a grid that looks the same at many shifts: it can only be flagged."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    period, shift = rng.uniform(8, 50), rng.uniform(-40, 40, 2)
    frames = []
    for u, v in ((0.0, 0.0), tuple(shift)):
        grid = np.cos(2 * np.pi * (x - u) / period) + np.cos(2 * np.pi * (y - v) / period)
        frames.append((grid + rng.normal(0, 0.1, SHAPE)).astype(np.float32))
    return frames[0], frames[1], similarity(tuple(shift), 0, 1, SHAPE), 1.0


CASES: dict[str, Case] = {
    "SNR of 1": strong_noise,
    "12 degrees, 10 %": large_turn,
    "200 px": large_shift,
    "hot pixels, dust, columns": fixed_pattern,
    "periodic pattern": periodic,
}


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    trials = parser.parse_args().trials
    cv2.setNumThreads(1)
    print(f"{'case':<26} {'right':>6} {'flagged':>8} {'wrong':>6} {'median px':>10}")
    for name, case in CASES.items():
        errors, flagged, right = [], 0, 0
        for seed in range(trials):
            first, second, truth, tolerance = case(seed)
            found = align(prepare(first), prepare(second), transform="similarity")
            if not found.verified:
                flagged += 1
                continue
            errors.append(corner_error(found.matrix, truth, SHAPE))
            right += errors[-1] < tolerance
        median = np.median(errors) if errors else np.nan
        wrong = len(errors) - right
        print(f"{name:<26} {right:6} {flagged:8} {wrong:6} {median:10.3f}", flush=True)


if __name__ == "__main__":
    main()
