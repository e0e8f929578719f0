"""Rows of scans: the shift of each against the mean of the series, by Gauss-Newton."""

from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.geometry.deformation import Deformation
from napari_stack.operators.geometry.warp_rows import Deformed, warp_parts
from napari_stack.operators.registration.nonrigid.bidirectional import measure_back
from napari_stack.operators.registration.nonrigid.evidence import deforms
from napari_stack.operators.registration.nonrigid.means import Summed, smoothed
from napari_stack.operators.registration.nonrigid.options import Rows
from napari_stack.operators.registration.nonrigid.roots import Roots
from napari_stack.operators.registration.nonrigid.row_priors import (
    RowPrior,
    RowSystem,
    most_probable,
)

Floats = NDArray[np.float64]
Image = NDArray[Any]

#: Steps of each round; after each the mean of all frames is made anew.
_STEPS = (4, 2, 2)

#: Before any smoothness was measured: rows move stiffly.
_FIRST = RowPrior(300.0, 1)

#: Gaussian that the mean is smoothed with before the gain of a frame is measured, in px.
_COARSE = 2.0

#: Rows stay in order: none moves nearer to its neighbour than this, in px.
_LEAST_STEP = 0.1


@dataclass(frozen=True, eq=False)
class Scans:
    """Scans that are measured against their mean.

    Parameters
    ----------
    stack : Stack
    roots : Roots
    matrices : ndarray, shape (n, 3, 3)
    pattern : ndarray, shape (height, 2)
        Offsets that all frames share, of rows to and fro.
    """

    stack: Stack
    roots: Roots
    matrices: Floats
    pattern: Floats

    def walk(
        self, offsets: Floats, summed: Summed | None, prior: RowPrior, steps: int, run: Run
    ) -> tuple[Floats, list[RowSystem], Summed]:
        """Refine all frames: offsets, what they say, and the sum of all.

        Frames are read in this process, a few at a time.
        """
        refine = partial(
            _refine, scans=self, offsets=offsets, summed=summed, prior=prior, steps=steps
        )
        found, said = [], []

        def righted(stream: Any) -> Any:
            for rows, system, seen in stream:
                found.append(rows)
                said.append(system)
                yield seen

        with closing(run.stream(refine, self.stack, what="Measuring rows")) as stream:
            summed = Summed.of(righted(stream))
        return np.stack(found), said, summed


def _refine(
    stack: Stack,
    index: int,
    *,
    scans: Scans,
    offsets: Floats,
    summed: Summed | None,
    prior: RowPrior,
    steps: int,
) -> tuple[Floats, RowSystem | None, Any]:
    """Refine one frame: its offsets, what it says, and the frame without them."""
    values, counts = scans.roots(stack, index)
    rows, matrix, system = offsets[index], scans.matrices[index], None
    if summed is not None:
        before = rows
        own = _righted(values, counts, matrix, before + scans.pattern)
        compared = partial(_system, values, counts, _Template.of(summed, *own), matrix)
        for _ in range(steps):
            rows = prior.solve(compared(rows, scans.pattern))
        system = compared(rows, scans.pattern)
        rows = before + summed.share * (rows - before)
    return rows, system, _righted(values, counts, matrix, rows + scans.pattern)


@dataclass(frozen=True, eq=False)
class _Template:
    """The mean of the other frames, smoothed for its slopes, and a frame's gain against it.

    `slope_noise` is as of `Summed`.
    """

    sharp: Image
    smooth: Image
    gain: float
    slope_noise: float

    @classmethod
    def of(cls, summed: Summed, own: Image, inside: Image) -> "_Template":
        sharp, smooth = summed.others_both(own, inside)
        both = inside & summed.counts
        if not both.any():
            return cls(sharp, smooth, 1.0, summed.slope_noise)
        # Noise of the mean would make the gain too small, and what is left of the object would
        # look like motion: smoothed, the mean has hardly any noise that it shares with itself.
        coarse = smoothed(np.where(both, sharp, np.float32(0)), _COARSE)[both]
        apart = coarse - coarse.mean()
        common = float(apart @ sharp[both])
        gain = float(apart @ own[both]) / common if common > 0 else 1.0
        return cls(sharp, smooth, gain, summed.slope_noise)


