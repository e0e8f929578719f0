"""Frames of files as a stack: which files and frames, in which order, along which axis."""

import warnings
from collections import Counter
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
    files: list[str],
    *,
    axis: str | int | None = None,
    every: int = 1,
    start: int = 0,
    stop: int | None = None,
    skip: bool = False,
) -> Stack | Hyperstack:
    """Make a stack of files; see `napari_stack.read`."""
    _check_whole(every=every, start=start, stop=stop)
    if every < 1:
        raise UserError(f"every must be 1 or more, got {every}")
    files = [path if isabs(path) else abspath(path) for path in files]  # noqa: PTH100, PTH117
    headers = HeaderCache()
    whole, count = _joined(_alike(files, headers) if skip else files, headers)
    found = whole.contents
    stacked = _axis_number(axis, found.leading)
    taken = range(found.sizes[stacked])[start:stop:every]
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
    )
    if len(axes) == 1:
        return frames
    return Hyperstack(frames, axes, used.shape, axes[stacked].name, chosen=axis is not None)


def _joined(files: list[str], headers: HeaderCache) -> tuple[FileSet, int]:
    """Return what files hold together, and how many frames each of them; 0 where that differs."""
    kind = format_of(files[0], headers)
    if (whole := kind.set_of(files)) is not None:
        return whole, 0
    first = kind.contents(files[0])
    every_one = _contents_needed(files, first, headers)
    leading, sizes, places = _places(files, first, every_one)
    contents = replace(first, leading=leading, sizes=sizes, used=_used(every_one, sizes))
    same = len(places) == len(files) * len(first.order)
    return FileSet(files, contents, places), len(first.order) if same else 0


def _check_whole(**numbers: Any) -> None:
    for name, value in numbers.items():
        if value is not None and not isinstance(value, int | np.integer):
            raise UserError(f"{name} must be a whole number, got {value!r}")


def _alike(files: list[str], headers: HeaderCache) -> list[str]:
    """Leave out unreadable files, and those that are not like most."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in files:
        with suppress(OSError, ValueError):
            held = format_of(path, headers).contents(path)
            found[path] = (held.frame.shape, held.frame.dtype, len(held.order))
    kinds = Counter(found.values())  # of several the first one met
    usual = kinds.most_common(1)[0][0] if kinds else None
    kept = [path for path in files if usual is not None and found.get(path) == usual]
    if not kept:
        raise UserError(f"none of the {len(files)} files can be read, {files[0]} the first")
    if odd := [Path(path).name for path in files if found.get(path) != usual]:
        count = "1 odd file is" if len(odd) == 1 else f"{len(odd)} odd files are"
        warnings.warn(f"{count} left out: {', '.join(odd)}", stacklevel=4)
    return kept


def _axis_number(axis: str | int | None, leading: tuple[Axis, ...]) -> int:
    names = [a.name for a in leading]
    if isinstance(axis, str) and axis in names:
        return names.index(axis)
    if axis is None:
        return 0
    if isinstance(axis, str) or not -len(names) <= axis < len(names):
        raise UserError(f"there is no axis {axis!r}; the axes are {', '.join(names)}")
    return axis % len(names)


def _contents_needed(files: list[str], first: Contents, headers: HeaderCache) -> list[Contents]:
    """Look into all files where their pages must be counted or some are not used, else the first.

    A file that was written here says of every frame whether it is used, if it does so of any.
    """
    asked = (len(first.sizes) == 1 and len(first.order) > 1) or first.used is not None
    others = files[1:] if asked else []
    return [first, *(format_of(path, headers).contents(path) for path in others)]


def _used(every_one: list[Contents], sizes: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """Whether each frame of a series is used; None where the files do not tell of all."""
    told = [np.ones(len(f.order), bool) if f.used is None else f.used for f in every_one]
    used = np.concatenate(told)
    return used if used.size == prod(sizes) else None


def _places(
    files: list[str], first: Contents, every_one: list[Contents]
) -> tuple[tuple[Axis, ...], tuple[int, ...], NDArray[np.intp]]:
    """Axes of a whole series, and file and number of every frame."""
    count = len(first.order)
    if len(files) == 1:
        return first.leading, first.sizes, _pairs([0], first.order)
    if count == 1:
        return (Axis("frame"),), (len(files),), _pairs(range(len(files)), first.order)
    names = [axis.name for axis in first.leading]
    alike = _named(first) and all(_named(found) == _named(first) for found in every_one)
    if len(names) > 1 or alike:  # every file is a hyperstack, or has planes along an axis
        _check_counts(files, every_one)
        more = Axis("t" if "t" not in names else "file")
        pairs = _pairs(range(len(files)), first.order)
        return (more, *first.leading), (len(files), *first.sizes), pairs
    pairs = np.concatenate([_pairs([i], found.order) for i, found in enumerate(every_one)])
    return first.leading, (len(pairs),), pairs


def _named(found: Contents) -> str:
    """Name of the one axis of a file, or nothing where it only counts pages."""
    (*others, axis) = found.leading
    return "" if others or axis.name in _COUNTED else axis.name


def _check_counts(files: list[str], every_one: list[Contents]) -> None:
    """Refuse a file with more or fewer planes than the first."""
    like = First(files[0], every_one[0].frame, len(every_one[0].order))
    for path, found in zip(files, every_one, strict=False):  # there may be only the first
        like.check(path, found.frame, len(found.order))


def _pairs(files: Any, order: NDArray[np.intp]) -> NDArray[np.intp]:
    grid = np.meshgrid(np.asarray(files, np.intp), order, indexing="ij")
    return np.stack(grid, axis=-1).reshape(-1, 2)
