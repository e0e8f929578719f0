"""`Tiff`: the frames of TIFF files, read page by page, or only some rows of a page."""

import os
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.base import Contents, FileSet, First, Format, Series
from napari_stack.files.formats.tiff.axes import contents_of, note_of
from napari_stack.files.formats.tiff.directory import Directory, following, quick_page
from napari_stack.files.formats.tiff.find_series import Directories, find_frames, page_at
from napari_stack.files.formats.tiff.micro_manager import planes_in
from napari_stack.files.formats.tiff.ome_images import planes_in_file
from napari_stack.files.formats.tiff.ome_set import COMPANIONS, set_of
from napari_stack.files.formats.tiff.opened import LIBRARIES, opened
from napari_stack.files.formats.tiff.pages import Layout, Page, page_of, read_page
from napari_stack.files.formats.tiff.plane_map import PlaneMap
from napari_stack.files.formats.tiff.small_frames import SmallFrames
from napari_stack.files.header_cache import HeaderCache, stamp_of
from napari_stack.files.metadata import Note


class Tiff(Format):
    """TIFF: of OME, of ImageJ, with our note, or plain."""

    name = "TIFF"
    starts = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    suffixes = (".tif", ".tiff", ".lsm", ".stk")
    libraries = LIBRARIES

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:
        """Tell by the first bytes; or by the name, of a description that lies beside TIFFs."""
        return super().recognises(path, start) or path.lower().endswith(COMPANIONS)

    def contents(self, path: str) -> Contents:  # noqa: D102
        return self.series(path)[0].contents

    def series(self, path: str) -> tuple[Series, ...]:  # noqa: D102
        if (known := self._known_series(path)) is None:
            with opened(path) as tif:
                known = self._series_in(path, tif, self._find(path, tif))
        size = os.stat(path).st_size  # noqa: PTH116
        for one in known:
            one.contents.frame.check(path, size, suspect=len(known) > 1)
        return known

    def _known_series(self, path: str) -> tuple[Series, ...] | None:
        with self.damage_named(path):
            found: tuple[Series, ...] | None = self.headers.recall(Series, stamp_of(path))
        return found

    def _series_in(self, path: str, tif: Any, found: Directories) -> tuple[Series, ...]:
        return self.headers.keep(self._listed(path, tif, found), Series, stamp_of(path))

    def _listed(self, path: str, tif: Any, found: Directories) -> tuple[Series, ...]:
        if found.mapped:
            images = _mapped(path, found)
            if not images.images:  # it is part of a set, whose images begin elsewhere
                layout = self._layout(path, 0)
                pages = found.series[0].count
                return (Series("", Contents.counted(layout.frame, pages)),)
            return images.series(self._layout)
        listed, start = [], 0
        for directory in found.series:
            one = tif.series[directory.number] if directory.number >= 0 else None
            page = page_at(tif, int(directory.pages[0])) if one is None else one.keyframe
            layout = page_of(tif, page, keep_palette=directory.keep_palette).layout
            held = contents_of(tif, layout, directory.count, page, one)
            listed.append(Series(directory.name, replace(held, order=held.order + start)))
            start += directory.count
        return tuple(listed)

    def read_frame(self, path: str, number: int, rows: slice | None, first: First) -> NDArray[Any]:  # noqa: D102
        with self.damage_named(path):
            small = _small_frames(path, self.headers)
            if small is not None and small.matches(first):
                pixels = small.read(path, number, rows)
                if pixels is not None:
                    return pixels
            directory, page, number = _page(path, number, self.headers)
        first.check(path, page.layout.frame, directory.count)
        with self.damage_named(path):
            return read_page(path, page, number % directory.depth, rows)

    def read_frames(self, path: str, numbers: range, first: First) -> NDArray[Any] | None:  # noqa: D102
        with self.damage_named(path):
            _page(path, 0, self.headers)
            small = _small_frames(path, self.headers)
            if small is None or not small.matches(first):
                return None
            return small.read_many(path, numbers)

    def note(self, path: str) -> Note:  # noqa: D102
        if path.lower().endswith(COMPANIONS):
            return Note()
        with opened(path) as tif:
            return note_of(tif)

    def set_of(self, files: list[str]) -> FileSet | None:
        """Return the set of OME or Micro-Manager that the first file is a part of."""
        found = set_of(files, self._found)
        return None if found is None else found.file_set(self._layout)

    def _found(self, path: str) -> Directories:
        with opened(path) as tif:
            found = self._find(path, tif)
            if not found.mapped:  # while tifffile knows of its pages, which takes it long
                self._series_in(path, tif, found)
            return found

    def _find(self, path: str, tif: Any) -> Directories:
        return _directories(path, tif, self.headers)

    def _layout(self, path: str, number: int) -> Layout:
        with self.damage_named(path):
            return _page(path, number, self.headers)[1].layout


def _mapped(path: str, found: Directories) -> PlaneMap:
    """Return where the planes of the images in a file lie, by its description."""
    if found.index is not None:
        return planes_in({path: found.index}, {path})
    assert found.ome is not None
    return planes_in_file(found.ome, path, found.series[0].count)


def _directories(path: str, tif: Any, headers: HeaderCache) -> Directories:
    """Return where the frames of an open file are."""
    key = Directories, stamp_of(path)
    return headers.recall(*key) or headers.keep(find_frames(path, tif), *key)


def _small_frames(path: str, headers: HeaderCache) -> SmallFrames | None:
    """Return what reads many frames at a time; None where it is not known yet, or cannot."""
    stamp = stamp_of(path)
    key = SmallFrames, stamp
    known = headers.recall(*key)
    if known is None:
        found: Directories | None = headers.recall(Directories, stamp)
        if found is None:
            return None
        page = headers.recall(Page, (*stamp, found.series[0].part), 0)
        if page is None:
            return None
        alone = len(found.series) == 1
        made = SmallFrames.of(found.series[0], page) if alone else None
        known = headers.keep((made,), *key)
    small: SmallFrames | None = known[0]
    return small


def _page(path: str, number: int, headers: HeaderCache) -> tuple[Directory, Page, int]:
    """Return the series of a frame, the page that holds it, and its number in the series."""
    stamp = stamp_of(path)
    found: Directories | None = headers.recall(Directories, stamp)
    if found is not None:
        directory, local = found.find(number)
        page = headers.recall(Page, (*stamp, directory.part), local // directory.depth)
        if page is None:
            page = quick_page(path, directory, local, headers)
        if page is not None:
            return directory, page, local
    with opened(path) as tif:
        directory, local = _directories(path, tif, headers).find(number)
        page = _read_page_header(tif, directory, local // directory.depth)
    # Pages that are stored alike share what is known of that.
    page = replace(page, layout=headers.keep(page.layout, "layout", page.layout.key))
    size = page.offsets.nbytes + page.counts.nbytes
    key = Page, (*stamp, directory.part), local // directory.depth
    return directory, headers.keep(page, *key, size=size), local


def _read_page_header(tif: Any, directory: Directory, number: int) -> Page:
    # With fewer headers than frames, pixels of all follow those of the first.
    contiguous = directory.contiguous
    header = page_at(tif, int(directory.pages[0 if contiguous else number]))
    page = page_of(tif, header, keep_palette=directory.keep_palette)
    if not (contiguous and number):
        return page
    if page.layout.decode is not None:
        raise UserError("frames without headers of their own must not be compressed")
    return following(page, number)
