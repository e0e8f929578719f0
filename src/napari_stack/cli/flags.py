"""Flags of an operator: made from its options, and read back to them."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Group, Parameter

from napari_stack.core.errors import UserError
from napari_stack.core.options import Option, options_of
from napari_stack.core.options_json import options_from_json
from napari_stack.core.point_pairs import PointPairs
from napari_stack.core.sources.combined_sources import PROJECTIONS, Place
from napari_stack.core.strokes import Strokes

#: Kinds of options that are typed as the name of a file.
_FILES = (np.ndarray, PointPairs, Strokes)

_SIZES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def command_name(name: str) -> str:
    """Write a name as it is typed.

    Examples
    --------
    >>> command_name("sigma_clip"), command_name("depth map")
    ('sigma-clip', 'depth-map')
    """
    return name.replace("_", "-").replace(" ", "-")


def flags_of(operator: Callable[..., Any]) -> list[inspect.Parameter]:
    """Make the flags of an operator: one for each option, and for each one of its methods."""
    group = Group("Options", sort_key=1)
    flags = [_flag(name, option, group) for name, option in options_of(operator).items()]
    for option, method, owner in _methods(operator):
        chosen = f"--{command_name(option.name)} {command_name(method)}"
        group = Group(f"Options of {chosen}", sort_key=2)
        flags += [_flag(_inner(method, n), o, group) for n, o in options_of(owner).items()]
    return flags


def _methods(operator: Callable[..., Any]) -> Iterator[tuple[Option, str, type]]:
    for option in options_of(operator).values():
        for method, owner in option.methods.items():
            yield option, method, owner


def _inner(method: str, name: str) -> str:
    return f"{method.replace(' ', '_')}_{name}"


class Choice(str):
    """Typed text that should be one of some names; the help shows the name of the class."""


class Number(str):
    """Typed text that should be a number."""


def _flag(name: str, option: Option, group: Group) -> inspect.Parameter:
    """Make one flag; its value stays text, so that errors are worded by one check."""
    names = ", ".join(map(command_name, option.choices))
    text = Parameter(
        help=f"{option.help} [choices: {names}]" if names else option.help,
        group=group,
        converter=None if option.kind in (bool, *_FILES) else _as_typed,
        show_default=option.default is not None,
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=option.default,
        annotation=Annotated[_hint(option), text],
    )


def _hint(option: Option) -> Any:
    """Type that the help shows."""
    if option.kind in (int, float):
        return Choice | Number if option.choices else Number
    kinds: dict[type, Any] = {bool: bool, **dict.fromkeys(_FILES, Path | None)}
    return kinds.get(option.kind, Choice if option.choices else str)


def _as_typed(type_: Any, tokens: Any) -> str:  # noqa: ARG001
    return str(tokens[0].value)


def options_given(operator: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Read an operator's options from the flags that were typed.

    Parameters
    ----------
    operator : callable
    given : mapping
        Values by the names of `flags_of`, without those that were not typed.

    Raises
    ------
    ValueError
        For a value that the operator refuses, with its message, and for the flag of a method
        that was not chosen.
    """
    options = options_of(operator)
    plain = {n: _value(option, given[n]) for n, option in options.items() if n in given}
    for option, method, owner in _methods(operator):
        inner = options_of(owner)
        typed = {n: _inner(method, n) for n in inner if _inner(method, n) in given}
        if not typed:
            continue
        chosen = plain.get(option.name, option.default)
        if chosen == method:
            values = {n: _value(inner[n], given[flag]) for n, flag in typed.items()}
            plain[option.name] = {"name": method, **values}
        elif chosen in option.choices:
            flag = command_name(option.name)
            raise UserError(
                f"--{command_name(next(iter(typed.values())))} belongs to --{flag} "
                f"{command_name(method)}, but --{flag} is {command_name(chosen)}: add --{flag} "
                f"{command_name(method)}, or leave it out"
            )
    return options_from_json(operator, plain)


def _value(option: Option, typed: Any) -> Any:
    """Turn typed text into a value; what is no number stays text, for the check to refuse."""
    if isinstance(typed, bool) or option.kind in _FILES:
        return typed
    for choice in option.choices:
        if typed in (choice, command_name(choice)):
            return choice
    if option.kind in (int, float):
        for kind in (int, float):
            try:
                return kind(typed)
            except ValueError:
                continue
    return typed


def memory_size(text: str) -> int:
    """Read a size of memory.

    Examples
    --------
    >>> memory_size("2GiB"), memory_size("512 MB"), memory_size("1.5g"), memory_size("1048576")
    (2147483648, 536870912, 1610612736, 1048576)

    Raises
    ------
    ValueError
        For another text.
    """
    number = text.strip().lower().removesuffix("b").removesuffix("i").strip()
    unit = number[-1:] if number[-1:].isalpha() else ""
    try:
        return int(float(number.removesuffix(unit)) * _SIZES[unit])
    except (KeyError, ValueError, OverflowError):
        raise UserError(f"--memory must be a size such as 512MiB or 2GiB, got {text!r}") from None


def position(text: str) -> dict[str, Place]:
    """Read a position on axes, or projections along them.

    Examples
    --------
    >>> position("c=1,z=maximum")
    {'c': 1, 'z': 'maximum'}

    Raises
    ------
    ValueError
        For another text.
    """
    try:
        pairs = [part.split("=") for part in text.split(",")] if text else []
        return {name.strip(): _place(at.strip()) for name, at in pairs}
    except ValueError:
        raise UserError(
            f"--at must be axes with numbers, {' or '.join(PROJECTIONS)}, such as c=1,z=maximum, "
            f"got {text!r}"
        ) from None


def _place(text: str) -> Place:
    return text if text in PROJECTIONS else int(text)  # type: ignore[return-value]
