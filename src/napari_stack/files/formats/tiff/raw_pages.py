"""Headers of TIFF pages, read without tifffile: where a page lies that is stored as the first one.

A header of tifffile takes a hundred times as long, which counts in files of many small pages.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError

#: Bytes of a value by its type in TIFF 6.0 and BigTIFF; of unknown types nothing is asked.
BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
BYTES |= {16: 8, 17: 8, 18: 8}

#: Letters of `struct` for the types of whole numbers.
LETTERS = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}

#: Tags that say how the pixels of a page are stored.
LAYOUT = frozenset((254, 255, 256, 257, 258, 259, 262, 266, 274, 277, 278, 284, 292, 293, 317, 320,
                     322, 323, 338, 339, 347, 512, 513, 514, 519, 520, 521, 529, 530, 531, 532,
                     32997, 32998))  # fmt: skip

#: What says no more than that the bits are in their usual order, in either order of bytes: pages
#: with and without it are stored alike.
_USUAL = {(266, 1), (266, 2**16), (266, 2**48)}

#: Tags of where strips and tiles begin, and of their lengths.
STARTS, SIZES = (273, 324), (279, 325)

#: Tag, type, number of values, and where they are, or the values themselves where they fit.
Entry = tuple[int, ...]


@dataclass(frozen=True)
class Form:
    """How the headers of a file are written.

    Attributes
    ----------
    order : {"<", ">"}
        Byte order, as in `struct`.
    big : bool
        64-bit offsets.
    """

    order: str
    big: bool

    @classmethod
    def of(cls, tif: Any) -> "Form":
        """Read it from an open file of tifffile."""
        return cls(str(tif.tiff.byteorder), bool(tif.tiff.is_bigtiff))

    @property
    def inline(self) -> int:
        """Bytes that fit into an entry."""
        return 8 if self.big else 4

    @property
    def head(self) -> int:
        """Bytes of the number of entries in front of them."""
        return 8 if self.big else 2

    @property
    def entry(self) -> int:
        """Bytes of an entry."""
        return 20 if self.big else 12

    @property
    def letter(self) -> str:
        """Type of counts and of places, as NumPy has it."""
        return "u8" if self.big else "u4"

    def number(self, data: bytes) -> int:
        """Return a whole number without a sign."""
        return int.from_bytes(data, "big" if self.order == ">" else "little")


def entries_at(file: Any, form: Form, start: int) -> tuple[list[Entry], int]:
    """Return the entries of the page whose header is at a place, and where the next one is.

    Raises
    ------
    UserError
        When the file ends before.
    """
    entry = struct.Struct(form.order + ("HHQQ" if form.big else "HHII"))
    head = form.head
    file.seek(start)
    count = file.read(head)
    length = entry.size * form.number(count)
    if len(count) < head or length > 2**26:
        raise UserError("it is cut off")
    data = file.read(length + form.inline)
    if len(data) < length + form.inline:
        raise UserError("it is cut off")
    return list(entry.iter_unpack(data[:length])), form.number(data[length:])


def values_of(file: Any, form: Form, kind: int, count: int, value: int) -> tuple[int, ...]:
    """Read the whole numbers of an entry."""
    if BYTES[kind] * count > form.inline:
        file.seek(value)
        data = file.read(BYTES[kind] * count)
    else:
        data = struct.pack(form.order + ("Q" if form.big else "I"), value)
    return struct.unpack_from(f"{form.order}{count}{LETTERS[kind]}", data)


def layout_of(file: Any, form: Form, entries: list[Entry]) -> tuple[Any, ...]:
    """Return what the entries say of how pixels are stored: the same for pages stored alike."""
    found: list[Any] = []
    for tag, kind, count, value in entries:
        if tag not in LAYOUT or (tag, value) in _USUAL:
            continue
        size = BYTES.get(kind, 0) * count
        if size <= form.inline:
            found.append((tag, kind, count, value))
        else:  # what it says lies elsewhere
            file.seek(value)
            found.append((tag, kind, count, file.read(min(size, 2**20))))
    return tuple(found)


def segments_of(
    file: IO[bytes], form: Form, entries: list[Entry]
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return where strips or tiles of a page begin, and their lengths; None where unclear."""
    known = {tag: rest for tag, *rest in entries}
    starts, sizes = (
        next((known[tag] for tag in tags if tag in known), None) for tags in (STARTS, SIZES)
    )
    if starts is None or sizes is None or starts[1] != sizes[1]:
        return None
    if starts[0] not in LETTERS or sizes[0] not in LETTERS:
        return None
    try:
        both = values_of(file, form, *starts), values_of(file, form, *sizes)
    except struct.error:
        return None
    return np.array(both[0], np.int64), np.array(both[1], np.int64)


def pages_from(file: Any, form: Form, start: int) -> Iterator[tuple[int, list[Entry]]]:
    """Go through the headers of a file: where each is, and its entries.

    Raises
    ------
    UserError
        Naming the page that lies beyond the end.
    """
    seen = set[int]()
    while start and start not in seen:  # some go round in circles
        seen.add(start)
        try:
            entries, after = entries_at(file, form, start)
        except UserError:
            raise UserError(f"it is cut off: page {len(seen)} lies beyond its end") from None
        yield start, entries
        start = after
