"""`Operator`: the catalogue entry from which an operator's dock, command and step are made."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any, Literal, get_args, get_type_hints

import numpy as np

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.options import Option, options_of, summary
from napari_stack.core.results import Part, is_tuple, parts_of_result
from napari_stack.core.stack import Stack

#: What comes out of an operator.
Output = Literal["frames", "images", "table", "volumes"]

#: Something that is imported when it is first needed: itself, or ``"module:name"``.
Lazy = Callable[..., Any] | str

#: In `Operator.consumes`: the axis that is stacked, whatever its name.
STACKED = "stacked"


def resolve(lazy: Lazy) -> Any:
    """Import what is named by ``"module:name"``."""
    if not isinstance(lazy, str):
        return lazy
    module, _, name = lazy.partition(":")
    return getattr(import_module(module), name)


@dataclass(frozen=True, eq=False)
class Operator:
    """An operator of the catalogue: its function, and what is special about it.

    Its options, their texts and what comes out are read from the function's signature and
    docstring. Called, it calls the function.

    Parameters
    ----------
    source : callable or str
        The function, or ``"module:name"``, from where it is imported when it is needed.
    title : str
        Title of its command and dock in napari; by default its name in words.
    menu : str
        Menu of napari that its command is in, such as ``"filter"`` for *Layers > Filter*.
    main : tuple of str
        Options that its dock always shows; the others are under "More options".
    output : {"frames", "images", "table", "volumes"}, optional
        What comes out. By default what the return annotation says: `Stack` for frames, `Hyperstack`
        for volumes, else images: an array, or a named tuple of arrays.
    consumes : tuple of str, optional
        Axes that the result has no more: `STACKED` for the one that is stacked, others by name. By
        default the one that is stacked, where images come out.
    preferred_axis : str
        Axis that is stacked where the data has it and none was chosen; else the first one is.
    measures : bool
        It measures something on the frames. False for one that treats each frame, or each few, for
        itself: its result is known before the work, and a single frame will do.
    measures_apart : bool
        Positions have nothing in common but their channels: where no place to measure at was named,
        it measures at each for itself, on the first channel.
    preview : bool
        It is quick enough for its dock to show a frame's result while options are changed.
    plots : mapping of str to callable or str
        Drawings of its result by name: ``draw(figure, made)``; see `operators.inspection.plots`.
    measures_transforms : bool
        Its result holds measured transforms, which a recipe and the command line can save.
    became : str
        Word for what the frames have become, in the name of the result, such as ``"aligned"``; by
        default the operator's name.
    named_by : str
        Option whose value names the image, where that says more.
    result_dtype : callable or str, optional
        ``result_dtype(frames_dtype, **options)``: type of the image, where options decide it.
    finer : str
        Option that says how many pixels of its images one of the frames becomes, along y and x.
    note : callable or str, optional
        ``note(stack)``: a remark on a result of frames, or "".
    says : callable or str, optional
        ``says(outcome)``: sentences on a result, see `core.said`.
    settles : callable or str, optional
        ``settles(stack, options)``: the options that frames decide, as they are decided.
    caution : callable or str, optional
        ``caution(frames_used, **options)``: why these options do nothing for so few frames, or "".
    in_bands : bool, callable or str
        Whether bands of rows hold all frames at a time, which takes more memory than a running
        state; ``in_bands(**options)`` where options decide it.
    clipped_values : callable or str, optional
        ``clipped_values(values, counts, options)``: which values of one pixel it rejects.
    precompile : tuple of mapping
        Options with which to run it once, so that its kernels are compiled.
    followed_by : tuple of str
        Operators that are usually used next, on its result: their kernels are compiled then, too.

    Examples
    --------
    >>> from napari_stack.operators import CATALOGUE
    >>> CATALOGUE["sigma_clip"].kind, list(CATALOGUE["sigma_clip"].images({}))
    ('images', ['image', 'rejected'])
    """

    source: Lazy
    _: KW_ONLY
    title: str = ""
    menu: str = ""
    main: tuple[str, ...] = ()
    output: Output | None = None
    consumes: tuple[str, ...] | None = None
    preferred_axis: str = ""
    measures: bool = True
    measures_apart: bool = False
    preview: bool = False
    plots: Mapping[str, Lazy] = field(default_factory=dict)
    measures_transforms: bool = False
    became: str = ""
    named_by: str = ""
    result_dtype: Lazy | None = None
    finer: str = ""
    note: Lazy | None = None
    says: Lazy | None = None
    settles: Lazy | None = None
    caution: Lazy | None = None
    in_bands: bool | Lazy = False
    clipped_values: Lazy | None = None
    precompile: tuple[Mapping[str, Any], ...] = ({},)
    followed_by: tuple[str, ...] = ()

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call the function."""
        return self.function(*args, **options)

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The function itself."""
        return resolve(self.source)

    def is_of(self, function: Any) -> bool:
        """Whether this is the entry of a function; it is not imported to find out."""
        if isinstance(self.source, str):
            return self.source == f"{function.__module__}:{function.__name__}"
        return self.source is function

    @property
    def options(self) -> Mapping[str, Option]:
        """Its options by name."""
        return options_of(self.function)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the options that take an image: an array, a path, or in napari a layer."""
        return tuple(name for name, option in self.options.items() if option.kind is np.ndarray)

    def titled(self, name: str) -> str:
        """Return the title of its command and dock: the one that was given, or a name in words."""
        return self.title or name.replace("_", " ").title()

    @property
    def summary(self) -> str:
        """First sentence of its docstring."""
        return summary(self.function)

    # what comes out

    @cached_property
    def result(self) -> Any:
        """What it gives: its return annotation."""
        return get_type_hints(self.function).get("return")

    @cached_property
    def kind(self) -> Output:
        """What comes out: as `output` says, else as the return annotation does."""
        return self.output or _output(self.function, self.result)

    @property
    def gives_frames(self) -> bool:
        """Whether frames come out, of planes or of volumes, which another operator can take."""
        return self.kind in ("frames", "volumes")

    @property
    def parts(self) -> Mapping[str, Part]:
        """Parts of its result by name, where images come out."""
        return parts_of_result(self.result) if self.kind == "images" else {}

    def images(self, options: Mapping[str, Any]) -> dict[str, Part]:
        """Images that come out with some options, by name."""
        on = {name: options.get(name, option.default) for name, option in self.options.items()}
        found = {n: part for n, part in self.parts.items() if not part.per_frame}
        return {n: part for n, part in found.items() if not part.option or on[part.option]}

    @property
    def along_axis(self) -> str:
        """Name of the image whose values are places along the axis that was stacked, or ""."""
        return next((name for name, part in self.parts.items() if part.along), "")

    def holds_distances(self, options: Mapping[str, Any]) -> bool:
        """Whether that image holds distances with some options; else numbers of frames."""
        return any(part.holds_distances(options) for part in self.parts.values())

    def pixels_in_one(self, options: Mapping[str, Any]) -> float:
        """How many pixels of its images one of the frames becomes along y and x."""
        if not self.finer:
            return 1.0
        return float(options.get(self.finer, self.options[self.finer].default))

    def holds_bands(self, options: Mapping[str, Any]) -> bool:
        """Whether it holds all frames, in bands of rows, with some options."""
        return bool(
            self.in_bands if isinstance(self.in_bands, bool) else resolve(self.in_bands)(**options)
        )

    def remaining(self, axes: Sequence[Axis], stacked: str) -> tuple[Axis, ...]:
        """Axes of the result, for data with some axes of which one is stacked."""
        default = (STACKED,) if self.kind == "images" else ()
        consumed = self.consumes if self.consumes is not None else default
        gone = [stacked if name == STACKED else name for name in consumed]
        left = list(axes)
        for name in gone:
            left.remove(next(axis for axis in left if axis.name == name))
        return tuple(left)

    # what it measures

    @property
    def corrects(self) -> bool:
        """Whether it corrects frames by what it measures on them."""
        return self.gives_frames and self.measures

    @property
    def shares_measure(self) -> bool:
        """Whether images of all places along an axis can follow from what is measured at one.

        So it is where it measures on one of several channels: an axis can take their place.
        """
        return self.kind == "images" and "channel" in self.options

    def check(self) -> None:
        """Refuse an entry that nothing can be made of.

        Raises
        ------
        ValueError
            For a function that takes no stack or has no return annotation, or options that an
            entry names and the function has not.
        """
        name = self.function.__name__
        parameters = list(inspect.signature(self.function).parameters.values())
        if not parameters or parameters[0].kind is not parameters[0].POSITIONAL_OR_KEYWORD:
            raise UserError(f"{name} must take a stack first")
        if "run" not in inspect.signature(self.function).parameters:
            raise UserError(f"{name} must take the option run, how to run")
        named = (*self.main, *filter(None, (self.finer, self.named_by)))
        if unknown := [option for option in named if option not in self.options]:
            raise UserError(f"{name} has no option {unknown[0]!r}, which its entry names")
        if self.kind not in get_args(Output):
            raise UserError(f"{name} gives {self.kind!r}: one of {get_args(Output)} is needed")


def _output(function: Callable[..., Any], result: Any) -> Output:
    from napari_stack.core.hyperstack import Hyperstack

    known: dict[Any, Output] = {Stack: "frames", Hyperstack: "volumes"}
    if result in known:
        return known[result]
    if is_tuple(result) or get_args(result)[1:] or result is np.ndarray:
        return "images"
    raise UserError(
        f"{function.__name__} needs a return annotation that says what it gives: Stack for frames, "
        "an array or a NamedTuple of arrays for images"
    )
