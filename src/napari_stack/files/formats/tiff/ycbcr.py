"""Brightness and two colours (YCbCr) in a TIFF that no JPEG holds, and JPEG of the old kind."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.damage import UnsupportedError

#: TIFF 6.0, section 21: shares of red, green and blue in the brightness; how many pixels across
#: and down share their colours; the values of black and white of each.
_SHARES, _SHARED, _RANGES = 529, 530, 532

_UNCOMPRESSED = 1


@dataclass(frozen=True)
class Subsampled:
    """Decodes strips of YCbCr to colours.

    Attributes
    ----------
    unpack : callable or None
        Undoes the compression.
    height, width, strip : int
        Of the image, and rows of a strip.
    across, down : int
        How many pixels share their colours.
    shares : tuple of float
        Of red, green and blue.
    ranges : tuple of float
        Black and white of Y, of Cb and of Cr.
    """

    unpack: Callable[[bytes], bytes] | None
    height: int
    width: int
    strip: int
    across: int
    down: int
    shares: tuple[float, ...]
    ranges: tuple[float, ...]

    def __call__(
        self, data: bytes, place: int, **_: Any
    ) -> tuple[NDArray[np.uint8], None, tuple[int, ...]]:
        """Decode a strip: (1, rows, width, 3)."""
        packed = bytes(self.unpack(data)) if self.unpack else data
        rows = min(self.strip, self.height - place * self.strip)
        tall, wide = -(-rows // self.down), -(-self.width // self.across)
        size = self.across * self.down + 2
        found = np.frombuffer(packed, np.uint8)
        if len(found) < tall * wide * size:
            raise UserError("the pixel data end early")
        units = found[: tall * wide * size].reshape(tall, wide, size)
        bright = units[..., :-2].reshape(tall, wide, self.down, self.across).swapaxes(1, 2)
        planes = [bright.reshape(tall * self.down, wide * self.across)]
        planes += [units[..., n].repeat(self.down, 0).repeat(self.across, 1) for n in (-2, -1)]
        pixels = self._colours(*[plane[:rows, : self.width] for plane in planes])
        return pixels[np.newaxis], None, (1, rows, self.width, 3)

    def _colours(
        self, y: NDArray[np.uint8], cb: NDArray[np.uint8], cr: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        full = (255, 127, 127)
        y_, cb_, cr_ = (
            (plane.astype(np.float32) - self.ranges[2 * n])
            * np.float32(full[n] / (self.ranges[2 * n + 1] - self.ranges[2 * n]))
            for n, plane in enumerate((y, cb, cr))
        )
        of_red, of_green, of_blue = self.shares
        red = y_ + cr_ * np.float32(2 - 2 * of_red)
        blue = y_ + cb_ * np.float32(2 - 2 * of_blue)
        green = (y_ - of_blue * blue - of_red * red) / np.float32(of_green)
        colours = np.stack([red, green, blue], axis=-1)
        return np.rint(colours.clip(0, 255)).astype(np.uint8)


def subsampled(page: Any) -> Subsampled:
    """Return what decodes the strips of a page.

    Raises
    ------
    UnsupportedError
        For tiles, and for a plane a colour.
    """
    from tifffile.tifffile import TIFF

    if page.is_tiled or page.planarconfig != 1 or page.bitspersample != 8 or page.fillorder != 1:
        raise UnsupportedError("its colours, YCbCr in tiles or planes without JPEG, are unusual")
    unpack = None if page.compression == _UNCOMPRESSED else TIFF.DECOMPRESSORS[page.compression]
    across, down = page.tags.valueof(_SHARED) or (2, 2)
    shares = _ratios(page.tags.valueof(_SHARES)) or (0.299, 0.587, 0.114)
    ranges = _ratios(page.tags.valueof(_RANGES)) or (0, 255, 128, 255, 128, 255)
    if not {across, down} <= {1, 2, 4} or len(shares) != 3 or len(ranges) != 6 or not shares[1]:
        raise UserError("its description of YCbCr makes no sense")
    if any(low == high for low, high in zip(ranges[::2], ranges[1::2], strict=True)):
        raise UserError("its description of YCbCr makes no sense")
    strip = min(page.rowsperstrip, page.imagelength)
    size = page.imagelength, page.imagewidth, strip
    return Subsampled(unpack, *size, int(across), int(down), shares, ranges)


def _ratios(found: Any) -> tuple[float, ...]:
    """Return fractions, which come as numbers one after the other."""
    values = tuple(found or ())
    if len(values) % 2 or 0 in values[1::2]:
        return ()
    return tuple(a / b for a, b in zip(values[::2], values[1::2], strict=True))


@dataclass(frozen=True)
class OldJpeg:
    """Decodes a page with JPEG of the old kind (TIFF 6.0, section 22) by Pillow, that is libtiff.

    Attributes
    ----------
    offset : int
        Where the header of the page starts.
    order : str
        Of bytes.
    """

    offset: int
    order: str

    def __call__(self, path: str) -> NDArray[np.uint8]:
        """Decode the whole page to colours, or to grey."""
        from PIL.TiffImagePlugin import TiffImageFile

        data = bytearray(Path(path).read_bytes())
        struct.pack_into(f"{self.order}I", data, 4, self.offset)  # as if it were the only one
        image = TiffImageFile(BytesIO(bytes(data)))
        return np.asarray(image if image.mode == "L" else image.convert("RGB"))
