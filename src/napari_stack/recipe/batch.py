"""A recipe on files: one series, or many, each measured for itself, with its results as files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from napari_stack.core.errors import UserError, format_error, is_mendable
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.system.home import at_home
from napari_stack.engine.run import Run
from napari_stack.files import SUFFIXES, read
from napari_stack.files.paths import resolve
from napari_stack.recipe.earlier import earlier_in
from napari_stack.recipe.execution import Execution, Target, new_folders
from napari_stack.recipe.plots import Plots
from napari_stack.recipe.recipe import Recipe
from napari_stack.recipe.results import lacking
from napari_stack.recipe.step import Data, Step

#: Files of a batch when the last step of the recipe names none.
FRAMES_FILE, IMAGES_FILE = "frames.tif", "{image}.tif"


@dataclass(frozen=True)
class FrameChoice:
    """Which frames of the inputs are taken, and along which axis they are stacked.

    Parameters
    ----------
    axis : str
        Axis to stack, by name or number, for steps that name none.
    every, start, stop : int
        Frames along that axis.
    order : {"given", "natural", "time"}
    odd : {"refuse", "skip"}
    series : str
        Number or name of an image, of files that hold several.
    from_names : str
        "yes" to lay frames out along the axes that names of files tell of, or a pattern of these.
    demosaic : bool
        Make colours out of the mosaic of a sensor.
    """

    axis: str = ""
    every: int = 1
    start: int = 0
    stop: int | None = None
    order: Literal["given", "natural", "time"] = "given"
    odd: Literal["refuse", "skip"] = "refuse"
    series: str = ""
    from_names: str = ""
    demosaic: bool = True

    def read(self, inputs: Sequence[str], step: Step) -> Data:
        """Open the frames along this choice's axis, else the one that the first step stacks."""
        how: dict[str, Any] = {"order": self.order, "odd": self.odd, "series": self.series or None}
        how["from_names"] = {"yes": True, "no": False, "": False}.get(
            self.from_names.lower(), self.from_names
        )
        how["demosaic"] = self.demosaic
        some = {"every": self.every, "start": self.start, "stop": self.stop, **how}
        if self.axis:
            return read(inputs, axis=int(self.axis) if self.axis.isdecimal() else self.axis, **some)
        data = read(inputs, **how)
        if (self.every, self.start, self.stop) == (1, 0, None):
            return data
        names = [axis.name for axis in data.leading] if isinstance(data, Hyperstack) else []
        preferred = step.preferred_axis if step.preferred_axis in names else None
        cut = read(inputs, axis=preferred, **some)
        if isinstance(cut, Hyperstack) and isinstance(data, Hyperstack):
            return replace(cut, axis=data.axis, chosen=False)  # no later step is bound to it
        return cut

    def applied(self, recipe: Recipe, data: Data) -> Recipe:
        """Give the steps that name no axis the axis of this choice.

        Not those that go on from images: of these the axis may be gone.
        """
        named, steps = recipe.named(), dict[str, Step]()
        beyond: set[str] = set()
        for name, step in named.items():
            source = recipe.inputs(name)
            if source in beyond or (source and not named[source].entry.gives_frames):
                beyond.add(name)
            told = bool(step.axis) or name in beyond or not self.axis
            steps[name] = step if told else replace(step, axis=data.axis)
        return Recipe(list(steps.values()), recipe.before)


@dataclass(frozen=True)
class Done:
    """Outcome of one series.

    Parameters
    ----------
    inputs : tuple of str
    results : dict of str to object
        Of each step, by its name; empty when it failed.
    recipe : Recipe
        As it was run.
    files : dict of Path to str
        What was written, and what is in it.
    error : Exception or None
        Why it failed.
    data : Stack or Hyperstack, optional
        What the recipe was run on.
    """

    inputs: tuple[str, ...]
    results: dict[str, Any]
    recipe: Recipe
    files: dict[Path, str] = field(default_factory=dict)
    error: Exception | None = None
    data: Data | None = None

    def __str__(self) -> str:
        what = format_error(self.error) if self.error else f"{len(self.files)} files"
        return f"{', '.join(self.inputs)}: {what}"


