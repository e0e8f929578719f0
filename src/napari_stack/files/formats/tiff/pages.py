"""Pixels of a TIFF page: where they lie and how to read only the rows that are wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.base import Frame, upright
from napari_stack.files.formats.tiff.decoders import (
    JPEGS,
    UNCOMPRESSED,
    YCBCR,
    check_supported,
    decoder_of,
    is_subsampled,
)
from napari_stack.files.formats.tiff.lsm_stk import is_split
from napari_stack.files.formats.tiff.ycbcr import OldJpeg

_MIN_IS_WHITE, _RGB, _PALETTE = 0, 2, 3
_ALPHA = (1, 2)  # ExtraSamples: associated and unassociated
_ORIENTATION = 274

#: Pixels that a tile may have in any case; beyond, it must not be much larger than the image.
_ROOM = 2**22

_ENDS_EARLY = "the pixel data end early"

#: Frames of this many strips or more are worth reading in parts when they are compressed.
_MANY_STRIPS = 8


@dataclass(frozen=True, eq=False)
class Layout:
    """How the pixels of a page are stored; pages of a series share one.

    Attributes
    ----------
    frame : Frame
        What a frame read from it is.
    stored : dtype
        Type in the file, in its byte order.
    shape : tuple of int
        (planes, depth, height, width, channels in a plane).
    segment : tuple of int
        Depth, height and width of a strip or tile.
    decode : callable or None
        Decodes a segment, or the whole page; None where the pixels lie there as they are.
    colours : ndarray, shape (colours, 3), or None
        The palette.
    orientation : int
        1 to 8, as in EXIF; `frame` is upright, all else is as stored.
    white : int
        The value of black where 0 is white; else 0.
    key : hashable
        Pages with the same key have the same layout.
    """

    frame: Frame
    stored: np.dtype[Any]
    shape: tuple[int, int, int, int, int]
    segment: tuple[int, int, int]
    tiled: bool
    decode: Callable[..., Any] | None
    colours: NDArray[Any] | None
    orientation: int = 1
    white: int = 0
    key: Any = None

    @property
    def grid(self) -> tuple[int, int, int, int]:
        """Number of segments along planes, depth, height and width."""
        sides = zip(self.shape[1:4], self.segment, strict=True)
        depth, height, width = (-(-whole // part) for whole, part in sides)
        return self.shape[0], depth, height, width

    @property
    def partial(self) -> bool:
        """Whether a few rows cost much less than the whole frame."""
        if self.orientation >= 5:  # rows are columns of what is stored
            return False
        many = self.grid[2] >= _MANY_STRIPS and not isinstance(self.decode, OldJpeg)
        return self.decode is None or many

    def stored_rows(self, rows: slice | None) -> slice:
        """Rows of what is stored that hold rows of the upright frame."""
        height = self.shape[2]
        if rows is None or self.orientation >= 5:
            return slice(0, height)
        if self.orientation in (3, 4):
            return slice(height - rows.stop, height - rows.start)
        return rows


@dataclass(frozen=True, eq=False)
class Page:
    """Where the pixels of a page lie.

    Attributes
    ----------
    layout : Layout
    offsets, counts : ndarray of int
        Of the segments: where they start and how long they are.
    options : dict
        Tables that JPEG segments share.
    """

    layout: Layout
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]
    options: dict[str, Any]


def page_of(tif: Any, page: Any, *, keep_palette: bool) -> Page:
    """Read from a page of tifffile where and how its pixels are stored."""
    layout = _layout(tif, page, keep_palette)
    offsets = np.asarray(page.dataoffsets, np.int64)
    counts = np.asarray(page.databytecounts, np.int64)
    if layout.decode is None and page.is_contiguous:
        plane = prod(layout.shape[2:]) * layout.stored.itemsize
        count = prod(layout.shape[:2])
        offsets = offsets[0] + plane * np.arange(count, dtype=np.int64)
        counts = np.full(count, plane, np.int64)
    if len(offsets) < prod(layout.grid) or len(counts) < prod(layout.grid):
        raise UserError(f"{len(offsets)} strips where {prod(layout.grid)} are due")
    end = (offsets + counts)[counts > 0].max(initial=0)
    if layout.decode is not None and end > tif.filehandle.size:
        raise UserError(_ENDS_EARLY)
    jpeg = page.compression in JPEGS and not isinstance(layout.decode, OldJpeg)
    options = {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader} if jpeg else {}
    return Page(layout, offsets, counts, options)


def _layout(tif: Any, page: Any, keep_palette: bool) -> Layout:
    check_supported(page)
    plain = (
        page.compression == UNCOMPRESSED
        and not is_subsampled(page)
        and (page.fillorder, page.predictor) == (1, 1)
        and page.bitspersample in (8, 16, 32, 64)
        and page.sampleformat != 5
        and not page.is_tiled
        and page.imagedepth == 1
    )
    whole = plain and page.is_contiguous  # all strips are one
    height = page.imagelength if whole else min(page.rowsperstrip, page.imagelength)
    segment = (1, height, page.imagewidth)
    segment = (page.tiledepth, page.tilelength, page.tilewidth) if page.is_tiled else segment
    if page.dtype is None:
        raise UserError(f"{page.bitspersample} bits of kind {page.sampleformat} a pixel")
    stored = np.dtype(page.dtype)
    if prod(segment) > _ROOM + 16 * page.imagelength * page.imagewidth:
        raise UserError(f"tiles of {segment} for {page.imagewidth} x {page.imagelength} pixels")
    colours = _palette(page) if page.photometric == _PALETTE and not keep_palette else None
    orientation = orientation_of(page)
    planes, depth, *rest = page.shaped
    shape = (1, planes, *rest) if is_split(tif, page) else (planes, depth, *rest)
    # ImageJ inverts only what it shows, and tifffile calls True white and does not mean it.
    white = 0 if tif.is_imagej or _is_mask(tif, page) else _white(page)
    table = None if colours is None else colours.tobytes()
    decode = None if plain else decoder_of(tif, page)
    by_itself = page.offset if isinstance(decode, OldJpeg) else None
    return Layout(
        _frame(page, shape, colours, orientation),
        stored.newbyteorder(tif.byteorder) if plain else stored,
        shape,
        segment,
        page.is_tiled,
        decode,
        colours,
        orientation,
        white,
        (page.hash, tif.byteorder, height, orientation, white, table, by_itself),
    )


def _white(page: Any) -> int:
    """Return the greatest grey where 0 is white, as in a fax; 0 for all other pages."""
    grey = page.photometric == _MIN_IS_WHITE and page.dtype.kind in "bu"
    return 2**page.bitspersample - 1 if grey else 0


def _is_mask(tif: Any, page: Any) -> bool:
    """Whether a page holds the True and False of an array, as tifffile writes it."""
    by = str(tif.pages.first.software)  # of the other pages nothing is said
    written = by.startswith("tifffile") or tif.is_shaped or tif.is_ome
    return bool(page.dtype.kind == "b" and written)


def orientation_of(page: Any) -> int:
    """Which way up a page is stored, 1 to 8; 1 where the tag is missing or invalid."""
    found = page.tags.valueof(_ORIENTATION)
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _frame(
    page: Any, shape: tuple[int, ...], colours: NDArray[Any] | None, orientation: int
) -> Frame:
    planes, _, height, width, contiguous = shape
    if orientation >= 5:
        height, width = width, height
    if colours is not None:
        return Frame((height, width, 3), colours.dtype, rgb=True)
    channels = planes * contiguous
    alpha = channels > 1 and bool(page.extrasamples) and page.extrasamples[-1] in _ALPHA
    rgb = page.photometric in (_RGB, YCBCR) and channels == (4 if alpha else 3)
    shape = (height, width) if channels == 1 else (height, width, channels)
    return Frame(shape, np.dtype(page.dtype).newbyteorder("="), rgb, alpha)


def _palette(page: Any) -> NDArray[Any] | None:
    """Colours of a palette, 8 bits each where no more are used."""
    if page.colormap is None:
        return None
    colours = np.asarray(page.colormap, np.uint16).T
    if (colours < 256).all() and colours.any():  # written by those who overlook that 65535 is white
        return colours.astype(np.uint8)
    high = colours >> 8
    if (colours == high * 257).all() or (colours == high << 8).all():
        return high.astype(np.uint8)
    return colours


def read_page(path: str, page: Page, depth: int, rows: slice | None) -> NDArray[Any]:
    """Read one frame, or some rows of it, and nothing else; of a volume the plane at a depth."""
    layout = page.layout
    stored = layout.stored_rows(rows)
    if isinstance(layout.decode, OldJpeg):
        whole = layout.decode(path)[stored]
        planes = whole.reshape(1, len(whole), *layout.shape[3:])
    else:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a path of pathlib takes as long
            planes = _read_planes(file, page, depth, stored.start, stored.stop)
    turned = upright(_finished(planes, layout), layout.orientation)
    return turned[rows] if rows is not None and layout.orientation >= 5 else turned


def _finished(planes: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """Make a frame of (planes, rows, width, channels)."""
    if layout.colours is not None:
        return layout.colours[planes[0, ..., 0].astype(np.intp)]
    pixels = planes[0] if len(planes) == 1 else np.moveaxis(planes[..., 0], 0, -1)
    if layout.white:  # 0 is to be black, as other programs show it
        last = pixels.shape[-1] - layout.frame.alpha
        pixels = pixels.astype(layout.frame.dtype)
        pixels[..., :last] = layout.white ^ pixels[..., :last]
    pixels = pixels[..., 0] if len(layout.frame.shape) == 2 else pixels
    return np.ascontiguousarray(pixels, dtype=layout.frame.dtype)


def _read_planes(file: IO[bytes], page: Page, depth: int, start: int, stop: int) -> NDArray[Any]:
    """Read rows of all planes: (planes, rows, width, channels)."""
    layout = page.layout
    planes, _, _, width, channels = layout.shape
    slab, strip, tile = layout.segment
    _, slabs, strips, tiles = layout.grid
    pixels = np.zeros((planes, stop - start, width, channels), layout.stored)
    rows = range(start // strip, -(-stop // strip))
    for plane, number, column in product(range(planes), rows, range(tiles)):
        place = ((plane * slabs + depth // slab) * strips + number) * tiles + column
        top, left = number * strip, column * tile
        first, last = max(start, top), min(stop, top + strip)
        target = pixels[plane, first - start : last - start, left : left + tile]
        if layout.decode is None:
            row = target[0].nbytes
            file.seek(int(page.offsets[place]) + (first - top) * row)
            _fill(file, target.reshape(-1).view(np.uint8).data)
        elif page.counts[place]:  # a segment left out is 0
            part = _segment(file, page, place, layout.decode)
            target[...] = part[depth % slab, first - top : last - top, : target.shape[1]]
    return pixels


def _fill(file: IO[bytes], target: memoryview) -> None:
    done = 0
    while done < len(target):
        count = file.readinto(target[done:])  # type: ignore[attr-defined]
        if not count:
            raise UserError(_ENDS_EARLY)
        done += count


def _segment(file: IO[bytes], page: Page, place: int, decode: Callable[..., Any]) -> NDArray[Any]:
    """Read and decode a segment: (depth, rows, width, channels)."""
    file.seek(int(page.offsets[place]))
    data = file.read(size := int(page.counts[place]))
    if len(data) < size:
        raise UserError(_ENDS_EARLY)
    part, _, shape = decode(data, place, _fullsize=page.layout.tiled, **page.options)
    if part.shape != shape:
        raise UserError(f"a strip of {part.shape} pixels where {shape} are due")
    return part
