"""What the commands do: read frames, run steps, write results, and say so."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from cyclopts import Group, Parameter

from napari_stack.cli._cluster import cluster
from napari_stack.cli._flags import memory_size
from napari_stack.cli._report import Report, complain, progress
from napari_stack.files import SUFFIXES, check_target, read
from napari_stack.hyperstack import Hyperstack
from napari_stack.operators import PREFERRED_AXIS
from napari_stack.options import gives_frames
from napari_stack.progress import Tick
from napari_stack.recipe import Data, Recipe, Step, images_of, output_paths, save_result
from napari_stack.run import Run
from napari_stack.stack import Stack

_FRAMES = Group("Frames", sort_key=4)

_HOW = Group("Run", sort_key=6)


def _frames(text: str, **more: Any) -> Parameter:
    return Parameter(help=text, group=_FRAMES, **more)


def _how(text: str, **more: Any) -> Parameter:
    return Parameter(help=text, group=_HOW, **more)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Flags that all commands share: which frames are read, and how the work runs."""

    axis: Annotated[
        str,
        _frames(
            "Axis to stack, by name or number, in files with more than one. By default the first; "
            "for focus stacking the one called z.",
            show_default=False,
        ),
    ] = ""
    every: Annotated[int, _frames("Take every n-th frame.")] = 1
    start: Annotated[int, _frames("First frame to take, from 0; negative: from the end.")] = 0
    stop: Annotated[
        int | None,
        _frames("Frame to stop before; negative: from the end.", show_default=False),
    ] = None
    memory: Annotated[
        str, _how("What pixels may take while frames are clipped, such as 512MiB or 2GiB.")
    ] = "1GiB"
    workers: Annotated[
        int | None, _how("Threads; by default one a processor.", show_default=False)
    ] = None
    scheduler: Annotated[
        str,
        _how(
            "Address of a dask.distributed scheduler whose workers do the work, such as "
            "tcp://10.0.0.5:8786. They must see the files under the same paths.",
            show_default=False,
        ),
    ] = ""
    quiet: Annotated[
        bool, _how("Show no progress, and do not say what was written.", negative=())
    ] = False

    @classmethod
    def flags(cls) -> list[inspect.Parameter]:
        """Return the flags as parameters of a command."""
        return list(inspect.signature(cls).parameters.values())

    @classmethod
    def taken_from(cls, given: dict[str, Any]) -> Self:
        """Take the settings out of the flags that were typed.

        Raises
        ------
        ValueError
            For a memory or a number of workers that makes no run.
        """
        settings = cls(**{f.name: given.pop(f.name) for f in fields(cls) if f.name in given})
        settings.ticking(None)
        return settings

    def ticking(self, tick: Tick | None) -> Run:
        """Make the run that reports to a tick."""
        return Run(workers=self.workers, memory=memory_size(self.memory), tick=tick)

    @contextmanager
    def run(self) -> Iterator[Run]:
        """Give the run, with a progress bar while it lasts."""
        with progress(self.quiet) as tick, cluster(self.scheduler) as executor:
            yield replace(self.ticking(tick), executor=executor)

    def read(self, inputs: Sequence[str], preferred: str = "") -> Data:
        """Open the frames along the axis asked for, or the preferred one where there is such."""
        axis: str | int = int(self.axis) if self.axis.isdecimal() else self.axis
        if preferred and not self.axis:
            data = read(inputs)
            named = isinstance(data, Hyperstack) and preferred in {a.name for a in data.leading}
            axis = preferred if named else ""
        chosen = None if axis == "" else axis
        return read(inputs, axis=chosen, every=self.every, start=self.start, stop=self.stop)


