"""Pictures that are decoded as a whole: PNG and JPEG by imagecodecs, BMP and WebP by Pillow."""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files import metadata
from napari_stack.files.formats import pillow, png_jpeg
from napari_stack.files.formats.base import (
    Contents,
    First,
    Frame,
    check_plausible,
    damage_named,
    one_frame,
)
from napari_stack.files.formats.tiff.read import Headers

#: Bytes in which a header is looked for first.
_HEAD = 2**18


def contents(path: str, headers: Headers) -> Contents:  # noqa: ARG001
    """Look into a picture."""
    data, frame, count = _load(path)
    noted = _noted(data)
    if axes := metadata.axes_of(noted):
        found = one_frame(frame, (axes[0][-2], axes[0][-1]))
        return replace(found, used=metadata.used_of(noted, 1))
    plane = (Axis("y"), Axis("x"))
    return Contents(frame, False, (Axis("frame"),), (count,), plane, np.arange(count))


def glance(path: str, headers: Headers) -> Contents:
    """Look into a picture without reading all of it; its end is taken on trust."""
    with damage_named(path), Path(path).open("rb") as file:
        data = file.read(_HEAD)
        longer = bool(file.read(1))
    if not longer or not png_jpeg.is_image(data):
        return contents(path, headers)
    try:
        return one_frame(png_jpeg.frame_of(data + png_jpeg.JPEG_END))
    except (ValueError, struct.error):  # the header is longer
        return contents(path, headers)


def read_frame(
    path: str,
    number: int,
    rows: slice | None,
    first: First,
    headers: Headers,  # noqa: ARG001
) -> NDArray[Any]:
    """Decode a picture."""
    data, frame, count = _load(path)
    first.check(path, frame, count)
    with damage_named(path):
        own = png_jpeg.is_image(data)
        pixels = png_jpeg.decode(data) if own else pillow.decode(data, number)
        if pixels.shape != frame.shape:
            raise UserError(f"{pixels.shape} pixels where {frame.shape} are due")
    return pixels if rows is None else pixels[rows]


def note(path: str) -> dict[str, Any]:
    """Find our own note in a picture."""
    with damage_named(path):
        return _noted(Path(path).read_bytes())


def _load(path: str) -> tuple[bytes, Frame, int]:
    """Read a picture without decoding it."""
    with damage_named(path):
        data = Path(path).read_bytes()
        own = png_jpeg.is_image(data)
        frame, count = (png_jpeg.frame_of(data), 1) if own else pillow.frame_of(data)
    check_plausible(path, frame, len(data))
    return data, frame, count


def _noted(data: bytes) -> dict[str, Any]:
    if png_jpeg.is_png(data):
        return metadata.from_text(png_jpeg.png_text(data, metadata.KEY))
    return metadata.from_text(png_jpeg.jpeg_comment(data)) if png_jpeg.is_image(data) else {}
