"""How near the methods of `focus_stack` come to the truth, beside other programs.

Run ``python benchmarks/focus_quality.py [FOLDER] [--rival-python PYTHON]``; FOLDER holds
``focus_motorcycle`` (rendered from a real photograph and its disparity); without it only the
scenes of `focus_scenes` are measured. PYTHON is one that has shinestacker; enfuse is taken from
the PATH.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from focus_rivals import rivals
from focus_scenes import SCENES, Scene, motorcycle
from skimage.metrics import structural_similarity

from napari_stack.core.stack import Stack
from napari_stack.operators import focus_stack

Array = np.ndarray[Any, Any]

BORDER = 12  # where filters meet the edge, no method is judged
METHODS = ("auto", "pyramid", "depth map")


def sharpest_pick(frames: Array) -> tuple[Array, Array]:
    """Return, pixel by pixel, the frame with the largest smoothed |Laplacian|, and its index."""
    colour = frames.ndim == 4
    grey = frames @ np.array([0.299, 0.587, 0.114], np.float32) if colour else frames
    energy = [cv2.GaussianBlur(np.abs(cv2.Laplacian(np.float32(g), -1)), (0, 0), 2) for g in grey]
    index = np.argmax(energy, axis=0)
    place = index[None, ..., None] if colour else index[None]
    return np.take_along_axis(frames, place, axis=0)[0], index


def decibels(image: Array, scene: Scene) -> float:
    """Return the PSNR against the truth, the border left out."""
    error = _inner(image, scene) - _inner(scene.truth, scene)
    return float(10 * np.log10(scene.top**2 / np.mean(error**2)))


def _inner(image: Array, scene: Scene) -> Array:
    return np.clip(image.astype(float), 0, scene.top)[BORDER:-BORDER, BORDER:-BORDER]


def report(name: str, image: Array, scene: Scene, note: str = "") -> float:
    """Print one line, PSNR and SSIM, and return the PSNR."""
    found = decibels(image, scene)
    axis = -1 if image.ndim == 3 else None
    one, other = _inner(image, scene), _inner(scene.truth, scene)
    ssim = structural_similarity(one, other, channel_axis=axis, data_range=scene.top)
    print(f"  {name:24s}{found:6.2f} dB  {ssim:.4f}{note}", flush=True)
    return found


def measure(scene: Scene, python: Path | None) -> dict[str, float]:
    """Print the lines of a scene and return the decibels by method."""
    print(f"{scene.name}: {scene.frames.shape} {scene.frames.dtype}")
    best = min(scene.frames, key=lambda frame: float(np.mean((frame - scene.truth) ** 2)))
    found = {"best frame": report("best single frame", best, scene)}
    found["pick"] = report("max-Laplacian pick", sharpest_pick(scene.frames)[0], scene)
    for name, image, note in (*_ours(scene), *_theirs(scene, python)):
        found[name] = report(name, image, scene, note)
    return found


def _ours(scene: Scene) -> Iterator[tuple[str, Array, str]]:
    stack = Stack.wrap(scene.frames)
    for method in METHODS:
        start = time.perf_counter()
        result: Any = focus_stack(stack, method=method)
        seconds = time.perf_counter() - start
        inner = np.s_[BORDER:-BORDER, BORDER:-BORDER]
        error, sure = np.abs(result.depth - scene.depth)[inner], result.confidence[inner]
        half = error[sure >= np.median(sure)].mean()
        note = f"  depth {error.mean():.3f}, confident half {half:.3f}; {seconds:.2f} s"
        yield method, result.image, note


def _theirs(scene: Scene, python: Path | None) -> Iterator[tuple[str, Array, str]]:
    for name, image in rivals(scene.frames, scene.top, python):
        if image is None:
            print(f"  {name:24s}failed")
        else:
            yield name, image, ""


def main() -> None:
    """Measure every scene there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rival-python", type=Path)
    given = parser.parse_args()
    folder = given.folder / "focus_motorcycle"
    scenes = [motorcycle(folder)] if folder.is_dir() else []
    scenes += [make() for make in SCENES]
    focus_stack(Stack.wrap(np.zeros((3, 70, 70, 3), np.uint8)))  # compile
    margins = []
    for scene in scenes:
        found = measure(scene, given.rival_python)
        ours = found.pop("auto")
        margins.append((scene.name, ours - max(found.values()), max(found, key=lambda n: found[n])))
    print("auto above the best of all others:")
    for name, margin, other in margins:
        print(f"  {name:28s}{margin:+.2f} dB ({other})")


if __name__ == "__main__":
    main()
