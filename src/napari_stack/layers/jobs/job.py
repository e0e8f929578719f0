"""`Job`: an operator on a layer in three parts, so that the middle one can run in a thread."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer, Shapes

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.notices import names_text
from napari_stack.core.operator import resolve
from napari_stack.core.options import check
from napari_stack.core.results import Part, images_of, numbers_of
from napari_stack.core.said import Said
from napari_stack.core.sources.combined_sources import Place, places_to_json
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.layers.axis_names import told_default_axis
from napari_stack.layers.compat import full_resolution, weak_reference
from napari_stack.layers.names import DEPTH_AXIS, result_name
from napari_stack.layers.picked.point_layers import with_rows
from napari_stack.layers.picked.shape_masks import DRAWN, mask_of
from napari_stack.layers.places.appearance import Appearance, Limits
from napari_stack.layers.places.frame_geometry import FrameGeometry, view_after
from napari_stack.layers.places.placement import make_finer
from napari_stack.layers.provenance import KEY, Chain, LayerReference, Link, history, link, remember
from napari_stack.layers.stacks.read_layer import Data, axis_name, read_layer, used_along_axis
from napari_stack.recipe import Step
from napari_stack.recipe.said import said_of, said_of_settled


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
    said : tuple of Said
        What it came to, in plain words.
    """

    step: Step
    frames: Data | None
    images: Mapping[str, Any]
    limits: Mapping[str, Limits]
    per_frame: Mapping[str, Any] = field(default_factory=dict)
    said: tuple[Said, ...] = ()
    table: Any = None


