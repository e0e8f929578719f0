"""Films, read by PyAV (FFmpeg): each frame by its own time stamp, and no other in its place."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files.exif import AVIF, HEIC
from napari_stack.files.formats.array_axes import ArrayFormat, StoredImage
from napari_stack.files.formats.base import Frame, needed_package
from napari_stack.files.formats.described import stored_image, time_axis
from napari_stack.files.formats.kept_open import KeptOpen
from napari_stack.files.formats.video.decoder import Decoder, Film
from napari_stack.files.formats.video.integrity import MATROSKA, check_whole
from napari_stack.files.header_cache import stamp_of

#: What the first box of a film of QuickTime is called.
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free")

#: Codecs whose packets may hold two frames, or none, in an AVI, or have the stamps of others.
_PACKED = ("mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4v3", "h264", "hevc")


class Movie(ArrayFormat):
    """MP4, MOV, AVI, MKV and WebM; tracks of sound are left out."""

    name = "MP4, MOV, AVI, MKV, WebM"
    suffixes = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")
    libraries = ("av",)

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: ARG003
        """Tell films of QuickTime from photographs of phones."""
        quicktime = start[4:8] in _BOXES and start[8:12] not in (*AVIF, *HEIC)
        return quicktime or start.startswith(MATROSKA) or start[:4] + start[8:12] == b"RIFFAVI "

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the streams of pictures, of which there is nearly always one."""
        with _library(path):
            import av

            check_whole(path)

            with av.open(path) as file:
                streams = [s.index for s in file.streams.video if not _is_cover(s)]
            found = [_image(path, stream) for stream in streams]
        if not found:
            raise UserError("it holds sound, and no pictures")
        return found

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        film: Film = array
        key = stamp_of(film.path), film.stream
        decoder = KeptOpen.of(self.headers).get(key, lambda: Decoder(film))
        with _library(film.path):
            frame = decoder.frame(int(film.stamps[place[-1]]))
            return pixels_of(frame, film.colours, film.turns)[rows]


@contextmanager
def _library(path: str) -> Iterator[None]:
    """Name the extra where PyAV is missing, and turn its errors, of kinds of its own, into ours."""
    with needed_package(path, "video", "av", "video"):
        import av
    try:
        yield
    except av.FFmpegError as error:
        raise UserError(f"FFmpeg: {error.strerror or error}") from error


def pixels_of(frame: Any, colours: str, turns: int) -> NDArray[Any]:
    """Return the pixels of a frame of FFmpeg, upright."""
    if frame.is_corrupt:
        raise UserError(f"its frame at {frame.time} s is damaged")
    pixels = frame.to_ndarray(format=colours)
    return np.ascontiguousarray(np.rot90(pixels, turns))


def _is_cover(stream: Any) -> bool:
    """Whether a stream is one still picture, as players show it."""
    return "attached_pic" in str(stream.disposition)


def _image(path: str, stream: int) -> StoredImage:
    import av

    with av.open(path) as file:
        video = file.streams[stream]
        first = next(iter(file.decode(video)), None)
        if first is None:
            raise UserError("it holds no frames")
        step, rate = float(video.time_base), float(video.average_rate or 0)
    stamps, keys, counted = _stamps(path, stream)
    colours, shape, dtype = _kind(first)
    turns = round(first.rotation / 90) % 4
    height, width = (first.width, first.height) if turns % 2 else (first.height, first.width)
    film = Film(path, stream, stamps, keys, colours, turns, counted)
    seconds = stamps / rate if counted and rate else stamps * step
    t = time_axis([] if counted and not rate else seconds.tolist())
    frame = Frame((height, width, *shape), dtype, rgb=len(shape) > 0, alpha=shape == (4,))
    return stored_image(film, [(t, len(stamps))], frame, (Axis("y"), Axis("x")))


def _kind(frame: Any) -> tuple[str, tuple[int, ...], np.dtype[Any]]:
    """Return the pixels into which frames are converted: their name, channels and type."""
    parts, name = frame.format.components, frame.format.name
    deep = max((part.bits for part in parts), default=8) > 8
    if name.startswith("gray"):
        return ("gray16le" if deep else "gray"), (), np.dtype(np.uint16 if deep else np.uint8)
    if any(part.is_alpha for part in parts):
        return ("rgba64le" if deep else "rgba"), (4,), np.dtype(np.uint16 if deep else np.uint8)
    return ("rgb48le" if deep else "rgb24"), (3,), np.dtype(np.uint16 if deep else np.uint8)


def _stamps(path: str, stream: int) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """List the stamps of all frames, of those that need no other, and whether these are counts.

    The packets of a file tell them without being decoded; where they may not, all are decoded.
    """
    import av

    with av.open(path) as file:
        video = file.streams[stream]
        packets = [
            (packet.pts, packet.is_keyframe)
            for packet in file.demux(video)
            if packet.size and not packet.is_discard
        ]
        packed = video.codec_context.name in _PACKED and "avi" in file.format.name
    if packed or any(stamp is None for stamp, _ in packets):
        with av.open(path) as file:
            frames = file.decode(file.streams[stream])
            packets = [(frame.pts, frame.key_frame) for frame in frames]
        stamps = [-1 if stamp is None else stamp for stamp, _ in packets]
        if (np.diff([-1, *stamps]) <= 0).any():
            return np.arange(len(stamps)), np.zeros(0, np.int64), True
    if not packets:
        raise UserError("it holds no frames")
    stamps, keys = [stamp for stamp, _ in packets], [stamp for stamp, key in packets if key]
    return np.unique(np.array(stamps, np.int64)), np.unique(np.array(keys, np.int64)), False
