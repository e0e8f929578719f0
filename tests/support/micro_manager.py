"""Files of Micro-Manager, written by hand after the published layout of its image stacks."""

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Channel, slice, frame and position of a plane.
Plane = tuple[int, int, int, int]


def summary(t: int = 1, z: int = 1, c: int = 1, p: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "Channels": c, "Slices": z, "Frames": t, "Positions": p, "SlicesFirst": True,
        "ChNames": ["DAPI", "GFP"][:c], "z-step_um": 2.0, "Interval_ms": 500,
        "MicroManagerVersion": "1.4.22", "StartTime": "today", **more,
    }  # fmt: skip


def value(plane: Plane) -> int:
    """Value of all pixels of a plane."""
    c, z, t, p = plane
    return 1000 * p + 100 * t + 10 * z + c + 1


def write(
    path: Path,
    planes: Sequence[Plane],
    about: dict[str, Any],
    *,
    ome: str = "",
    closed: bool = True,
    position_names: bool = True,
) -> None:
    """Write a file; one that was not closed has no index map."""
    head = json.dumps(about).encode()
    data = bytearray(b"II*\0" + bytes(4))
    data += struct.pack("<8I", 54773648, 0, 483765892, 0, 99384722, 0, 2355492, len(head)) + head
    data += bytes(len(data) % 2)
    link, index = 4, b""
    for number, plane in enumerate(planes):
        link = _add(data, link, plane, ome if number == 0 else "", position_names)
        index += struct.pack("<5I", *plane, link - 2 - 12 * 12)
    if closed:
        data[12:16] = struct.pack("<I", len(data))
        data += struct.pack("<2I", 3453623, len(planes)) + index
    else:  # it says where the next header would have been
        data[link : link + 4] = struct.pack("<I", len(data))
    path.write_bytes(data)


def _add(data: bytearray, link: int, plane: Plane, ome: str, position_names: bool) -> int:
    """Append a plane; return where the place of the next one is written."""
    pixels = np.full((8, 9), value(plane), "<u2").tobytes()
    names = ("ChannelIndex", "SliceIndex", "FrameIndex", "PositionIndex")
    told: dict[str, Any] = dict(zip(names, plane, strict=True)) | {"PixelSizeUm": 0.65}
    if position_names:
        told["PositionName"] = f"site {plane[3]}"
    text = json.dumps(told).encode() + b"\0"
    described = ome.encode() + b"\0"
    start = len(data)
    tags = 12
    first = start + 2 + 12 * tags + 4
    places = {"pixels": first, "text": first + len(pixels)}
    places["ome"] = places["text"] + len(text)
    entries = [
        (256, 4, 1, 9), (257, 4, 1, 8), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1),
        (270, 2, len(described), places["ome"]) if ome else (266, 3, 1, 1),
        (273, 4, 1, places["pixels"]), (274, 3, 1, 1), (277, 3, 1, 1), (278, 3, 1, 8),
        (279, 4, 1, len(pixels)), (51123, 2, len(text), places["text"]),
    ]  # fmt: skip
    data += struct.pack("<H", tags)
    for entry in sorted(entries):
        data += struct.pack("<2H2I", *entry)
    data += bytes(4) + pixels + text + (described if ome else b"")
    data += bytes(len(data) % 2)
    data[link : link + 4] = struct.pack("<I", start)
    return start + 2 + 12 * tags


def values(found: Any) -> NDArray[np.int64]:
    """Value of each plane that was read, one pixel of it."""
    return np.asarray(found)[..., 3, 4].astype(int)
