"""`Step`: one operator with its options as plain data, applied to a stack or a hyperstack."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.operator import Operator, resolve
from napari_stack.core.options import check
from napari_stack.core.options_json import options_from_json, options_to_json
from napari_stack.core.sources.combined_sources import (
    Place,
    places_to_json,
    refuse_projections,
)
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import CATALOGUE
from napari_stack.operators.geometry.transform_files import check_form
from napari_stack.recipe._kinds import KINDS, check_kinds

Data = Stack | Hyperstack


@dataclass(frozen=True)
class Step:
    """One operator with its options.

    Parameters
    ----------
    operator : str
        Its name in the catalogue, such as ``"register"``.
    options : mapping
        Options by name; those left out are at their default.
    name : str
        What later steps call it; by default the operator's name.
    input : str
        Name of the step it takes its frames from; by default the step before.
    axis : str
        Axis to stack, for data with more than one; by default the first, for focus stacking z.
    measure_at : mapping of str to int, "mean" or "maximum"
        Where to measure corrections in data with more axes, or on which projections of them, such
        as ``{"c": 1, "z": "maximum"}``.
    measure_each : bool
        Measure corrections at every position of the other axes, for itself.
    save : str
        File for the image, or folder for frames. ``{image}`` in the name of a file stands for
        the name of each image of the result (image, depth, ...).
    layers : sequence of str
        Steps whose frames or images go into that file as layers, below the image itself; it is a
        TIFF for image editors.
    writing : mapping
        How the file is written: ``compression``, ``level``, ``quality``, ``exif_from`` (a file or
        folder, or "" for none) and ``names``, as `napari_stack.write` takes them.
    transforms : str
        File for the transforms that ``register`` measured: .json, .npz, .csv, .txt, .npy or
        .zarr.

    Examples
    --------
    >>> Step("sigma_clip", {"sigma": 3.0}).to_json()
    {'operator': 'sigma_clip', 'options': {'sigma': 3.0}}
    """

    operator: str
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    input: str = ""
    axis: str = ""
    measure_at: Mapping[str, Place] = field(default_factory=dict)
    measure_each: bool = False
    save: str = ""
    layers: Sequence[str] = ()
    writing: Mapping[str, Any] = field(default_factory=dict)
    transforms: str = ""

    def __post_init__(self) -> None:
        check_kinds(vars(self))
        if self.operator not in CATALOGUE:
            raise UserError(
                f"there is no operator {self.operator!r}; the operators are {', '.join(CATALOGUE)}"
            )
        check(self.function, self.options)
        self._check_measuring()
        object.__setattr__(self, "layers", tuple(self.layers))
        if self.layers and (not self.save or self.entry.kind != "images"):
            raise UserError("layers go into the file of an image: name it by save='name.tif'")
        for key, path in (("save", self.save), ("transforms", self.transforms)):
            if Path(path).is_absolute() or ".." in Path(path).parts:
                raise UserError(
                    f"{key}: {path!r} leads out of the folder of results: name a file inside it"
                )
        if self.transforms:
            self._check_transforms()

    def _check_transforms(self) -> None:
        """Refuse a file for transforms where none are measured, or that cannot hold them."""
        if not self.entry.measures_transforms or self.measure_each:
            able = ", ".join(name for name, e in CATALOGUE.items() if e.measures_transforms)
            raise UserError(
                f"transforms are measured by {able}, at one position: name no file for them "
                f"with {'measure_each' if self.measure_each else self.operator}"
            )
        check_form(self.transforms)

    def _check_measuring(self) -> None:
        """Refuse a place to measure at where nothing is measured, or two at once."""
        jointly = bool(self.measure_at) and self.entry.shares_measure
        if self._measuring and self.entry.kind == "images" and not jointly:
            raise UserError(
                f"{self._measuring}; {self.operator} corrects no frames, it gives images at every "
                "position: leave it out"
            )
        if jointly:
            refuse_projections(self.operator, self.measure_at)
        if self.measure_at and self.measure_each:
            raise UserError("measure_each measures everywhere: leave out measure_at")

    @property
    def _measuring(self) -> str:
        """Where to measure, as errors describe it."""
        if self.measure_at:
            return f"measure_at names {', '.join(self.measure_at)}"
        return "measure_each is set" if self.measure_each else ""

    @property
    def entry(self) -> Operator:
        """The operator's entry in the catalogue."""
        return CATALOGUE[self.operator]

    @property
    def function(self) -> Callable[..., Any]:
        """The operator itself."""
        return self.entry.function

    @property
    def image_names(self) -> tuple[str, ...]:
        """Names of the images that the operator makes; none for one that gives frames."""
        return tuple(self.entry.images(self.options))

    def making_only(self, names: Collection[str]) -> Self:
        """Return a step that does not make the images, among those it need not, of other names."""
        wanted: dict[str, bool] = {}
        for name, part in self.entry.parts.items():
            if part.option:
                wanted[part.option] = wanted.get(part.option, False) or name in names
        off = dict.fromkeys((option for option, on in wanted.items() if not on), False)
        return replace(self, options={**self.options, **off})

    @property
    def preferred_axis(self) -> str:
        """Axis that is stacked where none is chosen and there is this one; "" for the first."""
        return self.axis or self.entry.preferred_axis

    def to_json(self) -> dict[str, Any]:
        """Write the step as plain data (JSON types), without what is at its default."""
        values = {
            "options": options_to_json(self.function, self.options),
            "name": self.name,
            "input": self.input,
            "axis": self.axis,
            "measure_at": places_to_json(self.measure_at),
            "measure_each": self.measure_each,
            "save": self.save,
            "transforms": self.transforms,
            "layers": list(self.layers),
            "writing": dict(self.writing),
        }
        return {"operator": self.operator, **{key: value for key, value in values.items() if value}}

    @classmethod
    def from_json(cls, plain: Any) -> Self:
        """Read a step from plain data (JSON types).

        Raises
        ------
        ValueError
            For an unknown operator, option or key, or a value of another kind or out of range.
        """
        known = ", ".join(sorted(KINDS))
        if not isinstance(plain, Mapping):
            raise UserError(f"a step must hold {known} by name, got {plain!r}")
        if unknown := sorted(set(plain) - set(KINDS)):
            raise UserError(f"a step has no {unknown[0]!r}; it takes {known}")
        values = {"operator": "", **plain}
        check_kinds(values)
        if (entry := CATALOGUE.get(values["operator"])) is not None:
            values["options"] = options_from_json(entry.function, values.get("options", {}))
        return cls(**values)

    def with_stacked_axis(self, data: Data) -> Data:
        """Turn a hyperstack to the axis that the step stacks.

        Raises
        ------
        ValueError
            For an axis, or a place to measure at, that is not there.
        """
        if isinstance(data, Stack):
            if self.entry.kind == "volumes":
                raise UserError(
                    f"{self.operator} works on volumes, and these are frames along "
                    f"{data.axis!r} only: frames along two axes or more are needed"
                )
            if self.axis not in ("", data.axis):
                raise UserError(
                    f"there is no axis {self.axis!r}; the frames lie along {data.axis!r}"
                )
            if self._measuring:
                raise UserError(f"{self._measuring}; the frames lie along one axis: leave it out")
            return data
        turned = data.along(self.axis) if self.axis else data.with_stacked_axis(self.entry)
        if self.measure_at:
            turned.stack(self.measure_at)  # refuses what is not there
        return turned

    def measured_stack(self, result: Data) -> Stack:
        """Return the first stack of the step's result: what was measured once is the same for all.

        The first one, since there the reference is known of transforms that all positions share.
        """
        placed = self.with_stacked_axis(result)
        return placed.stack(dict.fromkeys(placed.loops, 0))

    def predicted_output(self, data: Data) -> Data:
        """Return what the step makes of frames as far as that is known before the work.

        Where it must measure first it is the frames themselves, turned to the axis that is stacked.
        """
        return self.with_stacked_axis(data) if self.entry.measures else self.apply(data)

    def check_count(self, placed: Data) -> None:
        """Refuse a single frame, unless the operator treats every frame by itself."""
        if self.entry.measures:
            refuse_single(placed)

    def settled(self, data: Data) -> Self:
        """Return the step with the options that the frames decide as they are decided."""
        if self.entry.settles is None:
            return self
        placed = self.with_stacked_axis(data)
        one = placed if isinstance(placed, Stack) else placed.stack(dict.fromkeys(placed.loops, 0))
        decided = resolve(self.entry.settles)(one, self.options)
        return replace(self, options={**self.options, **decided})

    def apply(self, data: Data, *, run: Run = Run()) -> Any:
        """Run the operator on a stack, or at all positions of a hyperstack.

        Returns
        -------
        Stack, Hyperstack, ndarray or NamedTuple of ndarray

        Raises
        ------
        ValueError
            For one single frame, besides what the operator refuses.
        """
        placed = self.with_stacked_axis(data)
        self.check_count(placed)
        if isinstance(placed, Stack) or self.entry.kind == "volumes":
            return self.function(placed, run=run, **self.options)
        if self.entry.kind == "table":
            return self.function(placed.stack(self.measure_at), run=run, **self.options)
        result = placed.map(
            self.entry,
            measure_at=self.measure_at or None,
            measure_each=self.measure_each,
            run=run,
            **self.options,
        )
        return bound_like(result, data)

    def image_axes(self, data: Data) -> tuple[Axis, ...]:
        """Axes of the images that the step makes of some data."""
        placed = self.with_stacked_axis(data)
        axes = self.entry.remaining(placed.axes, placed.axis)
        pixels = self.entry.pixels_in_one(self.options)
        return (*axes[:-2], *(axis.finer(pixels) for axis in axes[-2:]))


def bound_like(result: Any, data: Data) -> Any:
    """Bind a result to an axis as the data was: what a step was told does not bind the next."""
    if isinstance(result, Hyperstack) and isinstance(data, Hyperstack):
        return replace(result, axis=data.axis, chosen=data.chosen)
    return result


def refuse_single(data: Data) -> None:
    """Refuse data with one frame only along the axis that is stacked."""
    source = data.frames.source
    if data.sizes[data.number] < 2 and source.spacing is None:  # a short series makes one slab
        raise UserError(
            f"the axis {data.axis!r} has one frame only, {source.label(0)}: two or more are "
            "needed; choose another axis, or give more frames"
        )
