"""Counts of right, flagged and wrong registrations in hard cases, with exact truth.

Run as `python benchmarks/registration_robustness.py [--size 1024] [--trials 100]`.
"""

import argparse
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from analytic_textures import Matrix, Texture, cells, corner_error, natural, pair, similarity
from numpy.typing import NDArray

from napari_stack.operators.registration.search.align import align, prepare

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]
#: Reference, moving frame, true matrix, and the error (px) below which a result is right.
Trial = tuple[NDArray[np.float32], NDArray[np.float32], Matrix, float]


@dataclass(frozen=True)
class Scene:
    """What the frames of one trial are drawn from.

    Parameters
    ----------
    texture : str
        A key of `TEXTURES`.
    size : int
        Rows and columns of a frame.
    seed : int
        Number of the trial.
    """

    texture: str
    size: int
    seed: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.size, self.size

    def similarity(self, drift: tuple[float, float], degrees: float, scale: float) -> Matrix:
        """Matrix of a similarity about the centre of the frame."""
        return similarity(drift, degrees, scale, self.shape)

    def pair(self, truth: Matrix, noise: float | None) -> Pair:
        """Draw both frames; no `noise` is noise as strong as the scene, not rounded."""
        drawn = TEXTURES[self.texture](self)
        if noise is not None:
            return pair(drawn, truth, self.shape, noise, self.seed)
        rng = np.random.default_rng(self.seed)
        frames = [drawn(np.eye(3), self.shape), drawn(truth, self.shape)]
        deviation = frames[0].std()
        first, second = (f + rng.normal(0, deviation, self.shape) for f in frames)
        return first.astype(np.float32), second.astype(np.float32)


def scattered(scene: Scene) -> Texture:
    """Cells, as dense in a large frame as in a small one."""
    extent = 2 * scene.size
    return cells(scene.seed, int(900 * (extent / 1600) ** 2), extent)


def dots(scene: Scene) -> Texture:
    """Draw small bright dots on black."""
    rng = np.random.default_rng(scene.seed)
    extent = 2 * scene.size
    count = extent**2 // 2500
    places = rng.uniform(-extent / 4, extent * 3 / 4, (count, 2))
    widths, heights = rng.uniform(1.5, 3, count), rng.uniform(60, 220, count)

    def frame(matrix: Matrix, shape: tuple[int, int]) -> NDArray[np.float64]:
        image = np.zeros(shape)
        scale = np.sqrt(abs(np.linalg.det(matrix[:2, :2])))
        for place, width, height in zip(places, widths * scale, heights, strict=True):
            x0, y0 = matrix[:2, :2] @ place + matrix[:2, 2]
            reach = 6 * width
            left, right = max(int(x0 - reach), 0), min(int(x0 + reach) + 2, shape[1])
            top, bottom = max(int(y0 - reach), 0), min(int(y0 + reach) + 2, shape[0])
            if left < right and top < bottom:
                y, x = np.ogrid[top:bottom, left:right]
                square = (x - x0) ** 2 + (y - y0) ** 2
                image[top:bottom, left:right] += height * np.exp(-0.5 * square / width**2)
        return image

    return frame


def tissue(scene: Scene) -> Texture:
    """Draw a natural texture at a quarter of its contrast."""
    drawn = natural(scene.seed, 200)
    return lambda matrix, shape: 128 + (drawn(matrix, shape) - 128) / 4


def fine_grid(scene: Scene) -> Texture:
    """Draw a grid that looks the same at many shifts: larger drift can only be flagged."""
    rng = np.random.default_rng(scene.seed)
    period, angle = rng.uniform(8, 50), rng.uniform(0, np.pi)
    axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])

    def frame(matrix: Matrix, shape: tuple[int, int]) -> NDArray[np.float64]:
        back = np.linalg.inv(matrix)
        y, x = np.ogrid[: shape[0], : shape[1]]
        px = back[0, 0] * x + back[0, 1] * y + back[0, 2]
        py = back[1, 0] * x + back[1, 1] * y + back[1, 2]
        return 128 + sum(30 * np.cos(2 * np.pi * (a * px + b * py) / period) for a, b in axes)

    return frame


TEXTURES: dict[str, Callable[[Scene], Texture]] = {
    "cells": scattered,
    "dots": dots,
    "tissue": tissue,
    "fine grid": fine_grid,
}


