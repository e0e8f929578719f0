"""One frame as an operator would make it, quickly: measured on a few frames that are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from napari_stack.core.options import options_of
from napari_stack.core.results import Part, images_of
from napari_stack.core.source import Pixels, WrappedSource
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.layers.jobs.job import Job
from napari_stack.layers.provenance import KEY

#: Frames that are measured at most, where an operator compares all: enough to see what it does.
_FEW = 8


@dataclass(frozen=True, eq=False)
class FrameKeeper(WrappedSource):
    """A source that keeps the frames it has read; `keep_only` lets go of the others.

    Parameters
    ----------
    source : Source
    kept : dict of int to Pixels
        By the number of the frame.
    """

    kept: dict[int, Pixels] = field(default_factory=dict)

    partial: ClassVar[bool] = True  # type: ignore[misc]

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:  # noqa: D102
        if index not in self.kept:
            self.kept[index] = self.source.pixels(index)
        values, valid = self.kept[index]
        part = slice(None) if rows is None else rows
        if not self.computed:
            return values[part], valid
        return values[part].copy(), None if valid is None else valid[part].copy()

    def keep_only(self, frames: NDArray[np.intp]) -> None:
        """Forget frames that are not among these."""
        for index in set(self.kept) - set(frames.tolist()):
            del self.kept[index]


def keeping(job: Job) -> FrameKeeper:
    """Make a source for the previews of one layer: frames that were read once stay."""
    return FrameKeeper(job.data.frames.source)


def preview(job: Job, at: Mapping[str, int], kept: FrameKeeper, run: Run = Run()) -> NDArray[Any]:
    """Make one frame, or image, of what a job would make of all; it may run in any thread.

    Parameters
    ----------
    job : Job
        Of an operator whose entry says `preview`.
    at : mapping of str to int
        Where the viewer stands on every leading axis: also where it is measured on the other axes.
    kept : FrameKeeper
        Of this layer, see `keeping`.
    run : Run

    Returns
    -------
    ndarray, shape (y, x) or (y, x, channel)
        As seen: rounded, clipped and cast.
    """
    stack, current = _stack_at(job, at, kept)
    step = job.resolved
    options = dict(step.options)
    if "reference" in (known := options_of(step.function)):
        from napari_stack.operators.registration.register import reference_index

        asked = options.get("reference", known["reference"].default)
        reference = reference_index(stack, asked)
        numbers = np.unique([reference, current])
        options["reference"] = int(np.searchsorted(numbers, reference))
    else:
        numbers = _some(stack, current)
    few = stack.select(numbers)
    kept.keep_only(_in_source(few))
    made = step.function(few, run=run, **options)
    if not step.entry.gives_frames:
        return next(iter(images_of(made).values()))
    if run.tick:
        run.tick(0, 0, "Preview")  # cancelled meanwhile
    return np.asarray(made[int(np.searchsorted(numbers, current))])


def preview_layer(job: Job, image: NDArray[Any]) -> Image:
    """Make the layer of a preview: y and x alone, which covers the frame in view."""
    more: dict[str, Any] = {"blending": "translucent_no_depth"}
    if not job.step.entry.gives_frames:
        image = job.appearance.shown(image, Part())
        more = {"rgb": False, "colormap": "red", "gamma": 1.0, "contrast_limits": (0, 1)}
        more["blending"] = "additive"
    name = f"{job.appearance.name} - preview"
    return job.appearance.plane(image, name=name, metadata={KEY: {"preview": True}}, **more)


def _stack_at(job: Job, at: Mapping[str, int], kept: FrameKeeper) -> tuple[Stack, int]:
    """Stack along the chosen axis where the viewer stands, read through `kept`."""
    data = job.data.with_frames(replace(job.data.frames, source=kept))
    if isinstance(data, Stack):
        return data, at[data.axis]
    return data.stack({name: at[name] for name in data.loops}), at[data.axis]


def _some(stack: Stack, current: int) -> NDArray[np.intp]:
    used = np.flatnonzero(stack.used)
    spread = used[np.linspace(0, len(used) - 1, min(_FEW, len(used))).astype(int)]
    return np.unique([*spread, current])


def _in_source(stack: Stack) -> NDArray[np.intp]:
    """Numbers of the frames in the kept source."""
    source: Any = stack.source
    numbers = np.arange(len(stack))
    while not isinstance(source, FrameKeeper):
        numbers, source = source.frames[numbers], source.source
    return numbers
