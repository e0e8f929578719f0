"""SER of astronomers' cameras, by the description of its version 3: frames, then their times."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files.formats.array_axes import ArrayFormat, StoredImage
from napari_stack.files.formats.base import Frame
from napari_stack.files.formats.bayer import demosaiced
from napari_stack.files.formats.described import stored_image, time_axis

_START = b"LUCAM-RECORDER"

#: Bytes of the header, and of a time.
_HEADER, _STAMP = 178, 8

#: Colours by their number: mosaics of red, green and blue, and pixels of three channels.
_MOSAICS = {8: "RGGB", 9: "GRBG", 10: "GBRG", 11: "BGGR"}
_GREY, _RGB, _BGR = 0, 100, 101

#: Mosaics of cyan, yellow and magenta, which are handed out as they are.
_OTHERS = {16: "CYYM", 17: "YCMY", 18: "YMCY", 19: "MYYC"}

#: Ticks of a time in a second.
_TICKS = 1e7


@dataclass(frozen=True)
class _Layout:
    """How frames are stored.

    Attributes
    ----------
    path : str
    shape : tuple of int
    dtype : numpy.dtype
        In the order of bytes of the file.
    mosaic : str
        Colours of the first four pixels where they are to be made out of it; else empty.
    reverse : bool
        Blue comes first.
    """

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    mosaic: str
    reverse: bool

    @property
    def size(self) -> int:
        return int(np.prod(self.shape)) * self.dtype.itemsize


class Ser(ArrayFormat):
    """SER."""

    name = "SER"
    starts = (_START,)
    suffixes = (".ser",)

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the film."""
        with Path(path).open("rb") as file:
            header = file.read(_HEADER)
            colour, little, width, height, depth, count = np.frombuffer(header, "<i4", 6, 18)
        known = {_GREY, _RGB, _BGR, *_MOSAICS, *_OTHERS}
        if colour not in known or not 1 <= depth <= 16 or min(width, height, count) < 1:
            raise UserError(
                f"its header says {width} x {height} pixels of {depth} bits in colours {colour}, "
                f"and {count} frames"
            )
        channels = (3,) if colour in (_RGB, _BGR) else ()
        demosaic = self.headers.options.demosaic
        layout = _Layout(
            path,
            (int(height), int(width), *channels),
            _dtype(path, int(depth), bool(little), int(width)),
            _MOSAICS.get(int(colour), "") if demosaic else "",
            bool(colour == _BGR),
        )
        stored, due = os.stat(path).st_size, _HEADER + layout.size * int(count)  # noqa: PTH116
        if stored < due:
            raise UserError(f"{due} bytes are due for {count} frames, and {stored} are there")
        rgb = bool(channels or layout.mosaic)
        shape = (*layout.shape[:2], 3) if rgb else layout.shape
        frame = Frame(shape, layout.dtype.newbyteorder("="), rgb=rgb)
        t = time_axis(_times(path, due, int(count)))
        t = t if t.unit == "s" else Axis("frame")
        plane = Axis("y"), Axis("x")
        return [stored_image(layout, [(t, int(count))], frame, plane, partial=not layout.mosaic)]

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        layout: _Layout = array
        wanted = slice(0, layout.shape[0]) if layout.mosaic else rows
        row = layout.size // layout.shape[0]
        offset = _HEADER + place[-1] * layout.size + wanted.start * row
        count = (wanted.stop - wanted.start) * row // layout.dtype.itemsize
        found = np.fromfile(layout.path, layout.dtype, count, offset=offset)
        if len(found) < count:
            raise UserError("its pixels end early")
        pixels = found.reshape(-1, *layout.shape[1:]).astype(layout.dtype.newbyteorder("="))
        if layout.mosaic:
            return demosaiced(pixels, layout.mosaic)[rows]
        return pixels[..., ::-1] if layout.reverse else pixels


def _dtype(path: str, depth: int, flag: bool, width: int) -> np.dtype[Any]:
    """Return how numbers are stored.

    The description says that the flag means the least byte first; the first programs took it the
    other way round, and all others followed them. Where numbers have fewer than 16 bits, those of
    the first rows tell.
    """
    if depth <= 8:
        return np.dtype(np.uint8)
    usual, other = np.dtype(">u2" if flag else "<u2"), np.dtype("<u2" if flag else ">u2")
    rows = np.fromfile(path, usual, width * 16, offset=_HEADER)
    fits = rows.max(initial=0) < 2**depth
    return usual if fits or rows.view(other).max(initial=0) >= 2**depth else other


def _times(path: str, start: int, count: int) -> list[float]:
    """Return when frames were taken, in seconds from the first, where the file says."""
    stamps = np.fromfile(path, "<u8", count, offset=start)
    if len(stamps) < count or not stamps.all():
        return []
    seconds = (stamps - stamps[0]).astype(np.int64) / _TICKS
    return [float(value) for value in seconds]