def _system(
    values: Image, counts: Image, template: _Template, matrix: Floats, rows: Floats, pattern: Floats
) -> RowSystem:
    from napari_stack.operators.registration.nonrigid import row_sum_kernels as kernels

    sums, back = np.empty((len(rows), kernels.SUMS)), np.linalg.inv(matrix)
    shifted = np.array_equal(back[:, :2], np.eye(3)[:, :2]) and back[2, 2] == 1
    add = kernels.sum_shifted_rows if shifted else kernels.sum_rows
    add(values, counts, template.sharp, template.smooth, back, rows + pattern, sums)
    return RowSystem.of(sums, rows, template.gain, template.slope_noise)


def _righted(values: Image, counts: Image, matrix: Floats, rows: Floats) -> tuple[Image, Image]:
    height, width = values.shape
    moved = Deformed(np.empty((0, 0, 2)), np.eye(3), rows)
    seen, inside, whole = warp_parts(
        values, None if counts.all() else counts, 0, height, matrix, slice(0, height), width,
        "cubic", False, True, moved,
    )  # fmt: skip
    counted: Image = inside if whole is None else inside & whole
    return seen, counted


def measure_rows(
    stack: Stack, roots: Roots, matrices: Floats, frames: NDArray[np.intp], options: Rows, run: Run
) -> tuple[Deformation | None, Floats]:
    """Measure the offsets of all rows of some frames, against the mean of all of them.

    Parameters
    ----------
    stack, roots, matrices, frames, run
        As for `measure_smooth`.
    options : Rows

    Returns
    -------
    deformation : Deformation or None
        Of all frames; None where no row moves.
    odds : ndarray, shape (n,)
        Logarithm of the odds that the rows of each frame move, against not at all.
    """
    height = stack.shape[1]
    chosen = stack.select(frames)
    pattern = np.zeros((height, 2))
    if options.bidirectional:
        back = measure_back(chosen, roots, run)
        pattern[:, 0] = np.where(np.arange(height) % 2, back / 2, -back / 2)
    scans = Scans(chosen, roots, matrices[frames], pattern)
    offsets, odds, pattern = _measured(scans, options, run)
    told = np.zeros(len(stack))
    told[frames] = odds
    if not deforms(odds):
        offsets[:] = 0
        if not pattern.any():
            return None, told
    every = np.zeros((len(stack), height, 2))
    every[frames] = [_in_order(rows + pattern) for rows in offsets]
    return Deformation(None, None, every), told


def _measured(scans: Scans, options: Rows, run: Run) -> tuple[Floats, Floats, Floats]:
    """Offsets of all rows, the odds of each frame, and the pattern that all share."""
    fixed = None if options.smoothness == "auto" else float(options.smoothness)
    prior = _FIRST if fixed is None else RowPrior(fixed, 1)
    offsets = np.zeros((len(scans.stack), *scans.pattern.shape))
    summed = scans.walk(offsets, None, prior, 0, run)[2]
    for steps in _STEPS:
        offsets, said, summed = scans.walk(offsets, summed, prior, steps, run)
        prior = most_probable(said, fixed)
        if options.bidirectional:
            pull, normal = np.sum([system.zigzag for system in said], axis=0)
            more = pull / max(normal, 1e-12) * np.where(np.arange(len(scans.pattern)) % 2, 1, -1)
            scans = replace(scans, pattern=scans.pattern + np.stack([more, 0 * more], axis=1))
    # Each frame has a part in the means of the others: n frames say what n - 1 would say alone.
    odds = np.array([prior.odds(system) for system in said]) * summed.share
    offsets = np.stack([prior.solve(system) for system in said])
    offsets[odds <= 0] = 0
    return offsets, odds, scans.pattern


def _in_order(rows: Floats) -> Floats:
    """Rows that would pass their neighbours are held behind them."""
    shown = np.arange(len(rows)) - rows[:, 1]
    steps = np.maximum(np.diff(shown), _LEAST_STEP)
    held = shown[0] + np.concatenate([[0.0], np.cumsum(steps)])
    if not (np.diff(shown) < _LEAST_STEP).any():
        return rows
    return np.stack([rows[:, 0], np.arange(len(rows)) - held], axis=1)
