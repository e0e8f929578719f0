"""`Recipe`: steps in order, to and from JSON, run on stacks and hyperstacks."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from napari_stack.core.atomic_write import refuse_existing, replacing, require_parent_folder
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.recipe.plots import Plots
from napari_stack.recipe.results import check_outputs, new_folders, output_paths, save_result
from napari_stack.recipe.script import python_script
from napari_stack.recipe.step import Data, Step

_FORMAT = "napari-stack recipe"
_VERSION = 1


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
            raise UserError("a recipe needs one step or more")
        frames = {""}  # names of steps that give frames; "" is what the recipe is run on
        given = [step.name for step in self.steps if step.name]
        if len(set(given)) != len(given):
            raise UserError(f"steps need different names, got {', '.join(given)}")
        before = ""
        done: set[str] = set()
        for name, step in self.named().items():
            if unknown := [layer for layer in step.layers if layer not in done]:
                raise UserError(
                    f"the step {name!r} takes layers from {unknown[0]!r}, which is no step before"
                )
            done.add(name)
            source = step.input or before
            if source not in frames:
                raise UserError(
                    f"the step {name!r} takes its frames from {source!r}, which is not a step "
                    f"before it that gives frames"
                )
            if step.entry.gives_frames:
                frames.add(name)
            before = name if step.entry.gives_frames else before
        self._check_saves()

    def _check_saves(self) -> None:
        """Refuse that two steps save the same file."""
        saving = [step for step in self.steps if step.save]
        paths = [p for s in saving for p in output_paths(Path(s.save), s).values()]
        paths += [Path(step.transforms) for step in self.steps if step.transforms]
        path, times = Counter(paths).most_common(1)[0] if paths else ("", 0)
        if times > 1:
            raise UserError(f"{path} is saved by {times} steps: give each a file of its own")

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
            raise UserError(f"this is no recipe: it lacks the format {_FORMAT!r}")
        if plain.get("version") != _VERSION:
            raise UserError(
                f"the recipe has the version {plain.get('version')!r}; {_VERSION} is read here"
            )
        steps = plain.get("steps", ())
        if not isinstance(steps, Sequence) or isinstance(steps, str):
            raise UserError(f"steps must be a list of steps, got {steps!r}")
        return cls([Step.from_plain(step) for step in steps])

    def to_script(
        self, inputs: str | Sequence[str] = "frames/*.tif", data: Data | None = None
    ) -> str:
        """Write the recipe as a Python script; see `napari_stack.recipe.script.python_script`."""
        return python_script(self.named(), inputs, data)

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
        FileNotFoundError
            When there is no such file.
        ValueError
            When the file holds no recipe, or one with an unknown step or option.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"there is no recipe {path}: name a .json file that holds one")
        try:
            return cls.from_plain(json.loads(Path(path).read_text(encoding="utf-8")))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: this is no recipe, for it is no JSON ({error})") from error
        except ValueError as error:
            raise UserError(f"{path}: {error}") from error

    def run(
        self,
        stack: Data,
        *,
        folder: str | Path | None = None,
        plots: str | Path | Plots | None = None,
        overwrite: bool = False,
        before: Sequence[Step] = (),
        run: Run = Run(),
    ) -> dict[str, Any]:
        """Run all steps.

        Parameters
        ----------
        stack : Stack or Hyperstack
        folder : str or Path, optional
            Where the files named by `Step.save` go. Without it nothing is saved.
        plots : str, Path or Plots, optional
            Folder for plots of what the steps measured, such as gains, drift or a fall-off, as PNG
            (`recipe.plots.Plots` takes SVG too). It is made where it is not there. Needs
            matplotlib.
        overwrite : bool
            Replace files that are there.
        before : sequence of Step
            What was done to the frames already; the written files tell it too.
        run : Run

        Returns
        -------
        dict of str to object
            Result of each step by name.

        Raises
        ------
        FileExistsError, FileNotFoundError, ValueError
            Before anything is computed, when a file is there and `overwrite` is False, cannot
            hold what would go there, or `folder` is not there.
        ImportError
            When there is something to plot and matplotlib is not installed.
        """  # noqa: E501, RUF100
        place = None if folder is None else Path(folder).expanduser()
        files = [path for step in self.steps for path in (step.save, step.transforms) if path]
        saves = [place / path for path in files] if place else []
        if place and saves:
            require_parent_folder(place / "file")
        if isinstance(plots, str | Path):
            plots = Plots(Path(plots).expanduser(), overwrite=overwrite)
        with new_folders([*(path.parent for path in saves), *([plots.folder] if plots else [])]):
            self._foresee(stack, place, plots, overwrite)
            return self._run(stack, place, plots, overwrite, before, run)

    def _foresee(
        self, data: Data, folder: Path | None, plots: Plots | None, overwrite: bool
    ) -> None:
        """Refuse what would only be refused when some steps are done."""
        frames = {"": data}
        for name, step in self.named().items():
            placed = step.with_stacked_axis(frames[step.input])
            step.check_count(placed)
            if plots is not None:
                plots.check(name, step, frames[step.input])
            if folder is not None and step.save:
                layered = bool(step.layers)
                target = folder / step.save
                check_outputs(
                    target, step, placed, overwrite=overwrite, layered=layered, writing=step.writing
                )
            if folder is not None and step.transforms:
                refuse_existing(folder / step.transforms, overwrite)
            if step.entry.gives_frames:
                made = step.predicted_output(frames[step.input])
                frames[""] = frames[name] = _bound_like(made, frames[step.input])

    def _run(
        self,
        stack: Data,
        folder: Path | None,
        plots: Plots | None,
        overwrite: bool,
        before: Sequence[Step],
        run: Run,
    ) -> dict[str, Any]:
        results: dict[str, Any] = {}
        data: Data = stack
        for number, (name, step) in enumerate(self.named().items()):
            source = results[step.input] if step.input else data
            part = run.part(number, len(self.steps))
            saved = folder is not None and step.save
            results[name] = result = step.apply(source, run=part.part(0, 2) if saved else part)
            if plots is not None:
                plots.save(name, step, source, result)
            if folder is not None and step.save:
                done = history(before, self._lineage(name), stack)
                save_result(
                    folder / step.save, result, step, source, done.to_plain(),
                    overwrite=overwrite, run=part.part(1, 2),
                    layers={layer: results[layer] for layer in step.layers} or None,
                    writing=step.writing,
                )  # fmt: skip
            if folder is not None and step.transforms:
                one = result.stack() if isinstance(result, Hyperstack) else result
                one.transforms.save(folder / step.transforms, overwrite=overwrite)
            if isinstance(result, Stack | Hyperstack):
                data = result
        return results

    def _lineage(self, name: str) -> list[Step]:
        """Return the steps that led to a result, the last one included."""
        named = self.named()
        names = list(named)
        chain: dict[str, Step] = {}
        while name:
            step = chain[name] = named[name]
            earlier = names[: names.index(name)]
            frames = [n for n in earlier if named[n].entry.gives_frames]
            name = step.input or (frames[-1] if frames else "")
        return _with_layers(dict(reversed(chain.items())))


def _with_layers(chain: Mapping[str, Step]) -> list[Step]:
    """Return steps by the names they had; of their layers, those that come from the others."""
    alone = Recipe([replace(step, layers=()) for step in chain.values()])
    now = dict(zip(chain, alone.named(), strict=True))  # the names they have by themselves
    return [
        replace(step, layers=[now[layer] for layer in step.layers if layer in now])
        for step in chain.values()
    ]


def _bound_like(placed: Data, data: Data) -> Data:
    """Bind the next step to the axis only where the data did: what `Step.apply` does."""
    if isinstance(placed, Stack) or isinstance(data, Stack):
        return placed
    return replace(placed, axis=data.axis, chosen=data.chosen)


def history(before: Sequence[Step], steps: Sequence[Step], data: Data) -> Recipe:
    """Join what was done to frames already with what is done to them now.

    Parameters
    ----------
    before : sequence of Step
        Steps of the recipe that the file of the frames carries.
    steps : sequence of Step
        Those of now, each on the frames of the one before it.
    data : Stack or Hyperstack
        What the first of `steps` is applied to.

    Returns
    -------
    Recipe
        `steps` alone where `before` ends in images: a recipe stacks frames, it cannot go on from
        the images that it makes.
    """
    if not before or not all(step.entry.gives_frames for step in before):
        return Recipe(steps)
    first, *rest = steps
    placed = first.with_stacked_axis(data)
    if isinstance(placed, Hyperstack):  # else the axis of the step before would be taken
        first = replace(first, axis=placed.axis)
    # In a row each takes its frames from the one before: names only could meet twice.
    bare: dict[str, Any] = {"save": "", "layers": (), "writing": {}, "transforms": ""}
    earlier = [replace(step, name="", input="", **bare) for step in before]
    now = [replace(step, name="", input="", layers=()) for step in (first, *rest)]
    return Recipe([*earlier, *now])
