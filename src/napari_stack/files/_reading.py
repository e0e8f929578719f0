"""Frames of files as a stack: which files and frames, in which order, along which axis."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.files import _image, _note, _tiff
from napari_stack.files._frames import (
    Contents,
    First,
    Frame,
    check_plausible,
    damage_named,
    one_frame,
)
from napari_stack.files._tiff_axes import note_of
from napari_stack.hyperstack import Hyperstack
from napari_stack.sources import Axis
from napari_stack.stack import Stack


@dataclass(frozen=True, eq=False)
class FileSource:
    """Frames in files, read when asked for; no file stays open.

    Attributes
    ----------
    files : tuple of str
    first : First
        What every file must be like.
    places : ndarray of int, shape (n, 2)
        File and number in it of every frame.
    partial : bool
        Whether rows can be read without decoding the whole frame.
    """

    files: tuple[str, ...]
    first: First
    places: NDArray[np.intp]
    partial: bool
    _headers: _tiff.Headers = field(default_factory=_tiff.Headers, repr=False)
    _tiffs: set[str] = field(default_factory=set, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Take absolute paths along: where it is unpickled, another folder may be the current."""
        return {**self.__dict__, "files": tuple(str(Path(f).absolute()) for f in self.files)}

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.places), *self.first.frame.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.first.frame.dtype

    def read(self, index: int, rows: slice | None = None) -> NDArray[Any]:
        """Read one frame, or some rows of it.

        Raises
        ------
        ValueError, OSError
            Naming the file, when it is missing, damaged, or unlike the first.
        """
        file, number = self.places[index]
        path = self.files[file]
        if path in self._tiffs or self._is_tiff(path):
            return _tiff.read_frame(path, int(number), rows, self.first, self._headers)
        pixels = _read_image(path, self.first)
        return pixels if rows is None else pixels[rows]

    def _is_tiff(self, path: str) -> bool:
        with damage_named(path):
            if _is_tiff(path):
                self._tiffs.add(path)
        return path in self._tiffs

    def label(self, index: int) -> str:
        """Name of the file, and the page where files have several."""
        file, number = self.places[index]
        name = Path(self.files[file]).name
        return f"{name} page {number + 1}" if self.places[:, 1].any() else name


def _is_tiff(path: str) -> bool:
    with Path(path).open("rb", buffering=0) as file:
        return _tiff.is_tiff(file.read(4))


def _read_image(path: str, first: First) -> NDArray[Any]:
    data, frame = _load(path)
    first.check(path, frame)
    with damage_named(path):
        pixels = _image.decode(data)
        if pixels.shape != frame.shape:
            raise ValueError(f"{pixels.shape} pixels where {frame.shape} are due")
    return pixels


def _load(path: str) -> tuple[bytes, Frame]:
    """Read a PNG or JPEG without decoding it."""
    with damage_named(path):
        data = Path(path).read_bytes()
    if not _image.is_image(data):
        what = "is empty" if not data else "is no TIFF, PNG or JPEG"
        raise ValueError(f"{path} {what}: leave it out, or save it as TIFF")
    with damage_named(path):
        frame = _image.frame_of(data)
    check_plausible(path, frame, len(data))
    return data, frame


def contents(path: str, headers: _tiff.Headers) -> Contents:
    """Look into a file."""
    with damage_named(path):
        tiff = _is_tiff(path)
    if tiff:
        found = _tiff.contents(path, headers)
        check_plausible(path, found.frame, Path(path).stat().st_size)
        return found
    data, frame = _load(path)
    noted = _note.axes_of(_png_note(data))
    return one_frame(frame, (noted[0][-2], noted[0][-1])) if noted else one_frame(frame)


