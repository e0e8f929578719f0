"""The header of a JPEG, read here since Pillow refuses what imagecodecs decodes: 12 and 16 bits."""

import struct
from collections.abc import Iterator

import numpy as np

from napari_stack.core.errors import UserError
from napari_stack.files.formats.base import Frame

START, END = b"\xff\xd8\xff", b"\xff\xd9"

#: Markers of segments: the first of EXIF, a comment, and the one that starts the pixels.
_EXIF, _COMMENT, _PIXELS = 0xE1, 0xFE, 0xDA

#: Markers of frames: all SOF but the tables DHT, JPG and DAC among them.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

ORIENTATION = 0x0112


def header_of(data: bytes) -> tuple[Frame, int, str]:
    """Read what the pixels will be, stored which way up, and the comment.

    Raises
    ------
    UserError
        For CMYK colours, and for data that end early.
    """
    segments = list(_segments(data))
    _, content = _frame_in(segments)
    depth, height, width, channels = struct.unpack(">BHHB", content[:6])
    if channels == 4:
        raise UserError("CMYK colours are for printing: convert them to RGB")
    exif = [c for marker, c in segments if marker == _EXIF and c.startswith(b"Exif\0\0")]
    orientation = orientation_of(exif[0]) if exif else 1
    if orientation >= 5:
        height, width = width, height
    shape = (height, width) if channels == 1 else (height, width, channels)
    frame = Frame(shape, np.dtype(np.uint8 if depth <= 8 else np.uint16), rgb=channels == 3)
    comments = (content.decode("latin-1") for marker, content in segments if marker == _COMMENT)
    return frame, orientation, next(comments, "")


def frame_header(data: bytes) -> tuple[int, int, int]:
    """Return the marker of the frame, the bits of a sample, and the number of channels."""
    marker, content = _frame_in(list(_segments(data)))
    return marker, content[0], content[5]


def _frame_in(segments: list[tuple[int, bytes]]) -> tuple[int, bytes]:
    """Return the segment that starts a frame."""
    found = next((segment for segment in segments if segment[0] in _FRAMES), None)
    if found is None:
        raise UserError("the JPEG data holds no image")
    return found


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Go through the markers before the pixels, and end with the one that starts them."""
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            raise UserError("no JPEG marker where one is due")
        marker = data[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        size = int.from_bytes(data[place + 2 : place + 4], "big")
        yield marker, data[place + 4 : place + 2 + size]
        if marker == _PIXELS:
            # Decoders fill missing pixels with grey and raise nothing.
            if data.rfind(END, place) < 0:
                raise UserError("the JPEG data ends early")
            return
        place += 2 + size
    raise UserError("the JPEG data ends in its header")


def orientation_of(exif: bytes) -> int:
    """Read the orientation in EXIF, 1 to 8; 1, upright, where there is none or EXIF is damaged.

    Not by Pillow, which warns of damaged EXIF, and frames are read again and again, by threads.

    Parameters
    ----------
    exif : bytes
        As it stands in a JPEG.
    """
    exif = exif.removeprefix(b"Exif\0\0")
    order = "<" if exif.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
    except struct.error:
        return 1
    entries = exif[start + 2 : start + 2 + 12 * count]
    entries = entries[: len(entries) // 12 * 12]
    numbers = struct.iter_unpack(order + "H6xH2x", entries)
    found = next((number for tag, number in numbers if tag == ORIENTATION), 1)
    return int(found) if 1 <= found <= 8 else 1
