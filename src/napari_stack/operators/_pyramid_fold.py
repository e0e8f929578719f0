"""Focus stacking by a Laplacian pyramid: in one pass, or in two where memory is short."""

from functools import partial
from typing import Any, Self

import numpy as np

from napari_stack.operators._focus_auto import SharpnessFold, calmed
from napari_stack.operators._focus_frames import Light, Sight
from napari_stack.operators._pyramid import PyramidState
from napari_stack.run import Run
from napari_stack.sources import is_computed
from napari_stack.stack import Stack

Array = np.ndarray[Any, Any]

# Bytes a pixel that the state takes, and those of a frame in flight: for every channel, and beside.
STATE_BYTES = 8, 40
FRAME_BYTES = 10, 30


class PyramidFold:
    """The fold: a pyramid's state, begun with the first frame.

    Parameters
    ----------
    sight : Sight
    measure : bool
        Measure the depth too.
    **options
        Those of `Pyramid`.
    """

    def __init__(self, sight: Sight, *, measure: bool, **options: Any) -> None:
        self.options = vars(sight) | options | {"measure": measure}
        self.state: Any = None

    def prepare(self, stack: Stack, index: int) -> Any:
        """Take a frame apart."""
        integer = stack.dtype.kind in "ui"
        options = self.options | {"stored": stack.dtype if integer else None}
        begin = partial(PyramidState, stack.shape[1:], stack.working, **options)
        owned = integer and not is_computed(stack.source)
        return begin, PyramidState.prepare(*stack.read(index), owned=owned, **options)

    def add(self, index: int, prepared: Any) -> None:
        """Take in a frame."""
        begin, bundle = prepared
        if self.state is None:
            self.state = begin()
        self.state.add(index, bundle)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        if self.state is None:
            self.state = later.state
        elif later.state is not None:
            self.state.merge(later.state)


def fuse(stack: Stack, run: Run, sight: Sight, **options: Any) -> Any:
    """Fuse a series; returns what `PyramidState.result` does.

    The depth is measured in a pass of its own where both together would not fit the run's memory.
    """
    what = "Fusing frames"
    if _fits(stack, run):
        return run.fold(
            PyramidFold(sight, measure=True, **options), stack, what=what
        ).state.result()
    run = calmed(run, stack)
    nothing = Light(np.zeros((1, 1)), np.zeros((1, 1)))
    height, width = stack.shape[1:3]
    alone = run.executor is None
    first = SharpnessFold((height, width), sight, nothing, even=False, alone=alone)
    first = run.part(0, 2).fold(first, stack, what="Measuring sharpness")
    depth, confidence, _ = first.depth.maps(last=True)
    del first, _
    fold = PyramidFold(sight, measure=False, **options)
    image, covered = run.part(1, 2).fold(fold, stack, what=what).state.fused()
    return image, depth, confidence, covered


def _fits(stack: Stack, run: Run) -> bool:
    channels = stack.shape[3] if stack.ndim == 4 else 1
    state, frame = (each * channels + rest for each, rest in (STATE_BYTES, FRAME_BYTES))
    pixels = stack.shape[1] * stack.shape[2]
    return pixels * (state + (run.threads + 1) * frame) <= run.memory
