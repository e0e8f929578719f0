"""BMP and WebP, read by Pillow."""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.files._frames import Frame

#: What the pixels of a mode are converted to.
_CONVERTED = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB", "RGBX": "RGB", "RGBA": "RGBA"}

_ORIENTATION = 0x0112


def _opened(data: bytes) -> Any:
    # Not by Image.open, which refuses large pictures: what is too large is told by the file's size.
    from PIL import BmpImagePlugin, WebPImagePlugin

    kind: Any = BmpImagePlugin.BmpImageFile
    if data.startswith(b"RIFF"):
        kind = WebPImagePlugin.WebPImageFile
    return kind(BytesIO(data))


def frame_of(data: bytes) -> tuple[Frame, int]:
    """Read from the header what the pixels will be, and how many frames there are."""
    image = _opened(data)
    mode = _CONVERTED[image.mode]
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
    image.seek(number)
    upright = ImageOps.exif_transpose(image.convert(_CONVERTED[image.mode]))
    return np.asarray(upright)
