"""Stacks of Micro-Manager 1.4 and 2.0: planes by the index map of each file of an acquisition.

The layout is published: https://micro-manager.org/Micro-Manager_File_Formats. A file begins with
a summary, which is the same in all files of an acquisition, and ends with the index map: channel,
slice, frame, position and place of every plane in it. A file that was not closed has none; its
planes say in a tag what they are.
"""

import json
import re
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.look import Look, ramp
from napari_stack.files.formats.tiff.axes import shown_axes, sound
from napari_stack.files.formats.tiff.integrity import whole_pages
from napari_stack.files.formats.tiff.plane_map import MappedImage, PlaneMap, empty_places

#: Numbers by which parts of a file are known.
_INDEX_OFFSET, _INDEX, _SUMMARY = 54773648, 3453623, 2355492

#: Where the place of the index map stands, and the summary.
_HEAD = 8

#: Bytes that a summary may have; it holds positions and channels as text.
_MOST_SUMMARY = 2**26

#: Tag of a page with what is known of the plane, as JSON.
METADATA = 51123

#: Name of the file of an acquisition: its prefix, its position, and the number of a further file.
_NAME = re.compile(r"(.*_MMStack)(?:_(.*?))?(?:_(\d+))?(\.ome)?\.tiff?", re.IGNORECASE)
_RENAMED = re.compile(r"(.*?)(?:_\d+)?(\.ome)?\.tiff?", re.IGNORECASE)

#: Columns of the index map by the axis.
_COLUMNS = {"c": 0, "z": 1, "t": 2}
_SIZES = {"c": "Channels", "z": "Slices", "t": "Frames"}
_ORDER_NAMES = {"channel": "c", "z": "z", "slice": "z", "time": "t"}

#: Planes that a summary may claim beyond those that were recorded.
_MOST_PLANES = 2**18


@dataclass(frozen=True, eq=False)
class Index:
    """The planes of a file.

    Attributes
    ----------
    summary : mapping
        Of the acquisition.
    planes : ndarray of int, shape (n, 4)
        Channel, slice, frame and position of each.
    offsets : ndarray of int, shape (n,)
        Where its header starts in the file.
    position_names : mapping of int to str
    pixel_size : float
        In micrometres; 0 where it is not known.
    """

    summary: Mapping[str, Any]
    planes: NDArray[np.intp]
    offsets: NDArray[np.int64]
    position_names: Mapping[int, str]
    pixel_size: float


def summary_of(path: str) -> bytes | None:
    """Read the summary of a file as it stands there, or None where there is none."""
    with Path(path).open("rb") as file:
        head = file.read(_HEAD + 32)
        if len(head) < _HEAD + 32 or head[:2] not in (b"II", b"MM"):
            return None
        order = "<" if head[:2] == b"II" else ">"
        index, *_, summary, length = struct.unpack_from(f"{order}8I", head, _HEAD)
        if (index, summary) != (_INDEX_OFFSET, _SUMMARY) or length > _MOST_SUMMARY:
            return None
        return file.read(length)


def index_of(path: str, tif: Any) -> Index | None:
    """Read the planes of an open file, or None where it is none of Micro-Manager's.

    Raises
    ------
    UserError
        When the index map tells of planes beyond the end of the file.
    """
    text = summary_of(path)
    if text is None:
        return None
    summary = _json(text)
    table = _index_map(tif)
    planes, offsets = (table[:, :4], table[:, 4]) if table is not None else _told_by_pages(tif)
    if not len(planes):
        return None
    first = tif.pages.first
    if int(offsets.max()) + sum(first.databytecounts) > tif.filehandle.size:
        raise UserError("it is cut off: planes of its index map lie beyond its end")
    _, firsts = np.unique(planes[:, 3], return_index=True)
    told = {int(planes[n, 3]): _metadata(tif, int(offsets[n])) for n in firsts}
    names = {number: str(metadata.get("PositionName") or "") for number, metadata in told.items()}
    sizes = [m.get("PixelSizeUm") or m.get("PixelSize_um") for m in (summary, *told.values())]
    pixel_size = next(filter(None, map(_number, sizes)), 0.0)
    return Index(summary, planes.astype(np.intp), offsets.astype(np.int64), names, pixel_size)


def acquisition(path: str) -> list[str]:
    """Find the files of an acquisition, by their names and their summary; the one named is first.

    Returns
    -------
    list of str
        Empty where the file is none of Micro-Manager's.
    """
    summary = summary_of(path)
    if summary is None:
        return []
    name, folder = Path(path).name, Path(path).parent
    pattern = _NAME if _NAME.fullmatch(name) else _RENAMED
    others = []
    for other in sorted(folder.iterdir()):
        if other.name == name or _stem(pattern, other.name) != _stem(pattern, name):
            continue
        with suppress(OSError):
            if summary_of(str(other)) == summary:
                others.append(str(other))
    return [str(Path(path)), *others]


def _stem(pattern: re.Pattern[str], name: str) -> str | None:
    found = pattern.fullmatch(name)
    return found and found[1]


