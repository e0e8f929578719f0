"""`moving_average`: frames of low signal, each averaged with its neighbours."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np

from napari_stack.core.options import Bounds, check
from napari_stack.core.source import Pixels
from napari_stack.core.sources.stack_source import StackSource
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run


@dataclass(frozen=True, eq=False)
class MovingAverage(StackSource):
    """Source of frames that are means of neighbouring frames of a stack.

    Parameters
    ----------
    stack : Stack
    frames : int
        Length of the window.
    stored : numpy.dtype
        Of the frames when they are read out.
    """

    frames: int
    stored: np.dtype[Any]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the frames when they are read out."""
        return self.stored

    def window(self, index: int) -> list[int]:
        """Frames that frame `index` is the mean of: those used, fewer at the ends."""
        before = (self.frames - 1) // 2
        start = max(index - before, 0)
        stop = min(index - before + self.frames, len(self.stack))
        return [i for i in range(start, stop) if self.stack.used[i]]

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        """Average some rows; a pixel is valid where any frame of the window is."""
        from napari_stack.operators.combine.reducers.accumulators import Sum

        if not (window := self.window(index)):
            values, _ = self.stack.read(index, rows)
            return values, np.zeros(values.shape[:2], bool)
        state = Sum(mean=True)
        for i in window:
            state.add(i, self.stack.values(i, rows))
        mean, covered = state.result()
        return mean.astype(self.stack.working), covered


def moving_average(
    stack: Stack,
    *,
    frames: Annotated[int, Bounds(1, 1000)] = 5,
    dtype: Literal["input", "float32", "float64"] = "input",
    run: Run = Run(),
) -> Stack:
    """Average every frame with its neighbours in time; for series of low signal.

    Only valid pixels of used frames count; at both ends the window has fewer frames.

    Parameters
    ----------
    stack : Stack
        Registered frames, in order.
    frames : int
        Length of the window: how many frames are averaged. Of an even number, one more lies
        after the frame than before it.
    dtype : {"input", "float32", "float64"}
        Type of the frames as they are seen; input is that of the frames, rounded. What is
        computed from them later has more digits in any case.
    run : Run

    Returns
    -------
    Stack
        As many frames, each computed when it is read; a frame is used when any in its window is.

    Raises
    ------
    ValueError
        When the window is out of range.
    """
    check(moving_average, locals())
    seen = stack.dtype if dtype == "input" else np.dtype(dtype)
    source = MovingAverage(stack, int(frames), seen)
    used = np.array([bool(source.window(i)) for i in range(len(stack))])
    return replace(stack, source=source, corrections=(), used=used)
