"""Time that frames of a steady series of 512 x 512 take to be registered, beside other programs.

Run as `python benchmarks/registration_series.py [--frames 256] [--rounds 3] [--rival NAME=PYTHON]`,
with the Python of an environment that holds the rival: NAME is that of an adapter of StackBench,
for instance jnormcorre or pystackreg. Ours reads the frames from a TIFF, which counts; rivals have
them in memory. All are warm, and take turns.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from analytic_textures import cells, corner_error, similarity

import napari_stack as ns

SHAPE = (512, 512)
#: Standard deviation of the noise, in grey levels of 8 bits.
NOISE = 5.0
WORKER = Path(__file__).parent / "stackbench" / "worker.py"
ADAPTERS = WORKER.parent / "adapters"


def series(count: int, transform: str) -> tuple[np.ndarray, np.ndarray]:
    """Make frames that drift slowly and shake a little, and their matrices; the middle is fixed."""
    rng, texture = np.random.default_rng(0), cells(1)
    time_ = np.arange(count) - count // 2
    shifts = 6 * np.stack([np.sin(0.05 * time_), np.sin(0.031 * time_)], axis=1)
    shifts += rng.normal(0, 0.2, shifts.shape)
    turns = 0.5 * np.sin(0.04 * time_) + rng.normal(0, 0.01, count)
    turns *= transform != "translation"
    truth = [similarity(tuple(s), t, 1, SHAPE) for s, t in zip(shifts, turns, strict=True)]
    truth[count // 2] = np.eye(3)
    frames = [texture(matrix, SHAPE) + rng.normal(0, NOISE, SHAPE) for matrix in truth]
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8), np.stack(truth)


def ours(path: Path, transform: Any) -> tuple[float, float, np.ndarray]:
    """Measure with `measure_transforms`: seconds, seconds of processors, matrices."""
    began = time.perf_counter(), time.process_time()
    found = ns.measure_transforms(ns.read(path), transform=transform, sequence="direct")
    spent = time.perf_counter() - began[0], time.process_time() - began[1]
    return *spent, np.where(found.failed[:, None, None], np.nan, found.matrices)


def theirs(name: str, python: str, data: Path, folder: Path) -> tuple[float, float, np.ndarray]:
    """Measure with a rival, in its own Python."""
    result, report = folder / "result.npz", folder / "report.json"
    adapter = ADAPTERS / f"with_{name}.py"
    subprocess.run([python, WORKER, adapter, "registration", data, result, report], check=True)
    told = json.loads(report.read_text())
    return told["seconds"], told["cpu"], np.load(result)["result"]


def compare(transform: str, options: argparse.Namespace, folder: Path) -> None:
    """Print the table of one transform; rivals are asked for shifts, which cost them least."""
    frames, truth = series(options.frames, transform)
    path, data = folder / f"{transform}.tif", folder / f"{transform}.npz"
    tifffile.imwrite(path, frames)
    np.savez(data, frames=frames, transform="translation")  # all that most of them measure
    ours(path, transform)
    told: dict[str, list[tuple[float, float]]] = {}
    errors: dict[str, float] = {}
    for _ in range(options.rounds):
        for name, python in (("napari-stack", ""), *options.rival):
            run = theirs(name, python, data, folder) if python else ours(path, transform)
            told.setdefault(name, []).append(run[:2])
            off = [corner_error(a, b, SHAPE) for a, b in zip(run[2], truth, strict=True)]
            errors[name] = float(np.nanmedian(off))
    print(f"{options.frames} frames of {SHAPE[0]} x {SHAPE[1]}, {transform}")
    print(f"{'method':<14} {'frames/s':>9} {'cpu ms/frame':>13} {'median error px':>16}")
    for name, runs in told.items():
        wall, cpu = np.median(runs, axis=0)
        each = 1000 * cpu / options.frames
        print(f"{name:<14} {options.frames / wall:9.1f} {each:13.1f} {errors[name]:16.4f}")


def main() -> None:
    """Print a table a transform."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--transforms", nargs="+", default=["translation", "rigid"])
    parser.add_argument("--rival", action="append", type=lambda text: text.split("="), default=[])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for transform in options.transforms:
            compare(transform, options, Path(folder))


if __name__ == "__main__":
    main()
