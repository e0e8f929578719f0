"""Arrays of any number of axes as frames: which axes are y, x and channels, which come before."""

from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import DTypeLike

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files.formats.base import Contents, Frame

#: A last axis of this length holds colours where the axis before it is longer.
_COLOURS = (3, 4)


def contents_of(shape: tuple[int, ...], dtype: DTypeLike, *, partial: bool) -> Contents:
    """Say what an array without names of axes holds: (..., y, x), or (..., y, x, colours).

    Raises
    ------
    ValueError
        For less than two axes.
    """
    channels = int(len(shape) > 2 and shape[-1] in _COLOURS and shape[-2] > max(_COLOURS))
    leading = shape[: len(shape) - 2 - channels]
    names = [f"axis{number}" for number in range(len(leading))] if len(leading) > 1 else ["frame"]
    return named_contents(
        shape, dtype, [Axis(n) for n in names[: len(leading)]] + [Axis("y"), Axis("x")], partial
    )


def named_contents(
    shape: tuple[int, ...], dtype: DTypeLike, axes: list[Axis], partial: bool
) -> Contents:
    """Say what an array holds whose axes are named, all but the channels of a pixel.

    Raises
    ------
    ValueError
        For axes that do not fit the shape.
    """
    if len(axes) < 2 or len(shape) - len(axes) not in (0, 1):
        raise UserError(f"it holds an array of the shape {shape}, which is no image")
    count = len(axes) - 2
    frame = shape[count:]
    native = np.dtype(dtype).newbyteorder("=")
    single = not count
    return Contents(
        Frame(frame, native, rgb=frame[2:] == (3,)),
        partial,
        (Axis("frame"),) if single else tuple(axes[:count]),
        (1,) if single else shape[:count],
        (axes[-2], axes[-1]),
        np.arange(prod(shape[:count])),
    )


def labelled(contents: Contents, name: str, labels: tuple[str, ...]) -> Contents:
    """Return contents whose axis of a name has names for its places, where their number fits."""
    sizes = zip(contents.leading, contents.sizes, strict=True)
    leading = tuple(
        replace(axis, labels=labels) if axis.name == name and size == len(labels) else axis
        for axis, size in sizes
    )
    return replace(contents, leading=leading)
