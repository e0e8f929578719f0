"""PNG, JPEG, BMP and WebP: headers are read first, pixels are decoded as a whole."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.files.damage import UnsupportedError
from napari_stack.files.exif import image_class
from napari_stack.files.formats import jpeg, jpeg_pixels
from napari_stack.files.formats.base import Contents, First, Format, Frame, upright
from napari_stack.files.metadata import KEY, Note

_PNG = b"\x89PNG"

#: Where a PNG has the bits of a channel and the colour type: Pillow's modes do not give them.
_DEPTH, _COLOUR_TYPE = 24, 25

#: Channels of a PNG by its colour type; a palette comes expanded.
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}

#: Bytes in which a header is looked for first.
_HEAD = 2**18

#: What the pixels of a mode are converted to where Pillow decodes them.
_CONVERTED = {
    "1": "L", "L": "L", "LA": "RGBA", "P": "RGB", "RGB": "RGB", "RGBX": "RGB", "RGBA": "RGBA",
}  # fmt: skip


@dataclass(frozen=True)
class _Header:
    """What the header of a picture says.

    Attributes
    ----------
    frame : Frame
    decode : callable
        Makes the pixels, upright, of the data and the number of a frame, and calls what it is given
        with a sentence where these may be wrong.
    note : Note
    count : int
        Number of frames.
    """

    frame: Frame
    decode: Callable[[bytes, int, Callable[[str], None]], NDArray[Any]]
    note: Note
    count: int = 1

    @property
    def contents(self) -> Contents:
        found = Contents.counted(self.frame, self.count)
        if not self.note.axes:
            return found
        y, x = self.note.axes[-2:]
        return replace(found, plane=(y, x), used=self.note.used_of(1))


class Pictures(Format):
    """PNG by libpng, JPEG by libjpeg-turbo; BMP, WebP and animated PNG by Pillow."""

    name = "PNG, JPEG, BMP, WebP"
    starts = (_PNG, jpeg.START, b"BM", b"RIFF")
    suffixes = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
    libraries = ("PIL", "imagecodecs", "simplejpeg")

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: D102
        webp = not start.startswith(b"RIFF") or start[8:12] == b"WEBP"
        return webp and super().recognises(path, start)

    def contents(self, path: str) -> Contents:  # noqa: D102
        return self._load(path)[1].contents

    def read_header(self, path: str) -> Contents:  # noqa: D102
        with self.damage_named(path), Path(path).open("rb") as file:
            data = file.read(_HEAD)
            longer = bool(file.read(1))
        if longer and not data.startswith(b"RIFF"):
            with suppress(UserError), self.damage_named(path):  # where the header is longer
                return _header(data + jpeg.END).contents
        return self.contents(path)

    def read_frame(self, path: str, number: int, rows: slice | None, first: First) -> NDArray[Any]:  # noqa: D102
        data, header = self._load(path)
        first.check(path, header.frame, header.count)
        with self.damage_named(path):
            pixels = header.decode(data, number, partial(_tell, path))
            if pixels.shape != header.frame.shape:
                raise UserError(f"{pixels.shape} pixels where {header.frame.shape} are due")
        return pixels if rows is None else pixels[rows]

    def note(self, path: str) -> Note:  # noqa: D102
        return self._load(path)[1].note

    def _load(self, path: str) -> tuple[bytes, _Header]:
        """Read a picture without decoding it."""
        with self.damage_named(path):
            data = Path(path).read_bytes()
            header = _header(data)
        header.frame.check(path, len(data))
        return data, header


def _header(data: bytes) -> _Header:
    if data.startswith(jpeg.START):
        frame, orientation, comment = jpeg.header_of(data)
        return _Header(frame, partial(_decode_jpeg, orientation), Note.from_text(comment))
    image = _opened(data)
    if not data.startswith(_PNG):
        return _pillow_header(image)
    if "loop" not in image.info:  # which all animations have
        return _png_header(data, image)
    if data[_DEPTH] > 8:
        raise UserError("an animated PNG of 16 bits, of which Pillow reads 8: save its frames")
    return _pillow_header(image)


def _png_header(data: bytes, image: Any) -> _Header:
    """Read the header of a PNG that is not animated."""
    channels = _CHANNELS[data[_COLOUR_TYPE]]
    channels += channels in (1, 3) and "transparency" in image.info
    orientation = jpeg.orientation_of(image.info.get("exif", b""))
    sides = image.size if orientation >= 5 else image.size[::-1]
    shape = sides if channels == 1 else (*sides, channels)
    dtype = np.dtype(np.uint16 if data[_DEPTH] == 16 else np.uint8)
    frame = Frame(shape, dtype, rgb=channels > 2, alpha=channels in (2, 4))
    note = Note.from_text(image.info.get(KEY))
    return _Header(frame, partial(_decode_png, orientation), note)


def _tell(path: str, what: str) -> None:
    warn_caller(f"{path}: {what}")


def _decode_png(orientation: int, data: bytes, *_: Any) -> NDArray[Any]:
    import imagecodecs

    return upright(imagecodecs.png_decode(data), orientation)


def _decode_jpeg(
    orientation: int, data: bytes, _number: int, tell: Callable[[str], None]
) -> NDArray[Any]:
    return upright(jpeg_pixels.decoded(data, tell), orientation)


def _opened(data: bytes) -> Any:
    from PIL import Image

    try:
        return image_class(data)(BytesIO(data))
    except Image.DecompressionBombError as error:  # of a WebP, which decodes as a whole
        raise UnsupportedError("it has, or claims, more pixels than Pillow decodes") from error


def _mode(image: Any) -> str:
    """Return the mode that Pillow converts the pixels to."""
    return "RGBA" if "transparency" in image.info else _CONVERTED[image.mode]


def _pillow_header(image: Any) -> _Header:
    mode = _mode(image)
    turned = image.getexif().get(jpeg.ORIENTATION) in (5, 6, 7, 8)
    sides = image.size if turned else image.size[::-1]
    shape = sides if mode == "L" else (*sides, len(mode))
    frame = Frame(shape, np.dtype(np.uint8), rgb=mode != "L", alpha=mode == "RGBA")
    return _Header(frame, _decode_by_pillow, Note(), getattr(image, "n_frames", 1))


def _decode_by_pillow(data: bytes, number: int, *_: Any) -> NDArray[Any]:
    from PIL import ImageOps

    image = _opened(data)
    mode = _mode(image)
    image.seek(number)
    return np.asarray(ImageOps.exif_transpose(image.convert(mode)))
