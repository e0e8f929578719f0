"""FITS, read by astropy: the first image of a file, its planes as frames."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files.formats.array_axes import named_contents
from napari_stack.files.formats.base import (
    Contents,
    First,
    check_plausible,
    damage_named,
    needed_package,
)
from napari_stack.files.formats.tiff.read import Headers, stamp_of


def contents(path: str, headers: Headers) -> Contents:
    """Look into a file."""
    return _known(path, headers)[1]


def read_frame(
    path: str, number: int, rows: slice | None, first: First, headers: Headers
) -> NDArray[Any]:
    """Read one frame, or some rows of it; rows come in the order in which they are stored."""
    place, found = _known(path, headers)
    first.check(path, found.frame, len(found.order))
    with damage_named(path), _opened(path) as file:
        image = file[place]
        plane = np.unravel_index(number, image.shape[:-2])
        part = slice(0, image.shape[-2]) if rows is None else rows
        pixels = image.section[(*(int(i) for i in plane), part, slice(0, image.shape[-1]))]
        return np.array(pixels, dtype=found.frame.dtype, order="C")


def note(path: str) -> dict[str, Any]:  # noqa: ARG001
    """Find our own note: there is none."""
    return {}


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    with needed_package(path, "FITS", "astropy", "fits"):
        from astropy.io import fits
    # Opened here, for astropy leaves a file open in which it finds no header.
    with Path(path).open("rb") as raw, fits.open(raw, memmap=False, lazy_load_hdus=True) as file:
        yield file


def _known(path: str, headers: Headers) -> tuple[int, Contents]:
    key = ("fits", stamp_of(path))
    if key not in headers.others:
        with damage_named(path), _opened(path) as file:
            place, found = _image_in(file, Path(path).stat().st_size)
        check_plausible(path, found.frame, Path(path).stat().st_size)
        headers.others[key] = place, found
    return headers.others[key]


def _image_in(file: Any, stored: int) -> tuple[int, Contents]:
    """Find the first image, and what it holds."""
    for place, image in enumerate(file):
        if not image.is_image or len(image.shape) < 2 or 0 in image.shape:
            continue
        start = image.fileinfo()["datLoc"]
        if not hasattr(image, "compression_type"):
            size = prod(image.shape) * abs(image.header["BITPIX"]) // 8
            if start + size > stored:
                raise UserError(f"{size} bytes of pixels are due, and {stored - start} are there")
        pixel = image.section[tuple(slice(0, 1) for _ in image.shape)]  # scaled as the others
        count = len(image.shape) - 2
        names = ["frame"] if count == 1 else [f"axis{number}" for number in range(count)]
        axes = [Axis(name) for name in [*names, "y", "x"][-len(image.shape) :]]
        return place, named_contents(image.shape, pixel.dtype, axes, partial=True)
    raise UserError("it holds no image, only tables")
