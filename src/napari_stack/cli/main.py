"""`main`: the commands, what they refuse, and their exit status."""

import inspect
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Group, MissingArgumentError, Parameter

from napari_stack import __version__
from napari_stack.cli.flags import command_name, flags_of, options_given, position
from napari_stack.cli.jobs import DEBUG, Settings, run_recipe, run_step
from napari_stack.cli.report import complain, warnings_as_lines
from napari_stack.core.errors import UserError, format_error, is_mendable
from napari_stack.core.operator import Operator
from napari_stack.engine.run import Cancelled
from napari_stack.files import Compression
from napari_stack.operators import CATALOGUE
from napari_stack.operators.inspection.plots import PlotFormat
from napari_stack.recipe.plots import Plots
from napari_stack.recipe.step import Step

#: What a shell takes for "ended by Ctrl-C".
_INTERRUPTED = 130
#: A fault of the program.
_FAULT = 3

_OUTPUT = Group("Output", sort_key=3)

_NEEDED = inspect.Parameter.empty

_MEASURED = Group("Measuring", sort_key=5)

_INPUTS = inspect.Parameter(
    "inputs",
    inspect.Parameter.VAR_POSITIONAL,
    annotation=Annotated[str, Parameter(help="Files, folders or globs that hold the frames.")],
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Words after the name of the program; by default those it was started with.

    Returns
    -------
    int
        Exit status: 0; 1 for input that cannot be processed; 2 for a command that makes no
        sense; 3 for a fault of the program, whose traceback is printed; 130 when interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    status = 2
    try:
        with warnings_as_lines():
            job = _job(words)
            status = 1
            job()
    except (Cancelled, KeyboardInterrupt):
        complain("cancelled; no file is left half-written")
        return _INTERRUPTED
    except CycloptsError as error:
        complain(_complaint(error, words))
        return status
    # What the user cannot mend is told with its traceback, and has a status of its own.
    except Exception as error:  # noqa: BLE001
        return _failed(error, status, debug="--debug" in words)
    return 0


def _failed(error: Exception, status: int, *, debug: bool) -> int:
    """Say what went wrong and return the exit status."""
    mendable = is_mendable(error)
    if debug or not mendable:
        traceback.print_exception(error)
    if not mendable:
        complain("this is a fault of the program: please report the lines above")
        return _FAULT
    hints = {FileExistsError: " (--overwrite)", MemoryError: ": try --workers 1 or less --memory"}
    hint = next((text for kind, text in hints.items() if isinstance(error, kind)), "")
    complain(format_error(error) + hint)
    return status


def _job(words: list[str]) -> Callable[[], object]:
    """Read the words; what they ask for is done when the result is called."""
    command, bound, *_ = app().parse_args(words, exit_on_error=False, print_error=False)
    job = command(*bound.args, **bound.kwargs)
    return job if callable(job) else int  # a help page has been printed already


def _complaint(error: CycloptsError, words: list[str]) -> str:
    missing = isinstance(error, MissingArgumentError) and error.argument
    if missing and missing.name == "--output" and not {"-o", "--output"} & set(words):
        return "say where the result goes: add -o and a name, such as -o result.tif"
    return str(error)


def app() -> App:
    """Make the commands of all operators, `run` and `demo`."""
    result = App(
        name="napari-stack",
        help="Many frames in, one good image out: register, clip, average and focus-stack.",
        version=__version__,
        help_format="plaintext",
    )
    for name, entry in CATALOGUE.items():
        typed = command_name(name)
        usage = f"Usage: napari-stack {typed} INPUTS... -o OUT [OPTIONS]"
        command = _operator_command(name, entry)
        result.command(command, name=typed, help=_description(entry), usage=usage)
    usage = "Usage: napari-stack run RECIPE INPUTS... -o OUT [OPTIONS]"
    result.command(_recipe_command(), name="run", usage=usage)
    usage = "Usage: napari-stack demo [FOLDER] [OPTIONS]"
    result.command(_demo, name="demo", usage=usage)
    return result


def _description(entry: Operator) -> str:
    """Text of a docstring before its parameters."""
    return (inspect.getdoc(entry.function) or entry.summary).split("\n\nParameters\n")[0]


def _with_signature(
    function: Callable[..., Any], parameters: Sequence[inspect.Parameter]
) -> Callable[..., Any]:
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {p.name: p.annotation for p in parameters}
    return function


def _keyword(
    parameter: str, hint: Any, text: str, group: Group, default: Any = False, **more: Any
) -> inspect.Parameter:
    annotation = Annotated[hint, Parameter(help=text, group=group, **more)]
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(parameter, kind, default=default, annotation=annotation)


def _output(text: str) -> list[inspect.Parameter]:
    return [
        _keyword("output", Path, text, _OUTPUT, default=_NEEDED, name=["--output", "-o"]),
        _keyword("overwrite", bool, "Replace files that are there.", _OUTPUT, negative=()),
    ]


def _drawn(folder: Path | None, kind: PlotFormat, overwrite: bool) -> Plots | None:
    return None if folder is None else Plots(folder.expanduser(), kind, overwrite)


def _plots() -> list[inspect.Parameter]:
    text = "Folder for plots of what was measured; made where it is not there. Needs matplotlib."
    kind = "Kind of these files."
    return [
        _keyword("plots", Path | None, text, _OUTPUT, default=None, show_default=False),
        _keyword("plots_as", PlotFormat, kind, _OUTPUT, default="png"),
    ]


def _operator_command(name: str, entry: Operator) -> Callable[..., Any]:
    """Make the command of an operator; called, it gives the job or refuses its options."""

    def command(
        *inputs: str,
        output: Path,
        overwrite: bool = False,
        at: str = "",
        measure_each: bool = False,
        transforms: Path | None = None,
        layers: bool = False,
        plots: Path | None = None,
        plots_as: PlotFormat = "png",
        **given: Any,
    ) -> Callable[[], object]:
        settings = Settings.taken_from(given)
        writing = {key: given.pop(key) for key in _WRITING if key in given}
        options = options_given(entry.function, given)
        step = Step(name, options, measure_at=position(at), measure_each=measure_each)
        if measure_each and transforms is not None:
            raise UserError("--transforms holds those of one position: leave out --measure-each")
        return partial(
            run_step, step, inputs, output, settings, overwrite=overwrite, transforms=transforms,
            layers=layers, writing=writing, plots=_drawn(plots, plots_as, overwrite),
        )  # fmt: skip

    frames = entry.gives_frames
    parameters = [_INPUTS, *flags_of(entry.function), *_output(_OUTPUT_TEXTS[frames])]
    parameters += [
        _keyword(key, hint, text, _OUTPUT, default=default, show_default=default is not None)
        for key, (hint, default, text, for_frames) in _WRITING.items()
        if for_frames in (None, frames)
    ]
    if entry.plots:
        parameters += _plots()
    if frames:
        parameters.append(_keyword("at", str, _AT, _MEASURED, default="", show_default=False))
        parameters.append(_keyword("measure_each", bool, _EACH, _MEASURED, negative=()))
    elif entry.shares_measure:
        parameters.append(_keyword("at", str, _SHARED, _MEASURED, default="", show_default=False))
    if entry.measures_transforms:
        text = "Write the measured transforms to this .json file too."
        parameters.append(
            _keyword("transforms", Path | None, text, _MEASURED, default=None, show_default=False)
        )
    return _with_signature(command, [*parameters, *Settings.flags()])


#: Flags of `write`, and of layers: type, default, text, and whether they are for frames, for
#: images, or for both (None).
_WRITING: dict[str, tuple[Any, Any, str, bool | None]] = {
    "compression": (
        Compression, "zlib",
        "Of a TIFF, PNG or zarr, without loss; a PNG takes zlib or none, zarr all but lzw.", None,
    ),
    "level": (
        int | None, None, "How hard zlib (0 to 9) or zstd (1 to 22) try; by default well enough.",
        None,
    ),
    "quality": (int, 95, "Quality of a JPEG, 1 to 100.", None),
    "exif_from": (
        str | None, None,
        "File or folder whose EXIF and colour profile are kept; '' for none. By default those of "
        "the frames: of the reference, or the middle one.", None,
    ),
    "names": (
        str, "{source}",
        "Names of the files in a folder: {source} stands for the name of a frame's file, {index} "
        "for its number, as in 'aligned_{source}.png'.", True,
    ),
    "layers": (
        bool, False,
        "Put the frames as layers below the image, in a TIFF for image editors.", False,
    ),
}  # fmt: skip


_OUTPUT_TEXTS = {
    True: "Where the frames go: one TIFF of many pages (out.tif), a .zarr, or a folder.",
    False: "File to write. {image} in its name stands for the name of each image of the result: "
    "'out_{image}.tif' writes all, any other name the first.",
}


_AT = (
    "Position of the other axes at which to measure, such as c=1,z=3, or the projection along one, "
    "such as z=maximum or z=mean. By default the first channel and the middle of the others."
)

_SHARED = (
    "Place on one of the other axes, such as c=1, that is measured for all along it. By default "
    "each is measured for itself."
)

_EACH = "Measure at every position of the other axes, for itself."


_EACH_SERIES = (
    "Every input is a series of its own: it is measured for itself, and its results go to a folder "
    "of its name. One that cannot be processed is told, and the others go on."
)


def _recipe_command() -> Callable[..., Any]:
    def command(
        recipe: Path,
        *inputs: str,
        output: Path,
        overwrite: bool = False,
        each: bool = False,
        plots: Path | None = None,
        plots_as: PlotFormat = "png",
        **given: Any,
    ) -> Callable[[], object]:
        """Run the steps of a recipe (a .json file) on frames."""
        settings = Settings.taken_from(given)
        drawn = _drawn(plots, plots_as, overwrite)
        return partial(
            run_recipe, recipe, inputs, output, settings, overwrite=overwrite, each=each,
            plots=drawn,
        )  # fmt: skip

    first = inspect.Parameter(
        "recipe",
        inspect.Parameter.POSITIONAL_ONLY,
        annotation=Annotated[Path, Parameter(help="The recipe, a .json file.")],
    )
    text = (
        "Folder for the files that the steps save; or the file for the result of the last step, "
        "where that names none."
    )
    each = _keyword("each", bool, _EACH_SERIES, _OUTPUT, negative=())
    mine = [*_output(text), each, *_plots(), *Settings.flags()]
    return _with_signature(command, [first, _INPUTS, *mine])


def _demo(
    folder: Annotated[Path, Parameter(help="A new folder for the results.")] = Path(
        "napari-stack-demo"
    ),
    /,
    *,
    no_viewer: Annotated[bool, Parameter(help="Do not show the layers.", negative=())] = False,
    debug: Annotated[bool, Parameter(help=DEBUG, negative=())] = False,  # noqa: ARG001
) -> Callable[[], object]:
    """Register, clip and fuse synthetic frames, and measure the errors against the truth.

    The results are shown in napari; without a display, its window is rendered to a PNG.
    """
    from napari_stack.cli.demo import run_demo

    return partial(run_demo, folder, viewer=not no_viewer)
