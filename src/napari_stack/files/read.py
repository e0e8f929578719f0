"""Frames of files as a stack: which files and frames, in which order, along which axis."""

import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
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
from napari_stack.files.formats.base import Contents, First
from napari_stack.files.formats.registry import format_of
from napari_stack.files.formats.tiff import read as tiff_read
from napari_stack.files.formats.tiff.ome_set import set_of
from napari_stack.files.formats.tiff.read import Headers

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
    by_rows : bool
        Rows can be read without decoding the whole frame.
    """

    files: tuple[str, ...]
    first: First
    places: NDArray[np.intp]
    by_rows: bool
    _headers: Headers = field(default_factory=Headers, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Take absolute paths along: where it is unpickled, another folder may be the current."""
        return {**self.__dict__, "files": tuple(str(Path(f).absolute()) for f in self.files)}

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (len(self.places), *self.first.frame.shape)

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return self.first.frame.dtype

    @property
    def partial(self) -> bool:  # type: ignore[override]  # noqa: D102
        return self.by_rows

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        """Read one frame, or some rows of it.

        Raises
        ------
        ValueError, OSError
            Naming the file, when it is missing, damaged, or unlike the first.
        """
        file, number = self.places[index]
        path, headers = self.files[file], self._headers
        kind = format_of(path, headers)
        return kind.read_frame(path, int(number), rows, self.first, headers), None

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
    headers = Headers()
    files = _alike(files, headers) if skip else files
    kind = format_of(files[0], headers)
    whole = set_of(files) if kind is tiff_read else None
    if whole is not None:
        files, first, places = whole.files, whole.contents, whole.places
        leading, sizes, every_one, same_count = first.leading, first.sizes, [first], False
    else:
        first = kind.contents(files[0], headers)
        every_one = _looked_into(files, first, headers)
        leading, sizes, places = _places(files, first, every_one)
        same_count = len(places) == len(files) * len(first.order)
    used = _used(every_one, sizes)
    stacked = _axis_number(axis, leading)
    taken = range(sizes[stacked])[start:stop:every]
    if not taken:
        raise UserError(
            f"start={start}, stop={stop} leave none of the {sizes[stacked]} frames along "
            f"{leading[stacked].name}"
        )
    places = places.reshape(*sizes, 2).take(taken, axis=stacked)
    sizes = places.shape[:-1]
    axes = [a.taken(taken) if i == stacked else a for i, a in enumerate(leading)]
    like = First(files[0], first.frame, len(first.order) if same_count else 0)
    source = FileSource(tuple(files), like, places.reshape(-1, 2), first.partial, headers)
    counted = axes[0] if len(sizes) == 1 else Axis("frame")
    frames = Stack(
        source,
        used=used.take(taken, axis=stacked).ravel(),
        rgb=first.frame.rgb,
        alpha=first.frame.alpha,
        axes=(counted, *first.plane),
    )
    if len(sizes) == 1:
        return frames
    return Hyperstack(frames, tuple(axes), sizes, axes[stacked].name, chosen=axis is not None)


def _check_whole(**numbers: Any) -> None:
    for name, value in numbers.items():
        if value is not None and not isinstance(value, int | np.integer):
            raise UserError(f"{name} must be a whole number, got {value!r}")


def _alike(files: list[str], headers: Headers) -> list[str]:
    """Leave out unreadable files, and those that are not like most."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in files:
        with suppress(OSError, ValueError):
            held = format_of(path, headers).contents(path, headers)
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


def _looked_into(files: list[str], first: Contents, headers: Headers) -> list[Contents]:
    """Look into all files where their pages must be counted or some are not used, else the first.

    What is written tells of every frame whether it is used if it does so of any, see `_note`.
    """
    asked = (len(first.sizes) == 1 and len(first.order) > 1) or first.used is not None
    others = files[1:] if asked else []
    return [first, *(format_of(path, headers).contents(path, headers) for path in others)]


def _used(every_one: list[Contents], sizes: tuple[int, ...]) -> NDArray[np.bool_]:
    """Whether each frame of a series is used, in the shape of its leading axes."""
    told = [np.ones(len(f.order), bool) if f.used is None else f.used for f in every_one]
    used = np.concatenate(told)
    return used.reshape(sizes) if used.size == prod(sizes) else np.ones(sizes, bool)


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


def image(files: list[str]) -> NDArray[Any]:
    """Read the one image of a file."""
    found = series(files)
    frames = found.frames if isinstance(found, Hyperstack) else found
    if len(frames) != 1:
        raise UserError(
            f"{files[0]} holds {len(frames)} frames where one image is needed: name another file"
        )
    return frames[0]


def recipe(path: str) -> dict[str, Any] | None:
    """Read the recipe that a file keeps, or None."""
    found = format_of(path).note(path).get("recipe")
    return found if isinstance(found, dict) else None
