"""Frames of files as a stack: which files and frames, in which order, along which axis."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import prod
from os.path import abspath, isabs
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.notices import warn_caller
from napari_stack.core.source import Source
from napari_stack.core.stack import Stack
from napari_stack.files.file_source import FileSource
from napari_stack.files.formats import format_of
from napari_stack.files.formats.base import MISSING, Contents, First
from napari_stack.files.header_cache import HeaderCache, ReadOptions
from napari_stack.files.name_layout import along_names, named_axes
from napari_stack.files.remote import is_remote
from napari_stack.files.series_choice import COUNTED, chosen

#: What happens to files that are not like the others.
Odd = Literal["refuse", "skip"]


class Asked(NamedTuple):
    """Options of `napari_stack.read`: which image is read, how files are laid out, and how read."""

    series: int | str | None = None
    from_names: bool | str = False
    options: ReadOptions = ReadOptions()


def frames_of(
    files: list[str],
    axis: str | int | None = None,
    part: slice = slice(None),
    skip: bool = False,
    asked: Asked | None = None,
) -> Stack | Hyperstack:
    """Make a stack of the frames of files, or of a part of them; see `napari_stack.read`."""
    start, stop, every = part.start, part.stop, part.step
    for name, value in {"start": start, "stop": stop, "every": every}.items():
        if value is not None and not isinstance(value, int | np.integer):
            raise UserError(f"{name} must be a whole number, got {value!r}")
    if every is not None and every < 1:
        raise UserError(f"every must be 1 or more, got {every}")
    files = [p if isabs(p) or is_remote(p) else abspath(p) for p in files]  # noqa: PTH100, PTH117
    asked = asked or Asked()
    headers = HeaderCache(asked.options)
    whole, count = _joined(_alike(files, headers) if skip else files, headers, asked)
    found = whole.contents
    _warn_of_missing(whole)
    taken = taken_along(axis, part, found)
    places = whole.places.reshape(*found.sizes, 2).take(taken.places, axis=taken.axis)
    used = np.ones(found.sizes, bool) if found.used is None else found.used.reshape(found.sizes)
    used = used.take(taken.places, axis=taken.axis)
    first = First(whole.files[0], found.frame, count)
    source = FileSource(tuple(whole.files), first, places.reshape(-1, 2), found.partial, headers)
    return along_axes(source, found, taken, used.ravel(), chosen=axis is not None)


class Taken(NamedTuple):
    """The places along one of the leading axes that are read."""

    axis: int
    places: range


def taken_along(axis: str | int | None, part: slice, found: Contents) -> Taken:
    """Return which frames are read of what was found.

    Raises
    ------
    UserError
        For an axis that is not there, or a part that leaves no frames.
    """
    stacked = axis_number(axis, found.leading)
    places = range(found.sizes[stacked])[part]
    if not places:
        raise UserError(
            f"start={part.start}, stop={part.stop} leave none of the {found.sizes[stacked]} frames "
            f"along {found.leading[stacked].name}"
        )
    return Taken(stacked, places)


def along_axes(
    source: Source,
    found: Contents,
    taken: Taken,
    used: NDArray[np.bool_],
    *,
    chosen: bool,
) -> Stack | Hyperstack:
    """Lay the frames of a source out along the axes that were found, of one those taken."""
    axes = tuple(
        a.taken(taken.places) if i == taken.axis else a for i, a in enumerate(found.leading)
    )
    frames = Stack(
        source,
        used=used,
        rgb=found.frame.rgb,
        alpha=found.frame.alpha,
        axes=(axes[0] if len(axes) == 1 else Axis("frame"), *found.plane),
        look=found.look,
    )
    if len(axes) == 1:
        return frames
    sizes = tuple(
        len(taken.places) if i == taken.axis else size for i, size in enumerate(found.sizes)
    )
    return Hyperstack(frames, axes, sizes, axes[taken.axis].name, chosen=chosen)


@dataclass(frozen=True, eq=False)
class _Whole:
    """What files hold together, and the file and number in it of every frame."""

    files: list[str]
    contents: Contents
    places: NDArray[np.intp]


def _joined(files: list[str], headers: HeaderCache, asked: Asked) -> tuple[_Whole, int]:
    """Return what files hold together, and how many frames each of them; 0 where that differs.

    All files are looked into where their pages must be counted or some are not used, else the
    first. A file that was written here says of every frame whether it is used, if of any.
    """
    kind, wanted = format_of(files[0], headers), asked.series
    if (found := kind.set_of(files)) is not None:
        if asked.from_names:
            warn_caller(
                f"{files[0]}: these files are a set ({kind.name}) that tells its axes itself; what "
                "their names tell (from_names) is not used",
            )
        held = chosen(found.series, wanted, files[0])
        return _Whole(found.files, held, _with_missing(found.places, held.order)), 0
    several = kind.series(files[0])
    first = chosen(several, wanted, files[0])
    if len(files) > 1 and (named := named_axes(files, asked.from_names)) is not None:
        each = [first] * len(files)
        if len(several) > 1:
            each = [chosen(format_of(p, headers).series(p), wanted, p) for p in files]
        leading, sizes, places, used = along_names(files, each, named)
        contents = replace(first, leading=leading, sizes=sizes, used=used)
        return _Whole(files, contents, places), len(first.order) if len(several) == 1 else 0
    each = [first]
    counted = len(first.sizes) == 1 and len(first.order) > 1
    if len(files) > 1 and (counted or first.used is not None or len(several) > 1):
        others = ((path, format_of(path, headers).series(path)) for path in files[1:])
        each += [chosen(held, wanted, path) for path, held in others]
    leading, sizes, places = _places(files, each)
    used = np.concatenate([np.ones(len(f.order), bool) if f.used is None else f.used for f in each])
    known = used if used.size == prod(sizes) else None
    contents = replace(first, leading=leading, sizes=sizes, used=known)
    whole = len(places) == len(files) * len(first.order) and (places >= 0).all()
    same = len(several) == 1 and whole
    return _Whole(files, contents, places), len(first.order) if same else 0


def _warn_of_missing(whole: _Whole) -> None:
    missing = int((whole.places[:, 1] < 0).sum())
    if missing == len(whole.places):
        raise UserError(f"{whole.files[0]}: none of the {missing} frames that it declares is there")
    if missing:
        what = "1 is missing" if missing == 1 else f"{missing} are missing"
        warn_caller(
            f"{whole.files[0]}: of the {len(whole.places)} frames that are declared {what}, since "
            "they were never recorded or their files are not there; these are not used",
        )


def _with_missing(places: NDArray[np.intp], order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Take places by their numbers; those that are missing have no file."""
    return np.where(order[:, np.newaxis] < 0, MISSING, places[order])


