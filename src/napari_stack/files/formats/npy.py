"""NumPy's .npy and .npz: arrays of plain numbers, read in part; never a pickle."""

import shutil
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.array_axes import contents_of
from napari_stack.files.formats.base import Contents, First, check_plausible, damage_named
from napari_stack.files.formats.tiff.read import Headers, stamp_of

#: Array taken from an .npz that holds several.
_PREFERRED = "images"

#: Share of the free disk that unpacked arrays leave to others.
_RESERVE = 0.05

_unpacking = threading.Lock()


@dataclass(frozen=True)
class Array:
    """An array in a file.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
        As stored.
    fortran : bool
        The first axis runs fastest.
    start : int
        Where its numbers start in the file, or in the member of an archive.
    member : str
        Name in an archive where it is compressed; else empty.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    start: int
    member: str = ""

    @property
    def size(self) -> int:
        """Bytes of its numbers."""
        return prod(self.shape) * self.dtype.itemsize


def contents(path: str, headers: Headers) -> Contents:
    """Look into a file."""
    return _known(path, headers)[1]


def read_frame(
    path: str, number: int, rows: slice | None, first: First, headers: Headers
) -> NDArray[Any]:
    """Read one frame, or some rows of it."""
    array, found = _known(path, headers)
    first.check(path, found.frame, len(found.order))
    with damage_named(path):
        if array.member or array.fortran:
            whole = _unpacked(path, array, headers) if array.member else _mapped(path, array)
            frame = whole[np.unravel_index(number, whole.shape[: -len(found.frame.shape)])]
            part = frame if rows is None else frame[rows]
            return np.array(part, dtype=found.frame.dtype, order="C")
        return _read(path, array, found, number, rows)


def note(path: str) -> dict[str, Any]:  # noqa: ARG001
    """Find our own note: there is none."""
    return {}


def _known(path: str, headers: Headers) -> tuple[Array, Contents]:
    key = ("numpy", stamp_of(path))
    if key not in headers.others:
        with damage_named(path):
            array = _array(path)
            found = contents_of(array.shape, array.dtype, partial=True)
        check_plausible(path, found.frame, Path(path).stat().st_size)
        headers.others[key] = array, found
    return headers.others[key]


def _array(path: str) -> Array:
    with Path(path).open("rb") as file:
        if file.read(2) == b"PK":
            return _member(file)
        file.seek(0)
        found = _header(file)
        stored = Path(path).stat().st_size - found.start
    if found.size > stored:
        raise UserError(f"{found.size} bytes of numbers are due, and {stored} are there")
    return found


def _header(file: IO[bytes]) -> Array:
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise UserError(f"the version {version} is for names of fields, which no image has")
    try:
        shape, fortran, dtype = readers[version](file)
    except TokenError as error:
        raise UserError(f"the header is not understood: {error}") from error
    if dtype.hasobject:
        raise UserError("it holds Python objects, which may run any code when loaded")
    return Array(shape, dtype, fortran and len(shape) > 1, file.tell())


def _member(file: IO[bytes]) -> Array:
    """Find the array in an archive."""
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        wanted = f"{_PREFERRED}.npy" if f"{_PREFERRED}.npy" in names else names[0] if names else ""
        if not wanted or (len(names) > 1 and wanted != f"{_PREFERRED}.npy"):
            listed = ", ".join(name.removesuffix(".npy") for name in names) or "none"
            raise UserError(
                f"of its arrays ({listed}) one must be called {_PREFERRED!r}, or be the only one"
            )
        info = archive.getinfo(wanted)
        with archive.open(info) as packed:
            found = _header(packed)
    if found.start + found.size > info.file_size:
        raise UserError(f"{found.size} bytes of numbers are due in {info.file_size}")
    if info.compress_type != zipfile.ZIP_STORED:
        return Array(found.shape, found.dtype, found.fortran, found.start, wanted)
    # The name and the extra field that follow the 30 bytes of a local header differ from those in
    # the directory of the archive (section 4.3.7 of its specification).
    file.seek(info.header_offset + 26)
    lengths = np.frombuffer(file.read(4), "<u2")
    start = info.header_offset + 30 + int(lengths.sum()) + found.start
    return Array(found.shape, found.dtype, found.fortran, start)


def _read(
    path: str, array: Array, found: Contents, number: int, rows: slice | None
) -> NDArray[Any]:
    shape = found.frame.shape
    start, stop = (0, shape[0]) if rows is None else (rows.start, rows.stop)
    row = prod(shape[1:])
    with Path(path).open("rb", buffering=0) as file:
        place = (number * shape[0] + start) * row * array.dtype.itemsize
        count = (stop - start) * row
        numbers = np.fromfile(file, array.dtype, count, offset=array.start + place)
    if len(numbers) < count:
        raise EOFError("the numbers end early")
    return numbers.reshape(stop - start, *shape[1:]).astype(found.frame.dtype, copy=False)


def _mapped(path: str, array: Array) -> NDArray[Any]:
    order: Any = "F" if array.fortran else "C"
    return np.memmap(path, array.dtype, "r", array.start, array.shape, order)


def _unpacked(path: str, array: Array, headers: Headers) -> NDArray[Any]:
    """Unpack a compressed array once, to a file that has no name and vanishes with the process."""
    key = ("unpacked", stamp_of(path))
    with _unpacking:
        if key not in headers.others:
            headers.others[key] = _unpack(path, array)
        return headers.others[key]


def _unpack(path: str, array: Array) -> NDArray[Any]:
    free = int(shutil.disk_usage(tempfile.gettempdir()).free * (1 - _RESERVE))
    if array.size > free:
        raise UserError(
            f"unpacking takes {array.size / 2**30:.1f} GiB and {free / 2**30:.1f} GiB are free: "
            "set TMPDIR to a larger disk"
        )
    with (
        tempfile.TemporaryFile(prefix="napari-stack-") as target,
        zipfile.ZipFile(path) as archive,
        archive.open(array.member) as packed,
    ):
        packed.read(array.start)
        shutil.copyfileobj(packed, target, 2**20)
        target.flush()
        order: Any = "F" if array.fortran else "C"
        return np.memmap(target, array.dtype, "r", 0, array.shape, order)
