"""`Tiff`: the frames of TIFF files, read page by page, or only some rows of a page."""

import os
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.base import Contents, FileSet, First, Format
from napari_stack.files.formats.tiff.axes import contents_of, note_of
from napari_stack.files.formats.tiff.directory import Directory, following, quick_page
from napari_stack.files.formats.tiff.integrity import check_count, check_pages
from napari_stack.files.formats.tiff.ome_set import set_of
from napari_stack.files.formats.tiff.ome_xml import ome_of
from napari_stack.files.formats.tiff.opened import LIBRARIES, opened
from napari_stack.files.formats.tiff.pages import Page, page_of, read_page
from napari_stack.files.formats.tiff.raw_pages import Form
from napari_stack.files.header_cache import HeaderCache, stamp_of
from napari_stack.files.metadata import Note


class Tiff(Format):
    """TIFF: of OME, of ImageJ, with our note, or plain."""

    name = "TIFF"
    starts = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    suffixes = (".tif", ".tiff")
    libraries = LIBRARIES

    def contents(self, path: str) -> Contents:  # noqa: D102
        with opened(path) as tif:
            directory = _directory(path, tif, self.headers)
            page = page_of(tif, tif.series[0].keyframe, keep_palette=directory.keep_palette)
            found = contents_of(tif, page.layout, directory.count)
        found.frame.check(path, os.stat(path).st_size)  # noqa: PTH116
        return found

    def read_frame(self, path: str, number: int, rows: slice | None, first: First) -> NDArray[Any]:  # noqa: D102
        with self.damage_named(path):
            directory, page = _page(path, number, self.headers)
        first.check(path, page.layout.frame, directory.count)
        with self.damage_named(path):
            return read_page(path, page, number % directory.depth, rows)

    def note(self, path: str) -> Note:  # noqa: D102
        with opened(path) as tif:
            return note_of(tif)

    def set_of(self, files: list[str]) -> FileSet | None:
        """Return the OME set that the first file is a part of."""
        return set_of(files)


def _directory(path: str, tif: Any, headers: HeaderCache) -> Directory:
    """Return where the frames of an open file are."""
    key = Directory, stamp_of(path)
    return headers.recall(*key) or headers.keep(_find_frames(tif), *key)


def _find_frames(tif: Any) -> Directory:
    """Find the frames of the first series of a file."""
    seen = check_pages(tif)
    ome = ome_of(tif)
    if ome and ome.other_files(tif.filename):
        # Its frames are its own pages, and the set says which ones.
        tif.pages.cache = False
        starts = np.array([page.offset for page in tif.pages], np.int64)
        return Directory(starts, len(starts), 1, keep_palette=False, form=Form.of(tif))
    series = tif.series[0]
    # Where the pixels of all follow those of the first page, no other header is needed.
    following = not seen.unlike and len(series.pages) > 1 and series.dataoffset is not None
    pages = [p for p in (series.pages[:1] if following else series.pages) if p is not None]
    if not following and len(pages) < len(series.pages):
        raise UserError(
            "pages are missing, or lie in other files of an OME set that are not at hand"
        )
    depth = series.keyframe.imagedepth
    count = prod(series.get_shape(squeeze=False)) // max(prod(series.keyframe.shape), 1) * depth
    check_count(tif, pages, count // depth)
    if not series.is_pyramidal or count > 1:
        _check_shapes(tif, series, seen.unlike)
    offsets = np.array([page.offset for page in pages], np.int64)
    form = None if tif.tiff.is_ndpi else Form.of(tif)
    none = (-1, 0)
    strips = np.array([seen.strips.get(start, none) for start in offsets.tolist()], np.int64)
    return Directory(offsets, count, depth, bool(tif.is_imagej), form, strips)


def _check_shapes(tif: Any, series: Any, unlike: list[int]) -> None:
    """Refuse a file whose full pages differ; smaller copies are declared as such.

    Those that are stored as the first one are not looked into.
    """
    if series.kind not in ("generic", "uniform") or len(tif.pages) == 1:
        return
    shape, first = series.keyframe.shape, tif.pages.first
    looked_into = ([] if first.shape == shape and not first.is_reduced else [0]) + unlike
    for number in looked_into:
        page = tif.pages[number].aspage()
        if page.shape != shape and not page.is_reduced:
            raise UserError(f"page {number + 1} has the shape {page.shape} and page 1 {shape}")


def _page(path: str, number: int, headers: HeaderCache) -> tuple[Directory, Page]:
    """Return where the frames of a file are, and the page that holds one of them."""
    stamp = stamp_of(path)
    directory = headers.recall(Directory, stamp)
    page = headers.recall(Page, stamp, number // directory.depth) if directory else None
    if page is not None:
        return directory, page
    if directory and (quick := quick_page(path, directory, number, headers)):
        return directory, quick
    with opened(path) as tif:
        directory = _directory(path, tif, headers)
        if number >= directory.count:
            raise UserError(f"it holds {directory.count} frames now")
        page = _read_page_header(tif, directory, number // directory.depth)
    # Pages that are stored alike share what is known of that.
    page = replace(page, layout=headers.keep(page.layout, "layout", page.layout.key))
    size = page.offsets.nbytes + page.counts.nbytes
    return directory, headers.keep(page, Page, stamp, number // directory.depth, size=size)


def _read_page_header(tif: Any, directory: Directory, number: int) -> Page:
    import tifffile

    # With fewer headers than frames, pixels of all follow those of the first.
    contiguous = directory.contiguous
    offset = int(directory.pages[0 if contiguous else number])
    header = tif.pages.first
    if header.offset != offset:
        tif.filehandle.seek(offset)
        header = tifffile.TiffPage(tif, index=0)
    page = page_of(tif, header, keep_palette=directory.keep_palette)
    if not (contiguous and number):
        return page
    if page.layout.decode is not None:
        raise UserError("frames without headers of their own must not be compressed")
    return following(page, number)