def run_step(
    step: Step,
    inputs: Sequence[str],
    output: Path,
    settings: Settings,
    *,
    overwrite: bool = False,
    transforms: Path | None = None,
) -> None:
    """Run one operator from files to files.

    Raises
    ------
    FileExistsError
        Before anything is computed, when an output is there and `overwrite` is False.
    OSError, ValueError
        For input that cannot be read or processed.
    """
    report = Report(settings.quiet)
    data = settings.read(inputs, PREFERRED_AXIS.get(step.operator, ""))
    if step.axis:
        step = replace(step, axis=data.axis if isinstance(data, Hyperstack) else data.axes[0].name)
    if step.measure_at and isinstance(data, Stack):
        raise ValueError(
            f"--at names {', '.join(step.measure_at)}, but the frames lie along one axis only: "
            "leave it out"
        )
    _check_outputs(step, output, overwrite=overwrite)
    if transforms is not None:
        _check_transforms(transforms, overwrite=overwrite)
    with settings.run() as run:
        result = step.apply(data, run=run)
        _mention_failed(result)
        paths = save_result(
            output, result, step.image_axes(data), Recipe([step]),
            overwrite=overwrite, run=run, rgb=data.rgb,
        )  # fmt: skip
    _tell(report, paths, result)
    if transforms is not None:
        measured = _one(result).transforms
        measured.save(transforms, overwrite=overwrite)
        report.line(f"{transforms}: transforms of {len(measured)} frames")
    report.end()


def run_recipe(
    path: Path,
    inputs: Sequence[str],
    output: Path,
    settings: Settings,
    *,
    overwrite: bool = False,
) -> None:
    """Run a recipe from files to files.

    Raises
    ------
    FileExistsError
        Before anything is computed, when an output is there and `overwrite` is False.
    OSError, ValueError
        For a recipe or input that cannot be read or processed, or a result without a file.
    """
    report = Report(settings.quiet)
    recipe, folder = _placed(Recipe.load(path), output)
    data = settings.read(inputs)
    saved = {name: step for name, step in recipe.named().items() if step.save}
    with _folder(folder), settings.run() as run:
        for step in saved.values():
            _check_outputs(step, folder / step.save, overwrite=overwrite)
        results = recipe.run(data, folder=folder, overwrite=overwrite, run=run)
    for result in results.values():
        _mention_failed(result)
    for name, step in saved.items():
        _tell(report, _outputs(step, folder / step.save), results[name])
    report.end()


def _placed(recipe: Recipe, output: Path) -> tuple[Recipe, Path]:
    """Give the last step the output when it names none; return the folder for all files."""
    *steps, last = recipe.steps
    a_file = output.suffix.lower() in SUFFIXES
    if a_file and last.save:
        raise ValueError(
            f"the recipe names the file of its last step ({last.save}): give -o the folder to put "
            f"it in, not the file {output}"
        )
    if a_file:
        return Recipe([*steps, replace(last, save=output.name)]), output.parent
    if not last.save:
        raise ValueError(
            f"the last step of the recipe ({last.operator}) names no file to save: give -o a file "
            f"such as {output / 'result.tif'}"
        )
    return recipe, output


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """Make a folder where there is none; it is taken away again when nothing came into it."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for made in missing:
            if not any(made.iterdir()):
                made.rmdir()


def _outputs(step: Step, output: Path) -> list[Path]:
    """Files that the result of a step goes to."""
    if gives_frames(step.function):
        return [output]
    return [path for _, path in output_paths(output, step.image_names)]


def _check_outputs(step: Step, output: Path, *, overwrite: bool) -> None:
    """Refuse, before the work, what writing would refuse after it."""
    for path in _outputs(step, output):
        if not gives_frames(step.function) and not path.suffix:
            raise ValueError(f"{path} names no file for an image: add a suffix, as in {path}.tif")
        check_target(path, overwrite=overwrite)


def _check_transforms(path: Path, *, overwrite: bool) -> None:
    if path.suffix.lower() != ".json":
        raise ValueError(f"{path}: transforms are written as .json")
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists already: choose another name, or allow it to be overwritten"
        )


def _one(result: Data) -> Stack:
    """Return one stack of a result: at any position the transforms are the same."""
    return result.stack() if isinstance(result, Hyperstack) else result


def _mention_failed(result: Any) -> None:
    """Say which frames a registration could not place."""
    if not isinstance(result, Stack | Hyperstack):
        return
    stack = _one(result)
    if stack.transforms is None or not stack.transforms.failed.any():
        return
    failed = np.flatnonzero(stack.transforms.failed)
    names = ", ".join(stack.source.label(int(i)) for i in failed)
    complain(f"warning: {len(failed)} of {len(stack)} frames could not be registered: {names}")


def _tell(report: Report, paths: Sequence[Path], result: Any) -> None:
    if isinstance(result, Stack | Hyperstack):
        report.written(paths[0], result.shape, result.dtype)
        return
    for path, image in zip(paths, images_of(result).values(), strict=False):
        report.written(path, image.shape, image.dtype)
