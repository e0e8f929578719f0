"""What the commands do: read frames, run steps, write results, and report them."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from cyclopts import Group, Parameter

from napari_stack.cli.cluster import cluster
from napari_stack.cli.flags import memory_size
from napari_stack.cli.notes import print_note, print_said, warn_of_uncovered
from napari_stack.cli.report import Report, print_error, progress
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.core.system.home import at_home
from napari_stack.engine.progress import Tick
from napari_stack.engine.run import Run
from napari_stack.recipe import Recipe
from napari_stack.recipe.batch import Done, FrameChoice, is_file, run_each, run_series, saving_to
from napari_stack.recipe.execution import Target, new_folders
from napari_stack.recipe.plots import Plots
from napari_stack.recipe.step import Step

OUTPUT = Group("Output", sort_key=3)
_FRAMES = Group("Frames", sort_key=4)

_HOW = Group("Run", sort_key=6)

#: Text of the flag that `main` heeds.
DEBUG = "Show where in the program an error came up."


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
            "for focus stacking the one called z. With 'run', for the steps that name none.",
            show_default=False,
        ),
    ] = ""
    every: Annotated[
        int,
        _frames(
            "Take every n-th frame along that axis (with 'run', the one of the first step). Which "
            "frames were taken is no step: the recipe in a written file does not hold it."
        ),
    ] = 1
    start: Annotated[int, _frames("First frame to take, from 0; negative: from the end.")] = 0
    stop: Annotated[
        int | None,
        _frames("Frame to stop before; negative: from the end.", show_default=False),
    ] = None
    order: Annotated[
        Literal["given", "natural", "time"],
        _frames(
            "Order of the files: as given (in a folder by name), all by name, or by when they were "
            "taken."
        ),
    ] = "given"
    odd: Annotated[
        Literal["refuse", "skip"],
        _frames("What happens to files unlike the others, and to unreadable ones."),
    ] = "refuse"
    overwrite: Annotated[
        bool, Parameter(help="Replace files that are there.", group=OUTPUT, negative=())
    ] = False
    series: Annotated[
        str,
        _frames(
            "Number or name of the image to read, of files and sets that hold several, such "
            "as positions. By default all, where they are alike.",
            show_default=False,
        ),
    ] = ""
    from_names: Annotated[
        str,
        _frames(
            "Lay frames out along the axes that names of files and folders tell of, such as "
            "e_t000_z000_ch00.tif: 'yes', or a pattern such as 'e_{t}_{z}_{c}'.",
            show_default=False,
        ),
    ] = ""
    demosaic: Annotated[
        bool, _frames("Make colours out of the mosaic of a sensor, in camera RAW and SER.")
    ] = True
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
    quiet: Annotated[bool, _how("Show no progress and no list of written files.", negative=())] = (
        False
    )

    debug: Annotated[bool, _how(DEBUG, negative=())] = False

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

    def of_series(self, plots: Plots | None) -> dict[str, Any]:
        """Say, for `run_series`, which frames are taken, and how results are written."""
        given = vars(self)
        choice = FrameChoice(**{f.name: given[f.name] for f in fields(FrameChoice)})
        return {"choice": choice, "overwrite": self.overwrite, "plots": plots}


def run_step(
    step: Step,
    inputs: Sequence[str],
    target: Target,
    settings: Settings,
    plots: Plots | None = None,
) -> None:
    """Run one operator from files to files.

    Raises
    ------
    FileExistsError
        Before anything is computed, when an output is there and may not be overwritten.
    OSError, ValueError
        For input that cannot be read or processed, or outputs that cannot be written.
    """
    report = Report(settings.quiet)
    with settings.run() as run:
        done = run_series(Recipe([step]), inputs, target, **settings.of_series(plots), run=run)
    _report(done, report)
    for result in done.results.values():
        warn_of_uncovered(result)
    report.end()


def run_recipe(
    path: Path,
    inputs: Sequence[str],
    output: Path,
    settings: Settings,
    plots: Plots | None = None,
    *,
    each: bool = False,
) -> None:
    """Run a recipe from files to files; with `each`, on every input for itself.

    Raises
    ------
    FileExistsError
        Before anything is computed, when an output is there and may not be overwritten.
    OSError, ValueError
        For a recipe or input that cannot be read or processed, or a result without a file.
    """
    report = Report(settings.quiet)
    recipe, folder = saving_to(Recipe.load(path), at_home(output))
    how = settings.of_series(plots)
    with settings.run() as run:
        if each:
            each_done = partial(_report, report=report)
            done = run_each(recipe, inputs, folder, **how, done=each_done, run=run)
        else:
            with new_folders([] if is_file(output) else [folder]):
                done = [run_series(recipe, inputs, folder, **how, run=run)]
                _report(done[0], report)
    report.end()
    if failed := [one for one in done if one.error is not None]:
        raise OSError(f"{len(failed)} of {len(inputs)} series could not be processed")


def _report(done: Done, report: Report) -> None:
    """Report on a series: remarks on its results, and the files that were written."""
    if done.error is not None:
        print_error(done)
        return
    for name, step in done.recipe.named().items():
        before = done.recipe.inputs(name)
        data = done.results[before] if before else done.data
        data = data if isinstance(data, Stack | Hyperstack) else None  # images of a step before
        print_said(done.results[name], step, report, data)
        print_note(done.results[name], step, report)
    for path, what in done.files.items():
        report.line(f"{path}: {what}")
