"""Writing PNG (imagecodecs) and JPEG (Pillow): one image of 8 bits, or 16 in a PNG."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.files.metadata import KEY
from napari_stack.files.write_content import Content, WriteOptions, Writer, refuse

#: Most pixels along a side, and bytes of a comment or EXIF, that a JPEG holds.
_JPEG_SIDE, _JPEG_SEGMENT = 65535, 65533

#: From this quality on colours are stored at full size, as photo editors do.
_FINE = 90

#: Where further chunks of a PNG start: after its signature and header.
_AFTER_HEADER = 33


class PictureWriter(Writer):
    """PNG and JPEG, with our note as a text or comment, EXIF and a colour profile."""

    suffixes = (".png", ".jpg", ".jpeg")

    def check(self, path: Path, content: Content, options: WriteOptions) -> None:
        """Refuse what a PNG or JPEG cannot hold."""
        jpeg, stack = _is_jpeg(path), content.frames
        channels = stack.shape[3] if stack.ndim == 4 else 1
        bands = channels != 1 and not stack.rgb and (jpeg or channels != 2 or not stack.alpha)
        types = (np.uint8, np.bool_) if jpeg else (np.uint8, np.bool_, np.uint16)
        bits = "8-bit" if jpeg else "8-bit or 16-bit"
        this = f"{path}: a {'JPEG' if jpeg else 'PNG'}"
        refuse({
            f"{this} holds one image, and these are {len(stack)} frames: write a .tif, or name a "
            "folder": len(stack) != 1,
            f"{this} holds {bits} whole numbers, and these are {stack.dtype}: convert them, or "
            "write a .tif": stack.dtype not in types,
            f"{this} holds grey or colours, and these are {channels} bands: write a .tif": bands,
            f"{this} holds no alpha: write a .tif or .png": jpeg and channels == 4,
            f"{this} holds {_JPEG_SIDE} pixels a side at most: write a .tif or .png":
                jpeg and max(stack.shape[1:3]) > _JPEG_SIDE,
            f"{this} is compressed by zlib, not {options.compression}: write a .tif":
                not jpeg and options.compression not in ("none", "zlib"),
        })  # fmt: skip

    def write(self, path: Path, content: Content, options: WriteOptions) -> None:  # noqa: D102
        text = content.note(options.recipe).to_text()
        with content.made(options.run) as frames:
            (image,) = frames
        # True becomes 255, so that a mask can be seen.
        image = np.ascontiguousarray(image * np.uint8(255) if image.dtype == bool else image)
        encode = _jpeg if _is_jpeg(path) else _png
        path.write_bytes(
            encode(image, text, options.origin.profile_for(content.frames.rgb), options)
        )


def _is_jpeg(path: Path) -> bool:
    return path.suffix.lower() != ".png"


def _png(image: NDArray[Any], text: str, profile: bytes, options: WriteOptions) -> bytes:
    import imagecodecs

    level = 0 if options.compression == "none" else options.level
    data = bytes(imagecodecs.png_encode(image, level=level))
    chunks = _chunk(b"tEXt", KEY.encode() + b"\0" + text.encode("latin-1"))
    if exif := options.origin.to_bytes():
        chunks += _chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    if profile:
        chunks += _chunk(b"iCCP", b"ICC\0\0" + zlib.compress(profile))
    return data[:_AFTER_HEADER] + chunks + data[_AFTER_HEADER:]


def _chunk(name: bytes, data: bytes) -> bytes:
    content = name + data
    return struct.pack(">I", len(data)) + content + struct.pack(">I", zlib.crc32(content))


def _jpeg(image: NDArray[Any], text: str, profile: bytes, options: WriteOptions) -> bytes:
    from PIL import Image

    saved: dict[str, Any] = {"quality": options.quality}
    exif = options.origin.to_bytes()
    if options.quality >= _FINE:
        saved["subsampling"] = 0
    if len(text) <= _JPEG_SEGMENT:
        saved["comment"] = text
    if exif and len(exif) <= _JPEG_SEGMENT:
        saved["exif"] = exif
    if profile:
        saved["icc_profile"] = profile
    target = BytesIO()
    Image.fromarray(image).save(target, "JPEG", **saved)
    return target.getvalue()
