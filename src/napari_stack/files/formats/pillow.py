"""BMP, WebP and animated PNG, read by Pillow."""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.base import Frame, UnsupportedError
from napari_stack.files.formats.png_jpeg import PNG

#: What the pixels of a mode are converted to.
_CONVERTED = {
    "1": "L", "L": "L", "LA": "RGBA", "P": "RGB", "RGB": "RGB", "RGBX": "RGB", "RGBA": "RGBA",
}  # fmt: skip

_ORIENTATION = 0x0112

#: Where a PNG tells the bits of a channel.
_PNG_DEPTH = 24


def _opened(data: bytes) -> Any:
    # Not by Image.open, which refuses large pictures: what is too large is told by the file's size.
    from PIL import BmpImagePlugin, Image, PngImagePlugin, WebPImagePlugin

    kind: Any = BmpImagePlugin.BmpImageFile
    if data.startswith(b"RIFF"):
        kind = WebPImagePlugin.WebPImageFile
    elif data.startswith(PNG):
        kind = PngImagePlugin.PngImageFile
        if data[_PNG_DEPTH] > 8:
            raise UserError("an animated PNG of 16 bits, of which Pillow reads 8: save its frames")
    try:
        return kind(BytesIO(data))
    except Image.DecompressionBombError as error:  # of a WebP, which decodes as a whole
        raise UnsupportedError("it has, or claims, more pixels than Pillow decodes") from error


def _mode(image: Any) -> str:
    """Tell what the pixels are converted to."""
    return "RGBA" if "transparency" in image.info else _CONVERTED[image.mode]


def frame_of(data: bytes) -> tuple[Frame, int]:
    """Read from the header what the pixels will be, and how many frames there are."""
    image = _opened(data)
    mode = _mode(image)
    width, height = image.size
    if image.getexif().get(_ORIENTATION, 1) >= 5:
        width, height = height, width
    shape = (height, width) if mode == "L" else (height, width, len(mode))
    frame = Frame(shape, np.dtype(np.uint8), rgb=mode != "L", alpha=mode == "RGBA")
    return frame, getattr(image, "n_frames", 1)


def decode(data: bytes, number: int) -> NDArray[Any]:
    """Decode a frame, upright."""
    from PIL import ImageOps

    image = _opened(data)
    mode = _mode(image)
    image.seek(number)
    upright = ImageOps.exif_transpose(image.convert(mode))
    return np.asarray(upright)
