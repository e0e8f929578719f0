"""Axes of a TIFF: names, steps and units, from our own note, ImageJ, OME, or the resolution."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.look import Look
from napari_stack.core.units import metres, seconds
from napari_stack.files.formats.base import Contents
from napari_stack.files.formats.tiff import imagej, lsm_stk, ome_axes
from napari_stack.files.formats.tiff.ome_xml import ome_of
from napari_stack.files.formats.tiff.pages import Layout, orientation_of
from napari_stack.files.metadata import Note, reconciled, reconciled_axis

#: Names of axes by the letters of tifffile, where they are not just the small letter.
_NAMES = {"I": "frame"}

_BY_CENTIMETRE = 3

#: A step read as a ratio of whole numbers is the one in the note when it is as near as this.
_SAME_STEP = 1e-4


def contents_of(tif: Any, layout: Layout, count: int, page: Any, series: Any = None) -> Contents:
    """Find the axes of a series of a file, and which frames are used.

    Our own note counts where what the file says in its own terms still agrees with it; which frames
    are used is known from it where its axes have the same lengths.

    Parameters
    ----------
    tif : tifffile.TiffFile
    layout : Layout
        Of its pages.
    count : int
        Number of its frames.
    page : tifffile.TiffPage
        The first.
    series : tifffile.TiffPageSeries, optional
        Of its pages, which are only counted by default.
    """
    first = page.offset == tif.pages.first.offset
    said, note = _said(tif, page), note_of(tif) if first else Note()
    names, looks = _channels(tif)
    named = _named(series, count)
    leading, look = shown_axes(named, said, names, looks)
    sizes = tuple(size for _, size in named)
    plane = said.get("y", Axis("y")), said.get("x", Axis("x"))
    order = np.arange(count)
    found = Contents(layout.frame, layout.partial, leading, sizes, plane, order, look=look)
    return _with_note(tif, found, said, note)


def shown_axes(
    named: Sequence[tuple[str, int]],
    said: Mapping[str, Axis],
    names: tuple[str, ...],
    looks: tuple[Look, ...],
) -> tuple[tuple[Axis, ...], Look]:
    """Return the leading axes, and how the frames are shown that are one channel alone.

    Parameters
    ----------
    named : sequence of (str, int)
        Names and lengths of the axes.
    said : mapping of str to Axis
        What is known of them.
    names, looks : tuple
        Of the channels.
    """
    leading = []
    for name, size in named:
        axis = said.get(name, Axis(name))
        if name == "c":
            axis = replace(axis, labels=names if len(names) == size else (),
                           looks=looks if len(looks) == size and any(looks) else ())  # fmt: skip
        leading.append(axis if len(axis.positions) == size else replace(axis, positions=()))
    alone = "c" not in {name for name, _ in named}
    return tuple(leading), _only(names, looks) if alone else Look()


def _only(names: tuple[str, ...], looks: tuple[Look, ...]) -> Look:
    """Return how an image is shown that is one channel alone."""
    look = looks[0] if len(looks) == 1 else Look()
    return replace(look, name=names[0]) if len(names) == 1 else look


def _with_note(tif: Any, found: Contents, said: Mapping[str, Axis], note: Note) -> Contents:
    """Let our own note say more exactly what the file says in its own terms."""
    count = len(found.order)
    if not note.axes or prod(note.sizes) != prod(found.sizes):
        return found
    used = note.used_of(count)
    if not _agrees(tif, note, said):
        return replace(found, used=used)
    *noted, y, x = note.axes
    look = reconciled(note.look, found.look)
    found = replace(found, plane=(y, x), used=used, look=look)
    if not noted:  # it is a single image
        return found
    shown = {axis.name: axis for axis in found.leading}
    leading = tuple(reconciled_axis(axis, shown.get(axis.name, axis)) for axis in noted)
    order = imagej_order(leading, note.sizes) if tif.is_imagej else found.order
    return replace(found, leading=leading, sizes=note.sizes, order=order)


def _named(series: Any, count: int) -> list[tuple[str, int]]:
    """Names and lengths of the leading axes."""
    if series is None:
        return [("frame", count)]
    letters = zip(series.get_axes(squeeze=True), series.get_shape(squeeze=True), strict=True)
    found = [(letter, size) for letter, size in letters if letter not in "YXS"]
    if not found or prod(size for _, size in found) != count:
        return [("frame", count)]
    names: list[str] = []
    for number, (letter, _) in enumerate(found):
        name, before = _NAMES.get(letter, letter.lower()), [one for one, _ in found[:number]]
        names.append(f"{name}{before.count(letter) + 1}" if letter in before else name)
    return [(name, size) for name, (_, size) in zip(names, found, strict=True)]


def _said(tif: Any, page: Any) -> dict[str, Axis]:
    """Find what a file says of its axes in its own terms, by their names."""
    if ome := ome_of(tif):
        found = ome_axes.axes_of(ome.first)
    elif tif.is_imagej:
        found = imagej.axes_of(tif.imagej_metadata or {}, _sizes(page))
    else:
        found = lsm_stk.axes_of(tif) or _resolution_axes(page)
    if not ome and orientation_of(page) >= 5:  # steps are of what is stored
        found |= {a: replace(found[b], name=a) for a, b in ("xy", "yx") if b in found}
    return sound(found)


def sound(axes: Mapping[str, Axis]) -> dict[str, Axis]:
    """Leave out axes whose steps or places are none."""
    return {n: a for n, a in axes.items() if isfinite(a.step) and a.step > 0 and isfinite(a.start)}


def _channels(tif: Any) -> tuple[tuple[str, ...], tuple[Look, ...]]:
    """Return names and looks of the channels."""
    if ome := ome_of(tif):
        return ome.first.channels, ome_axes.looks_of(ome.first)
    if tif.is_lsm:
        return lsm_stk.looks_of_lsm(tif)
    if not tif.is_imagej:
        return (), ()
    known = tif.imagej_metadata or {}
    looks = imagej.looks_of(known, tif.pages.first)
    return imagej.names_of(known, len(looks)), looks


def _resolution_axes(page: Any) -> dict[str, Axis]:
    """Take centimetres as the size of pixels; inches are for printing and mean nothing here."""
    if page.tags.valueof(296) != _BY_CENTIMETRE:
        return {}
    return {name: Axis(name, step * 1e4, "um") for name, step in _sizes(page).items()}


def _sizes(page: Any) -> dict[str, float]:
    """Pixel sizes in the file's own unit, from its ratios of pixels a unit."""
    ratios = {"x": page.tags.valueof(282), "y": page.tags.valueof(283)}
    return {
        name: float(ratio[1]) / float(ratio[0])
        for name, ratio in ratios.items()
        if isinstance(ratio, tuple) and len(ratio) == 2 and ratio[0] and ratio[1]
    }


