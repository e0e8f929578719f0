"""OME-NGFF 0.3 to 0.5: what its attributes say of axes and looks, and how it is said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np

from napari_stack.core.axis import Axis, usual_name
from napari_stack.core.look import Look, limits_of, ramp
from napari_stack.core.units import long_name, plain_unit
from napari_stack.files.write_content import Content

#: Kinds of axes in the order in which OME-NGFF wants them; "" is a kind of one's own, which takes
#: the place of channels.
_ORDER = ("time", "channel", "", "space")

_KINDS = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}

#: Looks of the channels of colours.
_COLOURS = (("red", "FF0000"), ("green", "00FF00"), ("blue", "0000FF"), ("alpha", "FFFFFF"))

#: What is said of a channel whose colours are not known, as the schema demands one.
_WHITE = "FFFFFF"


@dataclass(frozen=True)
class Plan:
    """How frames lie in an array of OME-NGFF.

    Attributes
    ----------
    axes : tuple of Axis
        Of the array, y and x last; channels of a pixel are among them.
    kinds : tuple of str
        Of these axes.
    order : tuple of int
        Which leading axis of the content comes at which place; -1 is the channels of a pixel.
    """

    axes: tuple[Axis, ...]
    kinds: tuple[str, ...]
    order: tuple[int, ...]


def plan_of(content: Content) -> Plan | None:
    """Find how frames lie in an array of OME-NGFF, None where it has no such axes.

    It has time, then channels or one kind of its own, then z, y and x. An axis of another name
    takes the first of these that is free.
    """
    axes = [_renamed(axis) for axis in content.leading]
    kinds = [_KINDS.get(usual_name(axis.name), "?") for axis in axes]
    order = list(range(len(axes)))
    if len(content.frame_shape) == 3:
        axes.append(Axis("c" if "c" not in {a.name for a in axes} else "band"))
        kinds.append("channel")
        order.append(-1)
    for number, kind in enumerate(kinds):
        if kind == "?":
            free = [k for k in ("time", "", "space") if _is_free(k, kinds)]
            kinds[number] = free[0] if free else "?"
    most = {"time": 1, "channel": 1, "": 1, "space": 1}
    many = any(kinds.count(kind) > number for kind, number in most.items()) or "?" in kinds
    if many or ("channel" in kinds and "" in kinds) or _repeated([a.name for a in axes]):
        return None
    ranked = sorted(range(len(axes)), key=lambda i: _ORDER.index(kinds[i]))
    return Plan(
        (*(axes[i] for i in ranked), *(_renamed(axis) for axis in content.axes[-2:])),
        (*(kinds[i] for i in ranked), "space", "space"),
        tuple(order[i] for i in ranked),
    )


def _renamed(axis: Axis) -> Axis:
    """Call an axis as others know it: "c" for "Channel"."""
    usual = usual_name(axis.name)
    return replace(axis, name=usual) if usual in _KINDS else axis


def _is_free(kind: str, kinds: Sequence[str]) -> bool:
    taken = {"channel", ""} if kind == "" else {kind}
    return not taken & set(kinds)


def _repeated(names: Sequence[str]) -> bool:
    return len({*names, "y", "x"}) < len(names) + 2


def described(plan: Plan, levels: int) -> dict[str, Any]:
    """Return the attributes of an image, those of its channels left out.

    Parameters
    ----------
    plan : Plan
    levels : int
        Resolutions, each of half the sides; their pixels are means of four, so that the middle of
        the first one moves.
    """
    axes = []
    for axis, kind in zip(plan.axes, plan.kinds, strict=True):
        unit = long_name(axis.unit) if kind in ("time", "space") else None
        told = {"name": axis.name} | ({"type": kind} if kind else {})
        axes.append(told | ({"unit": unit} if unit else {}))
    datasets = []
    for level in range(levels):
        factors = [1.0] * (len(axes) - 2) + [2.0**level] * 2
        both = list(zip(plan.axes, factors, strict=True))
        scale = [float(axis.step * factor) for axis, factor in both]
        starts = [float(a.position(0) + (factor - 1) / 2 * a.step) for a, factor in both]
        changes: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
        if any(starts):
            changes.append({"type": "translation", "translation": starts})
        datasets.append({"path": str(level), "coordinateTransformations": changes})
    scales = {"name": "0", "axes": axes, "datasets": datasets}
    return {"version": "0.5", "multiscales": [scales | ({"type": "mean"} if levels > 1 else {})]}


def channels_of(content: Content, plan: Plan, ranges: Sequence[tuple[float, float]]) -> Any:
    """Describe the channels, each with colour and window, as the schema of "omero" demands.

    Parameters
    ----------
    content : Content
    plan : Plan
    ranges : sequence of tuple of float
        Of the pixels of each channel, for those of which no display range is known.
    """
    dtype, stack = content.frames.dtype, content.frames
    whole = (0.0, 1.0) if dtype.kind == "b" else None
    if dtype.kind in "iu":
        whole = float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    channels = []
    for number, (look, colour) in enumerate(_looks(content, plan)):
        low, high = look.limits or (whole if stack.rgb and whole else ranges[number])
        least, most = whole or (min(low, ranges[number][0]), max(high, ranges[number][1]))
        window = {"min": least, "max": most, "start": low, "end": high}
        channels.append({"label": look.name or str(number), "color": colour, "window": window,
                         "active": look.name != "alpha"})  # fmt: skip
    return {"channels": channels, "rdefs": {"model": "color"}}


def _looks(content: Content, plan: Plan) -> list[tuple[Look, str]]:
    if -1 in plan.order and content.frames.rgb:
        count = content.frame_shape[2]
        return [(Look(name), colour) for name, colour in _COLOURS[:count]]
    if -1 in plan.order:
        return [(Look(), _WHITE)] * content.frame_shape[2]
    number = plan.order[plan.kinds.index("channel")] if "channel" in plan.kinds else None
    looks = content.looks_along(number)
    return [(look, look.colours[-1][1:].upper() if look.colours else _WHITE) for look in looks]


def axes_of(scale: Mapping[str, Any]) -> tuple[Axis, ...]:
    """Return the axes of level 0 of a multiscale image."""
    axes = [a if isinstance(a, dict) else {"name": a} for a in scale.get("axes", "tczyx")]
    steps, starts = np.ones(len(axes)), np.zeros(len(axes))
    for owner in (scale["datasets"][0], scale):
        for change in owner.get("coordinateTransformations", ()):
            if change.get("type") == "scale":
                factors = np.array(change["scale"], float)
                steps, starts = steps * factors, starts * factors
            elif change.get("type") == "translation":
                starts = starts + np.array(change["translation"], float)
    found = []
    for axis, step, start in zip(axes, steps.tolist(), starts.tolist(), strict=True):
        known = isfinite(step) and step and isfinite(start)
        unit = plain_unit(axis.get("unit") or "pixel")
        found.append(Axis(str(axis["name"]), step if known else 1.0, unit,
                          start=start + 0.0 if known else 0.0))  # fmt: skip
    return tuple(found)


def looks_of(omero: Any) -> tuple[Look, ...]:
    """Return how channels are shown; white, and a number for a name, say nothing."""
    channels = omero.get("channels") if isinstance(omero, Mapping) else None
    found = []
    for number, channel in enumerate(channels if isinstance(channels, list) else ()):
        told = channel if isinstance(channel, Mapping) else {}
        window = told.get("window")
        window = window if isinstance(window, Mapping) else {}
        colour = str(told.get("color", _WHITE))
        name = str(told.get("label", ""))
        limits = limits_of((window.get("start"), window.get("end")))
        colours = () if colour.upper() == _WHITE else ramp(colour)
        found.append(Look("" if name == str(number) else name, colours, limits))
    return tuple(found)


def with_looks(axis: Axis, size: int, looks: Sequence[Look]) -> Axis:
    """Give an axis of channels the names and looks of these, where there are as many."""
    if len(looks) != size:
        return axis
    names = tuple(look.name for look in looks) if any(look.name for look in looks) else ()
    shown = tuple(replace(look, name="") for look in looks)
    return replace(axis, labels=names, looks=shown if any(shown) else ())
