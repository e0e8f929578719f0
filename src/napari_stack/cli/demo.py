"""The demo: synthetic frames are written, read, registered, clipped and fused, and measured."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import chain, count
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack import samples
from napari_stack.cli.report import Report, print_error, progress
from napari_stack.core.matrices import corners_of
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import read, write
from napari_stack.operators import Transforms, apply_transforms
from napari_stack.recipe import Recipe, Step, save_result

CELLS, FOCUS, PICTURE = "cells", "focus", "napari.png"

#: So many deviations that 20 noisy frames hold few values beyond, while most rays are.
CLIP = Step("sigma_clip", {"sigma": 3.5})

_WHITE = {"cells": 4095, "focus": 255}

_SCREEN = "-screen 0 1600x1000x24"

Sizes = tuple[int, int]
Image = NDArray[Any]


def run_demo(
    folder: Path,
    *,
    viewer: bool = True,
    size: Sizes = (512, 512),
    frames: int = 20,
    slices: int = 9,
) -> dict[str, float]:
    """Run the demo.

    Parameters
    ----------
    folder : Path
        New folder for frames and results; numbered when there is one of this name.
    viewer : bool
        Show the layers in napari, or a picture of them where there is no display.
    size : tuple of int
        Rows and columns of a frame.
    frames, slices : int
        Number of drifting frames, and of frames of the focus series.

    Returns
    -------
    dict of str to float
        The measured errors.
    """
    folder = _new_folder(folder)
    report = Report()
    with progress(quiet=False) as tick:
        stage = _Stage(folder, report, Run(tick=tick))
        _clip_cells(stage, size, frames)
        _fuse_focus(stage, size, slices)
    report.line(f"\nframes, results and recipes are in {folder.resolve()}")
    report.end()
    if viewer:
        _show(folder, report)
    return stage.errors


def _new_folder(folder: Path) -> Path:
    """Make a folder that was not there before."""
    numbered = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
    chosen = next(path for path in chain([folder], numbered) if not path.exists())
    chosen.mkdir(parents=True)
    return chosen


@dataclass
class _Stage:
    """Where the demo works, and what it has measured so far."""

    folder: Path
    report: Report
    run: Run
    errors: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Say what is done and how long it took."""
        begun = perf_counter()
        yield
        self.report.line(f"  {what} ({perf_counter() - begun:.1f} s)")

    def measured(self, name: str, value: float, text: str) -> None:
        """Keep and print a measured number."""
        self.errors[name] = float(value)
        self.report.line(f"    {text.format(float(value))}")

    def stored(self, name: str, made: Stack) -> Stack:
        """Write frames to files and read them again."""
        with self.timed(f"{len(made)} frames written and opened"):
            write(self.folder / name, made)
            stack = read(self.folder / name)
        assert isinstance(stack, Stack)
        return stack

    def registered(self, stack: Stack, truth: Mapping[str, Image]) -> Stack:
        """Register, and compare with the true matrices."""
        with self.timed("registered"):
            result: Stack = Step("register").apply(stack, run=self.run)
        found = result.transforms
        far = corner_errors(found.matrices, truth["matrices"], (stack.shape[1], stack.shape[2]))
        failed = int(found.failed.sum())
        self.report.line(f"    frames that could not be registered: {failed} of {len(stack)}")
        self.measured("corner error", far.mean(), "mean error at the corners: {:.3f} px")
        self.measured("largest corner error", far.max(), "largest error at a corner: {:.3f} px")
        return result

    def finished(self, name: str, step: Step, stack: Stack) -> Any:
        """Run the last step on registered frames; save its images and the recipe."""
        recipe = Recipe([Step("register"), step])
        with self.timed(f"{step.operator.replace('_', ' ')}: images written"):
            result = step.apply(stack, run=self.run)
            path = self.folder / f"{name}_{{image}}.tif"
            save_result(path, result, step, stack, recipe.to_json(), run=self.run)
            recipe.save(self.folder / f"{name}.json")
        stack.transforms.save(self.folder / f"{name}_transforms.json")
        return result


