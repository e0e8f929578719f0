"""`Job`: an operator on a layer in three parts, so that the middle one can run in a thread."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer, Shapes
from numpy.typing import NDArray

from napari_stack.core.combined_sources import Place, places_to_json
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.operator import resolve
from napari_stack.core.options import check, method_name
from napari_stack.core.results import images_of, numbers_of
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.layers.appearance import Limits, Look
from napari_stack.layers.links import Link, link, reference
from napari_stack.layers.provenance import KEY, Chain, history, remember
from napari_stack.layers.read_layer import (
    Data,
    axis_name,
    full_resolution,
    leading_axes,
    read_layer,
)
from napari_stack.layers.shape_masks import DRAWN, mask_of
from napari_stack.layers.surface import DEPTH_AXIS
from napari_stack.recipe import Step


@dataclass(frozen=True, eq=False)
class Computed:
    """What came out of a job, before it becomes layers.

    Parameters
    ----------
    step : Step
        As it was run, images given as layers resolved to arrays.
    frames : Stack, Hyperstack or None
        From an operator that gives frames.
    images : mapping of str to ndarray
        From an operator that gives images.
    limits : mapping of str to limits
        Contrast limits of the images; None: those of the source fit.
    per_frame : mapping of str to ndarray
        What an operator that gives images measured for each frame.
    """

    step: Step
    frames: Data | None
    images: Mapping[str, Any]
    limits: Mapping[str, Limits]
    per_frame: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Job:
    """An operator with its options on the data of a layer; made by `prepare`.

    Neither `compute` nor `finish` needs the layer again: it may be changed or removed meanwhile.
    """

    chain: Chain
    look: Look
    step: Step
    images: Mapping[str, Any]
    source: Any = None  # weak references to the layer and to its array
    array: Any = None

    @cached_property
    def data(self) -> Data:
        """The frames, turned to the axis that is stacked."""
        return self.step.with_stacked_axis(self.chain.data)

    @property
    def resolved(self) -> Step:
        """The step, images given as layers read into arrays; it may take a while."""
        if not self.images:
            return self.step
        arrays = {name: np.asarray(data) for name, data in self.images.items()}
        return replace(self.step, options={**self.step.options, **arrays})

    def compute(self, run: Run = Run()) -> Computed:
        """Do the work. It touches no layer and may run in any thread.

        Raises
        ------
        ValueError
            From the operator: an option does not fit the data, no frame is used, ...
        Cancelled
            From the run's tick.
        """
        step = self.resolved
        result = step.apply(self.chain.data, run=run)
        if isinstance(result, Stack | Hyperstack):
            return Computed(step, result, {}, {})
        images = {name: self.look.shown(im, name) for name, im in images_of(result).items()}
        deepest = (self._count - 1) * (self._depth_step or 1.0)
        limits = {n: self.look.limits_of(im, n, deepest) for n, im in images.items()}
        return Computed(step, None, images, limits, numbers_of(result))

    def after(self, computed: Computed) -> Chain:
        """Return what stands behind the frames of the result."""
        steps = (*self.chain.steps, computed.step)
        origin = self.chain.origin or (self.chain.data, self.look)
        assert computed.frames is not None
        view = view_after(self.chain, self.data, computed.frames)
        return Chain(computed.frames, steps, self.chain.source, origin, view)

    def finish(self, computed: Computed) -> list[Image | Labels]:
        """Make layers of the results, the picture first; on the main thread where there is Qt."""
        steps = (*self.chain.steps, computed.step)
        metadata = history(steps, self.chain.source, self.chain.data)
        source = self.look.name
        name = f"{source} - {_result_name(computed.step)}"
        if computed.frames is not None:
            array = computed.frames.to_dask()
            remember(array, self.after(computed))
            self._link(computed, {"frames": array})
            place = placing(self.data, computed.frames)
            return [self.look.frames(array, *place, name=name, metadata=metadata)]
        made = {
            kind: self.look.image(
                image, kind, self._axis_number, self._count, computed.limits[kind],
                metadata=self._noted(metadata) if kind == "depth" else metadata,
                name=name if kind == "image" else f"{source} - {kind}",
            )
            for kind, image in computed.images.items()
        }  # fmt: skip
        self._link(computed, {kind: full_resolution(layer) for kind, layer in made.items()})
        return list(made.values())

    def _noted(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Add, for a map of depth, where the frames lie and how far apart."""
        axis = self.data.axes[self._axis_number]
        start = float(self.look.place.translate[self._axis_number])
        step = 1.0 if self._depth_step else axis.step  # of what the depth counts
        told = {"name": axis.name, "step": step, "unit": axis.unit, "start": start}
        return {KEY: {**metadata[KEY], DEPTH_AXIS: told}}

    @property
    def _depth_step(self) -> float:
        """Distance of the frames where the depth counts that; 0 where it counts frames."""
        distance = self.step.options.get("depth_unit") == "distance"
        return self.data.axes[self._axis_number].step if distance else 0.0

    def _link(self, computed: Computed, arrays: Mapping[str, Any]) -> None:
        """Remember what the results were made from."""
        if self.source is None:
            return
        steps = (*self.chain.steps, computed.step)
        others = {kind: reference(array) for kind, array in arrays.items()}
        how = (steps, _used(self.data), computed.per_frame, self.source, self.array, others)
        for kind, array in arrays.items():
            link(array, Link(kind, *how))

    def remark(self, computed: Computed) -> str:
        """Say which frames failed, or nothing."""
        if computed.frames is None:
            return ""
        if len(_used(computed.frames)) != len(_used(self.data)):  # other frames: slabs
            return ""
        failed = np.flatnonzero(_used(self.data) & ~_used(computed.frames))
        count = len(_used(self.data))
        if not len(failed):
            return ""
        numbers = ", ".join(map(str, failed[:10])) + (", ..." if len(failed) > 10 else "")
        return f"{len(failed)} of {count} frames failed and are left out of what follows: {numbers}"

    def note(self, computed: Computed) -> str:
        """Say what the operator remarks on its result, where that is no reason for a warning."""
        frames, note = computed.frames, self.step.entry.note
        if frames is None or note is None:
            return ""
        return str(resolve(note)(frames if isinstance(frames, Stack) else frames.frames))

    @property
    def _count(self) -> int:
        return len(_used(self.data))

    @property
    def _axis_number(self) -> int:
        if isinstance(self.data, Stack):
            return 0
        return [axis.name for axis in self.data.leading].index(self.data.axis)


