"""Camera RAW, developed by rawpy (LibRaw) to 16-bit colours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.base import Contents, First, Format, Frame, needed_package


class Raw(Format):
    """Camera RAW; most of these files begin as a TIFF does, so that their suffix counts."""

    name = "camera RAW"
    suffixes = (
        ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos", ".mrw",
        ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
    )  # fmt: skip

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: ARG003, D102
        return path.lower().endswith(cls.suffixes)

    def contents(self, path: str) -> Contents:  # noqa: D102
        with self.damage_named(path), _opened(path) as raw:
            return Contents.counted(_frame(path, raw))

    def read_frame(self, path: str, _number: int, rows: slice | None, first: First) -> NDArray[Any]:
        """Develop a photograph: the camera's white balance, no brightening, so frames compare."""
        with self.damage_named(path), _opened(path) as raw:
            first.check(path, _frame(path, raw))
            pixels = raw.postprocess(output_bps=16, use_camera_wb=True, no_auto_bright=True)
        return np.ascontiguousarray(pixels if rows is None else pixels[rows])


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    with needed_package(path, "camera RAW", "rawpy", "raw"):
        import rawpy
    try:
        with rawpy.imread(path) as raw:
            yield raw
    except rawpy.LibRawError as error:  # of no built-in kind
        raise UserError(str(error)) from error


def _frame(path: str, raw: Any) -> Frame:
    sizes, colours = raw.sizes, raw.num_colors != 1
    height, width = sizes.iheight, sizes.iwidth
    if sizes.flip in (5, 6):  # a quarter turn
        height, width = width, height
    frame = Frame((height, width, 3 if colours else 1), np.dtype(np.uint16), rgb=colours)
    frame.check(path, 2**40)
    return frame
