"""`Recipe`: steps in order, to and from JSON, run on stacks and hyperstacks."""

import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.system.atomic_write import write_text
from napari_stack.core.system.home import at_home
from napari_stack.engine.run import Run
from napari_stack.recipe.execution import Execution
from napari_stack.recipe.plots import Plots
from napari_stack.recipe.results import output_paths
from napari_stack.recipe.rows import Earlier, by_name, in_a_row, last_frames
from napari_stack.recipe.script import python_script
from napari_stack.recipe.step import Data, Step
from napari_stack.recipe.version import check_header, header


@dataclass(frozen=True)
class Recipe:
    """Steps, in order; a step may take the result of any step before it.

    Parameters
    ----------
    steps : sequence of Step
    before : sequence of Step
        What was done before to what it is run on, where that is no part of it: to each frame by
        itself, say. It is told, and not run.

    Examples
    --------
    >>> recipe = Recipe([Step("register"), Step("sigma_clip", save="clean.tif")])
    >>> [step.operator for step in recipe.steps]
    ['register', 'sigma_clip']
    """

    steps: Sequence[Step]
    before: Sequence[Step] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        object.__setattr__(self, "before", tuple(self.before))
        if not self.steps and not self.before:
            raise UserError("a recipe needs one step or more")
        given = [step.name for step in self.steps if step.name]
        if len(set(given)) != len(given):
            raise UserError(f"steps need different names, got {', '.join(given)}")
        self._check_inputs()
        self._check_saves()

    def _check_inputs(self) -> None:
        """Refuse steps that take frames or layers from what is no such step before them."""
        done: dict[str, Step] = {}
        for name, step in self.named().items():
            if unknown := [layer for layer in step.layers if layer not in done]:
                raise UserError(
                    f"the step {name!r} takes layers from {unknown[0]!r}, which is no step before"
                )
            source = self.inputs(name)
            if source and not (source in done and done[source].entry.kind != "table"):
                raise UserError(
                    f"the step {name!r} takes its frames from {source!r}, which is not a step "
                    f"before it that gives frames or images"
                )
            done[name] = step

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
        return by_name(self.steps)

    def inputs(self, name: str) -> str:
        """Return the step that a step takes its frames from; "" for what the recipe is run on.

        It is the one that the step names, else the last one before it that gives frames. Of one
        that gives images, at each position of the axes that it leaves, these are the frames.
        """
        named = self.named()
        before = itertools.takewhile(lambda other: other != name, named)
        return named[name].input or last_frames({other: named[other] for other in before})

    def to_json(self) -> dict[str, Any]:
        """Write the recipe as plain data (JSON types)."""
        steps = [step.to_json() for step in self.steps]
        told = {"before": [step.to_json() for step in self.before]} if self.before else {}
        return {**header(), **told, "steps": steps}

    @classmethod
    def from_json(cls, plain: Any) -> Self:
        """Read a recipe from plain data.

        Raises
        ------
        ValueError
            Naming the unknown step, option or value, and what is accepted; or the version, where
            the recipe is of a newer format.
        """
        check_header(plain)
        return cls(_steps(plain, "steps"), _steps(plain, "before"))

    def to_script(
        self, inputs: str | Sequence[str] = "frames/*.tif", data: Data | None = None
    ) -> str:
        """Write the recipe as a Python script; see `napari_stack.recipe.script.python_script`."""
        return python_script(self, inputs, data)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the recipe to a JSON file.

        Raises
        ------
        FileExistsError
            When the file is there and `overwrite` is False.
        """
        write_text(path, json.dumps(self.to_json(), indent=2) + "\n", overwrite=overwrite)

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
            found = cls.from_json(json.loads(Path(path).read_text(encoding="utf-8")))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: this is no recipe, for it is no JSON ({error})") from error
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        if not found.steps:
            raise UserError(f"{path}: it tells what was done before, and has no step to run")
        return found

    def run(
        self,
        stack: Data,
        *,
        folder: str | Path | None = None,
        plots: str | Path | Plots | None = None,
        overwrite: bool = False,
        before: Sequence[Step] | Earlier = (),
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
        before : sequence of Step, or Earlier
            What was done to the frames already; it is kept in the written files too.
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
        if isinstance(plots, str | Path):
            plots = Plots(at_home(plots), overwrite=overwrite)
        place = None if folder is None else at_home(folder)
        return Execution(self, stack, place, {}, plots, overwrite, before).run(run)

    def leading_to(self, name: str, before: Sequence[Step] | Earlier, data: Data) -> "Recipe":
        """Return the recipe of one result, for its file: what led to it, and what came before.

        Parameters
        ----------
        name : str
            Of the step.
        before : sequence of Step, or Earlier
            What was done to the frames already.
        data : Stack or Hyperstack
            The frames that this recipe is run on.
        """
        named, chain = self.named(), dict[str, Step]()
        while name:
            chain[name] = named[name]
            name = self.inputs(name)
        return continued(before, _with_layers(dict(reversed(chain.items()))), data)


def _with_layers(chain: Mapping[str, Step]) -> list[Step]:
    """Return steps by the names they had; of their layers, those that come from the others."""
    alone = Recipe([replace(step, layers=()) for step in chain.values()])
    now = dict(zip(chain, alone.named(), strict=True))  # the names they have by themselves
    return [
        replace(step, layers=[now[layer] for layer in step.layers if layer in now])
        for step in chain.values()
    ]


def continued(before: Sequence[Step] | Earlier, steps: Sequence[Step], data: Data) -> Recipe:
    """Join what was done to frames already with what is done to them now.

    Parameters
    ----------
    before : sequence of Step, or Earlier
        Steps of the recipe that the file of the frames carries.
    steps : sequence of Step
        Those of now, each on what the one before it made.
    data : Stack or Hyperstack
        What the first of `steps` is applied to.
    """
    earlier = before if isinstance(before, Earlier) else Earlier(tuple(before))
    if not earlier.steps or not steps:
        return Recipe(steps or earlier.steps, earlier.told)
    first, *rest = steps
    placed = first.with_stacked_axis(data)
    if isinstance(placed, Hyperstack):  # else the axis of the step before would be taken
        first = replace(first, axis=placed.axis)
    bare: dict[str, Any] = {"save": "", "layers": (), "writing": {}, "transforms": ""}
    done = [replace(step, **bare) for step in earlier.steps]
    return Recipe(in_a_row([*done, first, *rest]), earlier.told)


def _steps(plain: Mapping[str, Any], key: str) -> list[Step]:
    steps = plain.get(key, ())
    if not isinstance(steps, Sequence) or isinstance(steps, str):
        raise UserError(f"{key} must be a list of steps, got {steps!r}")
    return [Step.from_json(step) for step in steps]
