"""Smooth deformations of a series against its own mean: Gauss-Newton on control points."""

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.engine.blas_threads import one_blas_thread
from napari_stack.engine.run import Run
from napari_stack.operators.geometry.deformation import Deformation
from napari_stack.operators.registration.nonrigid.control_points import ControlPoints
from napari_stack.operators.registration.nonrigid.evidence import Modes, deforms
from napari_stack.operators.registration.nonrigid.levels import (
    Level,
    Step,
    linear,
    reduced,
    times,
    warped,
)
from napari_stack.operators.registration.nonrigid.means import Summed
from napari_stack.operators.registration.nonrigid.options import Smooth
from napari_stack.operators.registration.nonrigid.roots import Roots

Floats = NDArray[np.float64]
Image = NDArray[Any]

#: Control points along the longer side, their least distance, and how many there may be.
_ALONG, _SPACING, _MOST = 16, 32.0, 2000

#: The finest level has sides up to this; steps on each level, the coarsest first.
_FINEST, _COARSEST, _STEPS = 800, 96, (4, 2, 1)

#: No small area shrinks to less than this part.
_LEAST_AREA = 0.1

#: Stiffness before any was measured.
_FIRST = 3.0


def _refine(
    stack: Stack, index: int, *, series: "Series", grids: Floats, step: Step | None, following: int
) -> tuple[Floats, Floats, Any]:
    """Refine one frame: its grid, what it says (normal equations' right side), its next warp."""
    values, counts = series.roots(stack, index)
    matrix, grid, said = series.matrices[index], grids[index], np.empty(0)
    if step is not None:
        grid, said = _steps(reduced(values, counts, step.level.step), matrix, grid, step)
    small = reduced(values, counts, following)
    return grid, said, warped(*small, matrix, grid, series.points, following)


def _steps(small: tuple[Image, Image], matrix: Floats, grid: Floats, step: Step) -> Any:
    whole, shape = step.level, grid.shape
    place: Any = (matrix, grid, whole.points, whole.step)
    seen = warped(*small, *place)
    level = whole.against(*seen)
    found = before = np.moveaxis(grid, 2, 0).reshape(2, -1)
    for _ in range(step.steps):
        cost = np.concatenate([times(step.cost, part) for part in found])
        right = level.right(*seen) / step.variance - cost
        found = found + times(step.inverse, right).reshape(2, -1)
        seen = warped(*small, matrix, _grid(found, shape), whole.points, whole.step)
    said = times(step.normal, found.ravel()) + level.right(*seen) / step.variance
    found = before + whole.summed.share * (found - before)
    return _grid(found, shape), said


def _grid(found: Floats, shape: tuple[int, ...]) -> Floats:
    return np.ascontiguousarray(np.moveaxis(found.reshape(2, *shape[:2]), 0, 2))


def _levels(size: tuple[int, int]) -> list[int]:
    """Return the steps of the levels, the coarsest first."""
    finest = 1
    while max(size) / finest > _FINEST:
        finest *= 2
    found = [finest]
    while len(found) < len(_STEPS) and min(size) / (found[0] * 2) >= _COARSEST:
        found.insert(0, found[0] * 2)
    return found


@dataclass(frozen=True, eq=False)
class Series:
    """Frames to be measured against their mean.

    Parameters
    ----------
    stack : Stack
    roots : Roots
    matrices : ndarray, shape (n, 3, 3)
    points : ControlPoints
    """

    stack: Stack
    roots: Roots
    matrices: Floats
    points: ControlPoints

    def walk(self, grids: Floats, step: Step | None, following: int, run: Run) -> Any:
        """Refine all frames: grids, what they say, and the sum of all and how many cover it.

        Frames are read in this process, a few at a time.
        """
        refine = partial(_refine, series=self, grids=grids, step=step, following=following)
        found, said = [], []

        def righted(stream: Any) -> Any:
            for grid, says, seen in stream:
                found.append(grid)
                said.append(says)
                yield seen

        what = "Measuring smooth deformations"
        with closing(run.stream(refine, self.stack, what=what)) as stream:
            summed = Summed.of(righted(stream))
        return np.stack(found), np.stack(said), summed