def note_of(tif: Any) -> Note:
    """Read our own note in a file."""
    if tif.is_imagej:
        return Note.from_text(str((tif.imagej_metadata or {}).get("Info", "")))
    ome = ome_of(tif)
    return Note.from_text(ome.description if ome else tif.pages.first.description)


def _agrees(tif: Any, note: Note, said: Mapping[str, Axis]) -> bool:
    """Return whether what a file says in its own terms still agrees with the note."""
    if not (tif.is_imagej or tif.is_ome):
        return True
    return all(_agree(noted, said[noted.name]) for noted in note.axes if noted.name in said)


def _agree(noted: Axis, found: Axis) -> bool:
    """Whether a file says of an axis what a note says, in any unit of its kind."""
    kept = imagej.storable(noted)
    if not imagej.holds(kept.step) or (found.name in "zt" and found.unit == "pixel" != kept.unit):
        return True  # it could not be said
    if found.name in "zt" and kept.unit == "pixel":
        return True
    sizes = [(metres(a.unit) or seconds(a.unit) or 0.0) * a.step for a in (kept, found)]
    if not all(sizes):
        sizes = [kept.step, found.step if kept.unit == found.unit else 0.0]
    return abs(sizes[0] - sizes[1]) <= _SAME_STEP * sizes[0]


def imagej_order(leading: tuple[Axis, ...], sizes: tuple[int, ...]) -> NDArray[np.intp]:
    """Return which frame of an ImageJ file, in the order (t, z, c), comes at which place."""
    roles = imagej_roles([axis.name for axis in leading])
    if roles is None:  # never written so
        return np.arange(prod(sizes))
    stored = [roles.index(role) for role in "tzc" if role in roles]
    numbers = np.arange(prod(sizes)).reshape([sizes[axis] for axis in stored])
    return numbers.transpose(np.argsort(stored)).ravel()


def imagej_roles(names: list[str]) -> list[str] | None:
    """Give each leading axis one of ImageJ's t, z and c, or None where it has more axes.

    Examples
    --------
    >>> imagej_roles(["t", "frame"]), imagej_roles(["channel", "t", "z", "q"])
    (['t', 'z'], None)
    """
    aliases = {"time": "t", "channel": "c", "depth": "z", "plane": "z", "slice": "z"}
    known = [aliases.get(name, name) for name in names]
    free = [role for role in "ztc" if role not in known]
    roles = [name if name in ("t", "z", "c") else "" for name in known]
    if len(set(filter(None, roles))) < len(list(filter(None, roles))) or len(names) > 3:
        return None
    return [role or free.pop(0) for role in roles]
