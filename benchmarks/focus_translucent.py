"""What the option `scene` gains on its kind of scene, and which scene "auto" takes a series for.

Run ``python benchmarks/focus_translucent.py [FOLDER]``; FOLDER holds real series, of which it is
told what "auto" takes them for. Decibels are those of the image with all planes in focus; the
depth's mean error, in frames, is that of the strongest thing at each pixel where there is any.
"""

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from focus_scenes import SCENES

import napari_stack as ns
from napari_stack.core.stack import Stack
from napari_stack.operators import focus_stack
from napari_stack.operators.focus.translucent.scene_choice import suitable_scene

Array = np.ndarray[Any, Any]

BORDER = 12
RENDERS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (ns.samples.fluorescent, {}),
    (ns.samples.fluorescent, {"seed": 1, "photons": 80}),
    (ns.samples.fluorescent, {"seed": 2, "blur": 0.9, "frames": 15}),
    (ns.samples.transparent, {}),
    (ns.samples.transparent, {"seed": 1, "noise": 4 / 255}),
    (ns.samples.transparent, {"seed": 2, "blur": 2.0}),
)


def decibels(image: Array, truth: Array, top: float) -> float:
    """Return the PSNR, the border left out."""
    error = (image.astype(float) - truth)[BORDER:-BORDER, BORDER:-BORDER]
    return float(10 * np.log10(top**2 / np.mean(error**2)))


def series(folder: Path) -> Iterator[tuple[str, Stack]]:
    """Give real series, and rendered ones of opaque things."""
    for make in SCENES:
        scene = make()
        yield scene.name, Stack.wrap(scene.frames)
    yield "occluded", ns.samples.occluded()[0]
    for name, pattern in (("algae", "*.png"), ("pcb", "*.jpg"), ("pcb/depth_series", "*.JPG")):
        if paths := sorted((folder / f"focus_{name}").glob(pattern)):
            yield name, ns.read(paths)
    if (path := folder / "microscopes" / "zstack.nd2").exists():
        yield path.name, ns.read(path)
    if (path := folder / "microscopes" / "cell_division_t3_z5_c2.czi").exists():
        data = np.asarray(ns.read(path))
        for channel in (0, 1):
            yield f"{path.name}, channel {channel}", Stack.wrap(data[0, channel], rgb=False)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("../shared/data"))
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    cv2.setNumThreads(1)
    for make, options in RENDERS:
        stack, truth = make(**options)
        top = {"uint8": 255, "uint16": 4095}[str(stack.dtype)]
        print(make.__name__, options, "auto:", suitable_scene(stack))
        for scene in ("opaque", "transparent", "fluorescent"):
            found: Any = focus_stack(stack, scene=scene)
            away = np.abs(found.depth - truth["depth"])
            error = away[truth["things"]].mean() if "things" in truth else away.mean()
            image = decibels(found.image, truth["image"], top)
            print(f"    {scene:12s} {image:6.2f} dB  depth {error:.2f}", flush=True)
    for name, stack in series(given.folder):
        print(f"{name:44s}{suitable_scene(stack)}", flush=True)


if __name__ == "__main__":
    main()