def _result_name(step: Step) -> str:
    """Name the result: by what was done, or by the option that says more, such as a method."""
    if not (name := step.entry.named_by):
        return step.operator.replace("_", " ")
    chosen = step.options.get(name, step.entry.options[name].default)
    return chosen if isinstance(chosen, str) else method_name(type(chosen))


def _used(data: Data) -> Any:
    """Frames used along the stacked axis (at the first position of the others)."""
    if isinstance(data, Stack):
        return data.used
    return data.stack(dict.fromkeys(data.loops, 0)).used


def placing(
    before: Data, after: Data
) -> tuple[tuple[float, float], tuple[float, float], tuple[int, float, float] | None]:
    """Origin, size of a pixel, and of slabs how thick they are, in what was before.

    See `Look.frames`.
    """
    return _origin(before, after), _pixel(before, after), _thick(before, after)


def _thick(before: Data, after: Data) -> tuple[int, float, float] | None:
    """Axis of slabs, how far apart they lie, and the middle of the first one, in frames before."""
    spacing = (after if isinstance(after, Stack) else after.frames).source.spacing
    if spacing is None or _same_source(before, after):
        return None
    number = before.number if isinstance(before, Hyperstack) else 0
    return number if isinstance(after, Hyperstack) else 0, *spacing


def _same_source(before: Data, after: Data) -> bool:
    old, new = (data if isinstance(data, Stack) else data.frames for data in (before, after))
    return old.source is new.source


def _origin(before: Data, after: Data) -> tuple[float, float]:
    """Where the view begins, (x, y) in pixels of the view before."""
    frames = [data if isinstance(data, Stack) else data.frames for data in (before, after)]
    # A view begins anew with a warp; what resizes it may come after.
    old, new = ([c for c in f.corrections if hasattr(c, "origin")] for f in frames)
    if not new or (old and new[-1] is old[-1]):
        return (0.0, 0.0)
    left, top = getattr(new[-1], "origin", (0.0, 0.0))
    # Where a quarter turn makes pixels as high as they were wide, the middle stays where it was.
    (height, width), size = (f.shape[1:3] for f in frames)
    sides = zip(_pixel(before, after), size, getattr(new[-1], "size", size), strict=True)
    high, wide = (pixel * now / turned for pixel, now, turned in sides)
    return left + (width / 2 - left) * (1 - wide), top + (height / 2 - top) * (1 - high)


