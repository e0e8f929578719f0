"""Zarr arrays and OME-Zarr: level 0 of the first image is read; frames are written one by one."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.units import long_name, plain_unit
from napari_stack.files.formats.array_axes import ArrayFormat, contents_of, named_contents
from napari_stack.files.formats.base import Contents, needed_package
from napari_stack.files.metadata import KEY, Note
from napari_stack.files.write_content import Content, WriteOptions, Writer

#: Files of which the folder of an array or group holds one.
_MARKS = ("zarr.json", ".zarray", ".zgroup", ".zattrs")

#: Kinds of axes, in the order in which OME-NGFF wants them.
_KINDS = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


def is_zarr(path: Path) -> bool:
    """Return whether a folder is an array or group."""
    return any((path / mark).is_file() for mark in _MARKS)


class OmeZarr(ArrayFormat):
    """A folder that holds an array, or the image of a group."""

    name = "zarr"
    suffixes = (".zarr",)
    libraries = ("zarr",)

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: ARG003, D102
        return Path(path).is_dir()

    def find_array(self, path: str) -> tuple[Any, tuple[int, ...], Contents]:  # noqa: D102
        array, found = _image_in(_opened(path))
        return array, array.shape, found

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        return array[(*place, rows)]

    def note(self, path: str) -> Note:
        """Read our own note in the attributes."""
        with self.damage_named(path):
            return Note.from_plain(_opened(path).attrs.get(KEY))


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
    declared = attributes.get(KEY, {})
    note = Note.from_plain(declared)
    if hasattr(node, "shape"):
        array, axes = node, _dimensions(node)
    elif scales := ome.get("multiscales"):
        array, axes = node[scales[0]["datasets"][0]["path"]], _ome_axes(scales[0])
    elif note.axes and "0" in node:
        array, axes = node["0"], ()
    elif "0" in node:  # a series of images, as bioformats2raw writes it
        return _image_in(node["0"])
    else:
        raise UserError("the group holds no image: name the folder of an array in it")
    axes = note.axes or axes
    shape = array.shape
    partial = len(shape) > 1 and array.chunks[-2] < shape[-2]
    if not axes or len(shape) - len(axes) not in (0, 1):
        return array, contents_of(shape, array.dtype, partial=partial)
    labels = tuple(c.get("label", "") for c in ome.get("omero", {}).get("channels", ()))
    axes = tuple(
        replace(axis, labels=labels) if axis.name == "c" and size == len(labels) else axis
        for axis, size in zip(axes, shape, strict=False)  # channels of a pixel have no axis
    )
    found = named_contents(shape, array.dtype, axes, partial)
    if "rgb" in declared:
        frame = replace(found.frame, rgb=bool(declared["rgb"]), alpha=bool(declared.get("alpha")))
        found = replace(found, frame=frame)
    return array, replace(found, used=note.used_of(len(found.order)))


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
        Axis(str(axis["name"]), step if step > 0 else 1.0, plain_unit(unit))
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
            raise UserError(f"{path}: zarr takes zlib or zstd, not lzw: choose one of these")

    def write(self, path: Path, content: Content, options: WriteOptions) -> None:  # noqa: D102
        import zarr

        note = content.note(options.recipe).to_plain()
        group = zarr.create_group(path, attributes=_attributes(content, note))
        shape = content.frame_shape
        array = group.create_array(
            "0",
            shape=(*content.sizes, *shape),
            chunks=(*(1 for _ in content.sizes), *shape),
            dtype=content.frames.dtype,
            compressors=_codec(options),
            dimension_names=[axis.name for axis in content.axes] + ["channel"] * (len(shape) - 2),
        )
        with content.made(options.run) as frames:
            for number, frame in enumerate(frames):
                array[(*map(int, np.unravel_index(number, content.sizes)), ...)] = frame


def _codec(options: WriteOptions) -> Any:
    from zarr.codecs import GzipCodec, ZstdCodec

    codec = {"zlib": GzipCodec, "zstd": ZstdCodec}.get(options.compression)
    if codec is None:
        return None
    return codec() if options.level is None else codec(level=options.level)


def _attributes(content: Content, note: Mapping[str, Any]) -> dict[str, Any]:
    stack = content.frames
    own = note[KEY] | {"rgb": stack.rgb, "alpha": stack.alpha}
    names = [axis.name for axis in content.axes]
    fits = names == [name for name in _KINDS if name in names] and len(content.frame_shape) == 2
    return {KEY: own} | ({"ome": _ome(content.axes)} if fits else {})


def _ome(axes: tuple[Axis, ...]) -> dict[str, Any]:
    units = [long_name(axis.unit) for axis in axes]
    described = [
        {"name": axis.name, "type": _KINDS[axis.name]} | ({"unit": unit} if unit else {})
        for axis, unit in zip(axes, units, strict=True)
    ]
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
