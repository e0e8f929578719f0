"""What an operator's result holds: images by name, and numbers for each frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray


class PerFrame:
    """Marks what a result holds for each frame: numbers, and no image."""


@dataclass(frozen=True)
class OnlyWith:
    """Marks an image of a result that is None unless an option of the operator is on.

    Parameters
    ----------
    option : str
    """

    option: str


@dataclass(frozen=True)
class Part:
    """One part of a result.

    Parameters
    ----------
    per_frame : bool
        It holds numbers for each frame; else it is an image.
    option : str
        The option without which it is None; "" where it is always there.
    dtype : dtype or None
        Type of its elements; None where that depends on the frames and the options.
    """

    per_frame: bool = False
    option: str = ""
    dtype: np.dtype[Any] | None = None


@cache
def parts_of_result(kind: Any) -> Mapping[str, Part]:
    """Read the parts of a result from its annotation; a single array is one, called ``image``."""
    if not is_tuple(kind):
        return {"image": _part(kind)}
    hints = get_type_hints(kind, include_extras=True)
    return {name: _part(hints.get(name, Any)) for name in kind._fields}


def is_tuple(kind: Any) -> bool:
    """Whether a kind of result is a named tuple; else it is a single array."""
    return isinstance(kind, type) and issubclass(kind, tuple)


def _part(hint: Any) -> Part:
    marks: list[Any] = []
    if get_origin(hint) is Annotated:
        hint, *marks = get_args(hint)
    option = next((mark.option for mark in marks if isinstance(mark, OnlyWith)), "")
    array = get_args(hint)[0] if NoneType in get_args(hint) else hint
    element = get_args(get_args(array)[1])[0] if len(get_args(array)) == 2 else Any
    return Part(PerFrame in marks, option, None if element is Any else np.dtype(element))


def images_of(result: Any) -> dict[str, NDArray[Any]]:
    """Return the images of an operator's result by name; a single array is called ``image``.

    What was not asked for is left out, and so is what is no image.
    """
    return {name: np.asarray(value) for name, value in _values(result, per_frame=False)}


def numbers_of(result: Any) -> dict[str, NDArray[Any]]:
    """Return what an operator's result holds for each frame, by name."""
    return dict(_values(result, per_frame=True))


def _values(result: Any, *, per_frame: bool) -> list[tuple[str, Any]]:
    """Pair names and values of one kind, without what was not asked for."""
    values = result if is_tuple(type(result)) else (result,)
    kind: Any = type(result)
    parts = parts_of_result(kind).items()
    return [
        (name, value)
        for (name, part), value in zip(parts, values, strict=True)
        if value is not None and part.per_frame == per_frame
    ]
