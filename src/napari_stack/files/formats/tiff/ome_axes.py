"""What OME says of axes and looks, and how it is said: steps, places of planes, colours, names."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from napari_stack.core.axis import Axis
from napari_stack.core.look import Look, ramp, rgb_of
from napari_stack.core.units import metres, plain_unit, seconds
from napari_stack.files.formats.tiff.imagej import number_of
from napari_stack.files.formats.tiff.ome_xml import OmeImage
from napari_stack.files.write_content import Content

#: Attributes of Plane that say where it lies, and their units where none is given; a place in the
#: "reference frame" is one of unknown unit.
_PLACES = {"x": ("PositionX", "reference frame"), "y": ("PositionY", "reference frame"),
           "z": ("PositionZ", "reference frame"), "t": ("DeltaT", "s")}  # fmt: skip

#: A line, a twelfth of an inch, is 6 points; what napari takes "li" for is a link of surveyors.
_LINE = {"li": (6, "pt")}

#: Places are uneven where one lies off by more than this part of a step.
_UNEVEN = 0.02


def axes_of(ome: OmeImage) -> dict[str, Axis]:
    """Return what is said of the axes, by name."""
    keys = {name: f"PhysicalSize{name.upper()}" for name in "xyz"} | {"t": "TimeIncrement"}
    units = {"x": "um", "y": "um", "z": "um", "t": "s"}
    found = {}
    for name, key in keys.items():
        factor, said = _LINE.get(unit := ome.pixels.get(f"{key}Unit", units[name]), (1, unit))
        axis = Axis(name, factor * number_of(ome.pixels.get(key)), plain_unit(said))
        found[name] = _placed(axis, _places(ome, name, axis.unit))
    return found


def _places(ome: OmeImage, name: str, unit: str) -> list[float]:
    """Where the planes of the first channel lie along an axis, in a unit; none where unknown."""
    attribute, usual = _PLACES[name]
    others = {"TheC": "0"} | {key: "0" for key in ("TheZ", "TheT") if key[-1] != name.upper()}
    planes = [p for p in ome.planes if all(p.get(key, "0") == at for key, at in others.items())]
    if name in "zt":
        planes.sort(key=lambda plane: number_of(plane.get(f"The{name.upper()}")))
    factor = metres if name in "xyz" else seconds
    places = []
    for plane in planes:
        times, said = _LINE.get(given := plane.get(f"{attribute}Unit", usual), (1, given))
        stored, wanted = factor(said), factor(unit)
        if attribute not in plane or not stored or not wanted:
            return []
        places.append(number_of(plane[attribute]) * times * stored / wanted)
    return places


def _placed(axis: Axis, places: Sequence[float]) -> Axis:
    """Give an axis the places of its planes: where it starts, and each where they are uneven."""
    if not places:
        return axis
    if axis.name in "xy" or len(places) == 1:
        return Axis(axis.name, axis.step, axis.unit, start=places[0])
    gaps = np.diff(places)
    if not (gaps > 0).all():  # of what was not recorded, or runs back and forth
        return axis
    step = axis.step or float(gaps.mean())
    even = places[0] + step * np.arange(len(places))
    uneven = np.abs(even - places).max() > _UNEVEN * step
    return Axis(axis.name, step, axis.unit, positions=tuple(places) if uneven else (),
                start=places[0])  # fmt: skip


def looks_of(ome: OmeImage) -> tuple[Look, ...]:
    """Return how the channels are shown; white is said of those of which nothing is known."""
    colours = ome.colours
    return tuple(Look(colours=() if c == "#ffffff" else ramp(c)) for c in colours)


def described(content: Content, roles: list[str], text: str) -> dict[str, Any]:
    """Return the metadata for tifffile of a file of OME; the note is its description."""
    colours = "S" * (len(content.frame_shape) == 3)
    metadata: dict[str, Any] = {"axes": "".join(roles).upper() + "YX" + colours}
    metadata["Description"] = text
    axes = dict(zip([*roles, "y", "x"], content.axes, strict=True))
    for role, axis in axes.items():
        step, unit = abs(axis.step), plain_unit(axis.unit)
        if role == "t" and seconds(unit):
            metadata |= {"TimeIncrement": step, "TimeIncrementUnit": unit}
        elif role in "xyz" and (metres(unit) or (unit == "pixel" and step != 1)):
            key = f"PhysicalSize{role.upper()}"
            metadata |= {key: step, f"{key}Unit": _OME.get(unit, unit)}
    if planes := _planes(content, axes):
        metadata["Plane"] = planes
    if channels := _channels(content, roles, rgb=bool(colours)):
        metadata["Channel"] = channels
    return metadata


#: Units that OME spells in another way.
_OME = {"um": "µm", "angstrom": "Å", "inch": "in", "foot": "ft", "yard": "yd", "mile": "mi",
        "point": "pt", "astronomical_unit": "ua", "light_year": "ly", "parsec": "pc",
        "pixel": "pixel"}  # fmt: skip


def _planes(content: Content, axes: Mapping[str, Axis]) -> dict[str, list[Any]]:
    """Say where each plane lies, along the axes that do not begin at 0, or are uneven."""
    sizes = content.sizes
    roles = [role for role in axes if role not in "yx"]
    found: dict[str, list[Any]] = {}
    for role, axis in axes.items():
        unit = plain_unit(axis.unit)
        known = seconds(unit) if role == "t" else metres(unit)
        if role == "c" or not known or not (axis.start or axis.positions):
            continue
        at = roles.index(role) if role in roles else None
        places = [
            axis.start if at is None else axis.position(place[at])
            for place in product(*map(range, sizes))
        ]
        attribute = _PLACES[role][0]
        found |= {attribute: places, f"{attribute}Unit": [_OME.get(unit, unit)] * len(places)}
    return found


def _channels(content: Content, roles: list[str], *, rgb: bool) -> dict[str, list[Any]]:
    """Say names and colours of the channels, as far as they are known."""
    if rgb:
        return {}
    looks = content.looks_along(roles.index("c") if "c" in roles else None)
    found: dict[str, list[Any]] = {}
    if any(look.name for look in looks):
        found["Name"] = [look.name for look in looks]
    if any(look.colours for look in looks):
        found["Color"] = [_signed(look.colours[-1] if look.colours else "#ffffff")
                          for look in looks]  # fmt: skip
    return found


def _signed(colour: str) -> int:
    """Return a colour as OME has it: red, green, blue, alpha in 32 bits with a sign."""
    return int.from_bytes((*rgb_of(colour), 255), "big", signed=True)
