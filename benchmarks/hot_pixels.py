"""How many of the defective pixels are found, and how many of those found are defective.

Synthetic frames of known truth: star fields that drift 200 px, beads, cells, flat and mosaics of
colours, in whole numbers of 12 bits with the noise of photons and of reading out; defects of a
share of the pixels stand out by 5 to 60 times the noise of a frame. Run
``python benchmarks/hot_pixels.py``.
"""

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import napari_stack as ns

SIZE = (300, 400)


def points(
    places: NDArray[np.float64], light: NDArray[np.float64], width: float
) -> NDArray[np.float64]:
    """Draw Gaussian points at sub-pixel places (y, x)."""
    image = np.zeros(SIZE)
    reach = int(4 * width) + 1
    offsets = np.arange(-reach, reach + 1)
    for (y, x), brightness in zip(places, light, strict=True):
        j, i = round(y) + offsets, round(x) + offsets
        spot = np.outer(
            np.exp(-((j - y) ** 2) / 2 / width**2), np.exp(-((i - x) ** 2) / 2 / width**2)
        )
        inside = np.ix_((j >= 0) & (j < SIZE[0]), (i >= 0) & (i < SIZE[1]))
        image[np.ix_(j[(j >= 0) & (j < SIZE[0])], i[(i >= 0) & (i < SIZE[1])])] += (
            brightness * spot[inside]
        )
    return image


def sky(rng: np.random.Generator, frames: int) -> NDArray[np.float64]:
    """Stars that drift 200 px over a bright sky."""
    places = rng.uniform([-220, -220], [SIZE[0], SIZE[1]], (1500, 2))
    light = 60 * rng.pareto(1.2, 1500)
    drift = np.linspace(0, 200, frames)[:, None] * [0.6, 0.8]
    return np.array([150 + points(places + d, light, 1.1) for d in drift])


def beads(rng: np.random.Generator, frames: int) -> NDArray[np.float64]:
    """Beads of 4 px that diffuse."""
    places = rng.uniform(0, 1, (80, 2)) * SIZE
    light = rng.uniform(200, 1200, 80)
    walk = np.cumsum(rng.normal(0, 2, (frames, 80, 2)), axis=0)
    return np.array([100 + points(places + w, light, 2.0) for w in walk])


def cells(rng: np.random.Generator, frames: int) -> NDArray[np.float64]:
    """Cells that drift a little."""
    seed = int(rng.integers(99))
    stack, _ = ns.samples.drifting_cells(frames, SIZE, seed, noise=0, dtype="float32")
    return 100 + 1500 * np.asarray(stack, np.float64)


def flat(rng: np.random.Generator, frames: int) -> NDArray[np.float64]:  # noqa: ARG001
    """Make an even field."""
    return np.full((frames, *SIZE), 400.0)


def mosaic(rng: np.random.Generator, frames: int) -> NDArray[np.float64]:
    """Make a star field seen through a mosaic of colours."""
    scene = sky(rng, frames)
    scene[:, ::2, ::2] *= 0.6
    scene[:, 1::2, 1::2] *= 0.4
    return scene


SCENES: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
    "sky": sky,
    "beads": beads,
    "cells": cells,
    "flat": flat,
    "mosaic": mosaic,
}


def defective(
    clean: NDArray[np.float64],
    share: float,
    rng: np.random.Generator,
    sigmas: tuple[float, float] = (5, 60),
    reading: float = 2.0,
) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """Record clean frames with noise and defects; the truth is where the defects are."""
    noise = np.sqrt(np.maximum(clean, 0) * 0.5 + reading**2)
    truth = rng.random(clean.shape[1:]) < share
    level = np.median(clean, axis=0)[truth]
    unit = np.sqrt(level * 0.5 + reading**2)
    low, high = np.log(sigmas)
    frames = clean + rng.normal(0, noise)
    frames[:, truth] += unit * np.exp(rng.uniform(low, high, unit.size))
    return np.rint(frames.clip(0, 4095)).astype(np.uint16), truth


def scores(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Return precision and recall."""
    hits = float((found & truth).sum())
    return hits / max(found.sum(), 1), hits / max(truth.sum(), 1)


def main() -> None:
    """Print precision and recall for each scene, share of defects and number of frames."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("frames", type=int, nargs="*", default=[48, 12])
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    frames_of = arguments.frames
    print("scene    frames  share  sigmas   precision  recall  seconds")
    for name, scene in SCENES.items():
        for frames in frames_of:
            for share, sigmas in ((0.001, (5, 60)), (0.01, (5, 60)), (0.003, (3, 10))):
                rng = np.random.default_rng(arguments.seed)
                data, truth = defective(scene(rng, frames), share, rng, sigmas)
                began = time.perf_counter()
                with warnings.catch_warnings(record=True) as told:
                    warnings.simplefilter("always")
                    found = ns.find_hot_pixels(ns.Stack.wrap(data))
                seconds = time.perf_counter() - began
                precision, recall = scores(found, truth)
                remark = "told: still" if told else ""
                print(
                    f"{name:8} {frames:6} {share:6} {sigmas!s:>8} {precision:10.3f} {recall:7.3f} "
                    f"{seconds:8.2f} {remark}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
