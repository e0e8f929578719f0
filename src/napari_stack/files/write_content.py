"""What is written, an image, an array with named axes or a stack in one form, and by what."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import metadata
from napari_stack.files.exif import NOTHING, Origin

Compression = Literal["none", "zlib", "lzw", "zstd"]

#: Levels of compression: least and greatest.
_LEVELS = {"zlib": (0, 9), "zstd": (1, 22)}

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

    def note(self, recipe: Mapping[str, Any] | None) -> dict[str, Any]:
        """Note that goes into the file."""
        used = self.frames.used.tolist()
        noted = used if self.note_used or not all(used) else None
        return metadata.encode(self.axes, self.sizes, recipe, noted)


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

    def __post_init__(self) -> None:
        metadata.to_text(self.recipe or {})  # refuses what is no plain data
        if not 1 <= self.quality <= 100:
            raise UserError(f"quality must be in the range 1 to 100, got {self.quality}")
        known = get_args(Compression)
        if self.compression not in known:
            raise UserError(
                f"compression must be one of {', '.join(known)}, got {self.compression!r}"
            )
        least, most = _LEVELS.get(self.compression, (0, 0))
        if self.level is not None and not least <= self.level <= most:
            what = f"takes {least} to {most}" if most else "has none"
            raise UserError(
                f"level must fit the compression: {self.compression} {what}, got {self.level}"
            )


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
    data: Any,
    axes: Sequence[Axis | str] | None,
    rgb: bool | None,
    alpha: bool | None = None,
) -> Content:
    """Understand what is to be written: an image, an array with named axes, or a stack.

    Raises
    ------
    ValueError
        When the axes of an array are not clear, or it has no channel that could be alpha.
    """
    if isinstance(data, Hyperstack):
        return Content(data.frames, data.leading, data.sizes)
    if isinstance(data, Stack):
        return Content(data, data.axes[:1], data.shape[:1])
    data = data if hasattr(data, "shape") and hasattr(data, "dtype") else np.asarray(data)
    named = tuple(a if isinstance(a, Axis) else Axis(a) for a in axes or ())
    if not named:
        _check_image(data.shape)
        named = (Axis("y"), Axis("x"))
    if len(data.shape) - len(named) not in (0, 1) or len(named) < 2:
        raise UserError(
            f"the shape {data.shape} does not fit the axes {', '.join(a.name for a in named)}: "
            "name every axis but the channels of a pixel, y and x last"
        )
    if len(named) == 2:
        image = Stack.wrap(data[np.newaxis], rgb=rgb, axes=(Axis("frame"), *named))
        return Content(_with_alpha(image, alpha))
    if len(named) == 3:
        frames = Stack.wrap(data, rgb=rgb, axes=named)
        return Content(_with_alpha(frames, alpha), frames.axes[:1], frames.shape[:1])
    hyper = Hyperstack.wrap(data, axes=named, rgb=rgb)
    return Content(_with_alpha(hyper.frames, alpha), hyper.leading, hyper.sizes)


def _with_alpha(stack: Stack, alpha: bool | None) -> Stack:
    """Declare the last channel as alpha, or as none; by default as it is."""
    if alpha and (stack.ndim < 4 or stack.shape[3] < 2):
        raise UserError(
            f"alpha needs a channel beside the others, and these are pixels of the shape "
            f"{stack.shape[1:]}: leave out alpha"
        )
    return stack if alpha is None else replace(stack, alpha=alpha)


def _check_image(shape: tuple[int, ...]) -> None:
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] > _CHANNELS):
        raise UserError(
            f"an array of the shape {shape} is not written as an image: give its axes, such as "
            "axes=('z', 'y', 'x'), or wrap it in a Stack"
        )


def frame_shape(stack: Stack) -> tuple[int, ...]:
    """Shape of a frame in a file: (y, x), or (y, x, channel) with several channels."""
    return stack.shape[1:3] if stack.shape[3:] == (1,) else stack.shape[1:]


@contextmanager
def frames_of(stack: Stack, run: Run) -> Iterator[Iterator[NDArray[Any]]]:
    """Make the frames one by one, a few ahead in threads, and report."""
    with closing(run.stream(_in_shape, stack, what="Writing frames")) as frames:
        yield frames


def _in_shape(stack: Stack, index: int) -> NDArray[Any]:
    return stack[index].reshape(frame_shape(stack))
