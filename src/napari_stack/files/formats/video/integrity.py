"""Whether a film is whole: its outermost boxes say how long they are, whatever is in them."""

import os
from pathlib import Path
from typing import IO

from napari_stack.core.errors import UserError

MATROSKA = b"\x1a\x45\xdf\xa3"

#: Names of the boxes of QuickTime have four letters, which follow the four bytes of the length.
_BOX, _LONG_BOX = 8, 16

#: Most boxes that are looked at: a film of fragments has one for each second or so.
_MOST = 2**20


def check_whole(path: str) -> None:
    """Refuse a film of which the end is missing.

    Players show what is left; frames that are not there would be missed in silence.

    Raises
    ------
    UserError
    """
    stored = os.stat(path).st_size  # noqa: PTH116
    with Path(path).open("rb") as file:
        start = file.read(12)
        if start.startswith(MATROSKA):
            due = _end_of_segment(file)
        elif start.startswith(b"RIFF"):
            due = int.from_bytes(start[4:8], "little") + 8
        else:
            due = _end_of_boxes(file, stored)
    if due > stored:
        raise UserError(f"it is cut off: {due} bytes are due, and {stored} are there")


def _end_of_boxes(file: IO[bytes], stored: int) -> int:
    """Return where the last box of a file ends; ISO 14496-12, section 4.2."""
    place = 0
    for _ in range(_MOST):
        file.seek(place)
        head = file.read(_LONG_BOX)
        if len(head) < _BOX:
            break
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < _BOX:  # 0: up to the end of the file
            break
        place += size
        if place >= stored:
            break
    return place


def _end_of_segment(file: IO[bytes]) -> int:
    """Return where the segment ends that holds all of a Matroska file; 0 where it does not say."""
    file.seek(len(MATROSKA))
    size, _ = _number(file)
    file.seek(size, os.SEEK_CUR)
    file.seek(4, os.SEEK_CUR)  # the mark of a segment
    size, known = _number(file)
    return file.tell() + size if known else 0


def _number(file: IO[bytes]) -> tuple[int, bool]:
    """Read a length of EBML, whose leading zeros tell how long it is itself; all ones: unknown."""
    first = file.read(1)
    if not first or not first[0]:
        raise UserError("no length stands where one is due")
    more = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (1 << 7 - more) - 1]) + file.read(more), "big")
    return value, value != (1 << 7 * (more + 1)) - 1
