"""Whether chains of sectors in a compound file (OIB) end: readers follow them in good faith."""

import mmap
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError

_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

#: [MS-CFB], section 2.2: where the header has the power of two of a sector; the sectors of the
#: table; the starts of the directory, of the table of small sectors, and of further places; how
#: many of these there are; and the places of the table.
_SHIFT, _TABLE, _DIRECTORY, _SMALL, _FURTHER, _PLACES = 30, 44, 48, 60, 72, 76
_FIRST_PLACES, _HEADER = 109, 512

#: Numbers from here on are no sectors.
_NONE = 0xFFFFFFFA

#: An entry of the directory, and where it says at which sector its content starts.
_ENTRY, _START = 128, 116


def check_chains(path: str) -> None:
    """Refuse a file in which a chain of sectors goes round in circles, or beyond its end.

    Raises
    ------
    UserError
    """
    with Path(path).open("rb") as file:
        start = file.read(_HEADER)
        if len(start) < _HEADER or not start.startswith(_MARK):
            raise UserError("it does not begin as a compound file, or is cut off")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _check(data)


def _check(data: mmap.mmap) -> None:
    size = 1 << min(int.from_bytes(data[_SHIFT : _SHIFT + 2], "little"), 12)
    count, directory = _number(data, _TABLE), _number(data, _DIRECTORY)
    sectors = len(data) // size - 1
    table = _table(data, count, size, sectors)
    small = _chain(data, table, _number(data, _SMALL), size)
    entries = np.frombuffer(b"".join(_sectors(data, table, directory, size)), np.uint8)
    starts = entries.reshape(-1, _ENTRY)[:, _START : _START + 4].copy().view("<u4").ravel()
    for start in starts[starts < _NONE]:
        if start < len(table):
            _walk(table, int(start))
    for start in starts[starts < _NONE]:
        if start < len(small):
            _walk(small, int(start))


def _number(data: mmap.mmap, place: int) -> int:
    return int(struct.unpack_from("<I", data, place)[0])


def _table(data: mmap.mmap, count: int, size: int, sectors: int) -> NDArray[np.uint32]:
    """Read the table that says which sector follows which."""
    further = _number(data, _FURTHER)
    if max(count, further) > max(sectors, 0):
        raise UserError(f"it claims a table of {count} sectors, and holds {sectors} in all")
    places = list(struct.unpack_from(f"<{_FIRST_PLACES}I", data, _PLACES))
    following = _number(data, _FURTHER - 4)
    for _ in range(further):
        numbers = np.frombuffer(_sector(data, following, size), "<u4")
        places += numbers[:-1].tolist()
        following = int(numbers[-1])
    parts = [_sector(data, place, size) for place in places[:count]]
    return np.frombuffer(b"".join(parts), "<u4")


def _sector(data: mmap.mmap, number: int, size: int) -> bytes:
    found = data[(number + 1) * size : (number + 2) * size]
    if len(found) < size:
        raise UserError(f"its sector {number} lies beyond its end")
    return found


def _walk(table: NDArray[np.uint32], start: int) -> list[int]:
    """Follow a chain to its end."""
    chain: list[int] = []
    while start < _NONE:
        if start >= len(table) or len(chain) >= len(table):
            raise UserError("a chain of its sectors has no end")
        chain.append(start)
        start = int(table[start])
    return chain


def _sectors(data: mmap.mmap, table: NDArray[np.uint32], start: int, size: int) -> list[bytes]:
    return [_sector(data, number, size) for number in _walk(table, start)]


def _chain(data: mmap.mmap, table: NDArray[np.uint32], start: int, size: int) -> NDArray[np.uint32]:
    """Read numbers that fill a chain of sectors."""
    return np.frombuffer(b"".join(_sectors(data, table, start, size)), "<u4")
