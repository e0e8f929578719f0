"""ND2 of Nikon, read by nd2: positions as images, loops and channels as axes."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.look import Look, ramp
from napari_stack.files.formats.array_axes import ArrayFormat, StoredImage
from napari_stack.files.formats.base import MISSING, Frame, needed_package
from napari_stack.files.formats.described import channel_axis, spaced, stored_image, time_axis
from napari_stack.files.formats.kept_open import KeptOpen
from napari_stack.files.header_cache import stamp_of

_POSITION, _CHANNEL, _SAMPLE = "P", "C", "S"

#: Axes of a frame as nd2 hands it out.
_OF_FRAME = (_CHANNEL, "Y", "X", _SAMPLE)


class Nd2(ArrayFormat):
    """ND2: a frame of the file holds all channels, of which one is taken."""

    name = "ND2"
    starts = (b"\xda\xce\xbe\x0a",)
    suffixes = (".nd2",)
    libraries = ("nd2", "imagecodecs")

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:
        """Older ones begin as JPEG 2000 does."""
        return path.lower().endswith(cls.suffixes) or super().recognises(path, start)

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the positions, one at least."""
        with _opened(path) as file:
            sizes = dict(file.sizes)
            return [_image(path, file, sizes, p) for p in range(sizes.get(_POSITION, 1))]

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        path, sizes, position = array
        at = dict(zip((n for n in sizes if n not in (_POSITION, "Y", "X", _SAMPLE)), place,
                      strict=False)) | {_POSITION: position}  # fmt: skip
        recording = KeptOpen.of(self.headers).get(stamp_of(path), lambda: Recording(path))
        shape = [sizes.get(name, 1) for name in _OF_FRAME]
        pixels: NDArray[Any] = recording.rows(_number(sizes, at), shape, at.get(_CHANNEL, 0), rows)
        return pixels if _SAMPLE in sizes else pixels[..., 0]


class Recording:
    """A file that is open until nothing needs it any more; one thread at a time reads it."""

    def __init__(self, path: str) -> None:
        import nd2

        self._lock = Lock()
        self._file = nd2.ND2File(path)
        finalize(self, self._file.close)

    def rows(self, number: int, shape: list[int], channel: int, rows: slice) -> NDArray[Any]:
        """Return some rows of a channel of a frame: (rows, x, samples)."""
        with self._lock:
            frame = self._file.read_frame(number)  # it lies in the file, which may be closed
            return np.array(frame.reshape(shape)[channel, rows])


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    with needed_package(path, "ND2", "nd2", "microscopes"):
        import nd2
    with nd2.ND2File(path) as file:
        yield file


def _number(sizes: dict[str, int], at: dict[str, int]) -> int:
    """Return the number of a frame of the file by its place along the loops."""
    loops = [name for name in sizes if name not in _OF_FRAME]
    if not loops:
        return 0
    return int(np.ravel_multi_index([at[n] for n in loops], [sizes[n] for n in loops]))


def _image(path: str, file: Any, sizes: dict[str, int], position: int) -> StoredImage:
    size, (y, x) = file.voxel_size(), _calibrated(file)
    looks = _looks(file, sizes.get(_CHANNEL, 1))
    axes = {
        "T": time_axis(_times(file, sizes, position)),
        "Z": spaced("z", size.z, "um"),
        _CHANNEL: channel_axis(looks),
    }
    names = [n for n in sizes if n not in (_POSITION, "Y", "X", _SAMPLE)]
    leading = [(axes.get(n, Axis(n.lower())), sizes[n]) for n in names]
    samples = (sizes[_SAMPLE],) if _SAMPLE in sizes else ()
    rgb = samples == (3,)
    frame = Frame((sizes["Y"], sizes["X"], *samples), np.dtype(file.dtype), rgb=rgb)
    plane = spaced("y", size.y if y else 0, "um"), spaced("x", size.x if x else 0, "um")
    look = looks[0] if len(looks) == 1 and not rgb else Look()
    found = stored_image(
        (path, sizes, position), leading, frame, plane, name=_name(file, position), look=look
    )
    # A recording that was stopped lacks the last of the frames that were planned.
    recorded = int(file.attributes.sequenceCount)
    places = np.ndindex(*found.contents.sizes)
    for number, place in enumerate(places):
        at = dict(zip(names, place, strict=False)) | {_POSITION: position}
        if _number(sizes, at) >= recorded:
            found.contents.order[number] = MISSING
    return found


def _calibrated(file: Any) -> tuple[bool, bool]:
    with suppress(AttributeError, IndexError, TypeError):  # legacy files have no such metadata
        x, y, _ = file.metadata.channels[0].volume.axesCalibrated
        return bool(y), bool(x)
    return True, True


def _looks(file: Any, count: int) -> list[Look]:
    """Return names and colours of the channels."""
    found = []
    with suppress(AttributeError, TypeError):
        for channel in file.metadata.channels:
            meta = channel.channel
            colour = ramp((meta.color.r, meta.color.g, meta.color.b))
            found.append(Look(str(meta.name or ""), colour))
    return found if len(found) == count else [Look()] * count


def _name(file: Any, position: int) -> str:
    """Return the name of a position."""
    for loop in file.experiment:
        with suppress(AttributeError, IndexError):
            if loop.type == "XYPosLoop":
                return str(loop.parameters.points[position].name or "")
    return ""


def _times(file: Any, sizes: dict[str, int], position: int) -> list[float]:
    """Return the times of the first frames along t, in seconds; none where they are not noted."""
    if "T" not in sizes:
        return []
    first = dict.fromkeys(sizes, 0) | {_POSITION: position}
    numbers = [_number(sizes, first | {"T": t}) for t in range(sizes["T"])]
    noted = file.events(orient="list").get("Time [s]", ())
    if len(noted) > max(numbers):
        return [float(noted[n]) for n in numbers]
    periods = [getattr(loop.parameters, "periodMs", 0) for loop in file.experiment]
    period = next((p / 1000 for p in periods if p), 0.0)
    return [period * t for t in range(sizes["T"])]
