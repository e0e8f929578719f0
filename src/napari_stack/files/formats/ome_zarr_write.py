"""Writing zarr, frame by frame: OME-Zarr 0.5 where its axes allow, with our note in any case."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.engine.run import Run
from napari_stack.files import metadata
from napari_stack.files.formats.base import needed_package
from napari_stack.files.formats.ome_zarr import is_zarr
from napari_stack.files.formats.tiff.axes import plain_unit
from napari_stack.files.write_content import Content, frame_shape, frames_of

#: Units as OME-NGFF spells them, after UDUNITS-2.
_UNITS = {"um": "micrometer", "nm": "nanometer", "mm": "millimeter", "cm": "centimeter",
          "m": "meter", "s": "second", "ms": "millisecond", "us": "microsecond", "min": "minute",
          "h": "hour"}  # fmt: skip

#: Kinds of axes, in the order in which OME-NGFF wants them.
_KINDS = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


def check_target(path: Path) -> None:
    """Refuse to put an array where another thing lies."""
    if path.is_file() or (path.is_dir() and not is_zarr(path) and any(path.iterdir())):
        raise FileExistsError(f"{path} is there and is no zarr: choose another name")


def check(path: Path, compression: str) -> None:
    """Refuse a compression that zarr has not; say how to install the package."""
    with needed_package(str(path), "zarr", "zarr", "zarr"):
        import zarr  # noqa: F401
    if compression == "lzw":
        raise UserError(f"{path}: zarr is compressed by zlib or zstd, not lzw: choose one of these")


def write(
    path: Path,
    content: Content,
    *,
    compression: str,
    level: int | None,
    note: Mapping[str, Any],
    run: Run,
) -> None:
    """Write a stack as a group with one array, a chunk a frame."""
    import zarr

    group = zarr.create_group(path, attributes=_attributes(content, note))
    _fill(group, content, _codec(compression, level), run)


def _fill(group: Any, content: Content, codec: Any, run: Run) -> None:
    shape = frame_shape(content.frames)
    array = group.create_array(
        "0",
        shape=(*content.sizes, *shape),
        chunks=(*(1 for _ in content.sizes), *shape),
        dtype=content.frames.dtype,
        compressors=codec,
        dimension_names=[axis.name for axis in content.axes] + ["channel"] * (len(shape) - 2),
    )
    with frames_of(content.frames, run) as frames:
        for number, frame in enumerate(frames):
            place = np.unravel_index(number, content.sizes) if content.sizes else ()
            array[(*map(int, place), ...)] = frame


def _codec(compression: str, level: int | None) -> Any:
    from zarr.codecs import GzipCodec, ZstdCodec

    if compression == "none":
        return None
    codecs = {"zlib": GzipCodec, "zstd": ZstdCodec}
    return codecs[compression](**({} if level is None else {"level": level}))


def _attributes(content: Content, note: Mapping[str, Any]) -> dict[str, Any]:
    stack = content.frames
    own = dict(note[metadata.KEY]) | {"rgb": stack.rgb, "alpha": stack.alpha}
    result: dict[str, Any] = {metadata.KEY: own}
    kinds = [axis.name for axis in content.axes]
    ordered = [name for name in _KINDS if name in kinds]
    if kinds == ordered and len(frame_shape(stack)) == 2:
        result["ome"] = _ome(content.axes)
    return result


def _ome(axes: tuple[Axis, ...]) -> dict[str, Any]:
    described = []
    for axis in axes:
        unit = _UNITS.get(plain_unit(axis.unit))
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
