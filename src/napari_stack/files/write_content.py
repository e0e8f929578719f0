"""What is written, an image, an array with named axes or a stack in one form, and by what."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis, usual_name
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.look import Look
from napari_stack.core.notices import warn_caller
from napari_stack.core.source import as_array
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files.exif import NOTHING, Origin
from napari_stack.files.metadata import Note

Compression = Literal["none", "zlib", "lzw", "zstd"]

#: Levels of compression: least and greatest.
_LEVELS = {"zlib": (0, 9), "zstd": (1, 22)}

#: Resolutions of a pyramid; the last of so many is a pixel.
_MOST_LEVELS = 16

#: Frames of a movie a second.
_MOST_FPS = 1000

#: An array (y, x, channel) with more channels than this is rather meant as frames.
_CHANNELS = 16


@dataclass(frozen=True)
class Content:
    """What is written.

    Attributes
    ----------
    frames : Stack
        All frames, in C order over the leading axes.
    leading : tuple of Axis
        Axes before y and x; none for an image.
    sizes : tuple of int
        Their lengths.
    note_used : bool
        The note says which frames are used even if all are, since those of other files are not.
    """

    frames: Stack
    leading: tuple[Axis, ...] = ()
    sizes: tuple[int, ...] = ()
    note_used: bool = False

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Leading axes, y and x."""
        return (*self.leading, *self.frames.axes[1:])

    @property
    def channel_axis(self) -> int | None:
        """Number of the leading axis of channels, where there is one."""
        names = [usual_name(axis.name) for axis in self.leading]
        return names.index("c") if "c" in names else None

    def looks_along(self, number: int | None) -> tuple[Look, ...]:
        """How each place of a leading axis is shown; as all frames are, where no more is known."""
        if number is None:
            return (self.frames.look,)
        axis = self.leading[number]
        if not axis.looks:
            axis = replace(axis, looks=(replace(self.frames.look, name=""),) * self.sizes[number])
        return tuple(axis.look(i) for i in range(self.sizes[number]))

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """Shape of a frame in a file: (y, x), or (y, x, channel) with several channels."""
        shape = self.frames.shape
        return shape[1:3] if shape[3:] == (1,) else shape[1:]

    def made(self, run: Run) -> AbstractContextManager[Iterator[NDArray[Any]]]:
        """Make the frames one by one, a few ahead in threads, and report."""
        return closing(run.stream(self._frame, self.frames, what="Writing frames"))

    def _frame(self, stack: Stack, index: int) -> NDArray[Any]:
        return stack[index].reshape(self.frame_shape)

    def note(self, recipe: Mapping[str, Any] | None) -> Note:
        """Return the note that goes into the file."""
        used = self.frames.used.tolist()
        noted = used if self.note_used or not all(used) else None
        return Note(self.axes, self.sizes, recipe, noted, self.frames.look)


@dataclass(frozen=True)
class WriteOptions:
    """How files are written; see `napari_stack.write`."""

    compression: Compression = "zlib"
    level: int | None = None
    quality: int = 95
    overwrite: bool = False
    recipe: Mapping[str, Any] | None = None
    origin: Origin = NOTHING
    run: Run = Run()
    levels: int | None = None
    chunks: Sequence[int] | None = None
    shards: Sequence[int] | None = None
    fps: float = 10.0
    time_stamp: bool = False
    scale_bar: bool = False

    def __post_init__(self) -> None:
        Note(recipe=self.recipe).to_text()  # refuses what is no plain data
        known = get_args(Compression)
        least, most = _LEVELS.get(self.compression, (0, 0))
        levels = f"takes {least} to {most}" if most else "has none"
        refuse({
            f"quality must be in the range 1 to 100, got {self.quality}":
                not 1 <= self.quality <= 100,
            f"compression must be one of {', '.join(known)}, got {self.compression!r}":
                self.compression not in known,
            f"level must fit the compression: {self.compression} {levels}, got {self.level}":
                self.level is not None and not least <= self.level <= most,
            f"fps must be above 0 and not more than {_MOST_FPS}, got {self.fps}":
                not 0 < self.fps <= _MOST_FPS,
            f"levels must be in the range 1 to {_MOST_LEVELS}, got {self.levels}":
                self.levels is not None and not 1 <= self.levels <= _MOST_LEVELS,
        })  # fmt: skip


def refuse(reasons: Mapping[str, bool]) -> None:
    """Refuse for the first reason that applies."""
    for reason, applies in reasons.items():
        if applies:
            raise UserError(reason)


class Writer:
    """How a kind of files is written; it gives `suffixes` and `write`, all else has a default."""

    suffixes: ClassVar[tuple[str, ...]] = ()

    def check_target(self, path: Path) -> None:
        """Refuse a path at which another thing lies."""
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder: name a file in it, or remove the folder")

    def check(self, path: Path, content: Content, options: WriteOptions) -> None:
        """Refuse what the kind cannot hold, before anything is computed."""

    def write(self, path: Path, content: Content, options: WriteOptions) -> None:
        """Write a file at a path that is free."""
        raise NotImplementedError


def content_of(
    path: Path, data: Any, axes: Sequence[Axis | str] | None, rgb: bool | None, alpha: bool | None
) -> Content:
    """Understand what is to be written: an image, an array with named axes, or a stack.

    Raises
    ------
    UserError
        When the axes of an array are not clear, or it has no channel that could be alpha.
    """
    if isinstance(data, Hyperstack):
        return _sized(Content(data.frames, data.leading, data.sizes))
    if isinstance(data, Stack):
        return _sized(Content(data, data.axes[:1], data.shape[:1]))
    data = as_array(data)
    shape = data.shape
    if rgb is None and path.suffix.lower() == ".png" and shape[2:] == (4,):
        rgb = True  # a PNG holds no other four channels
    if not axes:
        refuse({
            f"an array of the shape {shape} is not written as an image: give its axes, such as "
            "axes=('z', 'y', 'x'), or wrap it in a Stack":
                len(shape) not in (2, 3) or max(shape[2:], default=0) > _CHANNELS
        })  # fmt: skip
        axes = ("y", "x")
    image = len(axes) == 2
    if image:
        data, axes = data[np.newaxis], ("frame", *axes)
    found = Hyperstack.wrap(data, axes=axes, rgb=rgb)
    frames = _with_alpha(found.frames, alpha)
    return _sized(Content(frames) if image else Content(frames, found.leading, found.sizes))


def _sized(content: Content) -> Content:
    """Leave out steps that are no size, and say so."""
    *leading, y, x = map(_with_size, content.axes)
    frames = replace(content.frames, axes=(content.frames.axes[0], y, x))
    return replace(content, frames=frames, leading=tuple(leading))


def _with_size(axis: Axis) -> Axis:
    if axis.step and isfinite(axis.step):
        return axis
    warn_caller(
        f"the axis {axis.name!r} has a step of {axis.step:g} {axis.unit}, which is no size: it is "
        "written as 1 pixel",
    )
    return replace(axis, step=1.0, unit="pixel")


def _with_alpha(stack: Stack, alpha: bool | None) -> Stack:
    """Declare the last channel as alpha, or as none; by default as it is."""
    refuse({
        f"alpha needs a channel beside the others, and these are pixels of the shape "
        f"{stack.shape[1:]}: leave out alpha": bool(alpha and stack.shape[3:] in ((), (1,)))
    })  # fmt: skip
    return stack if alpha is None else replace(stack, alpha=alpha)
