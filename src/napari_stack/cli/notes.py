"""Remarks on results: pixels that no frame covers, clipped pixels."""

from typing import Any

import numpy as np

from napari_stack.cli.report import Report, print_error
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.matrices import corners_of
from napari_stack.core.operator import resolve
from napari_stack.core.stack import Stack
from napari_stack.operators.geometry.warp import Warp
from napari_stack.recipe.said import said_of
from napari_stack.recipe.step import Step

#: In pixels: rounding of a view whose border just touches that of all frames.
_TOLERANCE = 1e-3


def print_said(result: Any, step: Step, report: Report, data: Any = None) -> None:
    """Print what the result tells in plain words, and the options that would do better."""
    for said in said_of(step, result, data):
        flags = " ".join(f"--{n.replace('_', '-')} {v}" for n, v in said.options.items())
        report.line(f"{step.operator}: {said.text}" + (f": {flags}" if flags else ""))


def print_note(result: Any, step: Step, report: Report) -> None:
    """Print the operator's own remark on its result."""
    if step.entry.note is None or not isinstance(result, Stack | Hyperstack):
        return
    if text := resolve(step.entry.note)(result.frames):
        report.line(f"note: {text}")


def warn_of_uncovered(result: Any) -> None:
    """Warn that a file of integers does not record which pixels are not covered.

    Those are 0 in the file, like pixels that were measured as 0.
    """
    if not isinstance(result, Stack | Hyperstack) or result.dtype.kind == "f":
        return
    stack = result.frames
    warps = [c for c in stack.corrections if isinstance(c, Warp) and c.border == "invalid"]
    used = np.flatnonzero(stack.used)
    if any(_leaves_open(warp, int(i)) for warp in warps for i in used):
        print_error(
            f"warning: borders that a frame does not cover are black in files of {result.dtype}, "
            "and would count as black in an average of them: use --framing common, or average in "
            "one recipe"
        )


def _leaves_open(warp: Warp, index: int) -> bool:
    """Whether a corner of the view is outside a frame."""
    points = warp.matrix(index) @ corners_of(warp.size)
    places = points[:2] / points[2]
    most = np.array([[warp.source_size[1] - 1.0], [warp.source_size[0] - 1.0]])
    return bool(((places < -_TOLERANCE) | (places > most + _TOLERANCE)).any())
