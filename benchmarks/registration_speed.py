"""Seconds that 16 frames of 1024 x 1024 take to be registered, beside other libraries.

Run as `python benchmarks/registration_speed.py [--frames 16] [--rounds 3]`. All methods are warm
and take turns; medians are told. Libraries that are not installed are left out.
"""

import argparse
import time
from collections.abc import Callable
from importlib.util import find_spec

import cv2
import numpy as np
import scipy.fft
from analytic_textures import cells, corner_error, similarity
from registration_accuracy import imreg_dft, opencv_sift, pystackreg

from napari_stack import Stack, measure_transforms

SHAPE = (1024, 1024)


def series(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Make frames (n, y, x), 8 bits with noise 5, and their true matrices; the middle is fixed."""
    rng, texture = np.random.default_rng(0), cells(1)
    truth, frames = [], []
    for i in range(count):
        shift, turn, scale = rng.uniform(-12, 12, 2), rng.uniform(-2, 2), rng.uniform(-0.01, 0.01)
        matrix = np.eye(3) if i == count // 2 else similarity(tuple(shift), turn, 1 + scale, SHAPE)
        truth.append(matrix)
        frames.append(np.clip(np.rint(texture(matrix, SHAPE) + rng.normal(0, 5, SHAPE)), 0, 255))
    return np.stack(frames).astype(np.uint8), np.stack(truth)


def ours(frames: np.ndarray) -> np.ndarray:
    """Measure with `measure_transforms`, its default method."""
    return measure_transforms(Stack.wrap(frames)).matrices


def one_by_one(pair: Callable) -> Callable[[np.ndarray], np.ndarray]:
    """Measure every frame against the middle one with a rival."""

    def measure(frames: np.ndarray) -> np.ndarray:
        fixed = frames[len(frames) // 2].astype(np.float32)
        found = [pair(fixed, frame.astype(np.float32)) for frame in frames]
        return np.stack([np.full((3, 3), np.nan) if m is None else m for m in found])

    return measure


METHODS = {
    "napari-stack": (ours, "numpy", 1),
    "pystackreg": (one_by_one(pystackreg), "pystackreg", 1),
    "OpenCV SIFT": (one_by_one(opencv_sift), "cv2", 4),
    "imreg_dft": (one_by_one(imreg_dft), "imreg_dft", 8),
}


def main() -> None:
    """Print the table; slow rivals measure a share of the frames, and their time is scaled up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    frames, truth = series(options.frames)
    ours(frames[:3])
    wall: dict[str, list[float]] = {}
    cpu: dict[str, list[float]] = {}
    errors: dict[str, float] = {}
    for number in range(options.rounds):
        for name, (measure, package, share) in METHODS.items():
            if not find_spec(package) or (share > 1 and number):
                continue
            middle, count = options.frames // 2, max(options.frames // share, 2)
            chosen = slice(middle - count // 2, middle - count // 2 + count)
            began = time.perf_counter(), time.process_time()
            found = measure(frames[chosen])
            scale = options.frames / count
            wall.setdefault(name, []).append((time.perf_counter() - began[0]) * scale)
            cpu.setdefault(name, []).append((time.process_time() - began[1]) * scale)
            rest = [corner_error(a, b, SHAPE) for a, b in zip(found, truth[chosen], strict=True)]
            errors[name] = float(np.nansum(rest) / (count - 1))
    print(f"{options.frames} frames of {SHAPE[0]} x {SHAPE[1]}, OpenCV {cv2.__version__}")
    print(f"{'method':<14} {'wall s':>8} {'cpu s':>8} {'x wall':>7} {'x cpu':>7} {'error px':>9}")
    best = np.median(wall["napari-stack"]), np.median(cpu["napari-stack"])
    for name in wall:
        seconds = np.median(wall[name]), np.median(cpu[name])
        times = seconds[0] / best[0], seconds[1] / best[1]
        print(f"{name:<14} {seconds[0]:8.2f} {seconds[1]:8.2f} {times[0]:7.1f} {times[1]:7.1f} "
              f"{errors[name]:9.4f}")  # fmt: skip
    image, spans = frames[0].astype(np.float32), []
    for _ in range(9):
        began = time.perf_counter()
        scipy.fft.rfft2(image), scipy.fft.rfft2(image)
        spans.append(time.perf_counter() - began)
    print(f"a pair costs {best[1] / (options.frames - 1) / np.median(spans):.1f} x a pair of rfft2")


if __name__ == "__main__":
    main()