def planes_in(files: Mapping[str, Index], named: set[str]) -> PlaneMap:
    """Map the positions of which the named files hold a plane, each with all its planes.

    Parameters
    ----------
    files : mapping of str to Index
        By the path. A plane that lies in several is taken from the first.
    named : set of str
    """
    summary = next(iter(files.values())).summary
    letters = _letters(summary)
    every = np.concatenate([index.planes for index in files.values()])
    recorded = tuple(int(every[:, _COLUMNS[a]].max()) + 1 for a in letters)
    declared = tuple(_whole(summary.get(_SIZES[a])) for a in letters)
    sizes = tuple(map(max, recorded, declared))
    if np.prod(sizes, dtype=float) > max(_MOST_PLANES, 4 * len(every)):
        sizes = recorded  # what was planned was never meant to be recorded, or is damaged
    if np.prod(sizes, dtype=float) > max(_MOST_PLANES, 4 * len(every)):
        raise UserError(f"its index map claims {sizes} planes, of which {len(every)} are there")
    paths = list(files)
    wanted = sorted({int(p) for path in paths if path in named for p in files[path].planes[:, 3]})
    images = []
    for position in wanted:
        places = empty_places(sizes)
        for number, path in reversed(list(enumerate(paths))):
            (pages,) = np.nonzero(files[path].planes[:, 3] == position)
            at = [files[path].planes[pages, _COLUMNS[letter]] for letter in letters]
            places[np.ravel_multi_index(at, sizes)] = np.stack(
                [np.full(len(pages), number), pages], axis=1
            )
        images.append(_image(files, position, letters, sizes, places))
    return PlaneMap(paths, images)


def _image(
    files: Mapping[str, Index],
    position: int,
    letters: list[str],
    sizes: tuple[int, ...],
    places: NDArray[np.intp],
) -> MappedImage:
    indices = list(files.values())
    summary = indices[0].summary
    pixel = next((index.pixel_size for index in indices if index.pixel_size), 0.0)
    said = sound({
        "x": Axis("x", pixel, "um"), "y": Axis("y", pixel, "um"),
        "z": Axis("z", abs(_number(summary.get("z-step_um"))), "um"),
        "t": Axis("t", _number(summary.get("Interval_ms")) / 1000, "s"),
    })  # fmt: skip
    channels = tuple(map(str, _listed(summary.get("ChNames"))))
    colours = [_colour(colour) for colour in _listed(summary.get("ChColors"))]
    looks = tuple(Look(colours=ramp(colour)) for colour in colours if colour != (255, 255, 255))
    looks = looks if len(looks) == len(channels) else ()
    kept = [(a, n) for a, n in zip(letters, sizes, strict=True) if a != "c" or n > 1]
    leading, look = shown_axes(kept, said, channels, looks)
    plane = said.get("y", Axis("y")), said.get("x", Axis("x"))
    named = [index.position_names.get(position, "") for index in indices]
    name = next(filter(None, named), "") or _name_in_file(files, position) or f"Pos{position}"
    return MappedImage(name, leading, tuple(n for _, n in kept), plane, places, look)


def _listed(value: Any) -> list[Any]:
    """Return a list, which some versions write as a text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    return value if isinstance(value, list) else []


def _colour(value: Any) -> tuple[int, int, int]:
    """Return red, green and blue of a number of 32 bits with a sign: alpha comes first."""
    number = int(_number(value)) & 0xFFFFFF
    return number >> 16, number >> 8 & 255, number & 255


def _name_in_file(files: Mapping[str, Index], position: int) -> str:
    for path, index in files.items():
        found = _NAME.fullmatch(Path(path).name)
        if found and found[2] and set(index.planes[:, 3].tolist()) == {position}:
            return found[2]
    return ""


def _letters(summary: Mapping[str, Any]) -> list[str]:
    """Axes of a position, the slowest first."""
    names = summary.get("AxisOrder")
    known = [_ORDER_NAMES.get(str(name)) for name in names] if isinstance(names, list) else []
    order = [name for name in reversed(known) if name]
    if sorted(order) == ["c", "t", "z"]:
        return [str(name) for name in order]
    return ["t", "c", "z"] if summary.get("SlicesFirst", True) else ["t", "z", "c"]


def _index_map(tif: Any) -> NDArray[np.int64] | None:
    """Read the index map; None where the file was not closed."""
    file, order = tif.filehandle, tif.byteorder
    file.seek(_HEAD + 4)
    (start,) = struct.unpack(order + "I", file.read(4))
    if start == 0:
        return None
    if start > file.size - 8:
        raise UserError("it is cut off: its index map lies beyond its end")
    file.seek(start)
    mark, count = struct.unpack(order + "2I", file.read(8))
    if mark != _INDEX or not count or start + 8 + 20 * count > file.size:
        return None
    table = np.frombuffer(file.read(20 * count), order + "u4").reshape(-1, 5)
    return table.astype(np.int64)


def _told_by_pages(tif: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ask the pages which planes they are."""
    names = ("ChannelIndex", "SliceIndex", "FrameIndex", "PositionIndex")
    planes, offsets = [], []
    for start in whole_pages(tif):
        metadata = _metadata(tif, start)
        if all(name in metadata for name in names[:3]):
            planes.append([_whole(metadata.get(name)) for name in names])
            offsets.append(start)
    return np.array(planes, np.int64).reshape(-1, 4), np.array(offsets, np.int64)


def _metadata(tif: Any, start: int) -> Mapping[str, Any]:
    """Read what a page says of its plane."""
    import tifffile

    tif.filehandle.seek(start)
    found = tifffile.TiffPage(tif, index=0).tags.valueof(METADATA)
    if isinstance(found, (str, bytes)):
        found = _json(found if isinstance(found, bytes) else found.encode())
    return found if isinstance(found, dict) else {}


def _json(text: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text.rstrip(b"\0 ").decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _whole(value: Any) -> int:
    return max(int(_number(value)), 0)
