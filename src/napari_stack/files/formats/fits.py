"""FITS, read by astropy: the images of a file, their planes as frames."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.array_axes import (
    ArrayFormat,
    StoredImage,
    named_contents,
    numbered_axes,
)
from napari_stack.files.formats.base import needed_package

#: What astropy calls an image that has no name.
_NAMELESS = ("PRIMARY", "COMPRESSED_IMAGE")


class Fits(ArrayFormat):
    """FITS; rows come in the order in which they are stored."""

    name = "FITS"
    starts = (b"SIMPLE  =",)
    suffixes = (".fits", ".fit", ".fts")
    libraries = ("astropy",)

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the images of a file, one at least; tables are none."""
        stored = Path(path).stat().st_size
        found = []
        with _opened(path) as file:
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
            raise UserError("it holds no image, only tables")
        return found

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        path, number = array
        with _opened(path) as file:
            image = file[number]
            return image.section[(*place, rows, slice(0, image.shape[-1]))]


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    with needed_package(path, "FITS", "astropy", "fits"):
        from astropy.io import fits
    from astropy.io.fits.hdu.compressed._compression import CfitsioException

    try:
        # Opened here, for astropy leaves a file open in which it finds no header.
        with (
            Path(path).open("rb") as raw,
            fits.open(raw, memmap=False, lazy_load_hdus=True) as file,
        ):
            yield file
    except (CfitsioException, fits.VerifyError) as error:  # of no built-in kind
        raise UserError(str(error)) from error


def _check_whole(image: Any, shape: tuple[int, ...], stored: int) -> None:
    """Refuse an image of which the file holds a part only; a compressed one is not known to."""
    start = image.fileinfo()["datLoc"]
    size = prod(shape) * abs(int(image.header["BITPIX"])) // 8
    if not hasattr(image, "compression_type") and start + size > stored:
        raise UserError(f"{size} bytes of pixels are due, and {stored - start} are there")
