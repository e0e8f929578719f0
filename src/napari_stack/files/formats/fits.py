"""FITS, read by astropy: the first image of a file, its planes as frames."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.array_axes import ArrayFormat, named_contents, numbered_axes
from napari_stack.files.formats.base import Contents, needed_package


class Fits(ArrayFormat):
    """FITS; rows come in the order in which they are stored."""

    name = "FITS"
    starts = (b"SIMPLE  =",)
    suffixes = (".fits", ".fit", ".fts")
    libraries = ("astropy",)

    def find_array(self, path: str) -> tuple[Any, tuple[int, ...], Contents]:
        """Return path and number of the first image, its shape, and what it holds."""
        stored = Path(path).stat().st_size
        with _opened(path) as file:
            for number, image in enumerate(file):
                # Damaged ones have none, or texts among the numbers.
                shape = tuple(map(int, getattr(image, "shape", ())))
                if image.is_image and len(shape) >= 2 and 0 not in shape:
                    _check_whole(image, shape, stored)
                    pixel = image.section[tuple(slice(0, 1) for _ in shape)]  # as it is read
                    axes = numbered_axes(len(shape) - 2)
                    found = named_contents(shape, pixel.dtype, axes, partial=True)
                    return (path, number), shape, found
        raise UserError("it holds no image, only tables")

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
