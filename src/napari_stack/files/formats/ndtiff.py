"""NDTiff, of Micro-Manager 2 and pycro-manager: planes by the index that lies beside the files.

The layout is published: https://github.com/micro-manager/NDTiffStorage. Every plane has a set of
named axes, of numbers or texts, and need not be in the order of its axes.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files.damage import UnsupportedError
from napari_stack.files.formats.base import (
    MISSING,
    Contents,
    FileSet,
    First,
    Format,
    Frame,
    Series,
)
from napari_stack.files.header_cache import stamp_of

INDEX = "NDTiff.index"

#: Number at the 8th byte of its files, and before the length of the summary.
_MARK, _SUMMARY = 483729, 2355492

#: Bytes that are read of what is known of a plane.
_MOST_METADATA = 2**24

#: Names of axes, in the order in which they are laid out; others come before z.
_NAMES = {"time": "t", "channel": "c", "z": "z", "slice": "z"}

_POSITION = "position"

#: Types of pixels by their number: all with more than 8 bits are stored in 16.
_RGB = 2
_TYPES = {0: "u1", 1: "u2", _RGB: "u1", 3: "u2", 4: "u2", 5: "u2", 6: "u2"}

#: Planes of an image: beyond, the numbers of the axes are damaged.
_MOST_PLANES = 2**20


@dataclass(frozen=True)
class Plane:
    """An entry of the index.

    Attributes
    ----------
    axes : mapping of str to int or str
    file : str
        Name of the file.
    start : int
        Where its pixels begin there.
    width, height : int
    kind : int
        Type of its pixels.
    packed : int
        0 where they are not compressed.
    metadata : tuple of int
        Where what is known of it begins, and how long that is.
    """

    axes: Mapping[str, Any]
    file: str
    start: int
    width: int
    height: int
    kind: int
    packed: int
    metadata: tuple[int, int]

    @property
    def frame(self) -> Frame:
        """What it is."""
        if self.packed or self.kind not in _TYPES:
            raise UnsupportedError(f"its planes are packed ({self.packed}), or of kind {self.kind}")
        colours = (3,) if self.kind == _RGB else ()
        shape = (self.height, self.width, *colours)
        return Frame(shape, np.dtype(_TYPES[self.kind]), rgb=bool(colours))


class NdTiff(Format):
    """NDTiff, versions 2 and 3."""

    name = "NDTiff"

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: ARG003
        """Tell by the number after the header of a TIFF."""
        order = {b"II": "little", b"MM": "big"}.get(start[:2])
        return order is not None and int.from_bytes(start[8:12], order) == _MARK  # type: ignore[arg-type]

    def contents(self, path: str) -> Contents:  # noqa: D102
        return self.series(path)[0].contents

    def series(self, path: str) -> tuple[Series, ...]:  # noqa: D102
        planes = self._planes_of(path)
        count = len(planes)
        frame = planes[0].frame
        frame.check(path, Path(path).stat().st_size)
        return (Series("", Contents.counted(frame, count)),)

    def set_of(self, files: list[str]) -> FileSet:
        """Return the positions of which the files hold a part, each whole."""
        path = Path(files[0])
        with self.damage_named(files[0]):
            planes = self._index(files[0])
        names = list(dict.fromkeys(plane.file for plane in planes))
        paths = [str(path.parent / name) for name in names]
        for other in files:
            if str(Path(other)) not in paths:
                raise UserError(f"{other} does not belong to the set of {path}: read it by itself")
        named = {Path(file).name for file in files}
        wanted = {plane.axes.get(_POSITION, 0) for plane in planes if plane.file in named}
        numbers: dict[str, int] = dict.fromkeys(names, 0)
        places = []
        for plane in planes:
            places.append((names.index(plane.file), numbers[plane.file]))
            numbers[plane.file] += 1
        each = [p for p in _values(planes, _POSITION) or [0] if p in wanted]
        with self.damage_named(files[0]):
            steps = _steps(files[0], planes[0])
            series = tuple(_series(planes, position, steps) for position in each)
        for one in series:
            one.contents.frame.check(files[0], path.stat().st_size)
        return FileSet(paths, np.array(places, np.intp), series)

    def read_frame(self, path: str, number: int, rows: slice | None, first: First) -> NDArray[Any]:  # noqa: D102
        planes = self._planes_of(path)
        if number >= len(planes):
            raise UserError(f"{path} holds {len(planes)} frames now: open it anew")
        plane = planes[number]
        with self.damage_named(path):
            frame = plane.frame
        first.check(path, frame, len(planes))
        rows = slice(0, plane.height) if rows is None else rows
        row = prod(frame.shape[1:]) * frame.dtype.itemsize
        with self.damage_named(path), Path(path).open("rb", buffering=0) as file:
            order = "<" if file.read(2) == b"II" else ">"
            file.seek(plane.start + rows.start * row)
            data = file.read((rows.stop - rows.start) * row)
            if len(data) < (rows.stop - rows.start) * row:
                raise UserError("it is cut off: the pixels end early")
        stored = np.dtype(f"{order}{frame.dtype.str[1:]}")
        pixels = np.frombuffer(data, stored)
        return pixels.reshape(-1, *frame.shape[1:]).astype(frame.dtype)

    def _planes_of(self, path: str) -> Sequence[Plane]:
        with self.damage_named(path):
            return [plane for plane in self._index(path) if plane.file == Path(path).name]

    def _index(self, path: str) -> Sequence[Plane]:
        index = Path(path).parent / INDEX
        if not index.is_file():
            raise UserError(
                f"{path} is an NDTiff file, whose {INDEX} is missing: put it back into the folder"
            )
        key = INDEX, stamp_of(str(index))
        if (known := self.headers.recall(*key)) is None:
            known = self.headers.keep(_read_index(index), *key)
        if not known:
            raise UserError(f"{index} names no plane")
        return known


def _read_index(path: Path) -> list[Plane]:
    """Read the entries; of a series that was stopped, those that are whole."""
    data, start, found = path.read_bytes(), 0, []
    while start + 4 <= len(data):
        try:
            (length,) = struct.unpack_from("<I", data, start)
            axes = json.loads(data[start + 4 : start + 4 + length])
            start += 4 + length
            (length,) = struct.unpack_from("<I", data, start)
            name = Path(data[start + 4 : start + 4 + length].decode("utf-8", "replace")).name
            start += 4 + length
            place, width, height, kind, packed, told, size, _ = struct.unpack_from(
                "<IiiiiIii", data, start
            )
        except (struct.error, ValueError):
            break
        start += 32
        found.append(Plane(axes, name, place, width, height, kind, packed, (told, size)))
    return found


def _values(planes: Sequence[Plane], axis: str) -> list[Any]:
    """Places along an axis: numbers in their order, texts as they come first."""
    values = list(dict.fromkeys(plane.axes[axis] for plane in planes if axis in plane.axes))
    return sorted(values) if all(isinstance(value, int) for value in values) else values


def _series(planes: Sequence[Plane], position: Any, steps: Mapping[str, float]) -> Series:
    """Lay the planes of a position out along their axes."""
    mine = [n for n, plane in enumerate(planes) if plane.axes.get(_POSITION, position) == position]
    names = dict.fromkeys(name for plane in planes for name in plane.axes if name != _POSITION)
    usual = [name for name in names if name in _NAMES]
    order = [name for name in names if name not in _NAMES]
    ordered = [n for n in usual if _NAMES[n] == "t"] + order
    ordered += [n for key in "cz" for n in usual if _NAMES[n] == key]
    places = {name: _values(planes, name) for name in ordered}
    places = {name: values for name, values in places.items() if len(values) > 1}
    sizes = tuple(map(len, places.values())) or (1,)
    if prod(sizes) > _MOST_PLANES:
        raise UserError(f"its index claims {sizes} planes, which no file holds")
    at = {name: {value: n for n, value in enumerate(values)} for name, values in places.items()}
    numbers = np.full(prod(sizes), MISSING, np.intp)
    for number in mine:
        axes = planes[number].axes
        place = [where.get(axes.get(name), 0) for name, where in at.items()] or [0]
        numbers[int(np.ravel_multi_index(place, sizes))] = number
    leading = tuple(_axis(name, values, steps) for name, values in places.items())
    known = planes[mine[0]]
    size = steps.get("x", 0.0)
    step, unit = (size, "um") if size > 0 else (1.0, "pixel")
    used = None if (numbers >= 0).all() else numbers >= 0
    plane = Axis("y", step, unit), Axis("x", step, unit)
    leading = leading or (Axis("frame"),)
    contents = Contents(known.frame, True, leading, sizes, plane, numbers, used)
    name = position if isinstance(position, str) else f"position {position}"
    return Series(name, contents)


def _axis(name: str, values: Sequence[Any], steps: Mapping[str, float]) -> Axis:
    plain = _NAMES.get(name, name)
    labels = tuple(values) if all(isinstance(value, str) for value in values) else ()
    if plain == "z" and steps.get("z", 0.0) > 0:
        return Axis(plain, steps["z"], "um", labels)
    return Axis(plain, labels=labels)


def _steps(path: str, plane: Plane) -> dict[str, float]:
    """Read the size of a pixel from what is known of the first plane, and the step along z."""
    start, size = plane.metadata
    with (Path(path).parent / plane.file).open("rb") as file:
        summary = _plain(_summary(file))
        file.seek(start)
        told = _plain(file.read(min(size, _MOST_METADATA)))
    found = {"x": told.get("PixelSizeUm") or summary.get("PixelSize_um"),
             "z": summary.get("z-step_um")}  # fmt: skip
    return {axis: abs(float(v)) for axis, v in found.items() if isinstance(v, int | float)}


def _summary(file: IO[bytes]) -> bytes:
    """Read the summary, whose length stands after its mark; version 3 has a number more before."""
    head = struct.unpack("<5I", file.read(28)[8:28])
    if _SUMMARY not in head[:-1]:
        return b""
    at = head.index(_SUMMARY)
    file.seek(8 + 4 * (at + 2))
    return file.read(min(head[at + 1], _MOST_METADATA))


def _plain(text: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
