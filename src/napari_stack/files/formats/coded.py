"""JPEG 2000, JPEG XL, AVIF and HEIC: pictures that are decoded as a whole, their header too."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files.exif import AVIF, HEIC
from napari_stack.files.formats import jpeg
from napari_stack.files.formats.base import Contents, First, Format, Frame, needed_package, upright
from napari_stack.files.formats.described import time_axis
from napari_stack.files.header_cache import stamp_of

#: Bytes in which a box is looked for: those of the header come before the pixels.
_HEAD = 2**16


class Coded(Format):
    """Pictures of which a library says nothing before it decoded them.

    A format gives `decode`, and `timed` where there may be several frames; both are called within
    `damage_named`.
    """

    has_alpha: ClassVar[tuple[int, ...]] = (2, 4)

    def decode(self, data: bytes, number: int) -> NDArray[Any]:
        """Decode a frame, upright: (y, x) or (y, x, channel)."""
        raise NotImplementedError

    def timed(self, data: bytes) -> tuple[int, Axis]:  # noqa: ARG002
        """Count the frames, and say when they are shown."""
        return 1, Axis("frame")

    def check_library(self, path: str) -> None:
        """Refuse a file whose library is not installed."""

    def alpha(self, data: bytes, channels: int) -> bool:  # noqa: ARG002
        """Return whether the last of so many channels is alpha."""
        return channels in self.has_alpha

    def contents(self, path: str) -> Contents:
        """Decode the first frame; what it is, is kept."""
        self.check_library(path)
        with self.damage_named(path):
            key = self.name, stamp_of(path)
            if (known := self.headers.recall(*key)) is not None:
                return known
            data = Path(path).read_bytes()
            count, axis = self.timed(data)
            pixels = self.decode(data, 0)
            channels = pixels.shape[2] if pixels.ndim == 3 else 1
        frame = Frame(pixels.shape, pixels.dtype, channels in (3, 4), self.alpha(data, channels))
        if channels == 4 and not frame.alpha:
            frame = replace(frame, rgb=False)
        frame.check(path, len(data))
        return self.headers.keep(replace(Contents.counted(frame, count), leading=(axis,)), *key)

    def read_frame(self, path: str, number: int, rows: slice | None, first: First) -> NDArray[Any]:  # noqa: D102
        with self.damage_named(path):
            pixels = self.decode(Path(path).read_bytes(), number)
        same = replace(first.frame, shape=pixels.shape, dtype=pixels.dtype)
        first.check(path, same, first.count)
        return pixels if rows is None else pixels[rows]


class Jpeg2000(Coded):
    """JPEG 2000, by itself or in boxes, which say what the channels are."""

    name = "JPEG 2000"
    starts = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
    suffixes = (".jp2", ".j2k", ".j2c", ".jpx", ".jpf")
    libraries = ("imagecodecs",)

    def decode(self, data: bytes, number: int) -> NDArray[Any]:  # noqa: ARG002, D102
        import imagecodecs

        place = data.find(b"\xff\x4f\xff\x51")  # of the size of the image; part 1, appendix A.5.1
        right, lower, left, upper = np.frombuffer(data, ">u4", 4, place + 8).astype(int).tolist()
        height, width = lower - upper, right - left
        Frame((height, width), np.dtype(np.uint8)).check("it", len(data))
        return np.asarray(imagecodecs.jpeg2k_decode(data))

    def alpha(self, data: bytes, channels: int) -> bool:
        """Look for the box that declares a channel as opacity."""
        place = data.find(b"cdef", 0, _HEAD)
        if place < 0 or channels not in (2, 4):
            return False
        count = int.from_bytes(data[place + 4 : place + 6], "big")
        entries = np.frombuffer(data, ">u2", 3 * min(count, channels), place + 6).reshape(-1, 3)
        return any(kind in (1, 2) for _, kind, _ in entries.tolist())


class JpegXl(Coded):
    """JPEG XL; frames of an animation are counted."""

    name = "JPEG XL"
    starts = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
    suffixes = (".jxl",)
    libraries = ("imagecodecs",)

    def timed(self, data: bytes) -> tuple[int, Axis]:  # noqa: D102
        import imagecodecs

        pixels = imagecodecs.jpegxl_decode(data)
        # Frames come in front: (n, y, x), or (n, y, x, channel).
        frames = len(pixels) if pixels.ndim == 4 or _is_grey_film(pixels) else 1
        return frames, Axis("frame")

    def decode(self, data: bytes, number: int) -> NDArray[Any]:  # noqa: D102
        import imagecodecs

        pixels = np.asarray(imagecodecs.jpegxl_decode(data, index=number))
        return pixels[0] if pixels.ndim == 4 or _is_grey_film(pixels) else pixels


def _is_grey_film(pixels: NDArray[Any]) -> bool:
    return pixels.ndim == 3 and pixels.shape[2] > 16


class Avif(Coded):
    """AVIF, decoded by Pillow, and by imagecodecs where it has more than 8 bits."""

    name = "AVIF"
    suffixes = (".avif",)
    libraries = ("PIL", "imagecodecs")

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: ARG003, D102
        return start[4:8] == b"ftyp" and start[8:12] in AVIF

    def timed(self, data: bytes) -> tuple[int, Axis]:  # noqa: D102
        image = _pillow_avif(data)
        count, times = image.n_frames, []
        for number in range(count if count > 1 else 0):
            image.seek(number)
            image.load()
            times.append(float(image.info.get("timestamp", 0)) / 1000)
        return count, time_axis(times) if times else Axis("frame")

    def decode(self, data: bytes, number: int) -> NDArray[Any]:  # noqa: D102
        image = _pillow_avif(data)
        orientation = jpeg.orientation_of(image.info.get("exif", b""))
        if _is_deep(data):
            if image.n_frames > 1:
                raise UserError(
                    "a film of more than 8 bits, of which one frame is read: convert it"
                )
            import imagecodecs

            return upright(imagecodecs.avif_decode(data), orientation)
        image.seek(number)
        return upright(np.asarray(image), orientation)


def _pillow_avif(data: bytes) -> Any:
    from PIL import AvifImagePlugin

    return AvifImagePlugin.AvifImageFile(BytesIO(data))


def _is_deep(data: bytes) -> bool:
    """Whether a picture has more than 8 bits: the flags of AV1 stand in its box av1C."""
    place = data.find(b"av1C", 0, _HEAD)
    return place >= 0 and len(data) > place + 6 and bool(data[place + 6] & 0x40)


class Heic(Coded):
    """HEIC of phones, decoded by pillow-heif, upright; of 10 or 12 bits the highest of 16."""

    name = "HEIC"
    suffixes = (".heic", ".heif", ".hif")
    libraries = ("pillow_heif", "PIL")

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: ARG003, D102
        return start[4:8] == b"ftyp" and start[8:12] in HEIC

    def timed(self, data: bytes) -> tuple[int, Axis]:  # noqa: D102
        return len(_heif(data)), Axis("frame")

    def decode(self, data: bytes, number: int) -> NDArray[Any]:  # noqa: D102
        return np.array(_heif(data)[number])

    def check_library(self, path: str) -> None:  # noqa: D102
        with needed_package(path, "HEIC", "pillow_heif", "phones"):
            import pillow_heif  # noqa: F401


def _heif(data: bytes) -> Any:
    """Open a file, the primary picture first."""
    import pillow_heif

    images = list(pillow_heif.open_heif(data, convert_hdr_to_8bit=False))
    return sorted(images, key=lambda image: not image.info.get("primary"))