def run_series(
    recipe: Recipe,
    inputs: Sequence[str],
    place: Path | Target,
    *,
    choice: FrameChoice = FrameChoice(),
    overwrite: bool = False,
    plots: Plots | None = None,
    run: Run = Run(),
) -> Done:
    """Run a recipe on the frames of some files; everything is measured on them.

    Parameters
    ----------
    recipe : Recipe
    inputs : sequence of str
        Files, folders or globs.
    place : Path or Target
        Folder for the files that the steps name; or where the result of the last step goes, of
        whose images only those are made then.
    choice : FrameChoice
    overwrite : bool
        Replace files that are there.
    plots : Plots, optional
    run : Run

    Raises
    ------
    OSError, ValueError
        See `Recipe.run` and `napari_stack.read`.
    """
    data = choice.read(inputs, recipe.steps[0])
    named = choice.applied(recipe, data)
    if isinstance(place, Target):
        how: dict[str, Any] = {"targets": {list(named.named())[-1]: place}, "only_saved": True}
    else:
        how = {"folder": place}
    how |= {"plots": plots, "overwrite": overwrite, "before": earlier_in(resolve(inputs))}
    execution = Execution(named, data, **how)
    results = execution.run(run)
    return Done(tuple(inputs), results, execution.as_done(), execution.files, data=data)


def run_each(
    recipe: Recipe,
    series: Sequence[str],
    folder: Path,
    *,
    choice: FrameChoice = FrameChoice(),
    overwrite: bool = False,
    plots: Plots | None = None,
    done: Callable[[Done], object] = lambda _done: None,
    run: Run = Run(),
) -> list[Done]:
    """Run a recipe on every series for itself; results go to a folder of its name.

    Drift, gains and all else are measured anew on each. A series that cannot be processed does
    not stop the others.

    Parameters
    ----------
    recipe : Recipe
        Its last step saves a file; see `saving`.
    series : sequence of str
        A folder, a file or a glob for each.
    folder : Path
        Where the folders of results go.
    choice : FrameChoice
    overwrite : bool
        Replace files that are there.
    plots : Plots, optional
        Where plots go: into a folder for each series, as the results do.
    done : callable
        Called with each `Done` as it comes, in the thread of the call.
    run : Run

    Returns
    -------
    list of Done
        Without the images, which are in the files.

    Raises
    ------
    Cancelled
        From the run's tick; what is complete stays.
    """
    if missing := lacking(recipe.steps):
        raise UserError(missing)
    finished = []
    for number, (inputs, name) in enumerate(series_names(series).items()):
        part = run.part(number, len(series))
        place = folder / name
        try:
            how: dict[str, Any] = {"choice": choice, "overwrite": overwrite, "run": part}
            if plots is not None:
                how["plots"] = plots._replace(folder=plots.folder / name)
            with new_folders([place]):
                result = run_series(recipe, [inputs], place, **how)
        except (OSError, UserError, MemoryError) as error:
            if not is_mendable(error):
                raise
            result = Done((inputs,), {}, recipe, error=error)
        done(result)
        finished.append(replace(result, results={}, data=None))  # many series do not fit the memory
    return finished


def series_names(series: Sequence[str]) -> dict[str, str]:
    """Pair every series with the name of its folder of results, each with another.

    Examples
    --------
    >>> list(series_names(["a/cells", "b/cells", "c/night_*.tif"]).values())
    ['cells', 'cells 2', 'night_']

    Raises
    ------
    ValueError
        When a series is named twice, or none is.
    """
    if not series:
        raise UserError("name a folder, a file or a glob for each series of frames")
    names: dict[str, str] = {}
    for inputs in map(str, series):
        if inputs in names:
            raise UserError(f"{inputs} is named twice: name each series once")
        path = at_home(inputs)
        last = path.absolute().name if path.is_dir() else path.stem
        plain = "".join(letter for letter in last if letter not in "*?[]") or "frames"
        name, number = plain, 2
        while name in names.values():
            name, number = f"{plain} {number}", number + 1
        names[inputs] = name
    return names


def saving(recipe: Recipe, name: str = "") -> Recipe:
    """Let the last step save its result, where no step saves anything and it names no file."""
    *steps, last = recipe.steps
    if last.save:
        return recipe
    default = IMAGES_FILE if last.image_names else FRAMES_FILE
    return Recipe([*steps, replace(last, save=name or default)])


def saving_to(recipe: Recipe, output: Path) -> tuple[Recipe, Path]:
    """Give the last step the output when it names none; return the folder for all files.

    Raises
    ------
    ValueError
        When neither the last step nor the output names a file, or both do.
    """
    *steps, last = recipe.steps
    if is_file(output) and last.save:
        raise UserError(
            f"the recipe names the file of its last step ({last.save}): give -o the folder to put "
            f"it in, not the file {output}"
        )
    if is_file(output):
        return Recipe([*steps, replace(last, save=output.name)]), output.parent
    if not last.save:
        raise UserError(
            f"the last step of the recipe ({last.operator}) names no file to save: give -o a file "
            f"such as {output / 'result.tif'}"
        )
    return recipe, output


def is_file(output: Path) -> bool:
    """Whether a path names a file that can be written, and no folder."""
    return output.suffix.lower() in SUFFIXES
