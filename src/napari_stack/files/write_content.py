"""What is written: an image, an array with named axes, or a stack, brought into one form."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import metadata
from napari_stack.files.paths import SUFFIXES, naturally

#: An array (y, x, channel) with more channels than this is rather meant as frames.
_CHANNELS = 16


#: Suffixes of images, as a pattern.
_ENDINGS = "|".join(re.escape(suffix) for suffix in SUFFIXES)


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
    tell_used : bool
        The note tells which frames are used even if all are: those of other files are not.
    """

    frames: Stack
    leading: tuple[Axis, ...] = ()
    sizes: tuple[int, ...] = ()
    tell_used: bool = False

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Leading axes, y and x."""
        return (*self.leading, *self.frames.axes[1:])

    def note(self, recipe: Mapping[str, Any] | None) -> dict[str, Any]:
        """Note that goes into the file."""
        used = self.frames.used.tolist()
        told = self.tell_used or not all(used)
        return metadata.encode(self.axes, self.sizes, recipe, used if told else None)


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


def frame_names(stack: Stack, pattern: str = "{source}") -> list[str]:
    """Names of files for the frames of a stack, all different, which sorted keep their order.

    Where the names that the pattern gives would not do so, a running number comes first.

    Parameters
    ----------
    stack : Stack
    pattern : str
        ``{source}`` stands for the name of the file a frame came from, ``{index}`` for its number,
        ``{index:04d}`` for that in four digits. Without a suffix it is .tif.

    Raises
    ------
    ValueError
        For a pattern with other braces, or with folders.
    """
    labels = (_plain_label(stack.source.label(index)) for index in range(len(stack)))
    names = [_with_suffix(_filled(pattern, label, index)) for index, label in enumerate(labels)]
    different = {name.lower() for name in names}  # not all systems tell capitals from small letters
    if len(different) == len(names) and naturally(names) == names:
        return names
    digits = len(str(len(names)))
    return [f"{number:0{digits}}_{name}" for number, name in enumerate(names, 1)]


def _plain_label(label: str) -> str:
    name = re.sub(rf"({_ENDINGS})(?= |$)", "", label, flags=re.IGNORECASE)
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "frame"


def _filled(pattern: str, source: str, index: int) -> str:
    try:
        name = pattern.format(source=source, index=index)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise UserError(
            f"the pattern of names {pattern!r} is not understood: {{source}}, {{index}} and "
            "{index:04d} stand for the frame's file and number"
        ) from error
    if name != Path(name).name:
        raise UserError(f"the pattern of names {pattern!r} leads to another folder: leave out /")
    return name


def _with_suffix(name: str) -> str:
    return name if re.search(rf"({_ENDINGS})$", name, flags=re.IGNORECASE) else f"{name}.tif"
