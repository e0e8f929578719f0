"""FITS, read by astropy: the images of a file, their planes as frames."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import prod
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.damage import NoImageError
from napari_stack.files.formats.array_axes import (
    ArrayFormat,
    StoredImage,
    named_contents,
    numbered_axes,
)
from napari_stack.files.formats.base import needed_package
from napari_stack.files.unpacked import GZIP, unpacked

#: What astropy calls an image that has no name.
_NAMELESS = ("PRIMARY", "COMPRESSED_IMAGE")


class Fits(ArrayFormat):
    """FITS; rows come in the order in which they are stored."""

    name = "FITS"
    starts = (b"SIMPLE  =",)
    suffixes = (
        ".fits", ".fit", ".fts", ".fits.fz", ".fit.fz", ".fits.gz", ".fit.gz", ".fts.gz",
    )  # fmt: skip
    libraries = ("astropy", "gzip")

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:
        """Look into what is packed as a whole."""
        if not start.startswith(GZIP):
            return super().recognises(path, start)
        with suppress(OSError, EOFError, zlib.error), gzip.open(path) as file:
            return file.read(len(cls.starts[0])) == cls.starts[0]
        return path.lower().endswith(cls.suffixes)

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the images of a file, one at least; tables are none."""
        found = []
        with self._raw(path) as raw, _opened(path, raw) as file:
            stored = raw.seek(0, 2)
            raw.seek(0)
            for number, image in enumerate(file):
                # Damaged ones have none, or texts among the numbers.
                shape = tuple(map(int, getattr(image, "shape", ())))
                if image.is_image and len(shape) >= 2 and 0 not in shape:
                    _check_whole(image, shape, stored)
                    pixel = image.section[tuple(slice(0, 1) for _ in shape)]  # as it is read
                    axes = numbered_axes(len(shape) - 2)
                    held = named_contents(shape, pixel.dtype, axes, partial=True)
                    name = "" if image.name in _NAMELESS else str(image.name)
                    # Beside images (SCI) lie their errors (ERR), which are no frames of theirs.
                    kind = name.rstrip("0123456789_-. ").upper()
                    found.append(StoredImage((path, number), shape, held, name, kind))
        if not found:
            raise NoImageError("it holds no image of two axes or more, only tables or spectra")
        return found

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        path, number = array
        with self._raw(path) as raw, _opened(path, raw) as file:
            image = file[number]
            return image.section[(*place, rows, slice(0, image.shape[-1]))]

    def _raw(self, path: str) -> IO[bytes]:
        """Open a file, unpacked. Astropy would leave it open where it finds no header."""
        with Path(path).open("rb") as file:
            packed = file.read(len(GZIP)) == GZIP
        return unpacked(path, self.headers) if packed else Path(path).open("rb")


@contextmanager
def _opened(path: str, raw: IO[bytes]) -> Iterator[Any]:
    with needed_package(path, "FITS", "astropy", "fits"):
        from astropy.io import fits
    from astropy.io.fits.hdu.compressed._compression import CfitsioException

    try:
        with fits.open(raw, memmap=False, lazy_load_hdus=True) as file:
            yield file
    except (CfitsioException, fits.VerifyError) as error:  # of no built-in kind
        raise UserError(str(error)) from error


def _check_whole(image: Any, shape: tuple[int, ...], stored: int) -> None:
    """Refuse an image of which the file holds a part only; a compressed one is not known to."""
    start = image.fileinfo()["datLoc"]
    size = prod(shape) * abs(int(image.header["BITPIX"])) // 8
    if not hasattr(image, "compression_type") and start + size > stored:
        raise UserError(f"{size} bytes of pixels are due, and {stored - start} are there")
