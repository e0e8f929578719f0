"""What ImageJ says of axes and looks in its files: steps, origins, colours, ranges, names."""

import re
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from napari_stack.core.axis import Axis
from napari_stack.core.look import Look, gradient, limits_of, ramp
from napari_stack.core.units import metres, plain_unit, seconds
from napari_stack.files.write_content import Content

#: Colours that ImageJ gives to channels without a table, in this order.
_DEFAULT = ("red", "green", "blue", "gray", "cyan", "magenta", "yellow")

#: What Bio-Formats puts before the name of a channel in the label of a plane.
_PLACE = re.compile(r"^(?:[czt]:\d+/\d+\s*)+(?:-\s*)?")

#: A step in metres or seconds that TIFF holds as a ratio of whole numbers, and texts show well.
_SMALL, _LARGE = 1e-9, 1e9


def axes_of(metadata: Mapping[str, Any], sizes: Mapping[str, float]) -> dict[str, Axis]:
    """Return what is said of the axes, by name.

    Parameters
    ----------
    metadata : mapping
        The description and the metadata of ImageJ, as tifffile gives them.
    sizes : mapping
        Pixel sizes along y and x.
    """
    unit = str(metadata.get("unit", "pixel"))
    steps = {**sizes, "z": abs(number_of(metadata.get("spacing")))}
    found = {}
    for name, step in steps.items():
        start = -number_of(metadata.get(f"{name}origin")) * step + 0.0  # which makes no -0
        found[name] = Axis(name, step, plain_unit(str(metadata.get(f"{name}unit", unit))),
                           start=start)  # fmt: skip
    time = plain_unit(str(metadata.get("tunit", "sec")))
    return found | {"t": Axis("t", number_of(metadata.get("finterval")), time)}


def looks_of(metadata: Mapping[str, Any], page: Any) -> tuple[Look, ...]:
    """Return how channels are shown; those of which nothing is known have an empty `Look`."""
    count = max(int(number_of(metadata.get("channels", 1))), 1)
    if page.samplesperpixel > 1:  # colours
        return (Look(),) * count
    tables = [_colours(table) for table in _several(metadata.get("LUTs"), 2)]
    if not tables and count > 1 and metadata.get("mode") in ("composite", "color"):
        tables = [ramp(_DEFAULT[i % len(_DEFAULT)]) for i in range(count)]
    if not tables and count == 1:
        tables = [_shown_colours(page)]
    ranges = list(np.ravel(metadata.get("Ranges", ())))
    if count == 1 and "max" in metadata:
        ranges = [metadata.get("min", 0.0), metadata["max"]]
    known = min(max(len(tables), len(ranges) // 2), count)
    looks = tuple(
        Look(colours=tables[i] if i < len(tables) else (),
             limits=limits_of(ranges[2 * i : 2 * i + 2]))
        for i in range(known)
    )  # fmt: skip
    return looks + (Look(),) * (count - known)


def _colours(table: Any) -> tuple[str, ...]:
    table = np.asarray(table)
    return gradient(table.T) if table.ndim == 2 and table.shape[0] == 3 else ()


def _several(value: Any, ndim: int) -> list[Any]:
    """Make a list of what tifffile gives as one where there is one: of so many dimensions."""
    if value is None:
        return []
    return [value] if np.ndim(value) == ndim else list(value)


def _shown_colours(page: Any) -> tuple[str, ...]:
    """Return the colours of an image that is one channel: of its palette, or turned round."""
    if page.colormap is not None:
        found = gradient(np.asarray(page.colormap).T >> 8)
        return () if found == ("#000000", "#ffffff") else found
    return ("#ffffff", "#000000") if page.photometric == 0 else ()


def names_of(metadata: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """Return the names of channels, where each has the same label at all planes and times."""
    labels = _several(metadata.get("Labels"), 0)
    labels = [_PLACE.sub("", str(label).partition("\n")[0]).strip() for label in labels]
    names = labels[:count]
    if count < 2 or len(set(names)) < 2 or not all(names) or len(labels) % count:
        return ()
    same = all(label == names[number % count] for number, label in enumerate(labels))
    return tuple(names) if same else ()


def number_of(text: Any) -> float:
    """Return a number, or 0 for what is none."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return 0.0


def storable(axis: Axis) -> Axis:
    """Return an axis with a step above 0 that TIFF can hold, in another unit where it must be."""
    step, unit = abs(axis.step), plain_unit(axis.unit)
    if metres(unit) and not 1e-6 <= step <= 1e6:
        factor = metres(unit) or 1.0
        size, units = step * factor, ("fm", "pm", "nm", "um", "mm", "m", "km")
        best = max((u for u in units if (metres(u) or 1) <= size), key=lambda u: metres(u) or 1,
                   default="fm")  # fmt: skip
        scale = factor / (metres(best) or 1)
        return Axis(axis.name, step * scale, best, axis.labels, start=axis.start * scale)
    return Axis(axis.name, step, unit, axis.labels, axis.positions, axis.start, axis.looks)


def holds(step: float) -> bool:
    """Whether TIFF holds the inverse of a step as a ratio of whole numbers."""
    return _SMALL <= step <= _LARGE


def described(content: Content, roles: list[str], order: list[str], text: str) -> dict[str, Any]:
    """Return the options of tifffile for a file of ImageJ.

    Parameters
    ----------
    content : Content
        Its frames in the order of ImageJ.
    roles : list of str
        Which of t, z and c each leading axis is.
    order : list of str
        These in the order of the file.
    text : str
        Our own note.
    """
    letters = "".join(order).upper()
    y, x = (storable(axis) for axis in content.axes[-2:])
    metadata: dict[str, Any] = {"axes": letters + "YX" + "S" * content.frames.rgb, "Info": text}
    for role, given in zip(roles, content.leading, strict=True):
        axis = storable(given)
        if role == "z":
            metadata |= {"spacing": axis.step, "zunit": axis.unit} | _origin("z", axis)
        elif role == "t" and (unit := seconds(axis.unit)):
            metadata["finterval"] = axis.step * unit  # many readers know no "tunit"
    if {y.unit, x.unit} != {"pixel"}:
        metadata |= {"unit": x.unit} | ({"yunit": y.unit} if y.unit != x.unit else {})
    metadata |= _origin("y", y) | _origin("x", x)
    if not content.frames.rgb:
        metadata |= _shown(content, roles)
    sizes = holds(x.step) and holds(y.step)
    return {"metadata": metadata} | ({"resolution": (1 / x.step, 1 / y.step)} if sizes else {})


def _origin(name: str, axis: Axis) -> dict[str, float]:
    return {f"{name}origin": -axis.start / axis.step} if axis.start else {}


def _shown(content: Content, roles: list[str]) -> dict[str, Any]:
    """Describe colours, ranges and names of the channels, as far as they are known."""
    looks = content.looks_along(roles.index("c") if "c" in roles else None)
    found: dict[str, Any] = {}
    if any(look.colours for look in looks):
        found |= {"LUTs": [np.ascontiguousarray(look.table().T) for look in looks]}
        found |= {"mode": "composite"} if len(looks) > 1 else {}
    if all(look.limits for look in looks):
        ranges = [value for look in looks for value in look.limits or ()]
        found |= {"Ranges": tuple(ranges), "min": ranges[0], "max": ranges[1]}
    if len(looks) > 1 and all(look.name for look in looks):
        repeated = prod(content.sizes) // len(looks)
        found["Labels"] = [look.name for look in looks] * repeated
    return found
