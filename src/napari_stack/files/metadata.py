"""`Note`, kept inside written files: axes by name, step and unit, frames not used, the recipe."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.look import Look, ramp

#: Key of the note: in the ImageJ "Info", in the TIFF description, and of a PNG text.
KEY = "napari_stack"


@dataclass(frozen=True)
class Note:
    """What a file says of itself.

    Parameters
    ----------
    axes : tuple of Axis
        Leading axes, y and x; empty where a file says nothing that makes sense.
    sizes : tuple of int
        Lengths of the leading axes.
    recipe : mapping, optional
    used : sequence of bool, optional
        Whether each frame, in C order over the leading axes, is one that reducers take.
    look : Look
        How all frames are shown.
    """

    axes: tuple[Axis, ...] = ()
    sizes: tuple[int, ...] = ()
    recipe: Mapping[str, Any] | None = None
    used: Sequence[bool] | None = None
    look: Look = Look()

    def to_plain(self) -> dict[str, Any]:
        """Make plain data (JSON types) of it, under its key."""
        axes = [axis_to_plain(axis) for axis in self.axes]
        note: dict[str, Any] = {"axes": axes, "sizes": [int(size) for size in self.sizes]}
        look = self.look.to_plain() or None
        rest = {"used": self.used, "look": look, "recipe": self.recipe}
        return {KEY: note | {name: value for name, value in rest.items() if value is not None}}

    def to_text(self) -> str:
        """Write it as JSON, in ASCII.

        Raises
        ------
        UserError
            When the recipe is not plain data.
        """
        try:
            return json.dumps(self.to_plain())
        except TypeError as error:
            raise UserError(f"a recipe in a file must be plain data (JSON): {error}") from error

    @classmethod
    def from_text(cls, text: str | None) -> Self:
        """Find the note in a text; an empty one where there is none."""
        try:
            found = json.loads(text or "")
        except (ValueError, RecursionError):
            return cls()
        return cls.from_plain(found.get(KEY) if isinstance(found, dict) else None)

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        """Read what `to_plain` wrote, without its key; what makes no sense is left out."""
        if not isinstance(plain, dict):
            return cls()
        kinds = {"recipe": dict, "used": list}
        rest = {name: plain[name] for name, kind in kinds.items() if type(plain.get(name)) is kind}
        rest["look"] = Look.from_plain(plain.get("look"))
        try:
            axes = tuple(map(axis_from_plain, plain["axes"]))
            sizes = tuple(int(size) for size in plain["sizes"])
        except (KeyError, TypeError, ValueError):
            return cls(**rest)
        names = {axis.name for axis in axes}
        fits = len(axes) == len(sizes) + 2 == len(names)
        return cls(axes, sizes, **rest) if fits else cls(**rest)

    def used_of(self, count: int) -> NDArray[np.bool_] | None:
        """Return which of `count` frames are used, or None where it does not say."""
        if self.used is None or len(self.used) != count:
            return None
        return np.array([one is not False for one in self.used], bool)


def axis_to_plain(axis: Axis) -> dict[str, Any]:
    """Make plain data (JSON types) of an axis."""
    known: dict[str, Any] = {
        "labels": list(axis.labels),
        "positions": [float(place) for place in axis.positions],
        "start": float(axis.start),
        "looks": [look.to_plain() for look in axis.looks],
    }
    plain: dict[str, Any] = {"name": axis.name, "step": float(axis.step), "unit": axis.unit}
    return plain | {name: value for name, value in known.items() if value}


def axis_from_plain(plain: Any) -> Axis:
    """Read what `axis_to_plain` made.

    Raises
    ------
    KeyError, TypeError, ValueError
        For what it did not make.
    """
    return Axis(
        str(plain["name"]),
        float(plain["step"]),
        str(plain["unit"]),
        labels=tuple(map(str, plain.get("labels", ()))),
        positions=tuple(map(float, plain.get("positions", ()))),
        start=float(plain.get("start", 0.0)),
        looks=tuple(map(Look.from_plain, plain.get("looks", ()))),
    )


def reconciled(noted: Look, found: Look) -> Look:
    """Return the look in a note, unless the file says another one: it was changed since."""
    same = not found.colours or found.colours == noted.colours
    same |= bool(noted.colours) and found.colours == ramp(noted.colours[-1])
    colours = noted.colours if same else found.colours
    return Look(noted.name or found.name, colours, found.limits or noted.limits)


def reconciled_axis(noted: Axis, found: Axis) -> Axis:
    """Return the axis in a note with its looks, unless the file says others."""
    looks = noted.looks or (Look(),) * len(found.looks)
    if len(looks) != len(found.looks):
        return noted
    both = zip(looks, found.looks, strict=True)
    return replace(noted, looks=tuple(reconciled(one, other) for one, other in both))
