"""What a bad frame costs: `focus_stack` on a series with one, beside the series without it.

Run ``python benchmarks/focus_bad_frames.py``. The scene is a tilted plane with a smooth disc in the
middle. A row tells decibels and the greatest error of a 5 x 5 mean for the whole series, for that
with frame 4 spoiled, and for that with frame 4 left out.
"""

import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from napari_stack.core.stack import Stack
from napari_stack.operators import focus_stack

Array = np.ndarray[Any, Any]

SHAPE, FRAMES, BAD = (200, 300), 9, 4
METHODS = ("auto", "pyramid", "depth map")


def scene() -> tuple[Array, Array]:
    """Return the frames, uint8, and the truth."""
    rng = np.random.default_rng(0)
    fy, fx = np.fft.fftfreq(SHAPE[0])[:, None], np.fft.fftfreq(SHAPE[1])[None]
    radius = np.hypot(fy, fx)
    radius[0, 0] = 1
    spectrum = np.fft.fft2(rng.normal(size=SHAPE)) * radius**-1.2
    truth = np.fft.ifft2(spectrum).real
    truth = np.clip(128 + 40 * (truth - truth.mean()) / truth.std(), 0, 255)
    rows, columns = np.indices(SHAPE)
    truth[np.hypot(rows - 100, columns - 150) < 60] = 190
    blurred = np.stack([truth] + [cv2.GaussianBlur(truth, (0, 0), 0.8 * r) for r in range(1, 9)])
    depth = columns / SHAPE[1] * (FRAMES - 1)
    frames = []
    for index in range(FRAMES):
        away = np.abs(depth - index)
        low = np.minimum(away.astype(int), FRAMES - 2)
        part = away - low
        sharp = (1 - part) * blurred[low, rows, columns] + part * blurred[low + 1, rows, columns]
        frames.append(sharp + rng.normal(0, 1.5, SHAPE))
    return np.clip(np.round(frames), 0, 255).astype(np.uint8), truth


def _spoiled(frames: Array, change: Callable[[Array], Any]) -> Array:
    changed = frames.copy()
    changed[BAD] = np.clip(np.round(change(frames[BAD].astype(float))), 0, 255)
    return changed


def spoilt_series(frames: Array) -> dict[str, Array]:
    """Return the series with a frame spoiled, by what was done to it."""
    rng = np.random.default_rng(1)
    found = {
        "black": _spoiled(frames, lambda f: 0 * f),
        "black, noisy": _spoiled(frames, lambda f: rng.normal(3, 1.5, f.shape)),
        "white": _spoiled(frames, lambda f: 0 * f + 255),
        "grey, noisy": _spoiled(frames, lambda f: rng.normal(128, 1.5, f.shape)),
        "blurred by 3": _spoiled(frames, lambda f: cv2.GaussianBlur(f, (0, 0), 3)),
        "blurred by 10": _spoiled(frames, lambda f: cv2.GaussianBlur(f, (0, 0), 10)),
        "half as bright": _spoiled(frames, lambda f: f / 2),
        "1.4 as bright": _spoiled(frames, lambda f: f * 1.4),
        "twice as bright": _spoiled(frames, lambda f: f * 2),
        "4 times as bright": _spoiled(frames, lambda f: f * 4),
    }
    found["duplicate"] = np.insert(frames, BAD, frames[BAD], axis=0)
    gains = 1 + rng.uniform(-0.1, 0.1, FRAMES)
    gains[FRAMES // 2] = 1  # the middle brightness stays
    found["flicker of 10 %"] = np.clip(np.round(frames * gains[:, None, None]), 0, 255)
    return {name: series.astype(np.uint8) for name, series in found.items()}


def report(image: Array, truth: Array) -> str:
    """Return decibels and the greatest error of small means."""
    image = image.astype(float)
    # Flicker leaves the brightness of the whole open.
    image *= np.sum(image * truth) / np.sum(image**2)
    error = image - truth
    worst = np.abs(cv2.blur(error, (5, 5))).max()
    return f"{10 * np.log10(255**2 / np.mean(error**2)):5.1f} dB {worst:4.0f}"


def fused(frames: Array, method: Any) -> Array:
    """Return the image that is fused of frames."""
    return focus_stack(Stack.wrap(frames), method=method).image


def main() -> None:
    """Print the table."""
    frames, truth = scene()
    for method in METHODS:
        whole, without = (
            report(fused(series, method), truth) for series in (frames, np.delete(frames, BAD, 0))
        )
        print(f"{method}: whole series {whole}, without frame {BAD} {without}")
        for name, series in spoilt_series(frames).items():
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                row = report(fused(series, method), truth)
            print(f"  {name:20s}{row}   {'; '.join(str(w.message) for w in told)}")


if __name__ == "__main__":
    main()