def _pixel(before: Data, after: Data) -> tuple[float, float]:
    """Size of a pixel, (y, x), in pixels of before: not 1 where frames were resized."""
    y, x = (new.step / old.step for new, old in zip(after.axes[-2:], before.axes[-2:], strict=True))
    return y, x


def view_after(chain: Chain, before: Data, after: Data) -> NDArray[np.float64]:
    """Return the `Chain.view` of what was made of a chain's data."""
    if not _same_source(before, after):  # frames were made: they are the source of what follows
        return np.eye(3)
    origin, (y, x) = _origin(before, after), _pixel(before, after)
    # The centre of the first pixel moves with its size.
    offset = [origin[0] + (x - 1) / 2, origin[1] + (y - 1) / 2]
    return chain.view @ np.array([[x, 0, offset[0]], [0, y, offset[1]], [0, 0, 1]])


def prepare(
    operator: str,
    layer: Layer,
    *,
    axis: str | int | None = None,
    measure_at: Mapping[str, Place] | None = None,
    **options: Any,
) -> Job:
    """Read from a layer what an operator needs; the layer's pixels are not touched.

    Parameters
    ----------
    operator : str
        Its name in the catalogue.
    layer : Image layer
    axis : str or int, optional
        See the operators of this package.
    measure_at : mapping of str to int, "mean" or "maximum", optional
        See the operators of this package.
    **options
        Options of the operator; an option that is an image may be a layer too.

    Raises
    ------
    ValueError
        For a layer or an axis that cannot be stacked, or an option out of range.
    """
    entry = Step(operator).entry
    given = [n for n in entry.inputs if isinstance(options.get(n), Layer)]
    images = {n: _pixels(n, options.pop(n), layer) for n in given}
    check(entry.function, options)
    chain = read_layer(layer)
    chosen = axis_name(layer, axis) or default_axis(operator, layer)
    step = Step(operator, options, axis=_axis(operator, chain.data, chosen))
    placed = step.with_stacked_axis(chain.data)
    where = _position(placed, measure_at or {})
    step.check_count(placed)
    if entry.gives_frames:
        step = replace(step, measure_at=where)
    elif measure_at:  # along one axis, also where that is its first place
        step = replace(step, measure_at=places_to_json(measure_at))
    weak = reference(layer), reference(full_resolution(layer))
    return Job(chain, Look.of(layer), step, images, *weak)


def default_axis(operator: str, layer: Layer) -> str:
    """Name of the axis that an operator stacks when none is chosen.

    The one it prefers, else the first; an axis of one frame only where there is no other. The
    data does not matter: it may be empty, or of a kind that no operator takes.
    """
    sizes = leading_axes(layer)
    several = [name for name, size in sizes.items() if size != 1] or list(sizes)
    if not several:
        return ""
    # The operator chooses, among axes of these names.
    stand_in = np.zeros((1,) * (len(several) + 2), np.uint8)
    named = Hyperstack.wrap(stand_in, axes=(*several, "y", "x"), rgb=False)
    return named.with_stacked_axis(Step(operator).entry).axis


def _axis(operator: str, data: Data, chosen: str) -> str:
    """Leave out an axis that would be taken anyway, so that the recipe fits other data too."""
    placed = Step(operator).with_stacked_axis(data)
    usual = placed.axes[0].name if isinstance(placed, Stack) else placed.axis
    return "" if chosen == usual else chosen


def _position(data: Data, measure_at: Mapping[str, Place]) -> dict[str, Place]:
    """Check where to measure, and leave out what would be taken anyway."""
    if isinstance(data, Stack):
        if measure_at:
            raise UserError(
                f"measure_at names {', '.join(measure_at)}; the frames lie along one axis only"
            )
        return {}
    data.stack(measure_at)  # refuses what is not there
    centre = data.centre()
    return places_to_json({name: at for name, at in measure_at.items() if at != centre[name]})


def _pixels(name: str, layer: Layer, frames: Layer) -> Any:
    """Take the data of a layer given as an option; it is read when the work begins."""
    if isinstance(layer, Shapes) and name in DRAWN and isinstance(frames, Image):
        return mask_of(layer, frames)
    if not isinstance(layer, Image | Labels):
        drawn = ", Labels or Shapes" if name in DRAWN else " or Labels"
        raise UserError(
            f"{name}: {layer.name!r} is a {type(layer).__name__} layer; an Image{drawn} layer "
            "is needed"
        )
    return full_resolution(layer)
