"""TIFF files: which frames they hold is asked from tifffile, which is called for headers only."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from html import unescape
from math import prod
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.base import Contents, First, check_plausible, damage_named
from napari_stack.files.formats.tiff.axes import axes_of, note_of, used_of
from napari_stack.files.formats.tiff.integrity import check_count, check_pages
from napari_stack.files.formats.tiff.pages import Layout, Page, page_of, read_page

#: Bytes of strip offsets that are remembered for a series.
_REMEMBERED = 2**24


#: What tells a file from another one, or from the same when it was written anew.
Stamp = tuple[str, int, int]


def stamp_of(path: str) -> Stamp:
    """Tell a file from another one, or from the same when it was written anew."""
    status = os.stat(path)  # noqa: PTH116
    return path, status.st_mtime_ns, status.st_size


@contextmanager
def opened(path: str, *, whole_set: bool = False) -> Iterator[Any]:
    """Open a file with tifffile, which stays silent, and close it.

    The other files of an OME set are looked into only for the `whole_set`.
    """
    import tifffile

    logger = logging.getLogger("tifffile")
    if not logger.handlers:  # without any, Python prints warnings to the terminal
        logger.addHandler(logging.NullHandler())
    try:
        found = tifffile.TiffFile(path, _multifile=whole_set)
    except MemoryError as error:  # of a header, which is small
        raise UserError("its header claims more than memory holds") from error
    with found as tif:
        yield tif


@dataclass(frozen=True, eq=False)
class Directory:
    """Where the frames of a file are.

    Attributes
    ----------
    pages : ndarray of int
        Where the headers of the pages start in the file.
    count : int
        Number of frames.
    depth : int
        Planes of a page; more than one for a volume.
    keep_palette : bool
        In ImageJ's files a palette is only for display.
    """

    pages: NDArray[np.int64]
    count: int
    depth: int
    keep_palette: bool

    @property
    def contiguous(self) -> bool:
        """There are fewer headers than frames: pixels of all follow those of the first."""
        return len(self.pages) * self.depth < self.count


def _directory(tif: Any) -> Directory:
    """Find the frames of the first series of a file."""
    check_pages(tif)
    if others_of_set(tif):  # its frames are its own pages; what they are, the set tells
        tif.pages.cache = False
        starts = np.array([page.offset for page in tif.pages], np.int64)
        return Directory(starts, len(starts), 1, keep_palette=False)
    series = tif.series[0]
    pages = [page for page in series.pages if page is not None]
    if len(pages) < len(series.pages):
        raise UserError(
            "pages are missing, or lie in other files of an OME set that are not at hand"
        )
    depth = series.keyframe.imagedepth
    count = prod(series.get_shape(squeeze=False)) // max(prod(series.keyframe.shape), 1) * depth
    check_count(tif, pages, count // depth)
    if not series.is_pyramidal or count > 1:
        _check_pages(tif, series)
    offsets = np.array([page.offset for page in pages], np.int64)
    return Directory(offsets, count, depth, bool(tif.is_imagej))


def others_of_set(tif: Any) -> set[str]:
    """Names of the other files of an OME set; none for a file that stands by itself."""
    xml = (tif.ome_metadata or "") if tif.is_ome else ""
    own = re.search(r'<(?:\w+:)?OME\b[^>]*\bUUID="([^"]+)"', xml)
    found = re.findall(r'\bFileName="([^"]+)"[^>]*>\s*([^<\s]*)', xml)
    # A file that was renamed still has its number. No folders: a file must not make us open others
    # anywhere.
    others = (name for name, number in found if own is None or number != own[1])
    return {Path(unescape(name)).name for name in others} - {Path(tif.filename).name}


def _check_pages(tif: Any, series: Any) -> None:
    """Refuse a file whose full pages differ; smaller copies are declared as such."""
    if series.kind not in ("generic", "uniform") or len(tif.pages) == 1:
        return
    shape = series.keyframe.shape
    for number, page in enumerate(tif.pages, 1):
        page = page.aspage()
        if page.shape != shape and not page.is_reduced:
            raise UserError(f"page {number} has the shape {page.shape} and page 1 {shape}")


@dataclass
class Headers:
    """What was learnt about the files of a series; it is not pickled, and learnt again elsewhere.

    It is asked by threads: reading and setting an entry of a dict is safe, and at worst two threads
    learn the same.
    """

    directories: dict[Stamp, Directory] = field(default_factory=dict)
    pages: dict[tuple[Stamp, int], Page] = field(default_factory=dict)
    layouts: dict[Any, Layout] = field(default_factory=dict)
    remembered: int = 0
    formats: dict[str, Any] = field(default_factory=dict)
    others: dict[Any, Any] = field(default_factory=dict)

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        return type(self), ()

    def page(self, path: str, number: int) -> tuple[Directory, Page]:
        """Return what is known of a file, and the page that holds a frame of it."""
        stamp = stamp_of(path)
        directory = self.directories.get(stamp)
        page_number = number // directory.depth if directory is not None else -1
        page = self.pages.get((stamp, page_number))
        if directory is None or page is None:
            directory, page = self._learn(path, stamp, number)
        return directory, page

    def directory(self, path: str, tif: Any) -> Directory:
        """Return where the frames of an open file are."""
        stamp = stamp_of(path)
        if stamp not in self.directories:
            self.directories[stamp] = _directory(tif)
        return self.directories[stamp]

    def _learn(self, path: str, stamp: Stamp, number: int) -> tuple[Directory, Page]:
        with opened(path) as tif:
            directory = self.directory(path, tif)
            if number >= directory.count:
                raise UserError(f"it holds {directory.count} frames now")
            page_number = number // directory.depth
            place = 0 if directory.contiguous else page_number
            page = page_of(
                tif, _page_at(tif, int(directory.pages[place])), keep_palette=directory.keep_palette
            )
            page = _shifted(page, page_number) if directory.contiguous and page_number else page
        # Pages that are stored alike share what they know.
        page = replace(page, layout=self.layouts.setdefault(page.layout.key, page.layout))
        size = page.offsets.nbytes + page.counts.nbytes
        # The first ones stay rather than the last ones: frames are gone through again and again.
        if self.remembered + size <= _REMEMBERED:
            self.remembered += size
            self.pages[stamp, page_number] = page
        return directory, page


def contents(path: str, headers: Headers) -> Contents:
    """Look into a file.

    Raises
    ------
    ValueError
        For a damaged file, one without pixels, or pages of different sizes.
    """
    with damage_named(path), opened(path) as tif:
        directory = headers.directory(path, tif)
        page = page_of(tif, tif.series[0].keyframe, keep_palette=directory.keep_palette)
        leading, sizes, plane, order = axes_of(tif, directory.count)
        used = used_of(tif, sizes)
    check_plausible(path, page.layout.frame, os.stat(path).st_size)  # noqa: PTH116
    return Contents(page.layout.frame, page.layout.partial, leading, sizes, plane, order, used)


def note(path: str) -> dict[str, Any]:
    """Find our own note in a file."""
    with damage_named(path), opened(path) as tif:
        return note_of(tif)


def _page_at(tif: Any, offset: int) -> Any:
    import tifffile

    if tif.pages.first.offset == offset:
        return tif.pages.first
    tif.filehandle.seek(offset)
    return tifffile.TiffPage(tif, index=0)


def _shifted(page: Page, count: int) -> Page:
    """Return the page whose pixels follow without a header, `count` frames later."""
    if page.layout.decode is not None:
        raise UserError("frames without headers of their own must not be compressed")
    return replace(page, offsets=page.offsets + count * int(page.counts.sum()))


def read_frame(
    path: str, number: int, rows: slice | None, first: First, headers: Headers
) -> NDArray[Any]:
    """Read one frame of a file, or some rows of it, after checking that it is like the first.

    Parameters
    ----------
    path : str
    number : int
        Which frame of the file.
    rows : slice, optional
    first : First
    headers : Headers
    """
    with damage_named(path):
        directory, page = headers.page(path, number)
    first.check(path, page.layout.frame, directory.count)
    with damage_named(path):
        return read_page(path, page, number % directory.depth, rows)
