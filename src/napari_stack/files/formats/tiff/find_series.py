"""`Directories`: the series of a TIFF, and where the frames of each are."""

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.files.formats.tiff import micro_manager
from napari_stack.files.formats.tiff.directory import Directory
from napari_stack.files.formats.tiff.integrity import Headers, check_count, check_pages
from napari_stack.files.formats.tiff.lsm_stk import is_split
from napari_stack.files.formats.tiff.ome_images import is_several
from napari_stack.files.formats.tiff.ome_xml import OmeXml, ome_of
from napari_stack.files.formats.tiff.page_runs import strips_at
from napari_stack.files.formats.tiff.raw_pages import Form, pages_from


@dataclass(frozen=True, eq=False)
class Directories:
    """The series of a file; or all its pages, where a description says what they are.

    Attributes
    ----------
    series : tuple of Directory
        One where a description says what the pages are.
    ome : OmeXml or None
        That description, for one.
    index : micro_manager.Index or None
        That description, for another.
    """

    series: tuple[Directory, ...]
    ome: OmeXml | None = None
    index: micro_manager.Index | None = None

    @property
    def mapped(self) -> bool:
        """Whether a description says what the pages are."""
        return self.ome is not None or self.index is not None

    def find(self, number: int) -> tuple[Directory, int]:
        """Return the series of a frame, counted through all of them, and its number there."""
        for directory in self.series:
            if number < directory.count:
                return directory, number
            number -= directory.count
        raise UserError(f"it holds {sum(d.count for d in self.series)} frames now")


def find_frames(path: str, tif: Any) -> Directories:
    """Find the frames of an open file."""
    if (index := micro_manager.index_of(path, tif)) is not None:
        form = Form.of(tif)
        strips = strips_at(tif.filehandle, form, index.offsets)
        directory = Directory(index.offsets, len(index.offsets), form=form, strips=strips)
        return Directories((directory,), index=index)
    seen = check_pages(tif)
    ome = ome_of(tif)
    if ome and is_several(ome, path):
        return Directories((_all_pages(tif, seen),), ome)
    try:
        found = tif.series
    except RuntimeError:  # its pages are not as alike as the first ones let expect
        return Directories(_by_shape(tif))
    if not ome and _is_mixed(tif, found):
        return Directories(_by_shape(tif))
    if ome and ome.images and _is_incomplete(found):
        return Directories((_all_pages(tif, seen),), ome)
    if not found:
        raise UserError("it holds no image")
    full = [number for number, one in enumerate(found) if number == 0 or not _is_copy(one)]
    each = [_of_series(tif, found[number], number, seen) for number in full]
    return Directories(tuple(replace(one, part=part) for part, one in enumerate(each)))


def _is_mixed(tif: Any, found: Any) -> bool:
    """Whether tifffile has put pages apart by how they are stored, whatever their order."""
    if len(found) < 2 or found[0].kind != "generic" or tif.is_imagej or tif.is_shaped:
        return False
    return not any(one.is_pyramidal or one.keyframe.subifds for one in found)


def _by_shape(tif: Any) -> tuple[Directory, ...]:
    """Put pages of one size and type together, in their order: each is stored in its own way."""
    groups: dict[Any, list[int]] = {}
    depths: dict[Any, int] = {}
    for start, _ in pages_from(tif.filehandle, Form.of(tif), tif.pages.first.offset):
        page = page_at(tif, start)
        if groups and page.is_reduced:
            continue
        key = page.shape, str(page.dtype), page.imagedepth
        groups.setdefault(key, []).append(start)
        depths[key] = page.imagedepth
    return tuple(
        Directory(
            np.array(starts, np.int64), len(starts) * depths[key], depths[key], number=-1, part=part
        )
        for part, (key, starts) in enumerate(groups.items())
    )


def page_at(tif: Any, start: int) -> Any:
    """Read the page whose header starts at a place in the file."""
    import tifffile

    if tif.pages.first.offset == start:
        return tif.pages.first
    tif.filehandle.seek(start)
    return tifffile.TiffPage(tif, index=0)


def _all_pages(tif: Any, seen: Headers) -> Directory:
    starts = np.array(seen.starts, np.int64)
    if seen.starts:
        return Directory(starts, len(starts), form=Form.of(tif), strips=_strips(starts, seen))
    tif.pages.cache = False
    starts = np.array([page.offset for page in tif.pages], np.int64)
    return Directory(starts, len(starts), form=Form.of(tif))


def _strips(starts: NDArray[np.int64], seen: Headers) -> NDArray[np.int64]:
    """Return where the pixels of pages are, in one strip; -1 for those stored in another way."""
    return np.array([seen.strips.get(start, (-1, 0)) for start in starts.tolist()], np.int64)


def _is_incomplete(found: Any) -> bool:
    """Whether planes of an image were never recorded, though the file is whole."""
    if not found or found[0].kind != "ome":
        return True
    pages = list(found[0].pages)
    count = prod(found[0].get_shape(squeeze=False)) // max(prod(found[0].keyframe.shape), 1)
    return None in pages or 1 < len(pages) < count


def _is_copy(series: Any) -> bool:
    """Whether a series holds smaller copies, which are declared as such."""
    return bool(series.keyframe.is_reduced)


def _of_series(tif: Any, series: Any, number: int, seen: Headers) -> Directory:
    # Where the pixels of all follow those of the first page, no other header is needed.
    following = not seen.unlike and len(series.pages) > 1 and series.dataoffset is not None
    pages = [p for p in (series.pages[:1] if following else series.pages) if p is not None]
    if not following and len(pages) < len(series.pages):
        raise UserError("pages are missing")
    depth = series.keyframe.imagedepth
    if is_split(tif, series.keyframe):
        depth = series.keyframe.samplesperpixel
    count = prod(series.get_shape(squeeze=False)) // max(prod(series.keyframe.shape), 1) * depth
    check_count(tif, pages, count // depth, number)
    offsets = np.array([page.offset for page in pages], np.int64)
    form, strips = None if tif.tiff.is_ndpi else Form.of(tif), None
    if offsets[0] == tif.pages.first.offset:  # else what was seen is of pages like another one
        strips = _strips(offsets, seen)
    name, palette = str(series.name or ""), bool(tif.is_imagej)
    return Directory(offsets, count, depth, palette, form, strips, name, number)
