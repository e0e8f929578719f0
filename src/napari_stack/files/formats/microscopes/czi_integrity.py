"""Whether the sizes that a CZI notes are those of its parts: libCZI trusts them, and may crash."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from napari_stack.core.errors import UserError

#: A part begins with its name and two sizes: what was set aside, and what is used.
HEAD = struct.Struct("<16sqq")

#: Where the header of the file notes the directory of tiles, and the metadata.
_DIRECTORY, _METADATA = 32 + 52, 32 + 60

#: The directory: the number of tiles, what is reserved, and of a tile the kind of its entry, its
#: pixels, where it is, in which file, how it is packed, and the number of its dimensions.
_COUNT, _RESERVED = struct.Struct("<i"), 124
_ENTRY = struct.Struct("<2siqii6xi")

#: A dimension of a tile: its name, where the tile begins along it, how many pixels it covers, a
#: place, and how many pixels are stored.
_DIMENSION = struct.Struct("<4siifi")

#: Pixels that a tile may have in any case, and for each byte of the file.
_ROOM, _PIXELS_A_BYTE = 2**26, 2**12

#: A tile begins with the sizes of its metadata, its attachment and its pixels.
_TILE = struct.Struct("<iiq")
_TEXT = struct.Struct("<ii")

_MOST_DIMENSIONS = 40


def check_sizes(path: str) -> None:
    """Refuse a file in which a part is larger than the file holds.

    Raises
    ------
    UserError
    """
    with Path(path).open("rb") as file:
        stored = os.fstat(file.fileno()).st_size
        start = read_at(file, _METADATA + 8, 0)
        (directory,) = struct.unpack_from("<q", start, _DIRECTORY)
        (metadata,) = struct.unpack_from("<q", start, _METADATA)
        if metadata:
            used = part_at(file, metadata, b"ZISRAWMETADATA", stored)
            sizes = _TEXT.unpack(read_at(file, _TEXT.size, metadata + HEAD.size))
            if min(sizes) < 0 or sum(sizes) > used:
                raise UserError(f"its metadata of {sizes} bytes are larger than their part")
        for place in _tiles(file, directory, stored):
            used = part_at(file, place, b"ZISRAWSUBBLOCK", stored)
            head = read_at(file, _TILE.size + _ENTRY.size, place + HEAD.size)
            sizes = _TILE.unpack_from(head)
            if min(sizes) < 0 or sum(sizes) > used:
                raise UserError(f"a tile of {sizes} bytes is larger than its part")
            rest = _dimensions_in(head, _TILE.size) * _DIMENSION.size
            _check_sides(read_at(file, rest, place + HEAD.size + len(head)), stored)


def read_at(file: IO[bytes], count: int, place: int) -> bytes:
    """Read so many bytes at a place."""
    file.seek(place)
    found = file.read(count)
    if len(found) < count:
        raise UserError("it ends early")
    return found


def part_at(file: IO[bytes], place: int, name: bytes, stored: int) -> int:
    """Check a part, and return how many of its bytes are used."""
    if not 0 < place < stored:
        raise UserError(f"its part {name.decode()} is due at byte {place} of {stored}")
    found, room, used = HEAD.unpack(read_at(file, HEAD.size, place))
    if found.rstrip(b"\0") != name:
        raise UserError(f"its part {name.decode()} is not where it is due")
    used = used or room  # old files note one of them
    if not 0 <= used <= stored - place - HEAD.size:
        raise UserError(f"its part {name.decode()} of {used} bytes goes beyond its end")
    return int(used)


def _tiles(file: IO[bytes], directory: int, stored: int) -> Iterator[int]:
    """Go through the directory, and say where tiles are."""
    used = part_at(file, directory, b"ZISRAWDIRECTORY", stored)
    data = read_at(file, used, directory + HEAD.size)
    (count,) = _COUNT.unpack_from(data)
    place = _COUNT.size + _RESERVED
    for _ in range(count):
        if place + _ENTRY.size > len(data):
            raise UserError(f"its directory of {count} tiles ends early")
        tile = _ENTRY.unpack_from(data, place)[2]
        end = place + _ENTRY.size + _dimensions_in(data, place) * _DIMENSION.size
        _check_sides(data[place + _ENTRY.size : end], stored)
        place = end
        yield tile


def _dimensions_in(data: bytes, place: int) -> int:
    """Return how many dimensions follow the entry of a tile."""
    kind, _, _, _, _, dimensions = _ENTRY.unpack_from(data, place)
    if kind != b"DV" or not 0 <= dimensions <= _MOST_DIMENSIONS:
        raise UserError("its directory of tiles makes no sense")
    return int(dimensions)


def _check_sides(data: bytes, stored: int) -> None:
    """Refuse a tile without height or width, or of more pixels than the file can hold."""
    whole = data[: len(data) // _DIMENSION.size * _DIMENSION.size]
    found = [
        (name[:1], size, kept or size) for name, _, size, _, kept in _DIMENSION.iter_unpack(whole)
    ]
    sides = {name: (size, kept) for name, size, kept in found if name in (b"X", b"Y")}
    if len(sides) < 2 or len({name for name, *_ in found}) < len(found):
        raise UserError("a tile has no height, no width, or one of them twice")
    least = min(min(both) for both in sides.values())
    pixels = sides[b"X"][1] * sides[b"Y"][1]
    if least < 1 or pixels > max(_ROOM, _PIXELS_A_BYTE * stored):
        raise UserError(f"a tile claims {sides[b'X'][1]} x {sides[b'Y'][1]} pixels")
