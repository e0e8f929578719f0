"""What decodes the strips and tiles of a TIFF page, and which pages nothing decodes."""

from collections.abc import Callable
from typing import Any

from napari_stack.core.errors import UserError
from napari_stack.files.damage import UnsupportedError
from napari_stack.files.formats.tiff.ycbcr import OldJpeg, subsampled

UNCOMPRESSED, OLD_JPEG, YCBCR = 1, 6, 6
JPEGS = (OLD_JPEG, 7, 34892, 33007)

#: What JPEG of the old kind makes of brightness alone, of red, green and blue, and of YCbCr.
_OLD_COLOURS = (1, 2, YCBCR)


def check_supported(page: Any) -> None:
    """Refuse compressions and colours that nothing here decodes, or not rightly."""
    from tifffile.tifffile import TIFF

    tile = (page.tilewidth, page.tilelength, page.tiledepth)
    sides = [page.imagewidth, page.imagelength, page.imagedepth]
    sides += tile if page.is_tiled else [page.rowsperstrip]
    # tifffile hands on what stands there: texts, or several numbers.
    if not all(isinstance(side, int) and side > 0 for side in sides):
        raise UserError(f"no numbers of pixels where they are due: {sides}")
    known = page.compression in (UNCOMPRESSED, OLD_JPEG) or page.compression in TIFF.DECOMPRESSORS
    if not known:
        name = getattr(page.compression, "name", page.compression)
        raise UnsupportedError(f"its compression, {name}, is not supported")
    if page.compression == OLD_JPEG and not (
        page.bitspersample == 8 and page.planarconfig == 1 and page.photometric in _OLD_COLOURS
    ):
        raise UnsupportedError(
            "its JPEG of the old kind, in planes or of other colours, is unusual"
        )


def decoder_of(tif: Any, page: Any) -> Callable[..., Any]:
    """Return what decodes a page that does not hold its pixels as they are."""
    if page.compression == OLD_JPEG:
        return OldJpeg(page.offset, tif.byteorder)
    if is_subsampled(page):
        return subsampled(page)
    return page.decode


def is_subsampled(page: Any) -> bool:
    """Whether pixels may share their colours, without a JPEG that says how."""
    return bool(page.photometric == YCBCR and page.compression not in JPEGS)
