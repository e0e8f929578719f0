"""Quality and cost of balance, vignetting, flat field, hot pixels and bleaching.

``--parts cost`` times all of them together on a 24-megapixel uint16 frame against one cast to
float32 and back; ``quality`` measures synthetic truth; ``data`` the shared recordings, where they
are there. ``--flat FILE.npz`` gives flats that another program estimated of every second frame, by
the name of the recording with ``_0`` or ``_1``, the first frame taken.
"""

import argparse
import csv
import itertools
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import napari_stack as ns
from napari_stack import samples

DATA = Path(__file__).parents[1] / "../shared/data"
RECORDINGS = ("wsi_brain", "timelapse_brightfield", "timelapse_nanog")


def best(functions: Mapping[str, Callable[[], Any]], rounds: int = 7) -> dict[str, float]:
    """Shortest times in milliseconds, by name; all take turns, and the first does not count."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
    return {name: min(found[1:]) * 1e3 for name, found in times.items()}


def all_corrections(frame: np.ndarray, recorded: bool, gains: ns.Gains) -> ns.Stack:
    """Stack of one frame with every correction of this page."""
    rng = np.random.default_rng(1)
    height, width = frame.shape
    y, x = np.ogrid[:height, :width]
    shade = (1 - 0.2 * (x / width - 0.4) ** 2 - 0.1 * (y / height - 0.5) ** 2).astype(np.float32)
    dark = rng.normal(60, 3, frame.shape).astype(np.float32) if recorded else None
    stack = ns.Stack.wrap(frame[np.newaxis])
    middle = [[[(width - 1) / 2, (height - 1) / 2]]]
    stack = ns.apply_hot_pixels(stack, ns.HotPixels(rng.random(frame.shape) < 1e-4))
    stack = ns.apply_flat_field(stack, ns.FlatField(False, 1 / shade, dark))
    stack = ns.apply_vignetting(
        stack,
        ns.Vignetting(False, frame.shape, "polynomial", middle, [[[-0.4, -0.1, 0]]]),
    )
    stack = ns.apply_bleaching(stack, ns.Bleaching(False, "ratio", [[1.1]], [[1.0]], [[1.0]]))
    return ns.apply_gains(stack, gains)


def cost() -> None:
    """Time the corrections together and alone."""
    frame = np.random.default_rng(0).integers(200, 4000, (4000, 6000)).astype(np.uint16)
    plain = ns.Stack.wrap(frame[np.newaxis])
    linear = ns.Gains(False, [[0.95]])
    gamma = ns.Gains(False, [[1.2]], mapping="gamma", top=4095)
    kinds = {
        "all corrections, estimated flat": (False, linear),
        "all corrections, recorded flat and dark": (True, linear),
        "all corrections, recorded flat and dark, gamma": (True, gamma),
    }
    stacks = {name: all_corrections(frame, *kind) for name, kind in kinds.items()}
    recorded = stacks["all corrections, recorded flat and dark"]
    parts = [part for c in recorded.corrections for part in getattr(c, "parts", (c,))]
    stacks |= {f"  {type(part).__name__} alone": plain.corrected(part) for part in parts}
    stacks["  a gamma alone"] = plain.corrected(gamma)
    work = {name: partial(stack.seen, 0) for name, stack in stacks.items()}
    cast = "24 megapixels uint16, to float32 and back"
    times = best({cast: lambda: frame.astype(np.float32).astype(np.uint16), **work})
    for name, took in times.items():
        print(f"{name}: {took:.0f} ms, {took / times[cast]:.1f} times")


def residual(vignetting: ns.Vignetting, share: np.ndarray) -> float:
    """Root mean square of what a correction leaves of a fall-off, centred on its mean."""
    plane = np.ones(share.shape, np.float32)
    vignetting.apply(plane, None, 0, slice(0, len(share)))
    left = plane * share
    return float(left.std() / left.mean())


def quality() -> None:
    """Measure what is found of known vignettes."""
    print("known vignettes, rms left (strength 0.5 and none), seeds 0 to 3")
    for name, shift, scene in (("still", 0, "still"), ("moving 25 px", 25, "moving")):
        for strength in (0.5, 0.0):
            found = []
            for seed in range(4):
                stack, truth = samples.vignetted(seed=seed, shift=shift, strength=strength)
                value = ns.measure_vignetting(stack, scene=scene, black_threshold=0.0)
                found.append(residual(value, truth["vignette"]))
            print(f"  {name}, strength {strength}: {np.round(found, 4)}")


def polynomial(image: np.ndarray) -> np.ndarray:
    """Fall-off by a straight least-squares fit of an even polynomial to the intensities."""
    y, x = np.indices(image.shape)
    q = ((x - x.mean()) ** 2 + (y - y.mean()) ** 2) / (np.hypot(*image.shape) / 2) ** 2
    columns = np.stack([np.ones_like(q), q, q**2, q**3], axis=-1).reshape(-1, 4)
    found = np.linalg.lstsq(columns, image.ravel(), rcond=None)[0]
    return (columns @ found).reshape(image.shape) / found[0]


def multiband() -> None:
    """Compare fall-offs fitted to one capture of a camera with those of its maker."""
    print("multiband, rms left a band: before, here, a straight polynomial fit")
    lines = (DATA / "multiband/vignette_truth.csv").read_text().splitlines()
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        frame = np.asarray(ns.read(DATA / "multiband" / row["file"]))[:1]
        y, x = np.indices(frame.shape[1:])
        r = np.hypot(x - float(row["cx"]), y - float(row["cy"]))
        share = 1 + sum(float(row[f"k{i}"]) * r ** (i + 1) for i in range(6))
        value = ns.measure_vignetting(ns.Stack.wrap(frame), black_level=4800.0, black_threshold=0.0)
        straight = share / polynomial(frame[0].astype(np.float64) - 4800)
        left = (share.std() / share.mean(), residual_at(value, share))
        numbers = (*left, straight.std() / straight.mean())
        print(f"  {row['band']:8}  " + "  ".join(f"{number:.4f}" for number in numbers))


def residual_at(value: ns.Vignetting, share: np.ndarray) -> float:
    """Return `residual` without the black level, which ones do not have."""
    from dataclasses import replace

    return residual(replace(value, black_level=0.0), share)


def coarse_shading(frames: np.ndarray, width: float) -> float:
    """Spread of the coarse pattern of the median of normalised frames."""
    import cv2

    frames = frames.astype(np.float64)
    middle = np.median(frames / frames.mean(axis=(1, 2), keepdims=True), axis=0)
    smooth = cv2.GaussianBlur(middle, (0, 0), width, borderType=cv2.BORDER_REFLECT)
    return float(smooth.std() / smooth.mean())


def flat_field(others: Path | None) -> None:
    """Estimate flats on every second frame, and measure what they leave of the others."""
    flats = dict(np.load(others)) if others else {}
    print("flat field, shading left of the other half of the frames, at a blur of 8 px:")
    print("  before, smoothness 1, 2 (the default), 4 and 8; other program")
    for name, half in itertools.product(RECORDINGS, (0, 1)):
        images = np.load(DATA / "flat_field" / f"{name}.npz", allow_pickle=False)["images"]
        rest = images[1 - half :: 2]
        stack = ns.Stack.wrap(images[half::2])
        gains = [ns.measure_flat_field(stack, smoothness=s).gain for s in (1.0, 2.0, 4.0, 8.0)]
        flat = flats.get(f"{name}_{half}")
        tried = [1.0, *gains, *([] if flat is None else [1 / flat.squeeze()])]
        left = "  ".join(f"{coarse_shading(rest * gain, 8):.4f}" for gain in tried)
        print(f"  {name:22} {half}  {left}")


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", default=["cost", "quality", "data"])
    parser.add_argument("--flat", type=Path)
    arguments = parser.parse_args()
    if "cost" in arguments.parts:
        cost()
    if "quality" in arguments.parts:
        quality()
    if "data" in arguments.parts and DATA.exists():
        multiband()
        flat_field(arguments.flat)


if __name__ == "__main__":
    main()