def series(
    files: list[str],
    *,
    axis: str | int | None = None,
    every: int = 1,
    start: int = 0,
    stop: int | None = None,
) -> Stack | Hyperstack:
    """Make a stack of files; see `napari_stack.read`."""
    if every < 1:
        raise ValueError(f"every must be 1 or more, got {every}")
    headers = _tiff.Headers()
    first = contents(files[0], headers)
    leading, sizes, places = _places(files, first, headers)
    same_count = len(places) == len(files) * len(first.order)
    stacked = _axis_number(axis, leading)
    taken = range(sizes[stacked])[start:stop:every]
    if not taken:
        raise ValueError(
            f"start={start}, stop={stop} leave none of the {sizes[stacked]} frames along "
            f"{leading[stacked].name}"
        )
    places = places.reshape(*sizes, 2).take(taken, axis=stacked)
    sizes = places.shape[:-1]
    axes = [replace(a, step=a.step * every) if i == stacked else a for i, a in enumerate(leading)]
    like = First(files[0], first.frame, len(first.order) if same_count else 0)
    source = FileSource(tuple(files), like, places.reshape(-1, 2), first.partial, headers)
    counted = axes[0] if len(sizes) == 1 else Axis("frame")
    frames = Stack(
        source, rgb=first.frame.rgb, alpha=first.frame.alpha, axes=(counted, *first.plane)
    )
    return frames if len(sizes) == 1 else Hyperstack(frames, tuple(axes), sizes, axes[stacked].name)


def _axis_number(axis: str | int | None, leading: tuple[Axis, ...]) -> int:
    names = [a.name for a in leading]
    if isinstance(axis, str) and axis in names:
        return names.index(axis)
    if axis is None:
        return 0
    if isinstance(axis, str) or not -len(names) <= axis < len(names):
        raise ValueError(f"there is no axis {axis!r}; the axes are {', '.join(names)}")
    return axis % len(names)


def _places(
    files: list[str], first: Contents, headers: _tiff.Headers
) -> tuple[tuple[Axis, ...], tuple[int, ...], NDArray[np.intp]]:
    """Axes of a whole series, and file and number of every frame."""
    count = len(first.order)
    if len(files) == 1:
        return first.leading, first.sizes, _pairs([0], first.order)
    if count == 1:
        return (Axis("frame"),), (len(files),), _pairs(range(len(files)), first.order)
    if len(first.sizes) > 1:  # every file is a hyperstack
        names = [axis.name for axis in first.leading]
        more = Axis("t" if "t" not in names else "file")
        pairs = _pairs(range(len(files)), first.order)
        return (more, *first.leading), (len(files), *first.sizes), pairs
    counts = [count, *(frames_in(path, headers) for path in files[1:])]
    pairs = np.concatenate([_pairs([i], np.arange(n)) for i, n in enumerate(counts)])
    return first.leading, (len(pairs),), pairs


def _pairs(files: Any, order: NDArray[np.intp]) -> NDArray[np.intp]:
    grid = np.meshgrid(np.asarray(files, np.intp), order, indexing="ij")
    return np.stack(grid, axis=-1).reshape(-1, 2)


def frames_in(path: str, headers: _tiff.Headers) -> int:
    """Count the frames of a file."""
    with damage_named(path):
        tiff = _is_tiff(path)
    return _tiff.frames_in(path, headers) if tiff else 1


def image(files: list[str]) -> NDArray[Any]:
    """Read the one image of a file."""
    found = series(files)
    frames = found.frames if isinstance(found, Hyperstack) else found
    if len(frames) != 1:
        raise ValueError(
            f"{files[0]} holds {len(frames)} frames where one image is needed: name another file"
        )
    return frames[0]


def recipe(path: str) -> dict[str, Any] | None:
    """Read the recipe that a file keeps, or None."""
    with damage_named(path):
        if _is_tiff(path):
            with _tiff.opened(path) as tif:
                note = note_of(tif)
        else:
            note = _png_note(Path(path).read_bytes())
    found = note.get("recipe")
    return found if isinstance(found, dict) else None


def _png_note(data: bytes) -> dict[str, Any]:
    return _note.from_text(_image.png_text(data, _note.KEY)) if _image.is_png(data) else {}
