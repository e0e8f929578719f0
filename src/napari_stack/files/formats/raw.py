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
            return Contents.counted(_frame(path, raw, self.headers.options.demosaic))

    def read_frame(self, path: str, _number: int, rows: slice | None, first: First) -> NDArray[Any]:
        """Develop a photograph: the camera's white balance, no brightening, so frames compare."""
        demosaic = self.headers.options.demosaic
        with self.damage_named(path), _opened(path) as raw:
            first.check(path, _frame(path, raw, demosaic))
            if not demosaic:  # as the sensor recorded them, with its black level
                mosaic = raw.raw_image_visible
                return np.array(mosaic if rows is None else mosaic[rows])
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


def _frame(path: str, raw: Any, demosaic: bool) -> Frame:
    if not demosaic:
        mosaic = raw.raw_image_visible
        if mosaic is None or mosaic.ndim != 2:
            raise UserError("its pixels are no mosaic: leave out demosaic=False")
        return Frame(mosaic.shape, np.dtype(mosaic.dtype).newbyteorder("="))
    sizes, colours = raw.sizes, raw.num_colors != 1
    height, width = sizes.iheight, sizes.iwidth
    if sizes.flip in (5, 6):  # a quarter turn
        height, width = width, height
    frame = Frame((height, width, 3 if colours else 1), np.dtype(np.uint16), rgb=colours)
    frame.check(path, 2**40)
    return frame
