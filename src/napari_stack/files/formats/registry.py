"""Which module reads a file; each has `contents`, `read_frame` and `note`."""

import os
import stat
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats import fits, npy, ome_zarr, pictures, raw
from napari_stack.files.formats.base import Contents, First, damage_named
from napari_stack.files.formats.tiff import read as tiff_read
from napari_stack.files.formats.tiff.read import Headers

#: What files begin with.
_STARTS: dict[bytes, Any] = {
    b"II*\0": tiff_read, b"MM\0*": tiff_read, b"II+\0": tiff_read, b"MM\0+": tiff_read,
    b"\x89PNG": pictures, b"\xff\xd8\xff": pictures, b"BM": pictures, b"RIFF": pictures,
    b"\x93NUMPY": npy, b"PK\x03\x04": npy, b"SIMPLE  =": fits,
}  # fmt: skip


class Format(Protocol):
    """How a kind of files is read."""

    def contents(self, path: str, headers: Headers) -> Contents:
        """Look into a file."""
        ...

    def read_frame(
        self, path: str, number: int, rows: slice | None, first: First, headers: Headers
    ) -> NDArray[Any]:
        """Read one frame, or some rows of it, after checking that it is like the first."""
        ...

    def note(self, path: str) -> dict[str, Any]:
        """Find our own note in it; see `napari_stack.files.metadata`."""
        ...


def format_of(path: str, headers: Headers | None = None) -> Format:
    """Tell a file by its first bytes; camera RAW, most of which look like TIFF, by its suffix.

    Raises
    ------
    ValueError, OSError
        Naming the file, when it is of no known kind or cannot be read.
    """
    known = {} if headers is None else headers.formats
    if path not in known:
        known[path] = _asked(path)
    return known[path]


def _asked(path: str) -> Any:
    if Path(path).is_dir():
        return ome_zarr
    with damage_named(path):
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            raise UserError(f"{path} is a pipe or device, which cannot be read as a file")
        with Path(path).open("rb", buffering=0) as file:
            start = file.read(16)
    if path.lower().endswith(raw.SUFFIXES):
        return raw
    found = next((kind for magic, kind in _STARTS.items() if start.startswith(magic)), None)
    if found is None or (start.startswith(b"RIFF") and start[8:12] != b"WEBP"):
        what = "is empty" if not start else "is of no known kind"
        raise UserError(
            f"{path} {what}: leave it out, or save it as TIFF (TIFF, PNG, JPEG, BMP, WebP, NumPy, "
            "zarr, FITS and camera RAW are read)"
        )
    return found


def read_frame(
    path: str, number: int, rows: slice | None, first: First, headers: Headers
) -> NDArray[np.generic]:
    """Read one frame of a file of any kind."""
    return format_of(path, headers).read_frame(path, number, rows, first, headers)
