"""Axes of a TIFF: names, steps and units, from our own note, ImageJ, OME, or the resolution."""

from collections.abc import Mapping
from math import isfinite, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.files.formats.base import Contents
from napari_stack.files.formats.tiff.ome_xml import OmeImage, OmeXml, ome_of
from napari_stack.files.formats.tiff.pages import Layout, orientation_of
from napari_stack.files.metadata import Note

#: Names of axes by the letters of tifffile, where they are not just the small letter.
_NAMES = {"I": "frame"}

#: Spellings of the micrometre; ImageJ writes the second.
_MICROMETRES = {"µm", "\\u00b5m", "μm", "micron", "microns", "micrometer", "um"}

#: Centimetres in which TIFF itself can count.
_CENTIMETRES = {"nm": 1e-7, "um": 1e-4, "mm": 0.1, "cm": 1.0, "m": 100.0}

_BY_CENTIMETRE = 3

#: A step read as a ratio of whole numbers is the one in the note when it is as near as this.
_SAME_STEP = 1e-4


def plain_unit(unit: str) -> str:
    """Spell a unit in ASCII.

    Examples
    --------
    >>> plain_unit("µm"), plain_unit("sec"), plain_unit("mm")
    ('um', 's', 'mm')
    """
    unit = unit.strip().rstrip("\0")
    if unit.lower() in _MICROMETRES:
        return "um"
    return {"sec": "s", "second": "s", "seconds": "s", "": "pixel"}.get(unit, unit)


def centimetres(unit: str) -> float | None:
    """Length of a unit in cm, or None where it is no length."""
    return _CENTIMETRES.get(plain_unit(unit))


def contents_of(tif: Any, layout: Layout, count: int, number: int = 0) -> Contents:
    """Find the axes of a series of a file, and which frames are used.

    Our own note counts where what the file says in its own terms still agrees with it; which frames
    are used is known from it where its axes have the same lengths.

    Parameters
    ----------
    tif : tifffile.TiffFile
    layout : Layout
        Of its pages.
    count : int
        Number of its frames.
    number : int
        Of the series; our note tells of the only one.
    """
    series = tif.series[number]
    named, steps, ome = _named(series, count), _steps(tif, series.keyframe), ome_of(tif)
    note = note_of(tif) if number == 0 else Note()
    labels = ome.channels if ome else ()
    leading = tuple(
        Axis(name, *steps.get(name, (1.0, "pixel")),
             labels=labels if name == "c" and len(labels) == size else ())
        for name, size in named
    )  # fmt: skip
    sizes, order = tuple(size for _, size in named), np.arange(count)
    y, x, used = Axis("y", *steps["y"]), Axis("x", *steps["x"]), None
    if note.axes and prod(note.sizes) == prod(sizes):
        used = note.used_of(count)
        if _agrees(tif, note, (y, x)):
            *noted, y, x = note.axes
            if noted:  # else it is a single image
                leading, sizes = tuple(noted), note.sizes
                order = imagej_order(leading, sizes) if tif.is_imagej else order
    return Contents(layout.frame, layout.partial, leading, sizes, (y, x), order, used)


def _named(series: Any, count: int) -> list[tuple[str, int]]:
    """Names and lengths of the leading axes."""
    letters = zip(series.get_axes(squeeze=True), series.get_shape(squeeze=True), strict=True)
    found = [(letter, size) for letter, size in letters if letter not in "YXS"]
    if not found or prod(size for _, size in found) != count:
        return [("frame", count)]
    names: list[str] = []
    for letter, _ in found:
        name = _NAMES.get(letter, letter.lower())
        names.append(f"{name}{names.count(name) + 1}" if name in names else name)
    return [(name, size) for name, (_, size) in zip(names, found, strict=True)]


def _steps(tif: Any, page: Any) -> dict[str, tuple[float, str]]:
    """Find steps and units by the name of the axis."""
    if ome := ome_of(tif):
        found = ome_steps(ome)
    elif tif.is_imagej:
        found = _imagej_steps(tif.imagej_metadata or {}, page)
    else:
        found = _resolution_steps(page)
    if not ome and orientation_of(page) >= 5:  # steps are of what is stored
        found = found | {a: found[b] for a, b in ("xy", "yx") if b in found}
    return {"y": (1.0, "pixel"), "x": (1.0, "pixel")} | known_steps(found)


