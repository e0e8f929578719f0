"""`Directory`: where the frames of a TIFF are, and pages of it that are stored as the first one."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.tiff.pages import Page
from napari_stack.files.formats.tiff.raw_pages import Form, entries_at, layout_of, segments_of
from napari_stack.files.header_cache import HeaderCache, stamp_of


@dataclass(frozen=True, eq=False)
class Directory:
    """Where the frames of a series of a file are.

    Attributes
    ----------
    pages : ndarray of int
        Where the headers of the pages start in the file.
    count : int
        Number of frames.
    depth : int
        Planes of a page; more than one for a volume, and for channels of an LSM.
    keep_palette : bool
        In ImageJ's files a palette is only for display.
    form : Form or None
        How headers are written; None where they are to be read by tifffile alone.
    strips : ndarray of int, shape (pages, 2), or None
        Where the pixels of each page begin and how many bytes they are, for pages that are stored
        as the first one, in one strip; -1 for others.
    name : str
        Of the series.
    number : int
        Of the series in tifffile's list; -1 where its pages are only counted.
    part : int
        Of the series in the file.
    """

    pages: NDArray[np.int64]
    count: int
    depth: int = 1
    keep_palette: bool = False
    form: Form | None = None
    strips: NDArray[np.int64] | None = None
    name: str = ""
    number: int = 0
    part: int = 0

    @property
    def contiguous(self) -> bool:
        """Whether frames have no headers of their own: their pixels follow those of the first."""
        return len(self.pages) * self.depth < self.count


def following(first: Page, number: int) -> Page:
    """Return a page whose pixels follow, at its number, those of the first without a header."""
    return replace(first, offsets=first.offsets + number * int(first.counts.sum()))


def quick_page(path: str, directory: Directory, number: int, headers: HeaderCache) -> Page | None:
    """Return a page that is stored as the first one, which is known; None where that is not so."""
    stamp, number = (*stamp_of(path), directory.part), number // directory.depth
    first = headers.recall(Page, stamp, 0)
    if first is None or directory.form is None or not number:
        return None
    if directory.contiguous:
        return following(first, number) if first.layout.decode is None else None
    if number >= len(directory.pages):
        return None
    if directory.strips is not None and directory.strips[number, 0] >= 0:
        return _alike(first, directory.strips[number, :1], directory.strips[number, 1:])
    with Path(path).open("rb", buffering=0) as file:
        try:
            start = int(directory.pages[0])
            known = headers.recall("layout of the first page", stamp) or headers.keep(
                layout_of(file, directory.form, entries_at(file, directory.form, start)[0]),
                "layout of the first page",
                stamp,
            )
            entries, _ = entries_at(file, directory.form, int(directory.pages[number]))
        except UserError:  # tifffile says what is wrong
            return None
        if layout_of(file, directory.form, entries) != known:
            return None
        segments = segments_of(file, directory.form, entries)
    found = None if segments is None else _alike(first, *segments)
    if found is not None:
        size = found.offsets.nbytes + found.counts.nbytes
        headers.keep(found, Page, stamp, number, size=size)
    return found


def _alike(first: Page, offsets: NDArray[np.int64], counts: NDArray[np.int64]) -> Page | None:
    """Return a page of these strips or tiles, or None where they lie in another way."""
    if first.layout.decode is None and first.layout.grid[2] == 1:  # all strips are one
        plane = int(first.counts[0])
        apart = (offsets[:-1] + counts[:-1] != offsets[1:]).any()
        if apart or counts.sum() < plane * len(first.offsets):
            return None
        return replace(first, offsets=offsets[0] + plane * np.arange(len(first.offsets)))
    if len(offsets) != len(first.offsets):
        return None
    return replace(first, offsets=offsets, counts=counts)
