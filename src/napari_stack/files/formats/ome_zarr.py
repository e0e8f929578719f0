"""Zarr arrays and OME-Zarr: level 0 of the first image is read; frames are written one by one."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files import metadata
from napari_stack.files.formats.array_axes import (
    ArrayFormat,
    contents_of,
    labelled,
    named_contents,
    place_of,
)
from napari_stack.files.formats.base import Contents, needed_package
from napari_stack.files.formats.tiff.axes import plain_unit
from napari_stack.files.write_content import (
    Content,
    WriteOptions,
    Writer,
    frame_shape,
    frames_of,
)

#: What lies in the folder of an array or group.
_MARKS = ("zarr.json", ".zarray", ".zgroup", ".zattrs")

#: Short names of units by those of OME-NGFF, which are of UDUNITS-2.
_UNITS = {"micrometer": "um", "nanometer": "nm", "millimeter": "mm", "centimeter": "cm",
          "meter": "m", "second": "s", "millisecond": "ms", "microsecond": "us", "minute": "min",
          "hour": "h"}  # fmt: skip

#: The same the other way round.
_NAMES = {short: name for name, short in _UNITS.items()}

#: Kinds of axes, in the order in which OME-NGFF wants them.
_KINDS = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


def is_zarr(path: Path) -> bool:
    """Tell a folder that is an array or group."""
    return any((path / mark).is_file() for mark in _MARKS)


class OmeZarr(ArrayFormat):
    """A folder that holds an array, or the image of a group."""

    name = "zarr"
    suffixes = (".zarr",)
    libraries = ("zarr",)

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: ARG003, D102
        return Path(path).is_dir()

    def find_array(self, path: str) -> tuple[Any, Contents]:  # noqa: D102
        return _image_in(_opened(path))

    def read_rows(  # noqa: D102
        self,
        path: str,  # noqa: ARG002
        array: Any,
        number: int,
        rows: slice,
        found: Contents,
    ) -> NDArray[Any]:
        return array[(*place_of(number, array.shape, found), rows)]

    def note(self, path: str) -> dict[str, Any]:
        """Read our own note in the attributes."""
        with self.damage_named(path):
            found = dict(_opened(path).attrs).get(metadata.KEY)
        return found if isinstance(found, dict) else {}


def _opened(path: str) -> Any:
    with needed_package(path, "zarr", "zarr", "zarr"):
        import zarr
    return zarr.open(path, mode="r")


def _image_in(node: Any) -> tuple[Any, Contents]:
    """Find the array of an image, and what it holds."""
    attributes = dict(node.attrs)
    ome = attributes.get("ome", attributes)
    if "plate" in ome or "well" in ome:
        raise UserError("it is a plate: name the folder of one image in it, such as A/1/0")
    note = attributes.get(metadata.KEY, {})
    noted = metadata.axes_of(note)
    if hasattr(node, "shape"):
        array, axes = node, _dimensions(node)
    elif scales := ome.get("multiscales"):
        array, axes = node[scales[0]["datasets"][0]["path"]], _ome_axes(scales[0])
    elif noted and "0" in node:
        array, axes = node["0"], ()
    elif "0" in node:  # a series of images, as bioformats2raw writes it
        return _image_in(node["0"])
    else:
        raise UserError("the group holds no image: name the folder of an array in it")
    axes = noted[0] if noted else axes
    shape = array.shape
    partial = len(shape) > 1 and array.chunks[-2] < shape[-2]
    if not axes or len(shape) - len(axes) not in (0, 1):
        return array, contents_of(shape, array.dtype, partial=partial)
    found = named_contents(shape, array.dtype, list(axes), partial)
    if "rgb" in note:
        frame = replace(found.frame, rgb=bool(note["rgb"]), alpha=bool(note.get("alpha")))
        found = replace(found, frame=frame)
    labels = tuple(c.get("label", "") for c in ome.get("omero", {}).get("channels", ()))
    found = replace(found, used=metadata.used_of(note, len(found.order)))
    return array, labelled(found, "c", labels)


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
    units = [axis.get("unit") or "pixel" for axis in axes]
    return tuple(
        Axis(str(axis["name"]), step if step > 0 else 1.0, _UNITS.get(unit, plain_unit(unit)))
        for axis, step, unit in zip(axes, steps, units, strict=True)
    )


class ZarrWriter(Writer):
    """OME-Zarr 0.5 where its axes allow, with our note in any case; a chunk a frame."""

    suffixes = (".zarr",)

    def check_target(self, path: Path) -> None:
        """Refuse to put an array where another thing lies."""
        if path.is_file() or (path.is_dir() and not is_zarr(path) and any(path.iterdir())):
            raise FileExistsError(f"{path} is there and is no zarr: choose another name")

    def check(self, path: Path, content: Content, options: WriteOptions) -> None:  # noqa: ARG002
        """Refuse a compression that zarr has not; say how to install the package."""
        with needed_package(str(path), "zarr", "zarr", "zarr"):
            import zarr  # noqa: F401
        if options.compression == "lzw":
            raise UserError(
                f"{path}: zarr is compressed by zlib or zstd, not lzw: choose one of these"
            )

    def write(self, path: Path, content: Content, options: WriteOptions) -> None:  # noqa: D102
        import zarr

        note = content.note(options.recipe)
        group = zarr.create_group(path, attributes=_attributes(content, note))
        shape = frame_shape(content.frames)
        array = group.create_array(
            "0",
            shape=(*content.sizes, *shape),
            chunks=(*(1 for _ in content.sizes), *shape),
            dtype=content.frames.dtype,
            compressors=_codec(options),
            dimension_names=[axis.name for axis in content.axes] + ["channel"] * (len(shape) - 2),
        )
        with frames_of(content.frames, options.run) as frames:
            for number, frame in enumerate(frames):
                array[(*map(int, np.unravel_index(number, content.sizes)), ...)] = frame


def _codec(options: WriteOptions) -> Any:
    from zarr.codecs import GzipCodec, ZstdCodec

    if options.compression == "none":
        return None
    codecs = {"zlib": GzipCodec, "zstd": ZstdCodec}
    level = {} if options.level is None else {"level": options.level}
    return codecs[options.compression](**level)


def _attributes(content: Content, note: Mapping[str, Any]) -> dict[str, Any]:
    stack = content.frames
    own = dict(note[metadata.KEY]) | {"rgb": stack.rgb, "alpha": stack.alpha}
    names = [axis.name for axis in content.axes]
    fits = names == [name for name in _KINDS if name in names] and len(frame_shape(stack)) == 2
    return {metadata.KEY: own} | ({"ome": _ome(content.axes)} if fits else {})


def _ome(axes: tuple[Axis, ...]) -> dict[str, Any]:
    described = []
    for axis in axes:
        unit = _NAMES.get(plain_unit(axis.unit))
        described.append(
            {"name": axis.name, "type": _KINDS[axis.name]} | ({"unit": unit} if unit else {})
        )
    scale = {"type": "scale", "scale": [float(axis.step) for axis in axes]}
    levels = [{"path": "0", "coordinateTransformations": [scale]}]
    ome: dict[str, Any] = {
        "version": "0.5",
        "multiscales": [{"name": "0", "axes": described, "datasets": levels}],
    }
    labels = next((axis.labels for axis in axes if axis.name == "c"), ())
    if labels:
        ome["omero"] = {"channels": [{"label": label} for label in labels]}
    return ome
