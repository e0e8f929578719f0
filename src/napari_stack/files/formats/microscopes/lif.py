"""LIF, LOF and XLIF of Leica, read by liffile: each image of a file is one."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.look import Look, limits_of, ramp
from napari_stack.core.notices import warn_caller
from napari_stack.files.damage import NoImageError
from napari_stack.files.formats.array_axes import ArrayFormat, StoredImage
from napari_stack.files.formats.base import Frame, needed_package
from napari_stack.files.formats.described import channel_axis, spaced, stored_image, time_axis

_BINARY = b"\x70\0\0\0"

#: Axes whose places lie in metres.
_LENGTHS = "XYZ"

#: What axes are called besides the small letter; N are beam positions, A rotations.
_NAMES = {"M": "tile", "N": "beam", "A": "rotation", "Λ": "emission", "λ": "excitation"}


class Lif(ArrayFormat):
    """LIF, LOF and XLIF; frames are the two innermost axes, which may be x and z."""

    name = "LIF, LOF, XLIF"
    suffixes = (".lif", ".lof", ".xlif")
    libraries = ("liffile", "tifffile", "xml")

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:
        """Tell by the suffix as well: an XLIF is XML, of which there are many kinds."""
        return start.startswith(_BINARY) or path.lower().endswith(".xlif")

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the images, one at least."""
        with _opened(path) as file:
            found = [_image(path, number, image) for number, image in enumerate(file.images)]
        kept = [image for image in found if image is not None]
        if not kept:
            raise NoImageError("it holds no image of two axes or more")
        if left := len(found) - len(kept):
            warn_caller(
                f"{path}: {left} of {len(found)} images are left out: they hold times of single "
                "photons (FLIM), or fewer than two axes",
            )
        return kept

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        path, number, names = array
        with _opened(path) as file:
            frames = file.images[number].frames(**dict(zip(names, place, strict=False)))
            return np.array(frames.asarray()[rows])


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    with needed_package(path, "LIF", "liffile", "microscopes"):
        import liffile
    try:
        with liffile.LifFile(path) as file:
            yield file
    except liffile.LifFileError as error:
        raise UserError(str(error)) from error


def _image(path: str, number: int, image: Any) -> StoredImage | None:
    if len(image.dims) < 2 or image.is_flim:  # times of single photons are no pixels
        return None
    sizes, inner = image.sizes, image.frames.frame_sizes
    names = [name for name in image.dims if name not in inner]
    samples = (inner["S"],) if "S" in inner else ()
    vertical, horizontal = [name for name in inner if name != "S"]
    looks = _looks(image, sizes.get("C", 1))
    frame = Frame(
        (inner[vertical], inner[horizontal], *samples), np.dtype(image.dtype), rgb=samples == (3,)
    )
    leading = [(channel_axis(looks) if n == "C" else _axis(image, n), sizes[n]) for n in names]
    return stored_image(
        (path, number, tuple(names)),
        leading,
        frame,
        (_axis(image, vertical), _axis(image, horizontal)),
        name=str(image.path),
        look=looks[0] if "C" not in sizes and not samples else Look(),
    )


def _axis(image: Any, letter: str) -> Axis:
    name = _NAMES.get(letter, letter.lower())
    places = np.asarray(image.coords.get(letter, ()), float)
    if letter == "T":
        return time_axis(_times(image) or places.tolist())
    if letter not in _LENGTHS or len(places) < 2:
        return Axis(name)
    step = abs(float(places[-1] - places[0])) / (len(places) - 1)
    return spaced(name, step * 1e6, "um")


def _times(image: Any) -> list[float]:
    """Return the times of the first frames along t, in seconds from the first of all."""
    stamps = image.timestamps
    names = [name for name in image.dims if name not in image.frames.frame_sizes]
    counts = [image.sizes[name] for name in names]
    if stamps is None or len(stamps) != int(np.prod(counts)) or "T" not in names:
        return []
    grid = np.asarray(stamps).reshape(counts)
    along = grid.transpose([names.index("T")] + [i for i, n in enumerate(names) if n != "T"])
    first = along.reshape(image.sizes["T"], -1)[:, 0]
    seconds = (first - first[0]) / np.timedelta64(1, "us") / 1e6
    return [float(value) for value in seconds]


def _looks(image: Any, count: int) -> list[Look]:
    """Return names, colours and display ranges of the channels."""
    channels = list(image.xml_element.iter("ChannelDescription"))
    shown = list(image.xml_element.iter("ChannelScalingInfo"))
    if len(channels) != count:
        return [Look()] * count
    found = []
    for number, channel in enumerate(channels):
        limits = None
        if len(shown) == count:
            with suppress(TypeError, ValueError):
                least, most = (float(channel.get(end)) for end in ("Min", "Max"))
                part = [float(shown[number].get(f"{end}Value")) for end in ("Black", "White")]
                limits = limits_of([least + share * (most - least) for share in part])
        found.append(Look(_name(channel), ramp(channel.get("LUTName") or ""), limits))
    return found


def _name(channel: Any) -> str:
    """Return the dye of a channel, where it is noted."""
    for noted in channel.iter("ChannelProperty"):
        if noted.findtext("Key") == "DyeName":
            return str(noted.findtext("Value") or "")
    return ""
