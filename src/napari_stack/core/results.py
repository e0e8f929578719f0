"""What an operator's result holds: images by name, and numbers for each frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

#: Name of the part that is a picture; a single array is one.
PICTURE = "image"


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
class Shown:
    """Marks how layers show an image of a result that is no picture.

    Parameters
    ----------
    colormap : str
        A name that napari knows.
    most : float, optional
        Where the contrast limits, which begin at 0, end; by default at the greatest value.
    """

    colormap: str
    most: float | None = None


@dataclass(frozen=True)
class AlongAxis:
    """Marks an image of a result whose values are places along the axis that was stacked.

    They are numbers of frames, between frames too, or distances from the first one.

    Parameters
    ----------
    option : str
        Option of the operator that says which.
    distance : Any
        Its value for distances.
    """

    option: str
    distance: Any


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
    picture : bool
        It shows what the frames show; else what was measured at each pixel.
    shown : Shown
        How a layer shows it, if it is no picture.
    along : AlongAxis or None
        Its values are places along the axis that was stacked.
    """

    per_frame: bool = False
    option: str = ""
    dtype: np.dtype[Any] | None = None
    picture: bool = False
    shown: Shown = Shown("gray")
    along: AlongAxis | None = None

    def holds_distances(self, options: Mapping[str, Any]) -> bool:
        """Whether its values are distances along the axis that was stacked, with some options."""
        return self.along is not None and options.get(self.along.option) == self.along.distance


@cache
def parts_of_result(kind: Any) -> Mapping[str, Part]:
    """Read the parts of a result from its annotation; a single array is one, called ``image``."""
    if not is_tuple(kind):
        return {PICTURE: _part(PICTURE, kind)}
    hints = get_type_hints(kind, include_extras=True)
    return {name: _part(name, hints.get(name, Any)) for name in kind._fields}


def is_tuple(kind: Any) -> bool:
    """Whether a kind of result is a named tuple; else it is a single array."""
    return isinstance(kind, type) and issubclass(kind, tuple)


def _part(name: str, hint: Any) -> Part:
    marks: list[Any] = []
    if get_origin(hint) is Annotated:
        hint, *marks = get_args(hint)
    said = {type(mark): mark for mark in marks}
    option = said[OnlyWith].option if OnlyWith in said else ""
    array = get_args(hint)[0] if NoneType in get_args(hint) else hint
    element = get_args(get_args(array)[1])[0] if len(get_args(array)) == 2 else Any
    return Part(
        PerFrame in marks, option, None if element is Any else np.dtype(element), name == PICTURE,
        said.get(Shown, Part.shown), said.get(AlongAxis),
    )  # fmt: skip


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
