"""Motion beyond a matrix, with truth: tissue that deforms, scans that wander, and rigid series.

Run as `python benchmarks/nonrigid.py [--frames 24] [--side 256] [--seeds 2] [--photons 400 30]
[--kinds tissue scan rigid]`. For each series: error of the displacements where there is texture
(root mean square in px, free of the reference's geometry) and noise of the mean image (dB) after a
translation, after the deformation and with the true motion, which is the most that registration can
give, and frames a second. Rigid series have a signal of once and
twice the noise; of these the largest displacement is told, too.
"""

import argparse
import time
import warnings

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter, zoom

import napari_stack as ns
from napari_stack import samples
from napari_stack.engine.run import Run
from napari_stack.operators.geometry.deformation import Deformation
from napari_stack.operators.registration.nonrigid.measure import with_deformation
from napari_stack.operators.registration.sequence.measure import MeasureOptions

#: Points of a frame are so many px apart, and so far from its border.
STEP, BORDER = 4, 20


def object_points(truth, index, seen):
    """Where in the object lie the places (m, 2) that frame `index` shows."""
    if "row_offsets" in truth:
        offsets = truth["row_offsets"][index]
        rows = np.arange(len(offsets))
        return seen - np.stack([np.interp(seen[:, 1], rows, o) for o in offsets.T], axis=1)
    if "displacements" not in truth:
        back = np.linalg.inv(truth["matrices"][index])
        return seen @ back[:2, :2].T + back[:2, 2]
    columns = len(np.unique(truth["points"][:, 0]))
    moved = truth["displacements"][index].reshape(-1, columns, 2)
    found = seen.copy()
    for _ in range(20):
        at = [found[:, 1] / 8 - 1, found[:, 0] / 8 - 1]
        each = [map_coordinates(moved[..., k], at, order=3, mode="nearest") for k in (0, 1)]
        found = seen - np.stack(each, axis=1)
    return found


def judged(stack, truth, transforms):
    """Error of displacements in px and, in dB, of the mean image."""
    height, width = stack.shape[1:3]
    y, x = np.mgrid[BORDER : height - BORDER : STEP, BORDER : width - BORDER : STEP]
    points = np.column_stack([x.ravel(), y.ravel()]).astype(float)
    places = points + transforms.displacements(points)
    objects = np.stack([object_points(truth, i, seen) for i, seen in enumerate(places)])
    middle = objects.mean(axis=0)
    clean = np.asarray(truth["clean"], float)
    slope = np.hypot(*np.gradient(clean))
    texture = map_coordinates(slope, middle.T[::-1], order=1) > np.median(slope)
    error = np.sqrt(((objects - middle)[:, texture] ** 2).sum(axis=-1).mean())

    mean = ns.combine(ns.apply_transforms(stack, transforms, interpolation="cubic"))
    inner = np.s_[BORDER : height - BORDER, BORDER : width - BORDER]
    shift = (middle - points).reshape(*x.shape, 2)
    fine = np.stack([zoom(shift[..., k], STEP, order=1, grid_mode=False) for k in (0, 1)], -1)
    # zoom keeps the corners: rows and columns are not STEP apart but nearly so
    rows, columns = fine.shape[:2]
    at_y = BORDER + np.linspace(0, (x.shape[0] - 1) * STEP, rows)
    at_x = BORDER + np.linspace(0, (x.shape[1] - 1) * STEP, columns)
    grid_y, grid_x = np.meshgrid(at_y, at_x, indexing="ij")
    wanted = map_coordinates(clean, [grid_y + fine[..., 1], grid_x + fine[..., 0]], order=3)
    seen = map_coordinates(np.asarray(mean, float), [grid_y, grid_x], order=3)
    apart = float(((seen - wanted) ** 2).mean())
    return error, 10 * np.log10(np.ptp(clean[inner]) ** 2 / apart)


def exactly(stack, truth):
    """Return the true motion."""
    count = len(stack)
    still = np.tile(np.eye(3), (count, 1, 1))
    if "row_offsets" in truth:
        return ns.Transforms(still, deformation=Deformation(None, None, truth["row_offsets"]))
    if "displacements" not in truth:
        return ns.Transforms(truth["matrices"])
    points = truth["points"]
    columns, first = len(np.unique(points[:, 0])), points.min(axis=0)
    moved = truth["displacements"].reshape(count, -1, columns, 2)
    axes = [[spline_filter(frame[..., k], mode="mirror") for k in (0, 1)] for frame in moved]
    place = np.array([[1 / 8, 0, -first[0] / 8], [0, 1 / 8, -first[1] / 8], [0, 0, 1.0]])
    grids = np.moveaxis(np.array(axes), 1, -1)
    return ns.Transforms(
        still, deformation=Deformation(grids, np.broadcast_to(place, (count, 3, 3)))
    )


def series(kind, frames, side, seed, light):
    """Make a series and its truth."""
    size = (side, side)
    if kind == "tissue":
        return samples.deforming(frames, size, seed, photons=light)
    if kind == "scan":
        return samples.scanned(frames, size, seed, photons=light, shift=9.0)
    stack, truth = samples.drifting_cells(
        frames, size, seed, shift=5.0, rotation=0.0, scale=0.0, noise=0.0, dtype="float32"
    )
    clean = np.asarray(stack)
    noise = np.random.default_rng(seed).normal(0, clean.std() / light, clean.shape)
    return ns.Stack.wrap((clean + noise).astype(np.float32)), truth


def measured(stack, truth, kind, options):
    """One line of the table."""
    exact = kind == "rigid"
    rigid = ns.Transforms(truth["matrices"]) if exact else ns.measure_transforms(
        stack, transform="translation"
    )  # fmt: skip
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = with_deformation(stack, MeasureOptions(), rigid, options, Run())
    speed = len(stack) / (time.perf_counter() - start)
    before, after = judged(stack, truth, rigid), judged(stack, truth, found)
    most = judged(stack, truth, exactly(stack, truth))[1]
    bend = 0.0 if found.deformation is None else found.deformation.reach()
    return (
        f"error {before[0]:.3f} -> {after[0]:.3f} px, mean {before[1]:.2f} -> {after[1]:.2f} dB "
        f"({after[1] - before[1]:+.2f}, with the truth {most - before[1]:+.2f}), "
        f"largest {bend:.3f} px, {speed:.1f} frames/s"
    )


def main() -> None:
    """Print a line for each series."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--photons", type=float, nargs="*", default=[400.0, 30.0])
    parser.add_argument("--kinds", nargs="*", default=["tissue", "scan", "rigid"])
    given = parser.parse_args()
    options = {"tissue": [ns.Smooth()], "scan": [ns.Rows()], "rigid": [ns.Smooth(), ns.Rows()]}
    for kind in given.kinds:
        for light in [2.0, 1.0] if kind == "rigid" else given.photons:
            for seed in range(given.seeds):
                stack, truth = series(kind, given.frames, given.side, seed, light)
                for option in options[kind]:
                    line = measured(stack, truth, kind, option)
                    name = f"{kind}, {light:g}, seed {seed}, {type(option).__name__}"
                    print(f"{name:32} {line}", flush=True)


if __name__ == "__main__":
    main()
