"""References that are made or chosen: the mean of the registered frames, the sharpest frame."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.run import Run
from napari_stack.operators.geometry.warp_rows import warp_rows
from napari_stack.operators.registration.preprocess import repaired
from napari_stack.operators.registration.search.align import Alignment, Prepared, prepare
from napari_stack.operators.registration.sequence.chains import Found
from napari_stack.operators.registration.sequence.measure import Aligner, MeasureOptions

#: Blur, in pixels, before gradients are measured for sharpness: noise of single pixels goes.
SHARPNESS_SIGMA = 1.5


def measure_to_mean(
    stack: Stack, view: MeasureOptions, aligner: Aligner, reference: int, found: Found, run: Run
) -> Found:
    """Alignments of all frames with the mean of the others, as registered so far.

    A frame is never measured against itself: its own share of the mean would hold it where it
    is.
    """
    matrices = {reference: np.eye(3)} | {i: a.matrix for i, a in found.items() if a.verified}
    good = [int(i) for i in np.flatnonzero(stack.used) if int(i) in matrices]
    total = _Sum(view, matrices)
    run.fold(total, replace(stack, used=np.isin(np.arange(len(stack)), good)), what="Averaging")
    numbers = list(range(len(stack)))
    again = partial(_to_mean, view=view, aligner=aligner, total=total)
    measured = run.each(again, stack, numbers, what="Registering to the mean")
    return {
        i: better if better.verified or i not in found else found[i]
        for i, better in zip(numbers, measured, strict=True)
    }


@dataclass(eq=False)
class _Sum:
    """Sum of registered frames and how many cover each pixel."""

    view: MeasureOptions
    matrices: dict[int, NDArray[np.float64]]
    values: Any = 0.0
    count: Any = 0

    def prepare(self, stack: Stack, index: int) -> Any:
        values, valid = self.view.pixels(stack, index)
        rows = slice(0, values.shape[0])
        place = (0, values.shape[0], self.matrices[index], rows, values.shape[1])
        warped, inside = warp_rows(values, valid, *place, "cubic")
        return np.where(inside, warped, 0), inside

    def add(self, index: int, prepared: Any) -> None:  # noqa: ARG002
        self.values = self.values + prepared[0]
        self.count = self.count + prepared[1].astype(np.int32)

    def merge(self, later: "_Sum") -> None:
        self.values, self.count = self.values + later.values, self.count + later.count

    def without(self, stack: Stack, index: int) -> Prepared:
        """Prepare the mean of the other frames."""
        values, count = self.values, self.count
        if index in self.matrices and stack.used[index]:
            own, inside = self.prepare(stack, index)
            values, count = values - own, count - inside
        mean = np.where(count > 0, values / np.maximum(count, 1), np.nan)
        return prepare(mean, None, self.view.working_size)


def _to_mean(
    stack: Stack, index: int, *, view: MeasureOptions, aligner: Aligner, total: _Sum
) -> Alignment:
    return aligner(total.without(stack, index), view(stack, index), total.matrices.get(index))


def sharpest(stack: Stack, view: MeasureOptions, run: Run) -> int:
    """Find the number of the used frame with the greatest mean squared gradient (Tenenbaum)."""
    numbers = [int(i) for i in np.flatnonzero(stack.used)] or [0]
    measured = run.each(partial(_sharpness, view=view), stack, numbers, what="Finding the sharpest")
    return numbers[int(np.argmax(measured))]


def _sharpness(stack: Stack, index: int, *, view: MeasureOptions) -> float:
    pixels, valid = repaired(*view.pixels(stack, index))
    smooth = cv2.GaussianBlur(pixels, (0, 0), SHARPNESS_SIGMA)
    across = smooth[1:, 1:] - smooth[1:, :-1]
    down = smooth[1:, 1:] - smooth[:-1, 1:]
    power = across * across + down * down
    if valid is not None:
        counts = cv2.erode(valid.astype(np.uint8), np.ones((11, 11), np.uint8))[1:, 1:] > 0
        power = power[counts]
    return float(power.mean()) if power.size else 0.0
