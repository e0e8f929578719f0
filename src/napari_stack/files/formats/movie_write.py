"""Writing movies: MP4 by PyAV (H.264) and GIF by Pillow, frame by frame, in the colours shown."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.look import Look, ramp
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files.formats.base import needed_package
from napari_stack.files.formats.movie_marks import scale_bar, stamp_of
from napari_stack.files.write_content import Content, WriteOptions, Writer, refuse

#: Colours of channels of which none are known: of two, and of more, as napari shows them.
_TWO = ("magenta", "green")
_MORE = ("cyan", "magenta", "yellow", "red", "green", "blue")

#: Frames from which the display range is found where none is known.
_EXAMINED = 5

#: Frames of a GIF each second at most: viewers show those that follow faster much slower.
_MOST_GIF = 50

#: Quality of H.264 (0 is without loss): at 18 no loss is seen.
_CRF = "18"


@dataclass(frozen=True)
class _Picture:
    """Makes a picture of the frames of all channels at one place.

    Attributes
    ----------
    content : Content
    looks : tuple of Look
        One a channel, all with limits and colours; none for colours.
    channels : ndarray of int, shape (pictures, channels)
        Numbers of the frames.
    marks : tuple of callable
        Draw on a picture, given its number.
    """

    content: Content
    looks: tuple[Look, ...]
    channels: NDArray[np.intp]
    marks: tuple[Callable[[NDArray[np.uint8], int], None], ...]

    def __call__(self, _stack: Stack, number: int) -> NDArray[np.uint8]:
        """Return (y, x, 3) of 8 bits, sides even."""
        frames = [self.content.frames[int(i)] for i in self.channels[number]]
        if not self.looks:
            picture = _eight_bits(frames[0])
        else:
            shown = zip(frames, self.looks, strict=True)
            parts = [_coloured(frame, look) for frame, look in shown]
            picture = np.minimum(sum(part.astype(np.uint16) for part in parts), 255).astype(
                np.uint8
            )
        height, width = picture.shape[:2]
        even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        for mark in self.marks:
            mark(even, number)
        return even


def _eight_bits(frame: NDArray[Any]) -> NDArray[np.uint8]:
    if frame.dtype == np.uint8:
        return np.asarray(frame[..., :3])
    top = 1.0 if frame.dtype.kind in "fb" else float(np.iinfo(frame.dtype).max)
    return _scaled(frame[..., :3], 0.0, top)


def _scaled(frame: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    values = (np.nan_to_num(frame.astype(np.float32)) - low) * (255 / (high - low))
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


def _coloured(frame: NDArray[Any], look: Look) -> NDArray[np.uint8]:
    low, high = look.limits or (0.0, 1.0)
    return np.asarray(look.table()[_scaled(frame, low, high)])


class MovieWriter(Writer):
    """A movie along the one leading axis that is not of channels; these are shown as one."""

    suffixes = (".mp4", ".gif")

    def check(self, path: Path, content: Content, options: WriteOptions) -> None:
        """Refuse what is no movie."""
        if path.suffix.lower() == ".mp4":
            with needed_package(str(path), "MP4", "av", "video"):
                import av  # noqa: F401
        along = _along(content)
        names = ", ".join(content.leading[i].name for i in along)
        bands = content.frames.ndim == 4 and not content.frames.rgb
        refuse({
            f"{path}: a movie has several frames, and this is one image: write a .tif or .png":
                not along,
            f"{path}: a movie goes along one axis, and these frames lie along {names}: take one "
            "place of the others, or combine them": len(along) > 1,
            f"{path}: a movie shows grey or colours, and these are bands: write a .tif": bands,
            f"{path}: a GIF shows {_MOST_GIF} frames a second at most, got fps={options.fps:g}: "
            "choose fewer, or write an .mp4":
                path.suffix.lower() == ".gif" and options.fps > _MOST_GIF,
        })  # fmt: skip
        if options.scale_bar:
            scale_bar(path, content.axes[-1], content.frames.shape[2])

    def write(self, path: Path, content: Content, options: WriteOptions) -> None:  # noqa: D102
        picture = _picture(path, content, options)
        count = len(picture.channels)
        counted = Stack.wrap(np.broadcast_to(np.uint8(0), (count, 1, 1)))
        made = options.run.stream(picture, counted, what="Writing frames")
        with closing(made) as frames:
            if path.suffix.lower() == ".gif":
                _write_gif(path, frames, count, options)
            else:
                _write_mp4(path, frames, options)


def _along(content: Content) -> list[int]:
    """Leading axes of several places that are not of channels."""
    sizes = enumerate(content.sizes)
    return [i for i, size in sizes if size > 1 and i != content.channel_axis]


def _picture(path: Path, content: Content, options: WriteOptions) -> _Picture:
    numbers = np.arange(len(content.frames)).reshape(content.sizes or (1,))
    channel = content.channel_axis
    if channel is None or content.frames.rgb:
        channels = numbers.reshape(-1, 1)
        channel = None
    else:
        channels = np.moveaxis(numbers, channel, -1).reshape(-1, content.sizes[channel])
    looks: tuple[Look, ...] = ()
    if not content.frames.rgb:
        looks = _full(content, content.looks_along(channel), channels, options.run)
    marks: list[Any] = []
    along = _along(content)
    if options.time_stamp and along:
        marks.append(stamp_of(content.leading[along[0]], len(channels)))
    if options.scale_bar:
        marks.append(scale_bar(path, content.axes[-1], content.frames.shape[2]))
    return _Picture(content, looks, channels, tuple(marks))


def _full(
    content: Content, looks: tuple[Look, ...], channels: NDArray[np.intp], run: Run
) -> tuple[Look, ...]:
    """Give each channel colours and a display range: all of 8 bits, or the range of some frames."""
    usual = _TWO if len(looks) == 2 else _MORE
    found = []
    for number, look in enumerate(looks):
        colours = look.colours or ramp("gray" if len(looks) == 1 else usual[number % len(usual)])
        limits = look.limits or _range(content.frames, channels[:, number], run)
        found.append(Look(look.name, colours, limits))
    return tuple(found)


def _range(frames: Stack, numbers: NDArray[np.intp], run: Run) -> tuple[float, float]:
    if frames.dtype in (np.uint8, bool):
        return (0.0, 255.0) if frames.dtype == np.uint8 else (0.0, 1.0)
    some = numbers[np.unique(np.linspace(0, len(numbers) - 1, _EXAMINED).astype(int))]
    ranges = run.each(_least_and_most, frames, [int(i) for i in some], what="Finding the range")
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    return (low, high) if low < high < np.inf else (0.0, 1.0)


def _least_and_most(stack: Stack, index: int) -> tuple[float, float]:
    values = stack[index]
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if values.size else (np.inf, -np.inf)


def _write_mp4(path: Path, frames: Iterator[NDArray[np.uint8]], options: WriteOptions) -> None:
    import av

    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    rate = Fraction(options.fps).limit_denominator(1001)
    first = next(frames)
    with av.open(str(path), "w", format="mp4") as movie:
        how = {"crf": _CRF} if codec == "libx264" else {"qscale": "2"}
        stream = movie.add_stream(codec, rate=rate, options=how)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuv420p"  # which all players know
        for number, frame in enumerate(chain([first], frames)):
            one = av.VideoFrame.from_ndarray(frame, format="rgb24")
            one.pts, one.time_base = number, 1 / rate
            movie.mux(stream.encode(one))
        movie.mux(stream.encode())


def _write_gif(
    path: Path, frames: Iterator[NDArray[np.uint8]], count: int, options: WriteOptions
) -> None:
    """Write a GIF; its clock counts hundredths of a second, and the rate is kept on the whole."""
    from PIL import Image

    ends = np.rint(np.arange(count + 1) * 100 / options.fps).astype(int)
    pictures = (Image.fromarray(_grey(frame)) for frame in frames)
    durations = (np.diff(ends) * 10).tolist()  # in milliseconds
    next(pictures).save(path, "GIF", save_all=True, append_images=pictures, loop=0,
                        duration=durations)  # fmt: skip


def _grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return grey pictures as such: a GIF has 256 colours, in which all greys are."""
    return frame[..., 0] if (frame[..., :1] == frame).all() else frame