def small_drift(scene: Scene) -> Matrix:
    """Draw a similarity of up to 12 px, 2 degrees and 1 %."""
    rng = np.random.default_rng(scene.seed)
    shift = tuple(rng.uniform(-12, 12, 2))
    return scene.similarity(shift, rng.uniform(-2, 2), 1 + rng.uniform(-0.01, 0.01))


def noisy(scene: Scene) -> Trial:
    """Noise of 5 of 255."""
    truth = small_drift(scene)
    return *scene.pair(truth, 5), truth, 1.0


def strong_noise(scene: Scene) -> Trial:
    """Noise as strong as the scene: an SNR of 1."""
    truth = small_drift(scene)
    return *scene.pair(truth, None), truth, 2.0


def large_shift(scene: Scene) -> Trial:
    """200 px of shift."""
    rng = np.random.default_rng(scene.seed)
    truth = scene.similarity((200 * np.sign(rng.normal()), rng.uniform(-20, 20)), 0, 1)
    return *scene.pair(truth, 5), truth, 1.0


def large_turn(scene: Scene) -> Trial:
    """12 degrees and 10 % of scale."""
    signs = np.sign(np.random.default_rng(scene.seed).normal(size=2))
    truth = scene.similarity((30, -20), 12 * signs[0], 1 + 0.1 * signs[1])
    return *scene.pair(truth, 5), truth, 1.0


def hot_pixels(scene: Scene) -> Trial:
    """1 % of fixed hot pixels, and 2 x 2 clusters all over the frame."""
    rng = np.random.default_rng(scene.seed)
    hot = np.where(rng.random(scene.shape) < 0.01, rng.uniform(30, 150, scene.shape), 0)
    for y, x in rng.integers(0, scene.size - 1, (scene.size**2 // 3000, 2)):
        hot[y : y + 2, x : x + 2] = rng.uniform(30, 150)
    truth = small_drift(scene)
    first, second = ((f + hot).astype(np.float32) for f in scene.pair(truth, 5))
    return first, second, truth, 1.0


def dust(scene: Scene) -> Trial:
    """Dust and bad columns that stay in place."""
    rng = np.random.default_rng(scene.seed)
    shade = np.ones(scene.shape)
    for y, x in rng.integers(0, scene.size, (scene.size**2 // 20000, 2)):
        cv2.circle(shade, (int(x), int(y)), 6, 0.7, -1)
    columns = np.zeros(scene.shape)
    columns[:, rng.integers(0, scene.size, max(scene.size // 150, 1))] = 60
    truth = small_drift(scene)
    first, second = (((f + columns) * shade).astype(np.float32) for f in scene.pair(truth, 5))
    return first, second, truth, 1.0


CASES: dict[str, Callable[[Scene], Trial]] = {
    "noise of 5": noisy,
    "SNR of 1": strong_noise,
    "200 px": large_shift,
    "12 degrees, 10 %": large_turn,
    "hot pixels": hot_pixels,
    "dust, bad columns": dust,
}


def main() -> None:
    """Print a line for each case and texture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--trials", type=int, default=100)
    values = parser.parse_args()
    cv2.setNumThreads(1)
    head = f"{'right':>6} {'flagged':>8} {'wrong':>6} {'median px':>10}"
    print(f"{'case':<18} {'texture':<10} {head}")
    for (name, case), texture in itertools.product(CASES.items(), TEXTURES):
        right, errors, wrong = 0, [], []
        for seed in range(values.trials):
            scene = Scene(texture, values.size, seed)
            first, second, truth, tolerance = case(scene)
            found = align(prepare(first), prepare(second), transform="similarity")
            if not found.verified:
                continue
            errors.append(corner_error(found.matrix, truth, scene.shape))
            right += errors[-1] < tolerance
            if errors[-1] >= tolerance:
                wrong.append(f"seed {seed}: {errors[-1]:.1f} px")
        flagged = values.trials - len(errors)
        median = np.median(errors) if errors else np.nan
        counts = f"{right:6} {flagged:8} {len(wrong):6} {median:10.3f}"
        print(f"{name:<18} {texture:<10} {counts}  {', '.join(wrong[:4])}", flush=True)


if __name__ == "__main__":
    main()
