"""Options of operators: bounds, choices, methods and texts, read from their signatures."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from math import inf
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from napari_stack.core.counts_with import CountsWith as CountsWith
from napari_stack.core.counts_with import method_name as method_name
from napari_stack.core.errors import UserError
from napari_stack.core.point_pairs import PairsSource, PointPairs, pairs_error
from napari_stack.core.strokes import Strokes, StrokesSource, strokes_error
from napari_stack.core.system.ahead import Work, begin


@dataclass(frozen=True)
class Bounds:
    """Range of a number: what a slider, a spin box, a help page and a check need.

    Parameters
    ----------
    min, max : float
        Least and greatest value allowed.
    step : float
        Step of a spin box.
    unit : str
        Unit to show behind the number.

    Examples
    --------
    >>> str(Bounds(0.1, 100, step=0.1, unit="px"))
    '0.1 to 100 px'
    """

    min: float
    max: float
    step: float = 1
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.min:g} to {self.max:g} {self.unit}".rstrip()


class _ImageSource:
    """Marks an option that is an image: an array, a path, or (in napari) a layer."""


#: An image given as an option: an array, the path of a file, or, in napari, a layer.
ImageSource = Annotated[np.ndarray | Path | str | None, _ImageSource]


@dataclass(frozen=True)
class Option:
    """One option of an operator or of a method.

    Attributes
    ----------
    name : str
    kind : type
        ``bool``, ``int``, ``float``, ``str``, ``np.ndarray`` for an image, `PointPairs` or
        `Strokes`.
    default : object
    text : str
        What it does, from the docstring.
    bounds : Bounds or None
    choices : tuple of str
        Names it takes, those of methods included; with ``kind`` int, a number is taken as well.
    methods : dict of str to type
        For a choice of method: the options class behind a name.
    counts_with : tuple of CountsWith
        Where it counts; anywhere without one.
    """

    name: str
    kind: type
    default: Any
    text: str
    bounds: Bounds | None = None
    choices: tuple[str, ...] = ()
    methods: Mapping[str, type] = field(default_factory=dict)
    counts_with: tuple[CountsWith, ...] = ()

    @property
    def text_with_range(self) -> str:
        """What it does, and the range: the tooltip."""
        return f"{self.text} Range: {self.bounds}." if self.bounds else self.text

    @property
    def help(self) -> str:
        """That, and where it counts: the ``--help``."""
        where = ", or ".join(map(str, self.counts_with))
        return f"{self.text_with_range} Counts only {where}." if where else self.text_with_range

    def validation_error(self, value: Any) -> str | None:
        """Say what is wrong with a value, or return None when it is fine."""
        if self.kind is np.ndarray:
            return _image_error(value)
        if self.kind is PointPairs:
            return pairs_error(value)
        if self.kind is Strokes:
            return strokes_error(value)
        if isinstance(value, str) and self.choices:
            if value in self.choices:
                return None
        elif type(value) in self.methods.values():
            return validation_error(type(value), vars(value))
        elif _is_a(value, self.kind) and self._within(value):
            return None
        plain = value.item() if isinstance(value, np.generic) else value
        return f"must be {self._accepted()}, got {plain!r}"

    def _within(self, value: Any) -> bool:
        return self.bounds is None or self.bounds.min <= value <= self.bounds.max

    def _accepted(self) -> str:
        numbers = {"int": "a whole number", "float": "a number"}.get(self.kind.__name__)
        if numbers and self.bounds:
            numbers = f"{numbers} in the range {self.bounds}"
        names = [repr(choice) for choice in self.choices]
        names += [f"{method.__name__}(...)" for method in self.methods.values()]
        accepted = names + ([numbers] if numbers else [])
        return " or ".join(accepted) or ("True or False" if self.kind is bool else "a text")


def _is_a(value: Any, kind: type) -> bool:
    if kind is float:
        number = isinstance(value, (int, float, np.integer, np.floating))
        return number and not isinstance(value, bool) and -inf < value < inf
    if kind is int:
        return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return isinstance(value, (bool, np.bool_) if kind is bool else kind)


def _image_error(value: Any) -> str | None:
    if value is None or isinstance(value, (np.ndarray, str, Path)):
        return None
    return f"must be an array or the path of an image, got {type(value).__name__}"


@cache
def options_of(owner: Callable[..., Any]) -> Mapping[str, Option]:
    """Read the options of an operator, or of a method's options class, by name.

    Options are the keyword-only parameters of a function except ``run``, and the fields of a
    dataclass.
    """
    hints = get_type_hints(owner, include_extras=True)
    texts = _texts(owner)
    if is_dataclass(owner):
        defaults = {f.name: f.default for f in fields(owner)}
    else:
        parameters = inspect.signature(owner).parameters.values()
        defaults = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        defaults.pop("run", None)
    return {n: _option(n, hints[n], default, texts.get(n, "")) for n, default in defaults.items()}


def _option(name: str, hint: Any, default: Any, text: str) -> Option:
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    where = tuple(mark for mark in marks if isinstance(mark, CountsWith))
    if _ImageSource in marks:
        return Option(name, np.ndarray, default, text, counts_with=where)
    if get_args(PairsSource)[1] in marks:
        return Option(name, PointPairs, default, text)
    if get_args(StrokesSource)[1] in marks:
        return Option(name, Strokes, default, text)
    bounds = next((mark for mark in marks if isinstance(mark, Bounds)), None)
    hint = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    choices: list[str] = []
    methods: dict[str, type] = {}
    kind: type = str
    for member in members:
        if get_origin(member) is Literal:
            choices += get_args(member)
        elif get_origin(member) is Annotated:
            kind, bounds = get_args(member)[0], member.__metadata__[0]
        elif isinstance(member, type) and is_dataclass(member):
            methods[method_name(member)] = member
        elif member is not NoneType:
            kind = member
    names = tuple(dict.fromkeys((*choices, *methods)))
    return Option(name, kind, default, text, bounds, names, methods, where)


@cache
def parsed_docstring(owner: Callable[..., Any]) -> Any:
    """Parse a numpydoc docstring."""
    from docstring_parser import DocstringStyle, parse

    return parse(inspect.getdoc(owner) or "", style=DocstringStyle.NUMPYDOC)


def _texts(owner: Callable[..., Any]) -> Mapping[str, str]:
    texts = {}
    for parameter in parsed_docstring(owner).params:
        for name in parameter.arg_name.split(","):
            texts[name.strip()] = " ".join((parameter.description or "").split())
    return texts


def summary(owner: Callable[..., Any]) -> str:
    """First sentence of a docstring."""
    return str(parsed_docstring(owner).short_description or "")


def validation_error(owner: Callable[..., Any], values: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the first bad value among an operator's options, or return None."""
    options = options_of(owner)
    for name, value in values.items():
        if name not in options:
            return f"{owner.__name__} has no option {name!r}; it takes {', '.join(options)}"
        if wrong := options[name].validation_error(value):
            inner = wrong if is_dataclass(type(value)) else f"{name} {wrong}"
            return inner if inner.startswith(owner.__name__) else f"{owner.__name__}: {inner}"
    return None


