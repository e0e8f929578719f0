"""What the option `prefer` gains where things lie before others, and what it costs elsewhere.

Run ``python benchmarks/focus_occlusion.py [FOLDER]``; FOLDER holds ``focus_motorcycle``, which was
rendered without occlusion. Decibels are given in a band of 12 pixels along edges of the depth, and
outside of it; without `prefer`, and with the near end as it is.
"""

import argparse
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from focus_scenes import SCENES, Scene, motorcycle

from napari_stack import samples
from napari_stack.core.stack import Stack
from napari_stack.operators import focus_stack

Array = np.ndarray[Any, Any]

BORDER, HALF_BAND, STEP = 12, 6, 1.0
METHODS = ("auto", "pyramid", "depth map")


def at_edges(depth: Array) -> Array:
    """Return where an edge of the depth lies within half the band."""
    square = np.ones((3, 3), np.uint8)
    depth = depth.astype(np.float32)
    edges = cv2.dilate(depth, square) - cv2.erode(depth, square) > STEP
    return cv2.distanceTransform((~edges).astype(np.uint8), cv2.DIST_L2, 5) <= HALF_BAND


def decibels(image: Array, truth: Array, top: float, where: Array) -> float:
    """Return the PSNR of some pixels, the border left out."""
    inner = np.s_[BORDER:-BORDER, BORDER:-BORDER]
    error = (np.clip(image.astype(float), 0, top) - truth)[inner][where[inner]]
    return float(10 * np.log10(top**2 / np.mean(error**2))) if error.size else float("nan")


def scenes(folder: Path) -> Iterator[tuple[Scene, str]]:
    """Give scenes, and which end of them is near."""
    for seed, noise, blur in ((0, 1, 1.2), (1, 5, 1.2), (4, 1, 2.0), (7, 2, 0.8)):
        stack, truth = samples.occluded(seed=seed, noise=noise / 255, blur=blur)
        name = f"occluded, seed {seed}, noise {noise}, blur {blur}"
        yield Scene(name, np.asarray(stack), truth["image"], truth["depth"]), "last frame"
    stack, truth = samples.focus_series()
    yield Scene("focus series", np.asarray(stack), truth["image"], truth["depth"]), "last frame"
    for make in SCENES:
        yield make(), "first frame"
    if folder.is_dir():
        yield motorcycle(folder), "last frame"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("../shared/data"))
    parser.add_argument("--method", choices=METHODS, default="auto")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    for scene, near in scenes(given.folder / "focus_motorcycle"):
        stack, band = Stack.wrap(scene.frames), at_edges(scene.depth)
        print(f"{scene.name:42s}", end="")
        for prefer in ("none", "near"):
            start = time.perf_counter()
            image = focus_stack(stack, method=given.method, prefer=prefer, near=near).image
            taken = time.perf_counter() - start
            both = (decibels(image, scene.truth, scene.top, part) for part in (band, ~band))
            print("  {:6.2f} {:6.2f} dB".format(*both), f"{taken:5.1f} s", end="")
        print(flush=True)


if __name__ == "__main__":
    main()