def _spacing(size: tuple[int, int], options: Smooth) -> float:
    if options.spacing == "auto":
        return max(_SPACING, max(size) / _ALONG)
    return float(options.spacing)


def measure_smooth(
    stack: Stack,
    roots: Roots,
    matrices: Floats,
    frames: NDArray[np.intp],
    options: Smooth,
    run: Run,
) -> tuple[Deformation | None, Floats]:
    """Measure smooth deformations of some frames, against the mean of all of them.

    Parameters
    ----------
    stack : Stack
    roots : Roots
    matrices : ndarray, shape (n, 3, 3)
        Of all frames.
    frames : ndarray of int
        Those that were found.
    options : Smooth
    run : Run

    Returns
    -------
    deformation : Deformation or None
        Of all frames; None where nothing deforms.
    odds : ndarray, shape (n,)
        Logarithm of the odds that each frame deforms, against not at all; 0 for others.
    """
    size = stack.shape[1], stack.shape[2]
    points = ControlPoints(size, _spacing(size, options))
    rows, columns = points.shape
    if 2 * rows * columns > _MOST:
        raise UserError(
            f"a spacing of {points.spacing:g} px gives {rows * columns} control points; "
            f"{_MOST // 2} can be solved for: choose a larger spacing"
        )
    series = Series(stack.select(frames), roots, matrices[frames], points)
    fixed = None if options.stiffness == "auto" else float(options.stiffness)
    with one_blas_thread():  # between walks, too
        grids, odds = _measured(series, fixed, run)
    told = np.zeros(len(stack))
    told[frames] = odds
    if not deforms(odds):
        return None, told
    every = np.zeros((len(stack), rows, columns, 2))
    every[frames] = np.einsum("nij,nrcj->nrci", linear(matrices[frames]), grids)
    places = np.broadcast_to(points.place, (len(stack), 3, 3))
    return Deformation(every, places), told


def _measured(series: "Series", fixed: float | None, run: Run) -> tuple[Floats, Floats]:
    """Grids (n, rows, columns, 2) of a series in px of the reference, and the odds of each."""
    rows, columns = series.points.shape
    levels = _levels(series.points.size)
    cost, count = series.points.stiffness(), len(series.stack)
    stiffness, noise = _FIRST if fixed is None else fixed, 1.0
    grids = np.zeros((count, rows, columns, 2))
    total = series.walk(grids, None, levels[0], run)[2]
    for number, steps in enumerate(_STEPS[-len(levels) :]):
        level = Level.of(total, levels[number], series.points)
        variance = series.roots.variance / level.step**2
        normal = level.normal() / variance
        step = Step.of(level, variance, normal, stiffness * noise * cost, steps)
        following = levels[min(number + 1, len(levels) - 1)]
        grids, said, total = series.walk(grids, step, following, run)
        modes = Modes.of(normal, cost)
        heights = said @ modes.shapes
        stiffness, noise = modes.most_probable(heights, fixed)
    odds = modes.gains(heights, stiffness, noise)
    for index in range(count):
        grids[index] = _unfolded(modes, heights[index], stiffness, noise, series.points)
    grids[odds <= 0] = 0
    return grids, odds


def _unfolded(
    modes: Modes, heights: Floats, stiffness: float, noise: float, points: ControlPoints
) -> Floats:
    """Most probable grid of a frame; made stiffer where it would fold."""
    while True:
        flat = modes.solved(heights, stiffness, noise)
        grid = np.moveaxis(flat.reshape(2, *points.shape), 0, 2)
        if _least_area(grid / points.spacing) > _LEAST_AREA:
            return grid
        stiffness *= 4


def _least_area(grid: Floats) -> float:
    """Bound from below what a small area may shrink to, by points in units of their spacing."""
    down, across = np.abs(np.diff(grid, axis=0)), np.abs(np.diff(grid, axis=1))
    steepest = max(float(down.max()), float(across.max()))
    return 1 - 2 * steepest
