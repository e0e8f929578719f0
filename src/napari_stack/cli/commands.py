"""The commands: every operator, recipes and the demo, made from the same signatures."""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Group, Parameter

from napari_stack import __version__
from napari_stack.cli.flags import command_name, flags_of, options_given, position
from napari_stack.cli.jobs import DEBUG, OUTPUT, Settings, run_recipe, run_step
from napari_stack.core.errors import UserError
from napari_stack.core.operator import Operator, Output
from napari_stack.core.system.home import at_home
from napari_stack.files import Compression
from napari_stack.operators import CATALOGUE
from napari_stack.operators.inspection.plots import PlotFormat
from napari_stack.recipe.execution import Target
from napari_stack.recipe.plots import Plots
from napari_stack.recipe.step import Step

_NEEDED = inspect.Parameter.empty

_MEASURED = Group("Measuring", sort_key=5)

_INPUTS = inspect.Parameter(
    "inputs",
    inspect.Parameter.VAR_POSITIONAL,
    annotation=Annotated[str, Parameter(help="Files, folders or globs that hold the frames.")],
)


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


def _output(text: str) -> inspect.Parameter:
    return _keyword("output", Path, text, OUTPUT, default=_NEEDED, name=["--output", "-o"])


def _drawn(folder: Path | None, kind: PlotFormat, settings: Settings) -> Plots | None:
    return None if folder is None else Plots(at_home(folder), kind, settings.overwrite)


def _plots() -> list[inspect.Parameter]:
    text = "Folder for plots of what was measured; made where it is not there. Needs matplotlib."
    kind = "Kind of these files."
    return [
        _keyword("plots", Path | None, text, OUTPUT, default=None, show_default=False),
        _keyword("plots_as", PlotFormat, kind, OUTPUT, default="png"),
    ]


def _operator_flags(entry: Operator) -> list[inspect.Parameter]:
    """List the flags of an operator's options, and of what it may be told besides."""
    parameters = [_INPUTS, *flags_of(entry.function), _output(_OUTPUT_TEXTS[entry.kind])]
    parameters += [
        _keyword(key, hint, text, OUTPUT, default=default, show_default=default is not None)
        for key, (hint, default, text, kinds) in _WRITING.items()
        if entry.kind in kinds
    ]
    if entry.plots:
        parameters += _plots()
    if entry.kind != "images" or entry.shares_measure:
        text = _SHARED if entry.shares_measure else _AT
        parameters.append(_keyword("at", str, text, _MEASURED, default="", show_default=False))
    if entry.gives_frames:
        parameters.append(_keyword("measure_each", bool, _EACH, _MEASURED, negative=()))
    if entry.measures_transforms:
        text = "Write the measured transforms too: .json, .npz, .csv, .txt, .npy or .zarr."
        parameters.append(
            _keyword("transforms", Path | None, text, _MEASURED, default=None, show_default=False)
        )
    return parameters


def _operator_command(name: str, entry: Operator) -> Callable[..., Any]:
    """Make the command of an operator; called, it gives the job or refuses its options."""

    def command(
        *inputs: str,
        output: Path,
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
        target = Target(output, {"frame": ""} if layers else {}, writing, transforms)
        return partial(run_step, step, inputs, target, settings, _drawn(plots, plots_as, settings))

    return _with_signature(command, [*_operator_flags(entry), *Settings.flags()])


_FRAMES: tuple[Output, ...] = ("frames", "volumes")
_IMAGES: tuple[Output, ...] = ("images",)

#: Flags of `write`, and of layers: type, default, text, and for what comes out of the operator.
_WRITING: dict[str, tuple[Any, Any, str, tuple[Output, ...]]] = {
    "compression": (
        Compression, "zlib",
        "Of a TIFF, PNG or zarr, without loss; a PNG takes zlib or none, zarr all but lzw.",
        _FRAMES + _IMAGES,
    ),
    "level": (
        int | None, None, "How hard zlib (0 to 9) or zstd (1 to 22) try; by default well enough.",
        _FRAMES + _IMAGES,
    ),
    "quality": (int, 95, "Quality of a JPEG, 1 to 100.", _FRAMES + _IMAGES),
    "levels": (
        int | None, None,
        "Resolutions of a zarr or OME-TIFF, each of half the sides; of a zarr by default enough.",
        _FRAMES + _IMAGES,
    ),
    "fps": (float, 10.0, "Frames of a movie (.mp4, .gif) a second.", _FRAMES),
    "time_stamp": (bool, False, "Write time or place of each frame into a movie.", _FRAMES),
    "scale_bar": (bool, False, "Draw a scale bar into a movie.", _FRAMES),
    "exif_from": (
        str | None, None,
        "File or folder whose EXIF and colour profile are kept; '' for none. By default those of "
        "the frames: of the reference, or the middle one.",
        _FRAMES + _IMAGES,
    ),
    "names": (
        str, "{source}",
        "Names of the files in a folder: {source} stands for the name of a frame's file, {index} "
        "for its number, as in 'aligned_{source}.png'.", _FRAMES,
    ),
    "layers": (
        bool, False,
        "Put the frames as layers below the image, in a TIFF for image editors.", _IMAGES,
    ),
}  # fmt: skip


_FRAMES_TEXT = "Where the frames go: one TIFF of many pages (out.tif), a .zarr, or a folder."

_OUTPUT_TEXTS: dict[Output, str] = {
    "frames": _FRAMES_TEXT,
    "volumes": _FRAMES_TEXT,
    "table": "File to write, a .csv.",
    "images": "File to write. {image} in its name stands for the name of each image of the result: "
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
    "of its name. One that cannot be processed is reported, and the others go on."
)


def _recipe_command() -> Callable[..., Any]:
    def command(
        recipe: Path,
        *inputs: str,
        output: Path,
        each: bool = False,
        plots: Path | None = None,
        plots_as: PlotFormat = "png",
        **given: Any,
    ) -> Callable[[], object]:
        """Run the steps of a recipe (a .json file) on frames."""
        settings = Settings.taken_from(given)
        drawn = _drawn(plots, plots_as, settings)
        return partial(run_recipe, recipe, inputs, output, settings, drawn, each=each)

    first = inspect.Parameter(
        "recipe",
        inspect.Parameter.POSITIONAL_ONLY,
        annotation=Annotated[Path, Parameter(help="The recipe, a .json file.")],
    )
    text = (
        "Folder for the files that the steps save; or the file for the result of the last step, "
        "where that names none."
    )
    each = _keyword("each", bool, _EACH_SERIES, OUTPUT, negative=())
    mine = [_output(text), each, *_plots(), *Settings.flags()]
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
