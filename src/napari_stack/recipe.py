"""`Step` and `Recipe`: operators as data, to and from JSON, run on stacks and hyperstacks."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, get_type_hints

import numpy as np
from numpy.typing import NDArray

from napari_stack.files import check_target, write
from napari_stack.files._replacing import replacing
from napari_stack.hyperstack import Hyperstack
from napari_stack.operators import CATALOGUE, PREFERRED_AXIS
from napari_stack.options import check, gives_frames, image_names
from napari_stack.plain import from_plain, to_plain
from napari_stack.run import Run
from napari_stack.sources import Axis
from napari_stack.stack import Stack

_FORMAT = "napari-stack recipe"
_VERSION = 1

#: In the name of an output it stands for the image's name: image, rejected, depth, ...
_PLACE = "{image}"

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
    measure_at : mapping of str to int
        Where to measure corrections in data with more axes, such as ``{"c": 1}``.
    save : str
        File for the image, or folder for frames. ``{image}`` in the name of a file stands for
        the name of each image of the result (image, depth, ...).

    Examples
    --------
    >>> Step("sigma_clip", {"sigma": 3.0}).to_plain()
    {'operator': 'sigma_clip', 'options': {'sigma': 3.0}}
    """

    operator: str
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    input: str = ""
    axis: str = ""
    measure_at: Mapping[str, int] = field(default_factory=dict)
    save: str = ""

    def __post_init__(self) -> None:
        if self.operator not in CATALOGUE:
            raise ValueError(
                f"there is no operator {self.operator!r}; the operators are {', '.join(CATALOGUE)}"
            )
        check(self.function, self.options)
        if Path(self.save).is_absolute() or ".." in Path(self.save).parts:
            raise ValueError(
                f"save: {self.save!r} leads out of the folder of results: name a file inside it"
            )

    @property
    def function(self) -> Callable[..., Any]:
        """The operator itself."""
        return CATALOGUE[self.operator]

    @property
    def image_names(self) -> tuple[str, ...]:
        """Names of the images that the operator makes; none for one that gives frames."""
        result = get_type_hints(self.function)["return"]
        return () if gives_frames(self.function) else image_names(result)

    def to_plain(self) -> dict[str, Any]:
        """Write the step as plain data, without what is at its default."""
        plain: dict[str, Any] = {"operator": self.operator}
        if options := to_plain(self.function, self.options):
            plain["options"] = options
        for key in ("name", "input", "axis", "measure_at", "save"):
            if value := getattr(self, key):
                plain[key] = dict(value) if key == "measure_at" else value
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read a step from plain data.

        Raises
        ------
        ValueError
            For an unknown operator, option or key, or a value out of range.
        """
        known = set(cls.__dataclass_fields__)
        if unknown := sorted(set(plain) - known):
            raise ValueError(f"a step has no {unknown[0]!r}; it takes {', '.join(sorted(known))}")
        values = dict(plain)
        operator = CATALOGUE.get(values.get("operator", ""))
        if operator is not None:
            values["options"] = from_plain(operator, values.get("options", {}))
        return cls(**{"operator": "", **values})

    def placed(self, data: Data) -> Data:
        """Turn a hyperstack to the axis that the step stacks."""
        if isinstance(data, Stack):
            if self.axis not in ("", data.axes[0].name):
                raise ValueError(
                    f"there is no axis {self.axis!r}; the frames lie along {data.axes[0].name!r}"
                )
            if self.measure_at:
                raise ValueError(
                    f"measure_at names {', '.join(self.measure_at)}; the frames lie along one axis"
                )
            return data
        names = [axis.name for axis in data.leading]
        preferred = PREFERRED_AXIS.get(self.operator, "")
        return data.along(self.axis or (preferred if preferred in names else data.axis))

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
        data = self.placed(data)
        refuse_single(data)
        if isinstance(data, Stack):
            return self.function(data, run=run, **self.options)
        where = self.measure_at or None
        return data.map(self.function, measure_at=where, run=run, **self.options)

    def image_axes(self, data: Data) -> tuple[Axis, ...]:
        """Axes of the images that the step makes of some data."""
        placed = self.placed(data)
        return placed.axes[1:] if isinstance(placed, Stack) else placed.loop_axes


def refuse_single(data: Data) -> None:
    """Refuse data with one frame only along the axis that is stacked."""
    count = len(data) if isinstance(data, Stack) else data.sizes[data.number]
    if count < 2:
        frames = data if isinstance(data, Stack) else data.frames
        name = (data.axes[0] if isinstance(data, Stack) else data.leading[data.number]).name
        raise ValueError(
            f"the axis {name!r} has one frame only, {frames.source.label(0)}: two or more are "
            "needed; choose another axis, or give more frames"
        )


def images_of(result: Any) -> dict[str, NDArray[Any]]:
    """Return the images of an operator's result by name; a single array is called ``image``.

    What was not asked for is left out, and so is what is no image.
    """
    if not hasattr(result, "_asdict"):
        return {"image": np.asarray(result)}
    images = {name: getattr(result, name) for name in image_names(type(result))}
    return {name: image for name, image in images.items() if image is not None}


@dataclass(frozen=True)
class Recipe:
    """Steps, in order; a step may take the result of any step before it.

    Parameters
    ----------
    steps : sequence of Step

    Examples
    --------
    >>> recipe = Recipe([Step("register"), Step("sigma_clip", save="clean.tif")])
    >>> [step.operator for step in recipe.steps]
    ['register', 'sigma_clip']
    """

    steps: Sequence[Step]

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        if not self.steps:
            raise ValueError("a recipe needs one step or more")
        frames = {""}  # names of steps that give frames; "" is what the recipe is run on
        given = [step.name for step in self.steps if step.name]
        if len(set(given)) != len(given):
            raise ValueError(f"steps need different names, got {', '.join(given)}")
        before = ""
        for name, step in self.named().items():
            source = step.input or before
            if source not in frames:
                raise ValueError(
                    f"the step {name!r} takes its frames from {source!r}, which is not a step "
                    f"before it that gives frames"
                )
            if gives_frames(step.function):
                frames.add(name)
            before = name if gives_frames(step.function) else before

    def named(self) -> dict[str, Step]:
        """Return the steps by name: their own, else the operator's, numbered where it repeats."""
        result: dict[str, Step] = {}
        taken = {step.name for step in self.steps if step.name}
        for step in self.steps:
            name, number = step.name or step.operator, 2
            while not step.name and (name in taken or name in result):
                name, number = f"{step.operator} {number}", number + 1
            result[name] = step
        return result

    def to_plain(self) -> dict[str, Any]:
        """Write the recipe as plain data (JSON types)."""
        steps = [step.to_plain() for step in self.steps]
        return {"format": _FORMAT, "version": _VERSION, "steps": steps}

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        """Read a recipe from plain data.

        Raises
        ------
        ValueError
            Naming the unknown step, option or value, and what is accepted.
        """
        if not isinstance(plain, Mapping) or plain.get("format") != _FORMAT:
            raise ValueError(f"this is no recipe: it lacks the format {_FORMAT!r}")
        if plain.get("version") != _VERSION:
            raise ValueError(
                f"the recipe has the version {plain.get('version')!r}; {_VERSION} is read here"
            )
        return cls([Step.from_plain(step) for step in plain.get("steps", ())])

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the recipe to a JSON file.

        Raises
        ------
        FileExistsError
            When the file is there and `overwrite` is False.
        """
        text = json.dumps(self.to_plain(), indent=2) + "\n"
        with replacing(Path(path), overwrite=overwrite) as temporary:
            temporary.write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a recipe from a JSON file.

        Raises
        ------
        ValueError
            When the file holds no recipe, or one with an unknown step or option.
        """
        try:
            return cls.from_plain(json.loads(Path(path).read_text(encoding="utf-8")))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: this is no recipe, for it is no JSON ({error})") from error
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def run(
        self,
        stack: Data,
        *,
        folder: str | Path | None = None,
        overwrite: bool = False,
        run: Run = Run(),
    ) -> dict[str, Any]:
        """Run all steps.

        Parameters
        ----------
        stack : Stack or Hyperstack
        folder : str or Path, optional
            Where the files named by `Step.save` go. Without it nothing is saved.
        overwrite : bool
            Replace files that are there.
        run : Run

        Returns
        -------
        dict of str to object
            Result of each step by name.

        Raises
        ------
        FileExistsError
            Before anything is computed, when a file is there and `overwrite` is False.
        """
        if folder is not None:
            self._check_targets(Path(folder), overwrite)
        results: dict[str, Any] = {}
        data: Data = stack
        for number, (name, step) in enumerate(self.named().items()):
            source = results[step.input] if step.input else data
            part = run.part(number, len(self.steps))
            saved = folder is not None and step.save
            results[name] = result = step.apply(source, run=part.part(0, 2) if saved else part)
            if folder is not None and step.save:
                done = Recipe(self._lineage(name))
                save_result(
                    Path(folder, step.save), result, step.image_axes(source), done,
                    overwrite=overwrite, run=part.part(1, 2), rgb=source.rgb,
                )  # fmt: skip
            if isinstance(result, Stack | Hyperstack):
                data = result
        return results

    def _check_targets(self, folder: Path, overwrite: bool) -> None:
        for step in self.steps:
            for _, path in output_paths(Path(folder, step.save), step.image_names):
                if step.save:
                    check_target(path, overwrite=overwrite)

    def _lineage(self, name: str) -> list[Step]:
        """Return the steps that led to a result, the last one included."""
        named = self.named()
        names = list(named)
        chain: list[Step] = []
        while name:
            step = named[name]
            chain.append(step)
            earlier = names[: names.index(name)]
            frames = [n for n in earlier if gives_frames(named[n].function)]
            name = step.input or (frames[-1] if frames else "")
        return chain[::-1]


def output_paths(path: Path, names: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Pair each image of a result with its file: all where the name has a place for it."""
    for name in names if _PLACE in path.name else (names[:1] or ["image"]):
        yield name, path.with_name(path.name.replace(_PLACE, name))


def save_result(
    path: Path,
    result: Any,
    axes: Sequence[Axis],
    recipe: Recipe,
    *,
    overwrite: bool = False,
    run: Run = Run(),
    rgb: bool = False,
) -> list[Path]:
    """Write the result of a step, with the recipe that made it.

    Returns
    -------
    list of Path
        The files, or the folder, that were written.
    """
    how: dict[str, Any] = {"overwrite": overwrite, "recipe": recipe.to_plain(), "run": run}
    if isinstance(result, Stack | Hyperstack):
        write(path, result, **how)
        return [path]
    images = images_of(result)
    written = []
    targets = list(output_paths(path, list(images)))
    for number, (name, target) in enumerate(targets):
        how["run"] = run.part(number, len(targets))
        channels = images[name].ndim == len(axes) + 1
        write(target, images[name], axes=axes, rgb=rgb and channels, **how)
        written.append(target)
    return written
