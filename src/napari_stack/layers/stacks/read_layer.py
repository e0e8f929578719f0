"""From a napari Image layer to a `Stack` or `Hyperstack`: axes, pixel sizes, the chain so far."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Image, Layer
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.source import ArraySource
from napari_stack.core.stack import Stack
from napari_stack.core.units import spelled
from napari_stack.layers.compat import full_resolution
from napari_stack.layers.provenance import KEY, Chain, link_of, recall, used_frames
from napari_stack.layers.stacks.looks import look_of, told_axes
from napari_stack.recipe.rows import Earlier

Data = Stack | Hyperstack


def leading_axes(layer: Any) -> dict[str, int]:
    """Lengths of the axes that can be stacked, by name: all but the last two, and colours.

    It is asked of any Image layer, and refuses none: not an empty one, nor one of complex numbers.
    """
    shape = full_resolution(layer).shape
    return dict(zip([axis.name for axis in axes_of(layer)[:-2]], shape, strict=False))


def position_at(layer: Any, world: Any) -> dict[str, int]:
    """Return the frame that lies at a place of the world, along each axis that can be stacked."""
    point = layer.world_to_data(world[-layer.ndim :])
    sizes = leading_axes(layer)
    return {
        name: min(max(round(float(at)), 0), size - 1)
        for (name, size), at in zip(sizes.items(), point, strict=False)
    }


def used_along_axis(data: Data) -> NDArray[np.bool_]:
    """Return which frames along the stacked axis are used, at one position of the others at least.

    Single planes that left a drifting volume make no frame of that time unused.
    """
    if isinstance(data, Stack):
        return data.used
    used = np.moveaxis(data.frames.used.reshape(data.sizes), data.number, 0)
    return np.asarray(used.reshape(len(used), -1).any(axis=1))


def axes_of(layer: Any) -> tuple[Axis, ...]:
    """Return the axes of a layer; where two have the same label, napari's numbers name them.

    What a layer does not hold, such as names of channels, is known from its metadata, where an
    axis of that name still has as many places.
    """
    count = Counter(layer.axis_labels)
    names = [
        label if count[label] == 1 and not _is_number(label) else str(number - layer.ndim)
        for number, label in enumerate(layer.axis_labels)
    ]
    told = told_axes(layer) if isinstance(layer, Image) else {}  # of other layers none is asked
    described = zip(names, layer.scale, layer.units, layer.translate, strict=True)
    axes = [
        Axis(name, float(step), spelled(str(unit)), start=float(at))
        for name, step, unit, at in described
    ]
    if not told:
        return tuple(axes)
    sizes = full_resolution(layer).shape[: layer.ndim]
    return tuple(_with_told(a, told.get(a.name), size) for a, size in zip(axes, sizes, strict=True))


def _with_told(axis: Axis, told: Axis | None, size: int) -> Axis:
    """Give an axis of a layer what is told of it and fits it."""
    if told is None:
        return axis
    placed = told.positions[:1] == (axis.start,) and told.step == axis.step
    return replace(
        axis,
        labels=told.labels if len(told.labels) == size else (),
        looks=told.looks if len(told.looks) == size else (),
        positions=told.positions if placed and len(told.positions) == size else (),
    )


def _is_number(label: str) -> bool:
    # Such a label, on another axis than the one of this number, would name two.
    return label.lstrip("-").isdigit() or not label


def read_layer(layer: Layer) -> Chain:
    """Take a layer as data to compute with, and what is known of its history.

    A layer that still shows the very array that this project made continues the chain of
    corrections behind it; any other starts from its data as it is.

    Raises
    ------
    ValueError
        For a layer that cannot be stacked: not an image, too few dimensions, or empty.
    TypeError
        For something else than a layer.
    """
    if not isinstance(layer, Layer):
        raise TypeError(
            f"an Image layer is needed, got {type(layer).__name__}: for an array, use the function "
            "of the same name in napari_stack on Stack.wrap(array)"
        )
    if not isinstance(layer, Image):
        kind = type(layer).__name__
        raise UserError(f"{layer.name!r} is a {kind} layer: choose an Image layer with frames")
    data = full_resolution(layer)
    if layer.ndim < 3:
        raise UserError(
            f"the layer {layer.name!r} is a single image of {layer.ndim} dimensions: choose one "
            "with an axis of frames before y and x"
        )
    if 0 in data.shape:
        raise UserError(f"the layer {layer.name!r} is empty: its shape is {tuple(data.shape)}")
    known = recall(layer)
    if known is not None:
        data = known.data.with_frames(replace(known.data.frames, look=look_of(layer)))
        return replace(known, data=_with_axes(data, axes_of(layer)))
    made = link_of(layer)
    earlier = Earlier() if made is None else made.earlier
    begun = layer.metadata.get(KEY, {}).get("source") if earlier.steps else None
    return Chain(_wrapped(layer, data), (), begun or layer.name, earlier=earlier, made=made)


def _wrapped(layer: Any, data: Any) -> Data:
    axes = axes_of(layer)
    sizes = tuple(int(size) for size in data.shape[: layer.ndim - 2])
    source = ArraySource(data, sizes, f"the layer {layer.name!r}")
    alpha = layer.rgb and data.shape[-1] == 4
    named = _three((Axis("frame"), *axes[-2:]))
    used = used_frames(data)
    stack = Stack(source, (), used, layer.rgb, alpha, named, look_of(layer))  # type: ignore[arg-type]
    if layer.ndim == 3:
        return replace(stack, axes=_three(axes))
    return Hyperstack(stack, axes[:-2], sizes, axes[0].name)


def _three(axes: tuple[Axis, ...]) -> tuple[Axis, Axis, Axis]:
    frames, y, x = axes
    return frames, y, x


def _with_axes(data: Data, axes: tuple[Axis, ...]) -> Data:
    """Give data the axes that its layer has now: the user may have named them since."""
    if isinstance(data, Stack):
        return replace(data, axes=_three(axes))
    frames = replace(data.frames, axes=_three((data.frames.axes[0], *axes[-2:])))
    # Which one is stacked is asked anew of every operator.
    return replace(data, frames=frames, leading=axes[:-2], axis=axes[0].name, chosen=False)


def axis_name(layer: Any, axis: str | int | None) -> str:
    """Return the name of a leading axis given by name or number; "" when none is given.

    Numbers count as in Python and in napari's labels: 0 is the first axis of the layer, -3 the
    third from the end.
    """
    names = list(leading_axes(layer))
    if axis is None or axis in ("", *names):
        return str(axis or "")
    try:
        number = int(axis)
    except ValueError:
        number = layer.ndim
    if not -layer.ndim <= number < layer.ndim - 2 or number in (-1, -2):
        raise UserError(
            f"the layer {layer.name!r} has no axis {axis!r} to stack; it has {', '.join(names)}"
        )
    return names[number % layer.ndim]
