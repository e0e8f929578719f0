"""A note inside written files: axes by name, step and unit, frames not used, and the recipe."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError

#: Key of the note: in the ImageJ "Info", in the TIFF description, and of a PNG text.
KEY = "napari_stack"


def encode(
    axes: Sequence[Axis],
    sizes: Sequence[int],
    recipe: Mapping[str, Any] | None,
    used: Sequence[bool] | None = None,
) -> dict[str, Any]:
    """Make the note as plain data.

    Parameters
    ----------
    axes : sequence of Axis
        Leading axes, y and x.
    sizes : sequence of int
        Lengths of the leading axes.
    recipe : mapping, optional
    used : sequence of bool, optional
        Whether each frame, in C order over the leading axes, is one that reducers take.
    """
    plain = [_plain(axis) for axis in axes]
    note: dict[str, Any] = {"axes": plain, "sizes": [int(size) for size in sizes]}
    note |= {"used": list(used)} if used is not None else {}
    return {KEY: note | ({"recipe": recipe} if recipe is not None else {})}


def _plain(axis: Axis) -> dict[str, Any]:
    plain = {"name": axis.name, "step": float(axis.step), "unit": axis.unit}
    return plain | ({"labels": list(axis.labels)} if axis.labels else {})


def to_text(note: Mapping[str, Any]) -> str:
    """Write a note as JSON, in ASCII.

    Raises
    ------
    ValueError
        When the recipe is not plain data.
    """
    try:
        return json.dumps(note)
    except TypeError as error:
        raise UserError(f"a recipe in a file must be plain data (JSON): {error}") from error


def from_text(text: str | None) -> dict[str, Any]:
    """Find the note in a text; an empty one where there is none."""
    if not text or not text.lstrip().startswith("{"):
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    note = found.get(KEY)
    return note if isinstance(note, dict) else {}


def used_of(note: Mapping[str, Any], count: int) -> NDArray[np.bool_] | None:
    """Read which of `count` frames are used, or None where a note does not tell."""
    used = note.get("used")
    if not isinstance(used, list) or len(used) != count:
        return None
    return np.array([one is not False for one in used], bool)


def axes_of(note: Mapping[str, Any]) -> tuple[tuple[Axis, ...], tuple[int, ...]] | None:
    """Read axes and sizes from a note, or None where it has none that make sense."""
    try:
        axes = tuple(
            Axis(
                str(a["name"]),
                float(a["step"]),
                str(a["unit"]),
                tuple(map(str, a.get("labels", ()))),
            )
            for a in note["axes"]
        )
        sizes = tuple(int(size) for size in note["sizes"])
    except (KeyError, TypeError, ValueError):
        return None
    names = {axis.name for axis in axes}
    return (axes, sizes) if len(axes) == len(sizes) + 2 == len(names) else None