def _alike(files: list[str], headers: HeaderCache) -> list[str]:
    """Leave out unreadable files, and those that are not like most; all of a set are meant."""
    with suppress(OSError, ValueError):
        if format_of(files[0], headers).set_of(files) is not None:
            return files
    found: dict[str, tuple[Any, ...]] = {}
    for path in files:
        with suppress(OSError, ValueError):
            held = format_of(path, headers).contents(path)
            found[path] = (held.frame.shape, held.frame.dtype, len(held.order))
    if not found:
        raise UserError(f"none of the {len(files)} files can be read, {files[0]} the first")
    usual = Counter(found.values()).most_common(1)[0][0]  # of several the first one met
    if odd := [Path(path).name for path in files if found.get(path) != usual]:
        count = "1 odd file is" if len(odd) == 1 else f"{len(odd)} odd files are"
        warn_caller(f"{count} left out: {', '.join(odd)}")
    return [path for path in files if found.get(path) == usual]


def axis_number(axis: str | int | None, leading: tuple[Axis, ...]) -> int:
    """Return the number of the axis to stack, the first where none is asked for."""
    names = [a.name for a in leading]
    if isinstance(axis, str) and axis in names:
        return names.index(axis)
    if axis is None:
        return 0
    if isinstance(axis, str) or not -len(names) <= axis < len(names):
        raise UserError(f"there is no axis {axis!r}; the axes are {', '.join(names)}")
    return axis % len(names)


def _places(
    files: list[str], each: list[Contents]
) -> tuple[tuple[Axis, ...], tuple[int, ...], NDArray[np.intp]]:
    """Axes of a whole series, and file and number of every frame."""
    first, count = each[0], len(files)
    pairs = _pairs(range(count), first.order)
    if len(each) == count:
        pairs = np.concatenate([_pairs([i], found.order) for i, found in enumerate(each)])
    if count == 1:
        return first.leading, first.sizes, pairs
    if len(first.order) == 1:
        return (Axis("frame"),), (count,), pairs
    names = [axis.name for axis in first.leading]
    alike = _named(first) and all(_named(found) == _named(first) for found in each)
    if len(names) > 1 or alike:  # every file is a hyperstack, or has planes along an axis
        like = First(files[0], first.frame, len(first.order))
        for path, found in zip(files, each, strict=False):  # there may be only the first
            like.check(path, found.frame, len(found.order))
        more = Axis("t" if "t" not in names else "file")
        return (more, *first.leading), (count, *first.sizes), pairs
    return first.leading, (len(pairs),), pairs


def _named(found: Contents) -> str:
    """Name of the one axis of a file, or nothing where it only counts pages."""
    (*others, axis) = found.leading
    return "" if others or axis.name in COUNTED else axis.name


def _pairs(files: Sequence[int], order: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.stack(np.meshgrid(files, order, indexing="ij"), axis=-1).reshape(-1, 2)