def _clip_cells(stage: _Stage, size: Sizes, frames: int) -> None:
    """Register and sigma-clip drifting, noisy cells with cosmic rays."""
    stage.report.line("cells that drift, with noise and cosmic rays")
    with stage.timed(f"{frames} frames made"):
        made, truth = samples.cosmic_rays(
            frames, size, rays=80 * size[0] * size[1] // 512**2, shift=12, rotation=2, scale=0.01
        )
    stack = stage.stored(CELLS, made)
    registered = stage.registered(stack, truth)
    clipped = stage.finished("clipped", CLIP, registered)
    inner = _inner(truth["matrices"], size)
    compare = _comparison(truth["clean"], inner, _WHITE["cells"])
    noise = float(np.std((clipped.image - truth["clean"])[inner]))
    single = float(np.std((registered[frames // 2] - truth["clean"])[inner]))
    stage.report.line(f"    one frame: PSNR {compare(registered[frames // 2]):.1f} dB")
    stage.measured("clipped PSNR", compare(clipped.image), "clipped mean: PSNR {:.1f} dB")
    stage.measured("noise", noise / single, "noise left, rays and all: {:.3f} of that of one frame")
    precision, recall = ray_scores(clipped.rejected, truth, registered.used, inner)
    stage.measured("ray precision", precision, "rejected values that were rays: {:.1%}")
    stage.measured("ray recall", recall, "rays that were rejected: {:.1%}")


def _fuse_focus(stage: _Stage, size: Sizes, slices: int) -> None:
    """Register and fuse a focus series that breathes."""
    stage.report.line("\na focus series whose scale changes with the focus")
    with stage.timed(f"{slices} frames made"):
        made, truth = samples.focus_series(slices, size, breathing=0.002)
    stack = stage.stored(FOCUS, made)
    registered = stage.registered(stack, truth)
    fused = stage.finished("fused", Step("focus_stack"), registered)
    inner = _inner(truth["matrices"], size)
    compare = _comparison(truth["image"], inner, _WHITE["focus"])
    best = max(compare(frame) for frame in registered)
    stage.report.line(f"    sharpest single frame: PSNR {best:.1f} dB")
    stage.measured("fused PSNR", compare(fused.image), "fused image: PSNR {:.1f} dB")
    depth = np.abs(fused.depth - truth["depth"])[inner]
    stage.measured("depth error", depth.mean(), "mean error of the depth: {:.2f} frames")
    stage.measured("depth within 1", (depth < 1).mean(), "depth right within a frame: {:.1%}")


def corner_errors(found: Image, true: Image, size: Sizes) -> Image:
    """Distances in pixels between where two series of matrices take the corners of a frame."""
    ends = _corners(found, size) - _corners(true, size)
    return np.asarray(np.hypot(ends[:, 0], ends[:, 1]))


def _corners(matrices: Image, size: Sizes) -> Image:
    points = matrices @ corners_of(size)
    return np.asarray(points[:, :2] / points[:, 2:])


def _inner(matrices: Image, size: Sizes) -> tuple[slice, slice]:
    """Part of the view that all frames cover."""
    margin = int(np.ceil(corner_errors(matrices, np.eye(3)[np.newaxis], size).max())) + 3
    return slice(margin, size[0] - margin), slice(margin, size[1] - margin)


def _comparison(truth: Image, inner: tuple[slice, slice], white: float) -> Callable[[Image], float]:
    def psnr(image: Image) -> float:
        square = np.mean((image.astype(np.float64) - truth)[inner] ** 2)
        return float(10 * np.log10(white**2 / square))

    return psnr


def ray_scores(
    rejected: Image, truth: Mapping[str, Image], used: Image, inner: tuple[slice, slice]
) -> tuple[float, float]:
    """Precision and recall of rejected values.

    A value counts as a ray where interpolation brought some of a ray into it, and must be found
    where it lies nearest to a pixel of a ray.
    """
    touched = _moved(truth, used, "linear", least=0.02)[inner]
    hit = _moved(truth, used, "nearest", least=0.5)[inner]
    count = rejected[inner].astype(np.int64)
    precision = np.minimum(count, touched).sum() / max(count.sum(), 1)
    return float(precision), float(np.minimum(count, hit).sum() / max(hit.sum(), 1))


def _moved(truth: Mapping[str, Image], used: Image, interpolation: Any, least: float) -> Image:
    """Count the rays above each pixel, moved to the reference by the true matrices."""
    masks = Stack.wrap(truth["mask"][used].astype(np.float32))
    moved = apply_transforms(
        masks, Transforms(truth["matrices"][used]), interpolation=interpolation
    )
    return np.asarray(sum((frame > least).astype(np.int64) for frame in moved))


def _show(folder: Path, report: Report) -> None:
    """Open napari in a process of its own, since a broken display ends the process."""
    command = [sys.executable, "-m", "napari_stack.cli.demo_viewer", str(folder)]
    if find_spec("napari") is None:
        report.line("napari is not installed; pip install 'napari-stack[all]' to see the layers")
        return
    picture = folder / PICTURE
    if _has_display():
        report.line("opening napari; close its window to end")
        _finish(subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True))
    elif xvfb := shutil.which("xvfb-run"):
        command = [xvfb, "-a", "-s", _SCREEN, *command, str(picture)]
        _finish(subprocess.run(command, check=False, capture_output=True, text=True))
        if picture.exists():
            report.line(f"no display; the napari window is in {picture.resolve()}")
    else:
        report.line("no display: install xvfb to get a picture of the napari window here")


def _finish(viewer: "subprocess.CompletedProcess[str]") -> None:
    """Say why napari ended, where it did not end well."""
    if viewer.returncode:
        last = (viewer.stderr.strip() or "it gave no reason").splitlines()[-1]
        print_error(f"napari could not be shown (status {viewer.returncode}): {last}")


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
