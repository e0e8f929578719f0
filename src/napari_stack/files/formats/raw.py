"""Camera RAW, developed by rawpy (LibRaw) to 16-bit colours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.base import (
    Contents,
    First,
    Frame,
    check_plausible,
    damage_named,
    needed_package,
    one_frame,
)
from napari_stack.files.formats.tiff.read import Headers

#: Suffixes of camera makers; most of these files begin as a TIFF does.
SUFFIXES = (
    ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos", ".mrw", ".nef",
    ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
)  # fmt: skip


def contents(path: str, headers: Headers) -> Contents:  # noqa: ARG001
    """Look into a file."""
    with _opened(path) as raw:
        return one_frame(_frame(path, raw))


def read_frame(
    path: str,
    number: int,  # noqa: ARG001
    rows: slice | None,
    first: First,
    headers: Headers,  # noqa: ARG001
) -> NDArray[Any]:
    """Develop a photograph: the camera's white balance, no brightening, so that frames compare."""
    with _opened(path) as raw:
        first.check(path, _frame(path, raw))
        pixels = raw.postprocess(output_bps=16, use_camera_wb=True, no_auto_bright=True)
    return np.ascontiguousarray(pixels if rows is None else pixels[rows])


def note(path: str) -> dict[str, Any]:  # noqa: ARG001
    """Find our own note: there is none."""
    return {}


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    with needed_package(path, "camera RAW", "rawpy", "raw"):
        import rawpy
    with damage_named(path):
        try:
            with rawpy.imread(path) as raw:
                yield raw
        except rawpy.LibRawError as error:
            raise UserError(str(error)) from error


def _frame(path: str, raw: Any) -> Frame:
    sizes = raw.sizes
    height, width = sizes.iheight, sizes.iwidth
    if sizes.flip in (5, 6):  # a quarter turn
        height, width = width, height
    frame = Frame((height, width, raw.num_colors if raw.num_colors == 1 else 3),
                  np.dtype(np.uint16), rgb=raw.num_colors != 1)  # fmt: skip
    check_plausible(path, frame, 2**40)
    return frame
