"""Whether a TIFF is whole: pages that lie in the file, and as many as its description says."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from math import inf, prod
from typing import Any

from napari_stack.core.errors import UserError
from napari_stack.files.formats.tiff.ome_xml import ome_of

#: Bytes of a value by its type in TIFF 6.0 and BigTIFF; of unknown types nothing is asked.
_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_BYTES |= {16: 8, 17: 8, 18: 8}

#: Letters of `struct` for the types of whole numbers.
_LETTERS = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}

#: Tag, type, number of values, and where they are, or the values themselves where they fit.
_Entry = tuple[int, ...]


def check_pages(tif: Any) -> None:
    """Refuse a file that is cut off within a page, or whose next page lies beyond its end.

    Only headers are read: where a page has many strips, those of the last page are looked for, and
    those of others when they are read.

    Raises
    ------
    ValueError
    """
    if tif.tiff.is_ndpi:  # its offsets beyond 4 GB are hidden elsewhere
        return
    size, outside = tif.filehandle.size, tif.tiff.tagoffsetthreshold
    number, entries = 0, list[_Entry]()
    for number, (_, entries) in enumerate(headers_in(tif), 1):
        parts = ((_BYTES.get(kind, 0) * count, start) for _, kind, count, start in entries)
        if any(length > outside and start + length > size for length, start in parts):
            raise UserError(f"it is cut off: the header of page {number} goes beyond its end")
        if _end_of_pixels(tif, entries, most=1) > size:
            raise UserError(f"it is cut off: the pixels of page {number} go beyond its end")
    if _end_of_pixels(tif, entries) > size:
        raise UserError(f"it is cut off: the pixels of page {number} go beyond its end")


def _end_of_pixels(tif: Any, entries: list[_Entry], most: float = inf) -> int:
    """Where the strips or tiles of a page end; 0 where there are more of them than `most`."""
    found = {tag: rest for tag, *rest in entries if rest[0] in _LETTERS}  # of a known kind
    starts, sizes = found.get(273, found.get(324)), found.get(279, found.get(325))
    if starts is None or sizes is None or starts[1] != sizes[1] or starts[1] > most:
        return 0
    pairs = zip(_values(tif, *starts), _values(tif, *sizes), strict=True)
    return max((start + length for start, length in pairs if length), default=0)


def _values(tif: Any, kind: int, count: int, value: int) -> tuple[int, ...]:
    """Read the whole numbers of an entry."""
    order, letter = tif.tiff.byteorder, _LETTERS[kind]
    if _BYTES[kind] * count > tif.tiff.tagoffsetthreshold:
        tif.filehandle.seek(value)
        data = tif.filehandle.read(_BYTES[kind] * count)
    else:
        data = struct.pack(order + ("Q" if tif.tiff.is_bigtiff else "I"), value)
    return struct.unpack_from(f"{order}{count}{letter}", data)


def whole_pages(tif: Any) -> list[int]:
    """Return where the pages start that lie in a file, up to the first that does not."""
    found = []
    with suppress(UserError):
        for start, entries in headers_in(tif):
            if _end_of_pixels(tif, entries) > tif.filehandle.size:
                break
            found.append(start)
    return found


def headers_in(tif: Any) -> Iterator[tuple[int, list[_Entry]]]:
    """Go through the headers of the pages: where each starts, and its entries."""
    file, tiff = tif.filehandle, tif.tiff
    entry = struct.Struct(tiff.byteorder + ("HHQQ" if tiff.is_bigtiff else "HHII"))
    start, seen = tif.pages.first.offset, set[int]()
    while start and start not in seen:  # some go round in circles
        seen.add(start)
        file.seek(start)
        head = file.read(tiff.tagnosize)
        length = entry.size * int.from_bytes(head, "big" if tiff.byteorder == ">" else "little")
        left = file.size - start - tiff.tagnosize
        if len(head) < tiff.tagnosize or length + tiff.offsetsize > left:
            raise UserError(f"it is cut off: page {len(seen)} lies beyond its end")
        entries, here = list(entry.iter_unpack(file.read(length))), start
        (start,) = struct.unpack(tiff.offsetformat, file.read(tiff.offsetsize))
        yield here, entries


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