def check(owner: Callable[..., Any], values: Mapping[str, Any]) -> None:
    """Refuse options that an operator does not have, or values out of their range.

    Parameters
    ----------
    owner : callable
        An operator, or a method's options class.
    values : mapping
        Option values by name; other names than options are ignored only when they are
        positional parameters or ``run`` (so that ``check(f, locals())`` works).

    Raises
    ------
    ValueError
        Naming the option, what it takes, and what was given.
    TypeError
        When `values` holds, as ``stack``, something else than the operator takes.
    """
    ignored = set() if is_dataclass(owner) else _not_options(owner)
    if wrong := validation_error(owner, {n: v for n, v in values.items() if n not in ignored}):
        raise UserError(wrong)
    _check_subject(owner, values)


def _check_subject(owner: Callable[..., Any], values: Mapping[str, Any]) -> None:
    """Refuse something else than the stack that an operator takes first."""
    wanted = get_type_hints(owner).get("stack")
    if "stack" not in values or not isinstance(wanted, type):
        return
    from napari_stack.core.hyperstack import Hyperstack

    found = type(values["stack"])
    if issubclass(found, wanted):
        _begin(owner, values)
        return
    name = owner.__name__
    remedy = f"wrap an array first: {wanted.__name__}.wrap(array)"
    if issubclass(found, Hyperstack):
        remedy = f"use .map({name}, ...) for all positions, or .stack({{...}}) for one"
    raise TypeError(f"{name} takes a {wanted.__name__}, got {found.__name__}: {remedy}")


def _begin(owner: Callable[..., Any], values: Mapping[str, Any]) -> None:
    """Have kernels compiled that an operator will need for its frames."""
    from napari_stack.core.hyperstack import Hyperstack

    given = values["stack"]
    stack = given.frames if isinstance(given, Hyperstack) else given
    names = tuple(  # no paths: each would be other work
        (name, values[name])
        for name, option in options_of(owner).items()
        if option.choices and isinstance(values.get(name), str)
    )
    begin(Work(owner.__module__, stack.dtype.name, stack.rgb, bool(stack.corrections), names))


@cache
def _not_options(owner: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(owner).parameters) - set(options_of(owner))


def method_options(option: Option, value: Any) -> Any:
    """Return the options object behind a method's name; an object is returned as it is."""
    return option.methods[value]() if isinstance(value, str) and value in option.methods else value
