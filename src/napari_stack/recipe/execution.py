"""`Execution`: the steps of a recipe, refused before the work or done in order, and their files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_stack.core.errors import UserError
from napari_stack.core.results import images_of
from napari_stack.core.system.atomic_write import refuse_existing, require_parent_folder
from napari_stack.engine.run import Run
from napari_stack.operators.geometry.transform_files import ZARR, check_form
from napari_stack.operators.geometry.transform_limits import check_motion
from napari_stack.recipe.measured_apart import axes_measured_apart
from napari_stack.recipe.plots import Plots
from napari_stack.recipe.results import (
    check_outputs,
    output_paths,
    predicted_image,
    save_result,
)
from napari_stack.recipe.rows import Earlier, frames_of_images
from napari_stack.recipe.step import Data, Step, bound_like

if TYPE_CHECKING:
    from napari_stack.recipe.recipe import Recipe


@dataclass(frozen=True)
class Target:
    """Where the result of a step goes, and how it is written.

    Parameters
    ----------
    path : Path or None
        File for the image, or file or folder for frames; see `Step.save`.
    layers : mapping of str to str
        Layers of that file by name: the steps whose results they are, "" for the recipe's frames.
    writing : mapping
        See `Step.writing`.
    transforms : Path or None
        File for the transforms that were measured.
    """

    path: Path | None = None
    layers: Mapping[str, str] = field(default_factory=dict)
    writing: Mapping[str, Any] = field(default_factory=dict)
    transforms: Path | None = None

    @classmethod
    def of(cls, step: Step, folder: Path) -> "Target":
        """Return the target that a step names, in a folder."""
        return cls(
            folder / step.save if step.save else None,
            {layer: layer for layer in step.layers},
            step.writing,
            folder / step.transforms if step.transforms else None,
        )

    @property
    def parents(self) -> list[Path]:
        """Folders that its files are in."""
        return [path.parent for path in (self.path, self.transforms) if path is not None]

    def check(self, step: Step, data: Data, *, overwrite: bool) -> None:
        """Refuse before the work what `save` would refuse after it."""
        if self.path is not None:
            how: dict[str, Any] = {"layered": bool(self.layers), "writing": self.writing}
            check_outputs(self.path, step, data, overwrite=overwrite, **how)
        if self.transforms is not None:
            check_form(self.transforms)
            check_motion(self.transforms, _motions(step))
            _refuse_several(step, data)
            if self.transforms.is_dir() and self.transforms.suffix.lower() != ZARR:
                raise IsADirectoryError(
                    f"{self.transforms} is a folder: name a file for the transforms"
                )
            refuse_existing(self.transforms, overwrite)
            require_parent_folder(self.transforms)


def _motions(step: Step) -> set[str]:
    """Return the kinds of motion that a step is going to measure."""
    beyond = step.options.get("nonrigid", "off")
    kind = beyond if isinstance(beyond, str) else type(beyond).__name__.lower()
    planes = {"z shifts"} if step.entry.kind == "volumes" else set()
    return {str(step.options.get("transform", "")), kind} | planes


def _refuse_several(step: Step, data: Data) -> None:
    """Refuse a file for transforms where each of several places has its own."""
    several = axes_measured_apart(step, data)
    if several:
        raise UserError(
            f"{step.operator} measures at each {', '.join(several)} for itself, and a file holds "
            "the transforms of one: name a place to measure at, or no file for transforms"
        )


@dataclass
class Execution:
    """A recipe that is run on some frames.

    Parameters
    ----------
    recipe : Recipe
    data : Stack or Hyperstack
    folder : Path or None
        Where the files go that the steps name.
    targets : mapping of str to Target
        Where results go instead, by the names of the steps.
    plots : Plots or None
    overwrite : bool
        Replace files that are there.
    before : sequence of Step, or Earlier
        What was done to the frames already; it is kept in the written files too.
    only_saved : bool
        Of a step that saves images, make those only.

    Attributes
    ----------
    files : dict of Path to str
        What was written, and what is in it.
    done : dict of str to Step
        The steps as they were done: with what frames decided.
    """

    recipe: "Recipe"
    data: Data
    folder: Path | None = None
    targets: Mapping[str, Target] = field(default_factory=dict)
    plots: Plots | None = None
    overwrite: bool = False
    before: Sequence[Step] | Earlier = ()
    only_saved: bool = False
    files: dict[Path, str] = field(default_factory=dict)
    done: dict[str, Step] = field(default_factory=dict)

    def run(self, run: Run) -> dict[str, Any]:
        """Do all steps and return their results by name.

        Raises
        ------
        OSError, ValueError
            Before anything is computed, when a file cannot be written.
        """
        if not self.recipe.steps:
            raise UserError("the recipe tells what was done before, and has no step to run")
        with new_folders(self._folders()):
            self._check()
            results: dict[str, Any] = {"": self.data}
            frames: dict[str, Data] = {"": self.data}
            named = self.recipe.named()
            for number, (name, step) in enumerate(named.items()):
                data = frames[self.recipe.inputs(name)]
                part = run.part(number, len(named))
                results[name] = self._step(name, step, data, results, part)
                if step.entry.gives_frames:
                    frames[name] = results[name]
                elif name in self._taken:
                    frames[name] = frames_of_images(step, images_of(results[name]), data)
        del results[""]
        return results

    def as_done(self) -> "Recipe":
        """Return the recipe as it was done so far."""
        return replace(self.recipe, steps=[*{**self.recipe.named(), **self.done}.values()])

    @property
    def _taken(self) -> set[str]:
        """Names of the steps that later ones take their frames from."""
        return {self.recipe.inputs(name) for name in self.recipe.named()}

    def _target(self, name: str, step: Step) -> Target:
        if name in self.targets or self.folder is None:
            return self.targets.get(name, Target())
        return Target.of(step, self.folder)

    def _folders(self) -> list[Path]:
        """Folders that are made: those of plots, and what the steps name within the folder."""
        made = [] if self.plots is None else [self.plots.folder]
        if self.folder is None:
            return made
        targets = [Target.of(step, self.folder) for step in self.recipe.steps]
        inner = [parent for target in targets for parent in target.parents]
        if inner:
            require_parent_folder(self.folder / "file")
        return made + inner

    def _check(self) -> None:
        """Refuse what would only be refused when some steps are done."""
        frames = {"": self.data}
        for name, step in self.recipe.named().items():
            data = frames[self.recipe.inputs(name)]
            placed = step.with_stacked_axis(data)
            step.check_count(placed)
            if self.plots is not None:
                self.plots.check(name, step, data)
            self._target(name, step).check(step, placed, overwrite=self.overwrite)
            if step.entry.gives_frames:
                frames[name] = bound_like(step.predicted_output(data), data)
            elif name in self._taken:
                dtype, shape = predicted_image(step, next(iter(step.image_names)), placed)
                blank = np.broadcast_to(np.zeros((), dtype), shape)
                frames[name] = frames_of_images(step, {"image": blank}, placed)

    def _step(self, name: str, step: Step, data: Data, results: Mapping[str, Any], run: Run) -> Any:
        """Do one step, and write what it makes."""
        target, step = self._target(name, step), step.settled(data)
        self.done[name] = step
        working, saving = (run.part(0, 2), run.part(1, 2)) if target.path else (run, run)
        made = step
        if self.only_saved and target.path is not None:
            made = step.making_only(output_paths(target.path, step))
        result = made.apply(data, run=working)
        if target.transforms is not None:
            measured = step.measured_stack(result).transforms
            measured.save(target.transforms, overwrite=self.overwrite)
            self.files[target.transforms] = f"transforms of {len(measured)} frames"
        if target.path is not None:
            recipe = self.as_done().leading_to(name, self.before, self.data)
            layers = {layer: results[source] for layer, source in target.layers.items()}
            self.files |= save_result(
                target.path, result, step, data, recipe.to_json(), overwrite=self.overwrite,
                run=saving, layers=layers, writing=target.writing,
            )  # fmt: skip
        if self.plots is not None:
            drawn = self.plots.save(name, step, data, result)
            self.files |= dict.fromkeys(drawn, "plot")
        return result


@contextmanager
def new_folders(folders: Iterable[Path]) -> Iterator[None]:
    """Make folders where there are none; those that stay empty are taken away again.

    Raises
    ------
    NotADirectoryError
        When a file bears the name of one.
    """
    wanted = dict.fromkeys(p for folder in folders for p in (*folder.parents[::-1], folder))
    missing = [path for path in wanted if not path.exists()]
    for path in wanted:
        if path.exists() and not path.is_dir():
            raise NotADirectoryError(f"{path} is a file where a folder is needed: name another")
    try:
        for path in missing:
            path.mkdir(exist_ok=True)
        yield
    finally:
        for path in missing[::-1]:
            if path.exists() and not any(path.iterdir()):
                path.rmdir()
