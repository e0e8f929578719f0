"""Headers of many small pages that lie at even distances and are written alike, read at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.files.formats.tiff.raw_pages import (
    BYTES,
    LAYOUT,
    SIZES,
    STARTS,
    Entry,
    Form,
    entries_at,
    layout_of,
)

#: Headers farther apart than this are looked at one by one: disks read so much for each anyway.
_FARTHEST = 2**12

#: Bytes that are read at once at most; the first look is at few pages.
_MOST, _FEW = 2**24, 16

#: Headers that are compared at a time.
_AT_ONCE = 2**14


@dataclass(frozen=True, eq=False)
class PageRun:
    """Pages one after the other, each in one strip and stored as the one before them.

    Attributes
    ----------
    starts : ndarray of int, shape (n,)
        Where their headers are.
    strips : ndarray of int, shape (n, 2)
        Where the pixels of each begin, and how many bytes they are.
    after : int
        Where the next header is; 0 where there is none.
    """

    starts: NDArray[np.int64]
    strips: NDArray[np.int64]
    after: int


def run_from(
    file: Any, form: Form, entries: list[Entry], start: int, stride: int
) -> PageRun | None:
    """Read pages at even distances that are written as a page of one strip; None for no such page.

    Parameters
    ----------
    file : file of tifffile
    form : Form
    entries : list of Entry
        Of the page before.
    start, stride : int
        Where the next one is, and how far those behind it are from each other.
    """
    outside = [BYTES.get(kind, 0) * count for _, kind, count, _ in entries]
    if any(
        tag in LAYOUT and size > form.inline
        for (tag, *_), size in zip(entries, outside, strict=True)
    ):
        return None  # how they are stored is said elsewhere in the file
    length = _length(form, entries)
    if not length <= stride <= _FARTHEST:
        return None
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []
    count = _FEW
    while start:
        file.seek(start)
        data = np.frombuffer(file.read(min(count * stride, _MOST)), np.uint8)
        # The last page of a file ends before the next one would begin.
        pages = len(data) // stride + (len(data) % stride >= length)
        data = np.pad(data, (0, max(pages * stride - len(data), 0)))[: pages * stride]
        rows = data.reshape(pages, stride)[:, :length]
        part = _alike(rows, form, entries, outside, start + stride * np.arange(pages), file.size)
        found.append(part)
        starts, _, after = part
        if len(starts) < count:
            break
        start, count = int(after[-1]), count * 8
    starts, strips, afters = (np.concatenate(each) for each in zip(*found, strict=True))
    return PageRun(starts, strips, int(afters[-1])) if len(starts) else None


def strips_at(file: Any, form: Form, starts: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return where the pixels of pages are, and how many bytes; -1 where that is not seen at once.

    Parameters
    ----------
    file : file of tifffile
    form : Form
    starts : ndarray of int
        Where the headers of the pages are, which a description says.

    Returns
    -------
    ndarray of int, shape (n, 2), or None
        None where the first two are not stored alike, in one strip.
    """
    if len(starts) < 2:
        return None
    (first, _), (second, _) = (entries_at(file, form, int(start)) for start in starts[:2])
    alone = one_strip(form, first)
    if alone is None or one_strip(form, second) is None:
        return None
    if layout_of(file, form, first) != layout_of(file, form, second):
        return None
    if any(BYTES.get(k, 0) * n > form.inline for tag, k, n, _ in second if tag in LAYOUT):
        return None
    length = _length(form, second)
    strips = np.full((len(starts), 2), (-1, 0), np.int64)
    for begin in range(0, len(starts), _AT_ONCE):
        part = starts[begin : begin + _AT_ONCE]
        rows = np.zeros((len(part), length), np.uint8)
        for row, start in zip(rows, part.tolist(), strict=True):
            file.seek(start)
            data = file.read(length)
            row[: len(data)] = np.frombuffer(data, np.uint8)
        table, good = _entries(rows, form, second)
        for column, (tag, *_) in enumerate(second):
            if tag in LAYOUT or tag in STARTS or tag in SIZES:
                good &= table["count"][:, column] == second[column][2]
            if tag in LAYOUT:
                good &= table["value"][:, column] == second[column][3]
        found = _strips(table, second)
        strips[begin : begin + len(part)][good] = found[good]
    strips[0] = alone
    return strips


def one_strip(form: Form, entries: list[Entry]) -> tuple[int, ...] | None:
    """Where the pixels of a page begin and how many bytes they are, if they are one strip."""
    kinds = (16, 18) if form.big else (4, 13)  # of shorter types any bytes may fill the rest
    found = {tag: value for tag, kind, count, value in entries if count == 1 and kind in kinds}
    start, size = found.get(273, found.get(324)), found.get(279, found.get(325))
    return None if start is None or size is None else (start, size)


def _length(form: Form, entries: list[Entry]) -> int:
    """Return the bytes of a header."""
    return form.head + form.entry * len(entries) + form.inline


def _entries(
    rows: NDArray[np.uint8], form: Form, entries: list[Entry]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the entries of headers, and which of these have the tags and types of a known one."""
    formats = [form.order + f for f in ("u2", "u2", form.letter, form.letter)]
    kind = np.dtype({"names": ["tag", "kind", "count", "value"], "formats": formats})
    known = np.array(entries, kind)
    many = len(entries).to_bytes(form.head, "little" if form.order == "<" else "big")
    table = np.ascontiguousarray(rows[:, form.head : -form.inline]).view(kind)
    good = (rows[:, : form.head] == np.frombuffer(many, np.uint8)).all(axis=1)
    for name in ("tag", "kind"):
        good &= (table[name] == known[name]).all(axis=1)
    return table, good


def _strips(table: NDArray[Any], entries: list[Entry]) -> NDArray[np.int64]:
    tags = [tag for tag, *_ in entries]
    places = [next(i for i, tag in enumerate(tags) if tag in either) for either in (STARTS, SIZES)]
    return table["value"][:, places].astype(np.int64)


def _alike(
    rows: NDArray[np.uint8],
    form: Form,
    entries: list[Entry],
    outside: list[int],
    starts: NDArray[np.int64],
    size: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return headers, strips and next headers of the first pages that are alike, one by one."""
    table, good = _entries(rows, form, entries)
    after = np.ascontiguousarray(rows[:, -form.inline :]).view(form.order + form.letter)[:, 0]
    after = after.astype(np.int64)
    good &= (table["count"] == [count for _, _, count, _ in entries]).all(axis=1)
    values = table["value"].astype(np.int64)
    for column, ((tag, *_), length) in enumerate(zip(entries, outside, strict=True)):
        if tag in LAYOUT:
            good &= values[:, column] == entries[column][3]
        elif length > form.inline:
            good &= values[:, column] + length <= size
    strips = _strips(table, entries)
    good &= strips.sum(axis=1) <= size
    good[1:] &= after[:-1] == starts[1:]
    count = len(good) if good.all() else int(np.argmin(good))
    return starts[:count], strips[:count], after[:count]
