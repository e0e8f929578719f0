"""PBM, PGM, PPM, PAM and PFM of Netpbm: a header in plain text, then the pixels as they are."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files.formats.array_axes import ArrayFormat, StoredImage
from napari_stack.files.formats.base import Frame
from napari_stack.files.formats.described import stored_image

#: Bytes in which a header must end.
_HEAD = 2**12

_BLANK = rb"(?:\s|#[^\n]*\n)+"
_NUMBER = _BLANK + rb"(\d+)"
_PLAIN = re.compile(rb"P([1-6])" + _NUMBER + _NUMBER + rb"(?:" + _NUMBER + rb")?")
_BITMAP = re.compile(rb"P([14])" + _NUMBER + _NUMBER)
_PAM = re.compile(rb"P7\n(.*?)ENDHDR\n", re.DOTALL)
_PFM = re.compile(rb"P([fF])\s+(\d+)\s+(\d+)\s+(-?[0-9.eE+-]+)\s")


@dataclass(frozen=True)
class _Layout:
    """How pixels are stored.

    Attributes
    ----------
    path : str
    start : int
        Where they start.
    shape : tuple of int
    dtype : numpy.dtype
        In the order of bytes of the file.
    kind : {"plain", "bits", "text"}
        As they are, eight in a byte, or as text.
    flipped : bool
        The lowest row comes first.
    """

    path: str
    start: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    kind: str = "plain"
    flipped: bool = False
    alpha: bool = False


class Pnm(ArrayFormat):
    """PBM, PGM, PPM, PAM and PFM; values are not stretched, and 1 of a bitmap is black."""

    name = "PNM"
    suffixes = (".pnm", ".pbm", ".pgm", ".ppm", ".pam", ".pfm")

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: ARG003, D102
        return start[:1] == b"P" and start[1:2] in b"1234567fF" and start[2:3].isspace()

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the image."""
        with Path(path).open("rb") as file:
            layout = _layout(path, file.read(_HEAD))
        if layout.kind == "plain":
            due = int(np.prod(layout.shape)) * layout.dtype.itemsize
        else:
            due = -(-layout.shape[1] // 8) * layout.shape[0] if layout.kind == "bits" else 0
        stored = os.stat(path).st_size - layout.start  # noqa: PTH116
        if stored < due:
            raise UserError(f"{due} bytes of pixels are due, and {stored} are there")
        channels = layout.shape[2] if len(layout.shape) == 3 else 1
        rgb = channels == (4 if layout.alpha else 3)
        frame = Frame(layout.shape, layout.dtype.newbyteorder("="), rgb, layout.alpha)
        partial, plane = layout.kind == "plain", (Axis("y"), Axis("x"))
        return [stored_image(layout, [], frame, plane, partial=partial)]

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: ARG002, D102
        layout: _Layout = array
        height, *rest = layout.shape
        if layout.kind == "text":
            return _from_text(layout)[rows]
        if layout.kind == "bits":
            width = layout.shape[1]
            packed = np.fromfile(layout.path, np.uint8, offset=layout.start)
            packed = packed[: height * -(-width // 8)].reshape(height, -1)
            return np.unpackbits(packed, axis=1)[rows, :width] == 0
        start, stop = (height - rows.stop, height - rows.start) if layout.flipped else (
            rows.start, rows.stop)  # fmt: skip
        row = int(np.prod(rest))
        offset = layout.start + start * row * layout.dtype.itemsize
        found = np.fromfile(layout.path, layout.dtype, (stop - start) * row, offset=offset)
        pixels = found.reshape(stop - start, *rest)
        return pixels[::-1] if layout.flipped else pixels


def _layout(path: str, head: bytes) -> _Layout:
    if found := _PFM.match(head):
        channels = (3,) if found[1] == b"F" else ()
        order = "<f4" if float(found[4]) < 0 else ">f4"
        shape = (int(found[3]), int(found[2]), *channels)
        return _Layout(path, found.end(), shape, np.dtype(order), flipped=True)
    if found := _PAM.match(head):
        return _pam(path, found)
    if found := _BITMAP.match(head):
        kind = "bits" if found[1] == b"4" else "text"
        shape = (int(found[3]), int(found[2]))
        return _Layout(path, found.end() + (kind == "bits"), shape, np.dtype(bool), kind)
    found = _PLAIN.match(head)
    if not found or found[4] is None:
        raise UserError("its header is not understood")
    number, most = int(found[1]), int(found[4])
    channels = (3,) if number in (3, 6) else ()
    shape = (int(found[3]), int(found[2]), *channels)
    kind = "plain" if number > 3 else "text"
    return _Layout(path, found.end() + (kind == "plain"), shape, _dtype(most), kind)


def _pam(path: str, found: re.Match[bytes]) -> _Layout:
    lines = (line.split(None, 1) for line in found[1].decode("latin-1").splitlines())
    values = {line[0]: line[1].strip() for line in lines if len(line) == 2}
    channels = int(values["DEPTH"])
    shape = (int(values["HEIGHT"]), int(values["WIDTH"])) + ((channels,) if channels > 1 else ())
    alpha = values.get("TUPLTYPE", "").endswith("_ALPHA")
    return _Layout(path, found.end(), shape, _dtype(int(values["MAXVAL"])), alpha=alpha)


def _dtype(most: int) -> np.dtype[Any]:
    if not 0 < most < 2**16:
        raise UserError(f"it claims values up to {most}")
    return np.dtype(np.uint8 if most < 2**8 else ">u2")


def _from_text(layout: _Layout) -> NDArray[Any]:
    """Read numbers that are written as text; of a bitmap without spaces between them."""
    data = re.sub(rb"#[^\n]*", b"", Path(layout.path).read_bytes()[layout.start :])
    count = int(np.prod(layout.shape))
    if layout.dtype == bool:
        digits = np.frombuffer(b"".join(data.split()), np.uint8)[:count]
        values = digits == ord("0")
    else:
        values = np.array(data.split()[:count], np.int64).astype(layout.dtype)
    if len(values) < count:
        raise UserError(f"{count} numbers are due, and {len(values)} are there")
    return values.reshape(layout.shape)