@dataclass(frozen=True, eq=False)
class Job:
    """An operator with its options on the data of a layer; made by `prepare`.

    Neither `compute` nor `finish` needs the layer again: it may be changed or removed meanwhile.
    """

    chain: Chain
    appearance: Appearance
    step: Step
    images: Mapping[str, Any]
    source: LayerReference | None = None

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
        asked = self.resolved
        step = asked.settled(self.chain.data)
        result = step.apply(self.chain.data, run=run)
        said = (*said_of(step, result, self.chain.data), *said_of_settled(asked, step))
        if isinstance(result, Stack | Hyperstack):
            return Computed(step, result, {}, {}, said=said)
        if step.entry.kind == "table":
            return Computed(step, None, {}, {}, said=said, table=result)
        images = {n: self.appearance.shown(im, self.part(n)) for n, im in images_of(result).items()}
        return Computed(step, None, images, self.limits(images), numbers_of(result), said)

    def limits(self, images: Mapping[str, Any]) -> dict[str, Limits]:
        """Return contrast limits for images as layers hold them."""
        deepest = (self._count - 1) * (self.depth_step or 1.0)
        found = self.appearance.limits_of
        return {n: found(im, self.part(n), deepest) for n, im in images.items()}

    def part(self, name: str) -> Part:
        """Return what the operator declares of an image of its result."""
        return self.step.entry.parts[name]

    def after(self, computed: Computed) -> Chain:
        """Return what stands behind the frames of the result."""
        origin = self.chain.origin or (self.chain.data, self.appearance)
        assert computed.frames is not None
        view = view_after(self.chain.view, self.data, computed.frames)
        steps = self.steps_after(computed)
        return replace(self.chain, data=computed.frames, steps=steps, origin=origin, view=view)

    def steps_after(self, computed: Computed) -> tuple[Step, ...]:
        """Return all that was done to the first frames of the chain."""
        return (*self.chain.steps, computed.step)

    def finish(self, computed: Computed, *, visible: bool = True) -> list[Image | Labels]:
        """Make layers of the results, the picture first; on the main thread where there is Qt."""
        steps = self.steps_after(computed)
        metadata = history(self.chain, steps)
        source = self.appearance.name
        if computed.frames is not None:
            array = computed.frames.to_dask()
            remember(array, self.after(computed))
            self._link(computed, {"frames": array})
            geometry = FrameGeometry.between(self.data, computed.frames)
            name = result_name(source, computed.step)
            # One that is visible computes a frame here.
            more = {"name": name, "metadata": metadata, "visible": visible}
            return [self.appearance.frames(array, geometry, **more)]
        made = {
            kind: self.appearance.image(
                image, self.part(kind), self.data.number, self._count, computed.limits[kind],
                metadata=self._metadata(metadata, steps, kind, first=not number),
                name=result_name(source, computed.step, self._called(kind) * (number > 0)),
            )
            for number, (kind, image) in enumerate(computed.images.items())
        }  # fmt: skip
        for layer in made.values():
            make_finer(layer, computed.step.entry.pixels_in_one(computed.step.options))
        self._link(computed, {kind: full_resolution(layer) for kind, layer in made.items()})
        return list(made.values())

    def _called(self, kind: str) -> str:
        """Return what an image is called; distances along the axis with their unit."""
        far = self.part(kind).along is not None and self.depth_step
        return f"{kind} ({self._stacked.unit})" if far else kind.replace("_", " ")

    def _metadata(
        self, picture: Mapping[str, Any], steps: tuple[Step, ...], kind: str, *, first: bool
    ) -> Mapping[str, Any]:
        """Return the metadata of an image, given those of the picture."""
        metadata = picture if first else history(self.chain, steps, kind)
        return self._noted(metadata) if self.part(kind).along else metadata

    def _noted(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Add, for places along the stacked axis, where the frames lie and how far apart."""
        axis = self._stacked
        start = float(self.appearance.place.translate[self.data.number])
        step = 1.0 if self.depth_step else axis.step  # of what the depth counts
        told = {"name": axis.name, "step": step, "unit": axis.unit, "start": start}
        return {KEY: {**metadata[KEY], DEPTH_AXIS: told}}

    @property
    def depth_step(self) -> float:
        """Distance of the frames where the depth counts that; 0 where it counts frames."""
        distances = self.step.entry.holds_distances(self.step.options)
        return self._stacked.step if distances else 0.0

    def _link(self, computed: Computed, arrays: Mapping[str, Any]) -> None:
        """Remember what the results were made from."""
        if self.source is None:
            return
        recipe = self.chain.recipe_of(self.steps_after(computed))
        assert recipe is not None, "there is this step at least"
        others = {kind: weak_reference(array) for kind, array in arrays.items()}
        how = (recipe, used_along_axis(self.data), computed.per_frame, self.source, others)
        for kind, array in arrays.items():
            link(array, Link(kind, *how))

    def remark(self, computed: Computed) -> str:
        """Say which frames failed or were not selected, or nothing."""
        if computed.frames is None:
            return ""
        frames = computed.step.with_stacked_axis(computed.frames)
        before, after = used_along_axis(self.data), used_along_axis(frames)
        if len(after) != len(before):  # other frames: slabs
            return ""
        failed = np.flatnonzero(before & ~after)
        if not len(failed):
            return ""
        count = f"{len(failed)} of {len(before)} frames"
        why = "failed and are" if computed.step.entry.measures_transforms else "are"
        return f"{count} {why} left out of what follows: {names_text(failed)}"

    def note(self, computed: Computed) -> str:
        """Say what the operator remarks on its result, where that is no reason for a warning."""
        frames, note = computed.frames, self.step.entry.note
        return "" if frames is None or note is None else str(resolve(note)(frames.frames))

    @property
    def _stacked(self) -> Axis:
        return self.data.axes[self.data.number]

    @property
    def _count(self) -> int:
        return self.data.sizes[self.data.number]


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
    axis, measure_at
        See the operators of this package.
    **options
        Options of the operator; an option that is an image may be a layer too, and pairs of points
        a `PointLayers` or a tuple of two layers.

    Raises
    ------
    ValueError
        For a layer or an axis that cannot be stacked, or an option out of range.
    """
    entry = Step(operator).entry
    given = [n for n in entry.inputs if isinstance(options.get(n), Layer)]
    images = {n: _pixels(n, options.pop(n), layer) for n in given}
    chain = read_layer(layer)
    chosen = axis_name(layer, axis) or told_default_axis(operator, layer)
    options = with_rows(options, layer, chosen)
    check(entry.function, options)
    step = Step(operator, options, axis=_axis(operator, chain.data, chosen))
    placed = step.with_stacked_axis(chain.data)
    where = _position(placed, measure_at or {})
    step.check_count(placed)
    if entry.gives_frames and not entry.measures_apart:
        step = replace(step, measure_at=where)
    elif measure_at:  # for all along an axis, also where that is the place it would be taken at
        step = replace(step, measure_at=places_to_json(measure_at))
    return Job(chain, Appearance.of(layer), step, images, LayerReference.of(layer))


def _axis(operator: str, data: Data, chosen: str) -> str:
    """Leave out an axis that would be taken anyway, so that the recipe fits other data too."""
    return "" if chosen == Step(operator).with_stacked_axis(data).axis else chosen


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
