"""Halos of bright spots: what is left of out-of-focus discs beyond them, beside other programs.

Run ``python benchmarks/focus_halos.py [--rival-python PYTHON] [--focusweave COMMAND]``. Spots 4 to
40 times as bright as their surroundings lie at several depths of a textured plane that is tilted;
the lens makes discs of them, the camera clips. The halo's energy is the sum of squares of what is
brighter than the truth, 2 pixels beyond a spot and more.
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from focus_rivals import rivals
from focus_scenes import natural

from napari_stack.core.stack import Stack
from napari_stack.operators import focus_stack

Array = np.ndarray[Any, Any]

SHAPE, FRAMES = (360, 480), 9
METHODS = ("auto", "pyramid", "depth map")


def disc_blurred(image: Array, radius: float) -> Array:
    """Return an image as a lens out of focus shows it: every point a disc."""
    if radius < 0.3:
        return image
    side = int(np.ceil(radius)) + 1
    rows, columns = np.indices((2 * side + 1, 2 * side + 1)) - side
    disc = np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1).astype(np.float32)
    return cv2.filter2D(image, -1, disc / disc.sum(), borderType=cv2.BORDER_REPLICATE)


def scene(growth: float = 1.3, seed: int = 0) -> tuple[Array, Array, Array]:
    """Return frames, truth, and where a halo would lie: the surroundings of the spots."""
    rng = np.random.default_rng(seed)
    ground = 6 + natural(SHAPE, 3)[..., 0] / 255 * 24
    light, spots = ground.copy(), np.zeros(SHAPE, np.uint8)
    for _ in range(40):
        centre = (int(rng.integers(12, SHAPE[1] - 12)), int(rng.integers(12, SHAPE[0] - 12)))
        cv2.circle(spots, centre, int(rng.integers(1, 4)), 1, -1)
        strength = float(20 * np.exp(rng.uniform(np.log(4), np.log(40))))
        here = np.zeros(SHAPE, np.uint8)
        cv2.circle(here, centre, int(rng.integers(1, 4)), 1, -1)
        light[here > 0] = strength
    spots = (light > 70).astype(np.uint8)
    depth = np.indices(SHAPE)[1] / (SHAPE[1] - 1) * (FRAMES - 1)
    radii = np.arange(0, FRAMES * growth + 0.5, 0.5)
    levels = np.stack([disc_blurred(light.astype(np.float32), r) for r in radii])
    rows, columns = np.indices(SHAPE)
    frames = []
    for index in range(FRAMES):
        place = np.abs(depth - index) * growth / 0.5
        low = np.minimum(place.astype(int), len(radii) - 2)
        part = place - low
        frame = (1 - part) * levels[low, rows, columns] + part * levels[low + 1, rows, columns]
        frames.append(frame + rng.normal(0, 0.7, SHAPE))
    near = cv2.dilate(spots, np.ones((5, 5), np.uint8))
    around = (cv2.dilate(near, np.ones((25, 25), np.uint8)) > 0) & (near == 0)
    stored = np.clip(np.round(frames), 0, 255).astype(np.uint8)
    return stored, np.clip(light, 0, 255), around


def halo(image: Array, truth: Array, around: Array) -> float:
    """Return the energy of what is brighter than the truth around the spots, noise left out."""
    excess = np.maximum(cv2.blur(image.astype(np.float32) - truth.astype(np.float32), (3, 3)), 0)
    return float(np.sum(excess[around] ** 2))


def focusweave(frames: Array, command: str) -> Array | None:
    """Return what focusweave makes of frames."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "frames"
        folder.mkdir()
        for number, frame in enumerate(frames):
            colours = np.repeat(frame[..., None], 3, axis=2)
            cv2.imwrite(str(folder / f"frame_{number:03d}.png"), colours)
        out = Path(name) / "out.tif"
        words = [command, str(folder), "--keep-size", "--output", str(out)]
        done = subprocess.run(words, capture_output=True, check=False)
        if done.returncode or not out.exists():
            print(done.stderr.decode()[-300:])
            return None
        return tifffile.imread(out)[..., 0].astype(np.float32)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rival-python", type=Path)
    parser.add_argument("--focusweave", default=shutil.which("focusweave"))
    given = parser.parse_args()
    for growth in (0.7, 1.3, 2.5):
        frames, truth, around = scene(growth)
        images = {m: focus_stack(Stack.wrap(frames), method=m).image for m in METHODS}
        colours = np.repeat(frames[..., None], 3, axis=3)  # what all programs take
        for name, image in rivals(colours, 255, given.rival_python):
            images[name] = None if image is None else image[..., 1]
        if given.focusweave:
            images["focusweave"] = focusweave(frames, given.focusweave)
        print(f"discs that grow by {growth} px a frame")
        for name, image in images.items():
            if image is not None:
                error = np.clip(image.astype(float), 0, 255) - truth
                decibels = 10 * np.log10(255**2 / np.mean(error[12:-12, 12:-12] ** 2))
                print(f"  {name:24s}{halo(image, truth, around):10.0f}{decibels:8.2f} dB")


if __name__ == "__main__":
    main()
