"""Zarr arrays and OME-Zarr, read by zarr: level 0 of the first image."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files import metadata
from napari_stack.files.formats.array_axes import contents_of, labelled, named_contents
from napari_stack.files.formats.base import (
    Contents,
    First,
    Frame,
    check_plausible,
    damage_named,
    needed_package,
)
from napari_stack.files.formats.tiff.axes import plain_unit
from napari_stack.files.formats.tiff.read import Headers, stamp_of

#: What lies in the folder of an array or group.
MARKS = ("zarr.json", ".zarray", ".zgroup", ".zattrs")


def is_zarr(path: Path) -> bool:
    """Tell a folder that is an array or group."""
    return any((path / mark).is_file() for mark in MARKS)


def contents(path: str, headers: Headers) -> Contents:
    """Look into an array, or the image of a group."""
    return _known(path, headers)[1]


def read_frame(
    path: str, number: int, rows: slice | None, first: First, headers: Headers
) -> NDArray[Any]:
    """Read one frame, or some rows of it."""
    array, found = _known(path, headers)
    first.check(path, found.frame, len(found.order))
    with damage_named(path):
        plane = np.unravel_index(number, array.shape[: len(array.shape) - len(found.frame.shape)])
        part = slice(0, found.frame.shape[0]) if rows is None else rows
        pixels = array[(*(int(i) for i in plane), part)]
        return np.ascontiguousarray(pixels, dtype=found.frame.dtype)


def note(path: str) -> dict[str, Any]:
    """Find our own note in the attributes."""
    with damage_named(path):
        found = dict(_opened(path).attrs).get(metadata.KEY)
    return found if isinstance(found, dict) else {}


def _opened(path: str) -> Any:
    with needed_package(path, "zarr", "zarr", "zarr"):
        import zarr
    return zarr.open(path, mode="r")


def _known(path: str, headers: Headers) -> tuple[Any, Contents]:
    key = ("zarr", stamp_of(path))
    if key not in headers.others:
        with damage_named(path):
            array, found = _image_in(_opened(path))
        check_plausible(path, found.frame, 2**40)
        headers.others[key] = array, found
    return headers.others[key]


def _image_in(node: Any) -> tuple[Any, Contents]:
    """Find the array of an image, and what it holds."""
    attributes = dict(node.attrs)
    ome = attributes.get("ome", attributes)
    if "plate" in ome or "well" in ome:
        raise UserError("it is a plate: name the folder of one image in it, such as A/1/0")
    noted = metadata.axes_of(attributes.get(metadata.KEY, {}))
    if hasattr(node, "shape"):
        array, axes = node, noted[0] if noted else ()
        axes = axes or _dimensions(node)
    elif scales := ome.get("multiscales"):
        array = node[scales[0]["datasets"][0]["path"]]
        axes = noted[0] if noted else _ome_axes(scales[0])
    elif noted and "0" in node:
        array, axes = node["0"], noted[0]
    elif "0" in node:  # a series of images, as bioformats2raw writes it
        return _image_in(node["0"])
    else:
        raise UserError("the group holds no image: name the folder of an array in it")
    chunk = array.chunks[-2] if len(array.shape) > 1 else 1
    partial = len(array.shape) > 1 and chunk < array.shape[-2]
    if not axes or len(array.shape) - len(axes) not in (0, 1):
        return array, contents_of(array.shape, array.dtype, partial=partial)
    found = named_contents(array.shape, array.dtype, list(axes), partial)
    declared = attributes.get(metadata.KEY, {})
    frame = found.frame
    if "rgb" in declared:
        frame = Frame(frame.shape, frame.dtype, bool(declared["rgb"]), bool(declared.get("alpha")))
    used = metadata.used_of(declared, len(found.order))
    labels = tuple(c.get("label", "") for c in ome.get("omero", {}).get("channels", ()))
    return array, labelled(replace(found, frame=frame, used=used), "c", labels)


def _dimensions(array: Any) -> tuple[Axis, ...]:
    """Axes by the names that an array may have (zarr 3)."""
    names = getattr(array.metadata, "dimension_names", None) or ()
    known = tuple(Axis(name) for name in names if name)
    named = len(known) == len(array.shape) and [a.name for a in known[-2:]] == ["y", "x"]
    return known if named else ()


def _ome_axes(scale: Mapping[str, Any]) -> tuple[Axis, ...]:
    """Axes by OME-NGFF 0.3 to 0.5, y and x last as it demands."""
    axes = [a if isinstance(a, dict) else {"name": a} for a in scale.get("axes", "tczyx")]
    steps = [1.0] * len(axes)
    for owner in (scale["datasets"][0], scale):
        for change in owner.get("coordinateTransformations", ()):
            if change.get("type") == "scale":
                steps = [a * float(b) for a, b in zip(steps, change["scale"], strict=True)]
    return tuple(
        Axis(str(axis["name"]), step if step > 0 else 1.0, _unit(axis.get("unit")))
        for axis, step in zip(axes, steps, strict=True)
    )


def _unit(name: str | None) -> str:
    """Spell a unit of OME-NGFF shortly."""
    short = {"micrometer": "um", "nanometer": "nm", "millimeter": "mm", "centimeter": "cm",
             "meter": "m", "second": "s", "millisecond": "ms", "minute": "min", "hour": "h",
             "microsecond": "us"}  # fmt: skip
    return "pixel" if not name else short.get(name, plain_unit(name))
