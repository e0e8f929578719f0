"""Images as libraries describe them: the axis of times, that of channels, and what a file holds."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite, prod
from typing import Any

import numpy as np

from napari_stack.core.axis import Axis
from napari_stack.core.look import Look
from napari_stack.files.formats.array_axes import StoredImage
from napari_stack.files.formats.base import Contents, Frame

#: Times that lie this near to even ones, as a share of the step, are even: clocks count in whole
#: microseconds or milliseconds.
_EVEN = 1e-3


def time_axis(times: Sequence[float], name: str = "t") -> Axis:
    """Return the axis of frames that were recorded at these times, in seconds.

    Times that are uneven are kept as `positions`; the step is their mean then.
    """
    known = np.asarray(times, float)
    if len(known) < 2 or not np.isfinite(known).all():
        return Axis(name)
    gaps = np.diff(known)
    step = float(gaps.mean())
    if step <= 0:
        return Axis(name)
    even = bool(np.abs(gaps - step).max() <= _EVEN * step)
    return Axis(name, step, "s", positions=() if even else tuple(known.tolist()))


def spaced(name: str, step: float, unit: str) -> Axis:
    """Return an axis of evenly spaced places, counted in pixels where no step is known."""
    return Axis(name, float(step), unit) if isfinite(step) and step > 0 else Axis(name)


def channel_axis(looks: Sequence[Look]) -> Axis:
    """Return the axis of channels, with their names where any has one, and their colours."""
    names = tuple(look.name for look in looks)
    shown = tuple(replace(look, name="") for look in looks)
    known = any(look != Look() for look in shown)
    return Axis("c", labels=names if any(names) else (), looks=shown if known else ())


def stored_image(
    array: Any,
    leading: Sequence[tuple[Axis, int]],
    frame: Frame,
    plane: tuple[Axis, Axis],
    *,
    partial: bool = False,
    name: str = "",
    kind: str = "",
    look: Look = Look(),
) -> StoredImage:
    """Describe an image whose frames lie in C order over the leading axes.

    Parameters
    ----------
    array : object
        What `ArrayFormat.read_rows` needs to know of it.
    leading : sequence of (Axis, int)
        Axes before y and x, and their lengths.
    frame, plane, partial, look
        See `Contents`.
    name, kind
        See `Series`.
    """
    axes = tuple(axis for axis, _ in leading) or (Axis("frame"),)
    sizes = tuple(size for _, size in leading) or (1,)
    order = np.arange(prod(sizes))
    held = Contents(frame, partial, axes, sizes, plane, order, look=look)
    return StoredImage(array, (*sizes, *frame.shape), held, name, kind)
