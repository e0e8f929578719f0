"""Whether a TIFF is whole: pages that lie in the file, and as many as its description says."""

from contextlib import suppress
from dataclasses import dataclass
from math import inf, prod
from typing import Any

from napari_stack.core.errors import UserError
from napari_stack.files.formats.tiff.ome_xml import ome_of
from napari_stack.files.formats.tiff.page_runs import one_strip, run_from
from napari_stack.files.formats.tiff.raw_pages import (
    BYTES,
    LETTERS,
    Entry,
    Form,
    entries_at,
    layout_of,
    pages_from,
    values_of,
)


@dataclass(frozen=True)
class Headers:
    """What is known of the headers of a file.

    Attributes
    ----------
    unlike : list of int
        Numbers of the pages that are not stored as the first one is.
    strips : dict of int to tuple of int
        Where the pixels of a page begin and how many bytes they are, by where its header starts; of
        the pages that are stored as the first one, in one strip.
    starts : list of int
        Where the headers of all pages start; empty where that is not known.
    """

    unlike: list[int]
    strips: dict[int, tuple[int, ...]]
    starts: list[int]


def check_pages(tif: Any) -> Headers:
    """Refuse a file that is cut off within a page, or whose next page lies beyond its end.

    Only headers are read: where a page has many strips, those of the last page are looked for, and
    those of others when they are read.

    Returns
    -------
    Headers
        What was seen of them.

    Raises
    ------
    ValueError
    """
    if tif.tiff.is_ndpi:  # its offsets beyond 4 GB are hidden elsewhere
        return Headers(list(range(1, len(tif.pages))), {}, [])
    file, form, size = tif.filehandle, Form.of(tif), tif.filehandle.size
    seen, entries = Headers([], {}, []), list[Entry]()
    layout: Any = None
    known, start, before = set[int](), int(tif.pages.first.offset), 0
    while start and start not in known:  # some go round in circles
        number = len(seen.starts) + 1
        entries, after = _checked(file, form, start, number)
        found = layout_of(file, form, entries)
        layout = layout or found
        pixels = one_strip(form, entries) if found == layout else None
        if found != layout:
            seen.unlike.append(number - 1)
        elif pixels is not None:
            seen.strips[start] = pixels
        run = None
        if pixels is not None and after - start == start - before:
            run = run_from(file, form, entries, after, after - start)
        seen.starts.append(start)
        known.add(start)
        before, start = start, after
        if run is not None and known.isdisjoint(starts := run.starts.tolist()):
            seen.starts.extend(starts)
            known.update(starts)
            seen.strips.update(zip(starts, map(tuple, run.strips.tolist()), strict=True))
            before, start = starts[-1], run.after
    if _end_of_pixels(file, form, entries) > size:
        number = len(seen.starts)
        raise UserError(f"it is cut off: the pixels of page {number} go beyond its end")
    return seen


def _checked(file: Any, form: Form, start: int, number: int) -> tuple[list[Entry], int]:
    """Return the entries of a page and where the next one is; refuse one that is cut off."""
    try:
        entries, after = entries_at(file, form, start)
    except UserError:
        raise UserError(f"it is cut off: page {number} lies beyond its end") from None
    parts = ((BYTES.get(kind, 0) * count, place) for _, kind, count, place in entries)
    if any(length > form.inline and place + length > file.size for length, place in parts):
        raise UserError(f"it is cut off: the header of page {number} goes beyond its end")
    if _end_of_pixels(file, form, entries, most=1) > file.size:
        raise UserError(f"it is cut off: the pixels of page {number} go beyond its end")
    return entries, after


def _end_of_pixels(file: Any, form: Form, entries: list[Entry], most: float = inf) -> int:
    """Where the strips or tiles of a page end; 0 where there are more of them than `most`."""
    found = {tag: rest for tag, *rest in entries if rest[0] in LETTERS}  # of a known kind
    starts, sizes = found.get(273, found.get(324)), found.get(279, found.get(325))
    if starts is None or sizes is None or starts[1] != sizes[1] or starts[1] > most:
        return 0
    pairs = zip(values_of(file, form, *starts), values_of(file, form, *sizes), strict=True)
    return max((start + length for start, length in pairs if length), default=0)


def whole_pages(tif: Any) -> list[int]:
    """Return where the pages start that lie in a file, up to the first that does not."""
    file, form, found = tif.filehandle, Form.of(tif), []
    with suppress(UserError):
        for start, entries in pages_from(file, form, tif.pages.first.offset):
            if _end_of_pixels(file, form, entries) > file.size:
                break
            found.append(start)
    return found


def check_count(tif: Any, pages: list[Any], count: int, number: int = 0) -> None:
    """Refuse a file with fewer pages than its description says.

    Parameters
    ----------
    tif : tifffile.TiffFile
    pages : list of tifffile.TiffPage
        Pages of a series.
    count : int
        How many pages it should be; where only the first has a header, the pixels of the others
        follow its own.
    number : int
        Of the series; the description of the file tells of the first.

    Raises
    ------
    ValueError
    """
    first = pages[0]
    declared = max(0 if number else _declared(tif, first.shape), count)
    found = count if len(pages) == 1 else min(count, len(pages))
    if len(pages) == 1 < count and first.dataoffsets:
        found = min(count, (tif.filehandle.size - first.dataoffsets[0]) // max(first.nbytes, 1))
    if found < declared:
        raise UserError(
            f"it holds {found} of the {declared} pages that its description declares: it is cut "
            "off, was not finished, or some were taken out"
        )


def _declared(tif: Any, frame: tuple[int, ...]) -> int:
    """Return the number of pages by the description; 0 where it gives none."""
    if tif.is_imagej:
        return _whole((tif.imagej_metadata or {}).get("images", 0))
    if ome := ome_of(tif):
        page = tif.pages.first
        channels = max(ome.first.size("C") // page.samplesperpixel, 1)
        return ome.first.size("Z") * ome.first.size("T") * channels // page.imagedepth
    if tif.is_shaped:
        shape = (tif.shaped_metadata or [{}])[0].get("shape", ())
        return prod(map(_whole, shape)) // max(prod(frame), 1) if shape else 0
    return 0


def _whole(number: Any) -> int:
    return int(number) if isinstance(number, (int, float)) else 0
