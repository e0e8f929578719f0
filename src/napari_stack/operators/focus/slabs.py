"""`focus_slabs`: a long focus series as fewer frames, each fused of a few."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Annotated, Any, ClassVar

import numpy as np

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.options import Bounds, check
from napari_stack.core.pixels.casting import cast
from napari_stack.core.pixels.channels import check_channel
from napari_stack.core.signatures import inherit_options
from napari_stack.core.source import Pixels
from napari_stack.core.sources.stack_source import StackSource
from napari_stack.core.stack import Stack
from napari_stack.engine.frame_cache import FrameCache
from napari_stack.engine.run import Run
from napari_stack.operators.focus.focus_stack import focus_stack, fuse


@dataclass(frozen=True, eq=False)
class Slabs(StackSource):
    """Source of frames that are fused of neighbouring frames of a stack, each once.

    Parameters
    ----------
    stack : Stack
    frames, overlap : int
        Frames of a slab, and how many of them the next one has too.
    options : mapping
        Of `focus_stack`.
    cache : FrameCache
        The slabs that were fused.
    run : Run
        How one is fused.
    """

    frames: int
    overlap: int
    options: Mapping[str, Any]
    cache: FrameCache
    run: Run = field(default_factory=Run)

    partial: ClassVar[bool] = False  # type: ignore[misc]

    @property
    def shape(self) -> tuple[int, ...]:
        """Slabs, then the shape of a frame."""
        return self.cache.shape

    @property
    def spacing(self) -> tuple[float, float]:  # type: ignore[override]
        """Distance of two slabs, and the middle of the first, in frames."""
        middle = (min(self.frames, len(self.stack)) - 1) / 2
        return float(self.frames - self.overlap), middle

    def window(self, index: int) -> list[int]:
        """Frames that a slab is fused of: those used."""
        return [i for i in self.span(index) if self.stack.used[i]]

    def span(self, index: int) -> range:
        """Tell the frames of a slab, used or not."""
        start = index * (self.frames - self.overlap)
        return range(start, min(start + self.frames, len(self.stack)))

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        """Read what is computed with, and the pixels that a frame covers."""
        frame, valid = self._fused(index, rows)
        return frame.astype(self.stack.working), valid

    def label(self, index: int) -> str:
        """Name the slab by its first and last frame."""
        span = self.span(index)
        first, last = (self.stack.source.label(i) for i in (span[0], span[-1]))
        return first if len(span) == 1 else f"{first} to {last}"

    def _fused(self, index: int, rows: slice | None) -> Pixels:
        with self.cache.lock:  # one at a time: fusing one has threads of its own
            if index not in self.cache:
                self.cache.put(index, *self._fuse(index))
        return self.cache.get(index, rows)

    def _fuse(self, index: int) -> Pixels:
        if not (window := self.window(index)):
            return np.zeros(self.shape[1:], self.dtype), np.zeros(self.shape[1:3], bool)
        found = fuse(self.stack.select(window), depth=False, run=self.run, **self.options)
        valid = None if found.covered.all() else found.covered
        image = cast(found.image, self.dtype, None)
        if valid is not None:
            image[~valid] = 0
        return image, valid


_NOT_OF_SLABS = ("depth", "depth_unit", "depth_gaps", "uncertainty", "retouch")


@inherit_options(focus_stack, without=_NOT_OF_SLABS)
def focus_slabs(
    stack: Stack,
    *,
    frames: Annotated[int, Bounds(2, 1000)] = 10,
    overlap: Annotated[int, Bounds(0, 999)] = 0,
    run: Run = Run(),
    **options: Any,
) -> Stack:
    """Fuse a long focus series in slabs: every few neighbouring frames become one.

    Slabs are a stack again: they are fused once more, also by another method, and go as layers
    into a file for retouching.

    Parameters
    ----------
    stack : Stack
        Frames at different focus, in order, registered.
    frames : int
        How many neighbouring frames make a slab; the last one may have fewer.
    overlap : int
        How many of them the next slab has too; less than a slab has.
    run : Run
        How a slab is fused.

    Returns
    -------
    Stack
        The slabs. One is fused when it is first read, and kept. The step of its axis is that of
        the frames times ``frames - overlap``, so that a depth measured in slabs is right in
        physical units, but for half a slab at which it begins: slab ``d`` lies about frame
        ``d * (frames - overlap) + (frames - 1) / 2``. A last slab of fewer frames lies before that.

    Raises
    ------
    ValueError
        When an option is out of range or does not fit the frames, or slabs overlap wholly.
    """
    check(focus_slabs, {"stack": stack, "frames": frames, "overlap": overlap, **options})
    if overlap >= frames:
        raise UserError(
            f"focus_slabs: overlap must be less than the {frames} frames of a slab, got {overlap}"
        )
    check_channel(stack, options.get("channel", "all"))
    step = frames - overlap
    count = 1 + max(0, ceil((len(stack) - frames) / step))
    cache = FrameCache((count, *stack.shape[1:]), stack.dtype, run.memory // 4, run.scratch)
    # Slabs are fused later, maybe in other processes: nobody follows this run's progress then.
    how = replace(run, tick=None, executor=None, glimpses=None)
    source = Slabs(stack, int(frames), int(overlap), options, cache, how)
    used = np.array([bool(source.window(i)) for i in range(count)])
    depth = _axis_of(source, stack.axes[0], step)
    return replace(stack, source=source, corrections=(), used=used, axes=(depth, *stack.axes[1:]))


def _axis_of(slabs: Slabs, axis: Axis, step: int) -> Axis:
    """Return the axis of slabs, from that of the frames; slabs of uneven frames lie unevenly."""
    places: list[float] = []
    if len(axis.positions) == len(slabs.stack):
        spans = (slabs.span(number) for number in range(slabs.shape[0]))
        places = [float(np.mean(axis.positions[span[0] : span[-1] + 1])) for span in spans]
    positions = tuple(axis.positions[0] + place - places[0] for place in places)
    return replace(axis, step=axis.step * step, labels=(), looks=(), positions=positions)
