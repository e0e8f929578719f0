"""NumPy's .npy and .npz: arrays of plain numbers, read in part; never a pickle."""

import shutil
import tempfile
import threading
import zipfile
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.damage import NoImageError
from napari_stack.files.formats.array_axes import ArrayFormat, StoredImage, contents_of
from napari_stack.files.formats.ome_zarr_images import is_zipped

#: Array taken from an .npz that holds several.
_PREFERRED = "images"

#: Share of the free disk that unpacked arrays leave to others.
_RESERVE = 0.05

_unpacking = threading.Lock()


@dataclass
class StoredArray:
    """An array in a file.

    Attributes
    ----------
    path : str
    shape : tuple of int
    dtype : numpy.dtype
        As stored.
    fortran : bool
        The first axis runs fastest.
    start : int
        Where its numbers start in the file, or in the member of an archive.
    member : str
        Name in an archive where it is compressed; else empty.
    unpacked : ndarray or None
        The whole of a compressed one, once it was read.
    """

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    start: int
    member: str = ""
    unpacked: NDArray[Any] | None = None

    @property
    def size(self) -> int:
        """Bytes of its numbers."""
        return prod(self.shape) * self.dtype.itemsize

    def mapped(self, file: Any, start: int) -> NDArray[Any]:
        """Map it from a file where its numbers lie as they are."""
        return np.memmap(file, self.dtype, "r", start, self.shape, "F" if self.fortran else "C")


class Npy(ArrayFormat):
    """Arrays of NumPy, by themselves or in an archive."""

    name = "NumPy"
    starts = (b"\x93NUMPY", b"PK\x03\x04")
    suffixes = (".npy", ".npz")
    libraries = ("zipfile",)

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:
        """Tell by the first bytes: a zip may be a zarr, too."""
        packed = start.startswith(b"PK") and not path.lower().endswith(".npz")
        return super().recognises(path, start) and not (packed and is_zipped(path))

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the array of a file; of an archive "images", or all that have two axes or more."""
        with Path(path).open("rb") as file:
            packed = file.read(2) == b"PK"
            file.seek(0)
            found = _members(file) if packed else {"": _header(file)}
        for array in found.values():
            stored = Path(path).stat().st_size - array.start
            if not packed and array.size > stored:
                raise UserError(f"{array.size} bytes of numbers are due, and {stored} are there")
        images = []
        for name, array in found.items():
            held = contents_of(array.shape, array.dtype, partial=True)
            images.append(StoredImage(replace(array, path=path), array.shape, held, name, name))
        return images

    def read_rows(self, array: StoredArray, place: tuple[int, ...], rows: slice) -> NDArray[Any]:
        """Read rows; of a compressed array after unpacking the whole of it once."""
        if not (array.member or array.fortran):
            return _read(array, place, rows)
        if not array.member:
            return np.array(array.mapped(array.path, array.start)[place][rows])
        with _unpacking:
            if array.unpacked is None:
                array.unpacked = _unpacked(array)
        return np.array(array.unpacked[place][rows])


def _header(file: IO[bytes]) -> StoredArray:
    form = np.lib.format
    version = form.read_magic(file)
    readers = {(1, 0): form.read_array_header_1_0, (2, 0): form.read_array_header_2_0}
    if version not in readers:
        raise UserError(f"the version {version} is for names of fields, which no image has")
    try:
        shape, fortran, dtype = readers[version](file)
    except TokenError as error:
        raise UserError(f"the header is not understood: {error}") from error
    if dtype.hasobject:
        raise UserError("it holds Python objects, which may run any code when loaded")
    return StoredArray("", shape, dtype, fortran and len(shape) > 1, file.tell())


def _members(file: IO[bytes]) -> dict[str, StoredArray]:
    """Find the arrays that count in an archive, by their names where these are several."""
    with zipfile.ZipFile(file) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        if not names:
            raise NoImageError(
                "the zip holds no array of NumPy and no zarr: unpack it, and name what is in it"
            )
        if _PREFERRED in names or len(names) == 1:
            return {"": _member(file, archive, _PREFERRED if _PREFERRED in names else names[0])}
        found = {name: _member(file, archive, name) for name in names}
    kept = {name: array for name, array in found.items() if len(array.shape) >= 2}
    if not kept:
        raise NoImageError(f"of its arrays ({', '.join(names)}) none has two axes or more")
    return kept if len(kept) > 1 else dict(zip([""], kept.values(), strict=True))


def _member(file: IO[bytes], archive: zipfile.ZipFile, name: str) -> StoredArray:
    """Find an array in an archive."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as packed:
        found = _header(packed)
    if found.start + found.size > info.file_size:
        raise UserError(f"{found.size} bytes of numbers are due in {info.file_size}")
    if info.compress_type != zipfile.ZIP_STORED:
        return replace(found, member=info.filename)
    # The name and the extra field that follow the 30 bytes of a local header differ from those in
    # the directory of the archive (section 4.3.7 of its specification).
    file.seek(info.header_offset + 26)
    lengths = np.frombuffer(file.read(4), "<u2")
    return replace(found, start=info.header_offset + 30 + int(lengths.sum()) + found.start)


def _read(array: StoredArray, place: tuple[int, ...], rows: slice) -> NDArray[Any]:
    height, *rest = array.shape[len(place) :]
    number = int(np.ravel_multi_index(place, array.shape[: len(place)])) if place else 0
    row, count = prod(rest), (rows.stop - rows.start) * prod(rest)
    with Path(array.path).open("rb", buffering=0) as file:
        offset = array.start + (number * height + rows.start) * row * array.dtype.itemsize
        numbers = np.fromfile(file, array.dtype, count, offset=offset)
    if len(numbers) < count:
        raise UserError("the numbers end early")
    return numbers.reshape(-1, *rest)


def _unpacked(array: StoredArray) -> NDArray[Any]:
    """Unpack a compressed array to a file that has no name and vanishes with the process."""
    free = int(shutil.disk_usage(tempfile.gettempdir()).free * (1 - _RESERVE))
    if array.size > free:
        raise UserError(
            f"unpacking takes {array.size / 2**30:.1f} GiB and {free / 2**30:.1f} GiB are free: "
            "set TMPDIR to a larger disk"
        )
    with (
        tempfile.TemporaryFile(prefix="napari-stack-") as target,
        zipfile.ZipFile(array.path) as archive,
        archive.open(array.member) as packed,
    ):
        packed.read(array.start)
        shutil.copyfileobj(packed, target, 2**20)
        target.flush()
        return array.mapped(target, 0)
