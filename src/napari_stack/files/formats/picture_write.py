"""Writing PNG (imagecodecs) and JPEG (Pillow): one image of 8 bits, or 16 in a PNG."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.engine.run import Run
from napari_stack.files import metadata
from napari_stack.files.exif import Origin
from napari_stack.files.formats import png_jpeg
from napari_stack.files.write_content import Content, frames_of

#: Most pixels along a side, and bytes of a comment or EXIF, that a JPEG holds.
_JPEG_SIDE, _JPEG_SEGMENT = 65535, 65533

#: From this quality on colours are stored at full size, as photo editors do.
_FINE = 90


def check(path: Path, content: Content, compression: str) -> None:
    """Refuse what a PNG or JPEG cannot hold."""
    jpeg = _is_jpeg(path)
    kind = "JPEG" if jpeg else "PNG"
    stack = content.frames
    if len(stack) != 1:
        raise UserError(
            f"{path}: a {kind} holds one image, and these are {len(stack)} frames: write a .tif, "
            "or name a folder"
        )
    bits = "8-bit" if jpeg else "8-bit or 16-bit"
    if stack.dtype not in (np.uint8, np.bool_) and (jpeg or stack.dtype != np.uint16):
        raise UserError(
            f"{path}: a {kind} holds {bits} whole numbers, and these are {stack.dtype}: convert "
            "them, or write a .tif"
        )
    channels = stack.shape[3] if stack.ndim == 4 else 1
    if channels != 1 and not stack.rgb and not (channels == 2 and stack.alpha and not jpeg):
        raise UserError(
            f"{path}: a {kind} holds grey or colours, and these are {channels} bands: write a .tif"
        )
    if jpeg and (channels == 4 or max(stack.shape[1:3]) > _JPEG_SIDE):
        what = "no alpha" if channels == 4 else f"{_JPEG_SIDE} pixels a side at most"
        raise UserError(f"{path}: a JPEG holds {what}: write a .tif or .png")
    if not jpeg and compression not in ("none", "zlib"):
        raise UserError(f"{path}: a PNG is compressed by zlib, not {compression}: write a .tif")


def _is_jpeg(path: Path) -> bool:
    return path.suffix.lower() != ".png"


def write(
    path: Path,
    content: Content,
    *,
    level: int | None,
    quality: int,
    note: Mapping[str, Any],
    origin: Origin,
    run: Run,
) -> None:
    """Write the one image."""
    text = metadata.to_text(note)
    with frames_of(content.frames, run) as frames:
        (image,) = frames
    profile = origin.profile_for(content.frames.rgb)
    exif = origin.to_bytes()
    if _is_jpeg(path):
        data = _jpeg(image, quality, text, exif, profile)
    else:
        data = png_jpeg.encode_png(
            image, {metadata.KEY: text}, level=level, exif=exif.removeprefix(b"Exif\0\0"),
            profile=profile,
        )  # fmt: skip
    path.write_bytes(data)


def _jpeg(image: NDArray[Any], quality: int, text: str, exif: bytes, profile: bytes) -> bytes:
    from PIL import Image

    image = image * np.uint8(255) if image.dtype == bool else image
    options: dict[str, Any] = {"quality": quality}
    if quality >= _FINE:
        options["subsampling"] = 0
    if len(text) <= _JPEG_SEGMENT:
        options["comment"] = text
    if exif and len(exif) <= _JPEG_SEGMENT:
        options["exif"] = exif
    if profile:
        options["icc_profile"] = profile
    target = BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(target, "JPEG", **options)
    return target.getvalue()
