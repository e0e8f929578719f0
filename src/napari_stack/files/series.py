"""Frames of files as a stack: which files and frames, in which order, along which axis."""

import warnings
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import prod
from os.path import abspath, isabs
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.source import Pixels, Source
from napari_stack.core.stack import Stack
from napari_stack.files.formats import format_of
from napari_stack.files.formats.base import Contents, FileSet, First
from napari_stack.files.header_cache import HeaderCache

#: Names of axes that count pages and mean nothing else; "q" is any other axis in the letters of
#: tifffile.
_COUNTED = ("frame", "page", "q")

#: What happens to files that are not like the others.
Odd = Literal["refuse", "skip"]


@dataclass(frozen=True, eq=False)
class FileSource(Source):
    """Frames in files, read when asked for; no file stays open.

    Attributes
    ----------
    files : tuple of str
    first : First
        What every file must be like.
    places : ndarray of int, shape (n, 2)
        File and number in it of every frame.
    partial : bool
        Rows can be read without decoding the whole frame.
    headers : HeaderCache
    """

    files: tuple[str, ...]
    first: First
    places: NDArray[np.intp]
    partial: bool = False
    headers: HeaderCache = field(default_factory=HeaderCache, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Take absolute paths along: where it is unpickled, another folder may be the current."""
        return {**self.__dict__, "files": tuple(str(Path(f).absolute()) for f in self.files)}

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (len(self.places), *self.first.frame.shape)

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return self.first.frame.dtype

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        """Read one frame, or some rows of it.

        Raises
        ------
        ValueError, OSError
            Naming the file, when it is missing, damaged, or unlike the first.
        """
        file, number = self.places[index]
        path = self.files[file]
        kind = format_of(path, self.headers)
        return kind.read_frame(path, int(number), rows, self.first), None

    def file(self, index: int) -> str:  # noqa: D102
        return self.files[int(self.places[index, 0])]

    @property
    def files_read(self) -> frozenset[str]:  # noqa: D102
        return frozenset(self.files[number] for number in set(self.places[:, 0].tolist()))

    def label(self, index: int) -> str:
        """Name of the file, and the page where files have several."""
        file, number = self.places[index]
        name = Path(self.files[file]).name
        return f"{name} page {number + 1}" if self.places[:, 1].any() else name


def series(
    files: list[str], axis: str | int | None = None, part: slice = slice(None), skip: bool = False
) -> Stack | Hyperstack:
    """Make a stack of the frames of files, or of a part of them; see `napari_stack.read`."""
    start, stop, every = part.start, part.stop, part.step
    for name, value in {"start": start, "stop": stop, "every": every}.items():
        if value is not None and not isinstance(value, int | np.integer):
            raise UserError(f"{name} must be a whole number, got {value!r}")
    if every is not None and every < 1:
        raise UserError(f"every must be 1 or more, got {every}")
    files = [path if isabs(path) else abspath(path) for path in files]  # noqa: PTH100, PTH117
    headers = HeaderCache()
    whole, count = _joined(_alike(files, headers) if skip else files, headers)
    found = whole.contents
    stacked = _axis_number(axis, found.leading)
    taken = range(found.sizes[stacked])[part]
    if not taken:
        raise UserError(
            f"start={start}, stop={stop} leave none of the {found.sizes[stacked]} frames along "
            f"{found.leading[stacked].name}"
        )
    places = whole.places.reshape(*found.sizes, 2).take(taken, axis=stacked)
    used = np.ones(found.sizes, bool) if found.used is None else found.used.reshape(found.sizes)
    used = used.take(taken, axis=stacked)
    axes = tuple(a.taken(taken) if i == stacked else a for i, a in enumerate(found.leading))
    first = First(whole.files[0], found.frame, count)
    frames = Stack(
        FileSource(tuple(whole.files), first, places.reshape(-1, 2), found.partial, headers),
        used=used.ravel(),
        rgb=found.frame.rgb,
        alpha=found.frame.alpha,
        axes=(axes[0] if len(axes) == 1 else Axis("frame"), *found.plane),
        look=found.look,
    )
    if len(axes) == 1:
        return frames
    return Hyperstack(frames, axes, used.shape, axes[stacked].name, chosen=axis is not None)


def _joined(files: list[str], headers: HeaderCache) -> tuple[FileSet, int]:
    """Return what files hold together, and how many frames each of them; 0 where that differs.

    All files are looked into where their pages must be counted or some are not used, else the
    first. A file that was written here says of every frame whether it is used, if of any.
    """
    kind = format_of(files[0], headers)
    if (whole := kind.set_of(files)) is not None:
        return whole, 0
    first = kind.contents(files[0])
    each = [first]
    if (len(first.sizes) == 1 and len(first.order) > 1) or first.used is not None:
        each += [format_of(path, headers).contents(path) for path in files[1:]]
    leading, sizes, places = _places(files, each)
    used = np.concatenate([np.ones(len(f.order), bool) if f.used is None else f.used for f in each])
    known = used if used.size == prod(sizes) else None
    contents = replace(first, leading=leading, sizes=sizes, used=known)
    same = len(places) == len(files) * len(first.order)
    return FileSet(files, contents, places), len(first.order) if same else 0


def _alike(files: list[str], headers: HeaderCache) -> list[str]:
    """Leave out unreadable files, and those that are not like most."""
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
        warnings.warn(f"{count} left out: {', '.join(odd)}", stacklevel=4)
    return [path for path in files if found.get(path) == usual]


def _axis_number(axis: str | int | None, leading: tuple[Axis, ...]) -> int:
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
    pairs = np.concatenate([_pairs([i], found.order) for i, found in enumerate(each)])
    return first.leading, (len(pairs),), pairs


def _named(found: Contents) -> str:
    """Name of the one axis of a file, or nothing where it only counts pages."""
    (*others, axis) = found.leading
    return "" if others or axis.name in _COUNTED else axis.name


def _pairs(files: Sequence[int], order: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.stack(np.meshgrid(files, order, indexing="ij"), axis=-1).reshape(-1, 2)
