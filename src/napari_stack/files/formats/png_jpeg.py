"""PNG and JPEG: headers read here, pixels coded and decoded by imagecodecs."""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.base import Frame

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"

#: What a JPEG ends with.
JPEG_END = b"\xff\xd9"

#: Channels of a PNG by its colour type; a palette comes expanded.
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}

#: Markers of JPEG frames: all SOF but the tables DHT, JPG and DAC among them.
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

_ORIENTATION = 0x0112


def is_png(data: bytes) -> bool:
    """Tell a PNG by its first bytes."""
    return data.startswith(PNG)


def is_image(data: bytes) -> bool:
    """Tell a JPEG, or a PNG that is not animated, by its first bytes."""
    return data.startswith(JPEG) or (is_png(data) and not is_animated(data))


def is_animated(png: bytes) -> bool:
    """Tell whether a PNG holds several frames."""
    return any(name == b"acTL" for name, _ in png_chunks(png))


def frame_of(data: bytes) -> Frame:
    """Read from the header what the pixels will be.

    Raises
    ------
    ValueError
        For a JPEG in CMYK colours, or one that ends early.
    """
    return _png_frame(data) if data.startswith(PNG) else _jpeg_frame(data)


def decode(data: bytes) -> NDArray[Any]:
    """Decode the pixels, upright, channels in the order red, green, blue, alpha."""
    import imagecodecs

    if data.startswith(PNG):
        return upright(imagecodecs.png_decode(data), _orientation(data))
    return upright(imagecodecs.jpeg_decode(data), _orientation(data))


def _png_frame(data: bytes) -> Frame:
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    transparent = any(name == b"tRNS" for name, _ in png_chunks(data))
    channels = _PNG_CHANNELS[colour] + (transparent and colour in (0, 2, 3))
    if _orientation(data) >= 5:
        height, width = width, height
    shape = (height, width) if channels == 1 else (height, width, channels)
    dtype = np.dtype(np.uint16 if depth == 16 else np.uint8)
    return Frame(shape, dtype, rgb=channels > 2, alpha=channels in (2, 4))


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Go through the names and contents of the chunks before the pixels."""
    place = len(PNG)
    while place + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[place : place + 8])
        if name == b"IDAT":
            return
        yield name, data[place + 8 : place + 8 + size]
        place += size + 12


def png_text(data: bytes, keyword: str) -> str | None:
    """Find a text by its keyword."""
    start = keyword.encode("latin-1") + b"\0"
    texts = (text for name, text in png_chunks(data) if name == b"tEXt")
    found = next((text[len(start) :] for text in texts if text.startswith(start)), None)
    return None if found is None else found.decode("latin-1")


def encode_png(
    image: NDArray[Any],
    texts: dict[str, str],
    *,
    level: int | None = None,
    exif: bytes = b"",
    profile: bytes = b"",
) -> bytes:
    """Encode an image, uint8, uint16 or bool, (y, x) or with 2, 3 or 4 channels, with texts.

    True becomes 255, so that a mask can be seen.
    """
    import imagecodecs

    image = image * np.uint8(255) if image.dtype == bool else image
    data = bytes(imagecodecs.png_encode(np.ascontiguousarray(image), level=level))
    chunks = b"".join(_text_chunk(*item) for item in texts.items())
    chunks += _chunk(b"eXIf", exif) if exif else b""
    chunks += _chunk(b"iCCP", b"ICC\0\0" + zlib.compress(profile)) if profile else b""
    after_header = len(PNG) + 25
    return data[:after_header] + chunks + data[after_header:]


def _text_chunk(keyword: str, text: str) -> bytes:
    return _chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("latin-1"))


def _chunk(name: bytes, data: bytes) -> bytes:
    content = name + data
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
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
        if marker == 0xDA:
            # Decoders fill what is missing with grey without a word.
            if data.rfind(JPEG_END, place) < 0:
                raise UserError("the JPEG data ends early")
            return
        place += 2 + size
    raise UserError("the JPEG data ends in its header")


def _jpeg_frame(data: bytes) -> Frame:
    segments = list(_jpeg_segments(data))
    heads = [content for marker, content in segments if marker in _JPEG_FRAMES]
    if not heads:
        raise UserError("the JPEG data holds no image")
    depth, height, width, channels = struct.unpack(">BHHB", heads[0][:6])
    if channels == 4:
        raise UserError("CMYK colours are for printing: convert them to RGB")
    if _orientation(data) >= 5:
        height, width = width, height
    shape = (height, width) if channels == 1 else (height, width, channels)
    return Frame(shape, np.dtype(np.uint8 if depth <= 8 else np.uint16), rgb=channels == 3)


def _orientation(data: bytes) -> int:
    """Orientation by EXIF, 1 to 8; 1 is upright, and what is taken where EXIF is damaged."""
    exif = _exif(data)
    if exif is None:
        return 1
    try:
        found = _exif_number(exif, _ORIENTATION)
    except struct.error:
        return 1
    return found if 1 <= found <= 8 else 1


def _exif(data: bytes) -> bytes | None:
    if data.startswith(PNG):
        return next((content for name, content in png_chunks(data) if name == b"eXIf"), None)
    found = (content for marker, content in _jpeg_segments(data) if marker == 0xE1)
    return next((content[6:] for content in found if content.startswith(b"Exif\0\0")), None)


def jpeg_comment(data: bytes) -> str | None:
    """Find the comment of a JPEG."""
    found = (content for marker, content in _jpeg_segments(data) if marker == 0xFE)
    return next((content.decode("latin-1") for content in found), None)


def _exif_number(exif: bytes, wanted: int) -> int:
    """Read a 16-bit number from the first directory of EXIF, or 1 where it has none."""
    order = "<" if exif.startswith(b"II") else ">"
    (start,) = struct.unpack_from(order + "I", exif, 4)
    (count,) = struct.unpack_from(order + "H", exif, start)
    for place in range(start + 2, start + 2 + 12 * count, 12):
        tag, number = struct.unpack_from(order + "H6xH", exif, place)
        if tag == wanted:
            return int(number)
    return 1


def upright(image: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror as EXIF 2.3, section 4.6.4, tag Orientation, says; so does TIFF 6.0."""
    if orientation >= 5:  # rows and columns change places
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)
