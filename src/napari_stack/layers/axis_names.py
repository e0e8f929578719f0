"""What the axes of a layer are: names, what its file says, colours that napari took for an axis."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image, Layer

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.notices import warn_caller
from napari_stack.files import read
from napari_stack.layers.compat import full_resolution
from napari_stack.layers.provenance import recall
from napari_stack.layers.stacks.looks import layer_axes
from napari_stack.layers.stacks.read_layer import Data, leading_axes
from napari_stack.recipe import Step
from napari_stack.recipe.planning.facts import meaning_of

#: What axes usually are: how it is written on a layer, and in words.
USUAL = {"t": "Time", "z": "Focus, depth", "c": "Channels", "position": "Positions"}

#: Sides of a picture are longer than this; colours are three or four.
_SHORTEST = 16


def is_named(name: str) -> bool:
    """Whether the name of an axis tells what it is."""
    return bool(meaning_of(name))


def renamed(labels: tuple[str, ...], number: int, name: str) -> tuple[str, ...]:
    """Return labels with one of them changed; another of that name takes the old one.

    Examples
    --------
    >>> renamed(("t", "z", "y", "x"), 0, "z")
    ('z', 't', 'y', 'x')
    """
    old, count = labels[number], len(labels)
    numbered = old.lstrip("-").isdigit()  # napari's number for the axis, which is another there
    swapped = [
        (str(place - count) if numbered else old) if label == name else label
        for place, label in enumerate(labels)
    ]
    swapped[number] = name
    return tuple(swapped)


def why_to_choose(operator: str, layer: Image) -> str:
    """Say why an axis to stack must be chosen, or return "".

    So it is where an operator is for one kind of axis, as focus stacking is for z, and of several
    axes none is known to be of that kind.
    """
    wanted = Step(operator).entry.preferred_axis
    sizes = {name: size for name, size in leading_axes(layer).items() if size > 1}
    if not wanted or len(sizes) < 2 or any(meaning_of(name) == wanted for name in sizes):
        return ""
    axes = ", ".join(f"{name} ({size})" for name, size in sizes.items())
    words = operator.replace("_", " ")
    return f"none of the axes {axes} is named {wanted}, so it is unknown which one to {words} along"


def told_default_axis(operator: str, layer: Layer) -> str:
    """Return the axis that is stacked when none is chosen; a warning tells where it is a guess."""
    chosen = default_axis(operator, layer)
    if missing := why_to_choose(operator, layer):
        warn_caller(f"{missing}: {chosen} is taken; give axis=...")
    return chosen


def default_axis(operator: str, layer: Layer) -> str:
    """Name of the axis that an operator stacks when none is chosen.

    The one it prefers, else the first; an axis of one frame only where there is no other. The
    data does not matter: it may be empty, or of a kind that no operator takes.
    """
    sizes = leading_axes(layer)
    several = [name for name, size in sizes.items() if size != 1] or list(sizes)
    if not several:
        return ""
    # The operator chooses, among axes of these names.
    stand_in = np.zeros((1,) * (len(several) + 2), np.uint8)
    named = Hyperstack.wrap(stand_in, axes=(*several, "y", "x"), rgb=False)
    return named.with_stacked_axis(Step(operator).entry).axis


def may_be_colours(layer: Any) -> bool:
    """Whether the last axis of a layer is as long as colours are, and not shown as such."""
    if not isinstance(layer, Image) or layer.rgb or layer.ndim < 3:
        return False
    *_, rows, columns, last = full_resolution(layer).shape
    return last in (3, 4) and min(rows, columns) > _SHORTEST and "x" not in layer.axis_labels[-1:]


def as_colours(layer: Image) -> Image:
    """Return a layer whose last axis is colours; axes before it keep their names and scale."""
    return Image(
        full_resolution(layer),
        name=layer.name,
        rgb=True,
        multiscale=False,
        scale=layer.scale[:-1],
        translate=layer.translate[:-1],
        units=layer.units[:-1],
        axis_labels=_for_colours(layer.axis_labels[:-1]),
        metadata=dict(layer.metadata),
    )


def _for_colours(labels: tuple[str, ...]) -> tuple[str, ...]:
    numbered = all(label.lstrip("-").isdigit() for label in labels)
    names = (*(f"-{n + 2}" for n in range(len(labels) - 2, 0, -1)), "y", "x")
    return names if numbered else tuple(labels)


def asks_its_file(layer: Any) -> bool:
    """Whether a layer lacks names of axes, or sizes of pixels, that its file may know."""
    if not isinstance(layer, Image) or recall(layer) is not None:
        return False
    path = layer.source.path
    if not path or not Path(path).exists():
        return False
    nameless = any(not is_named(n) for n, size in leading_axes(layer).items() if size > 1)
    return nameless or all(str(unit) == "pixel" for unit in layer.units)


def file_reader(layer: Image) -> Callable[[], Data | None]:
    """Return the function that reads the headers of a layer's file: what it knows, or None."""
    path, labels = str(layer.source.path), tuple(layer.axis_labels)
    scale = tuple(map(float, layer.scale))

    def look() -> Data | None:
        data = read(path)
        told = any(axis.unit != "pixel" or is_named(axis.name) for axis in data.axes)
        same = labels == tuple(axis.name for axis in data.axes) and scale == tuple(
            axis.step for axis in data.axes
        )
        return data if told and not same else None

    return look


def axes_text(data: Data) -> str:
    """Say what axes there are, and how far apart their places lie.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_stack import Axis, Hyperstack
    >>> axes = (Axis("t", 10, "second"), "c", Axis("y", 0.25, "um"), Axis("x", 0.25, "um"))
    >>> axes_text(Hyperstack.wrap(np.zeros((2, 3, 4, 5)), axes=axes))
    't, c; 0.25 um, 10 s'
    """
    names = ", ".join(axis.name for axis in data.axes[:-2])
    known = (data.axes[-1], *data.axes[:-2])
    steps = [f"{axis.step:.4g} {_short(axis)}" for axis in known if axis.unit != "pixel"]
    return "; ".join(filter(None, [names, ", ".join(steps)]))


def _short(axis: Axis) -> str:
    shorter = {"micrometer": "um", "second": "s", "millisecond": "ms", "nanometer": "nm"}
    return shorter.get(axis.unit, axis.unit)


def take_axes(layer: Any, data: Data) -> bool:
    """Give a layer the names, steps and units of a file's axes; False where the shapes differ."""
    shape = tuple(full_resolution(layer).shape)
    if shape != tuple(data.shape) or layer.ndim != len(data.axes):
        return False
    axes = layer_axes(data.axes)
    for name in ("scale", "translate", "units", "axis_labels"):
        setattr(layer, name, axes[name])
    return True
