"""GIF, decoded by Pillow; its blocks are counted here, which needs no decoding."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files.formats.array_axes import ArrayFormat, StoredImage
from napari_stack.files.formats.base import Frame
from napari_stack.files.formats.described import stored_image, time_axis
from napari_stack.files.formats.kept_open import KeptOpen
from napari_stack.files.header_cache import stamp_of

#: What blocks begin with; GIF89a, appendix A.
_EXTENSION, _IMAGE, _END, _CONTROL = 0x21, 0x2C, 0x3B, 0xF9

#: Bytes of the header with the size of the screen, and of an image without its pixels.
_SCREEN, _DESCRIPTION = 13, 9

#: Browsers show frames of no duration for this long, in hundredths of a second.
_USUAL = 10


@dataclass(frozen=True)
class _Blocks:
    """What the blocks of a file say: how long frames are shown, and whether all is grey."""

    durations: list[int]
    grey: bool
    clear: bool


class Gif(ArrayFormat):
    """GIF; frames come as they are shown, those before them beneath."""

    name = "GIF"
    starts = (b"GIF87a", b"GIF89a")
    suffixes = (".gif",)
    libraries = ("PIL",)

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the animation, or the one image."""
        data = Path(path).read_bytes()
        width, height = np.frombuffer(data, "<u2", 2, 6).tolist()
        blocks = _blocks(data)
        count = len(blocks.durations)
        times = np.cumsum([0, *(d or _USUAL for d in blocks.durations[:-1])]) / 100
        channels = 4 if blocks.clear else 1 if blocks.grey else 3
        shape = (height, width) if channels == 1 else (height, width, channels)
        frame = Frame(shape, np.dtype(np.uint8), rgb=channels > 1, alpha=channels == 4)
        leading = [(time_axis(times.tolist()), count)] if count > 1 else []
        mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
        return [stored_image((path, mode), leading, frame, (Axis("y"), Axis("x")))]

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        path, mode = array
        animation = KeptOpen.of(self.headers).get(
            stamp_of(path), lambda: _Animation(Path(path).read_bytes())
        )
        return animation.frame(place[-1], mode)[rows]


class _Animation:
    """An animation that is open: each frame is laid over the one before."""

    def __init__(self, data: bytes) -> None:
        from PIL.GifImagePlugin import GifImageFile

        self._lock = Lock()
        self._image: Any = GifImageFile(BytesIO(data))

    def frame(self, number: int, mode: str) -> NDArray[Any]:
        with self._lock:
            self._image.seek(number)
            return np.asarray(self._image.convert(mode))


def _blocks(data: bytes) -> _Blocks:
    """Go through the blocks of a file.

    Raises
    ------
    UserError
        When the file ends within them.
    """
    durations: list[int] = []
    duration, grey, clear = 0, True, False
    for kind, content in _walk(data):
        if kind == _CONTROL:
            # Later frames are clear where the ones before show through.
            clear |= bool(content[0] & 1) and (not durations or content[0] >> 2 & 7 > 1)
            duration = int.from_bytes(content[1:3], "little")
        elif kind == _IMAGE:
            durations.append(duration)
            duration = 0
        else:
            grey &= _is_grey(content)
    if not durations:
        raise UserError("it holds no image")
    return _Blocks(durations, grey, clear)


def _walk(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give each palette (kind 0), each control of a frame, and each image."""
    place, size = _SCREEN, _palette_size(data[10])
    yield 0, data[place : place + size]
    place += size
    while place < len(data) and data[place] != _END:
        if data[place] == _EXTENSION and place + 2 < len(data):
            if data[place + 1] == _CONTROL:
                yield _CONTROL, data[place + 3 : place + 7].ljust(4, b"\0")
            place = _after_pieces(data, place + 2)
        elif data[place] == _IMAGE and place + _DESCRIPTION < len(data):
            size = _palette_size(data[place + _DESCRIPTION])
            place += 1 + _DESCRIPTION
            if size:
                yield 0, data[place : place + size]
            place = _after_pieces(data, place + size + 1)
            yield _IMAGE, b""
        else:
            raise UserError(f"no block where one is due, at byte {place}")
    if place >= len(data):
        raise UserError("it ends early")


def _palette_size(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _after_pieces(data: bytes, place: int) -> int:
    """Return where the pieces of a block end: each has its length in front, the last one none."""
    while place < len(data) and data[place]:
        place += 1 + data[place]
    return place + 1


def _is_grey(palette: bytes) -> bool:
    colours = np.frombuffer(palette[: len(palette) // 3 * 3], np.uint8).reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())