def ome_steps(ome: OmeXml | OmeImage) -> dict[str, tuple[float, str]]:
    """Find steps and units of an image by the name of the axis, of which OME-XML says some."""
    keys = {name: f"PhysicalSize{name.upper()}" for name in "xyz"} | {"t": "TimeIncrement"}
    units = {"x": "um", "y": "um", "z": "um", "t": "s"}
    found = {
        name: (_number(ome.pixels.get(key)), plain_unit(ome.pixels.get(f"{key}Unit", units[name])))
        for name, key in keys.items()
    }
    return known_steps(found)


def known_steps(steps: Mapping[str, tuple[float, str]]) -> dict[str, tuple[float, str]]:
    """Leave out steps that are none."""
    return {name: step for name, step in steps.items() if isfinite(step[0]) and step[0] > 0}


def _imagej_steps(metadata: Mapping[str, Any], page: Any) -> dict[str, tuple[float, str]]:
    unit = plain_unit(str(metadata.get("unit", "pixel")))
    steps = _sizes(page) | {"z": abs(_number(metadata.get("spacing")))}
    found = {
        name: (step, plain_unit(str(metadata.get(f"{name}unit", unit))))
        for name, step in steps.items()
    }
    return found | {"t": (_number(metadata.get("finterval")), "s")}


def _resolution_steps(page: Any) -> dict[str, tuple[float, str]]:
    """Take centimetres as the size of pixels; inches are for printing and mean nothing here."""
    if page.tags.valueof(296) != _BY_CENTIMETRE:
        return {}
    return {name: (step * 1e4, "um") for name, step in _sizes(page).items()}


def _sizes(page: Any) -> dict[str, float]:
    """Pixel sizes in the file's own unit, from its ratios of pixels a unit."""
    ratios = {"x": page.tags.valueof(282), "y": page.tags.valueof(283)}
    return {
        name: float(ratio[1]) / float(ratio[0])
        for name, ratio in ratios.items()
        if isinstance(ratio, tuple) and len(ratio) == 2 and ratio[0] and ratio[1]
    }


def _number(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return 0.0


def note_of(tif: Any) -> Note:
    """Read our own note in a file."""
    if tif.is_imagej:
        return Note.from_text(str((tif.imagej_metadata or {}).get("Info", "")))
    ome = ome_of(tif)
    return Note.from_text(ome.description if ome else tif.pages.first.description)


def _agrees(tif: Any, note: Note, plane: tuple[Axis, Axis]) -> bool:
    """Return whether what a file says in its own terms still agrees with the note."""
    pairs = list(zip(note.axes[-2:], plane, strict=True))
    if tif.is_ome:  # it stores lengths only: other units cannot be compared
        pairs = [pair for pair in pairs if centimetres(pair[0].unit)]
    return not (tif.is_imagej or tif.is_ome) or all(
        plain_unit(noted.unit) == plain_unit(found.unit)
        and abs(noted.step - found.step) <= _SAME_STEP * noted.step
        for noted, found in pairs
    )


def imagej_order(leading: tuple[Axis, ...], sizes: tuple[int, ...]) -> NDArray[np.intp]:
    """Return which frame of an ImageJ file, in the order (t, z, c), comes at which place."""
    roles = imagej_roles([axis.name for axis in leading])
    if roles is None:  # never written so
        return np.arange(prod(sizes))
    stored = [roles.index(role) for role in "tzc" if role in roles]
    numbers = np.arange(prod(sizes)).reshape([sizes[axis] for axis in stored])
    return numbers.transpose(np.argsort(stored)).ravel()


def imagej_roles(names: list[str]) -> list[str] | None:
    """Give each leading axis one of ImageJ's t, z and c, or None where it has more axes.

    Examples
    --------
    >>> imagej_roles(["t", "frame"]), imagej_roles(["channel", "t", "z", "q"])
    (['t', 'z'], None)
    """
    aliases = {"time": "t", "channel": "c", "depth": "z", "plane": "z", "slice": "z"}
    known = [aliases.get(name, name) for name in names]
    free = [role for role in "ztc" if role not in known]
    roles = [name if name in ("t", "z", "c") else "" for name in known]
    if len(set(filter(None, roles))) < len(list(filter(None, roles))) or len(names) > 3:
        return None
    return [role or free.pop(0) for role in roles]
