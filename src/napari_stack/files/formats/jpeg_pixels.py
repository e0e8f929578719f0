"""The pixels of a JPEG, decoded by libjpeg-turbo: damage that decoders pass over is told."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.jpeg import frame_header

#: Markers of what simplejpeg decodes: coded by Huffman's tables, at once or in passes.
_HUFFMAN = (0xC0, 0xC1, 0xC2)

#: What libjpeg says of data that it makes up, and of bytes that it has no use for. The pixels are
#: all there in the latter case, but they may be others: zeros are valid codes.
_MADE_UP = ("Corrupt JPEG data", "Premature end")
_LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker 0xd9")


def decoded(data: bytes, tell: Callable[[str], None]) -> NDArray[Any]:
    """Decode a JPEG of any kind that imagecodecs knows.

    Parameters
    ----------
    data : bytes
    tell : callable
        Called with a sentence where the pixels may be wrong.

    Raises
    ------
    UserError
        Where pixels are missing, and a decoder would make them up.
    """
    import imagecodecs

    marker, depth, channels = frame_header(data)
    if marker not in _HUFFMAN or depth != 8 or channels not in (1, 3):
        return np.asarray(imagecodecs.jpeg_decode(data))
    import simplejpeg

    colours = "GRAY" if channels == 1 else "RGB"
    try:
        pixels = simplejpeg.decode_jpeg(data, colours)
    except ValueError as error:
        if (left := _LEFT_OVER.search(str(error))) is not None:
            tell(
                f"{left[1]} bytes of its data are left over when all pixels are decoded, so that "
                "some of these may be damaged: compare it with another copy"
            )
        elif str(error).startswith(_MADE_UP):
            raise UserError(str(error)) from error
        pixels = simplejpeg.decode_jpeg(data, colours, strict=False)
    return pixels[..., 0] if channels == 1 else np.asarray(pixels)
