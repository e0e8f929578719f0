"""The layout of an IMS of Imaris 5.5: a data set for each time and channel, of its largest size."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.look import Look, gradient, limits_of, ramp
from napari_stack.files.formats.array_axes import StoredImage
from napari_stack.files.formats.base import Frame
from napari_stack.files.formats.described import channel_axis, spaced, stored_image, time_axis

_LEVEL = "DataSet/ResolutionLevel 0"
_INFO = "DataSetInfo"


@dataclass(frozen=True)
class Layout:
    """Sizes of an image: data sets are padded to whole chunks.

    Attributes
    ----------
    axes : str
        Leading axes, of "tcz".
    """

    axes: str
    height: int
    width: int


def is_ims(file: Any) -> bool:
    """Tell whether an HDF5 file is an IMS."""
    return _LEVEL in file and _INFO in file


def image_of(path: str, file: Any) -> StoredImage:
    """Describe the image of a file."""
    level, info = file[_LEVEL], file[_INFO]
    times, channels = len(level), len(level["TimePoint 0"])
    data = level["TimePoint 0/Channel 0"]
    stored = data["Data"]
    image = info["Image"].attrs
    x, y, z = (_size(image, name, n) for name, n in zip("XYZ", stored.shape[::-1], strict=True))
    for t in range(times):
        for c in range(channels):
            name = f"TimePoint {t}/Channel {c}/Data"
            if name not in level or level[name].shape != stored.shape:
                raise UserError(f"its data set {name} is missing, or differs from the first")
    looks = [_look(info, number) for number in range(channels)]
    found = [
        ("t", time_axis(_times(info, times)), times),
        ("c", channel_axis(looks), channels),
        ("z", _axis(image, "z", 2, z), z),
    ]
    kept = [(name, axis, size) for name, axis, size in found if size > 1]
    layout = Layout("".join(name for name, *_ in kept), y, x)
    return stored_image(
        (path, layout),
        [(axis, size) for _, axis, size in kept],
        Frame((y, x), stored.dtype.newbyteorder("=")),
        (_axis(image, "y", 1, y), _axis(image, "x", 0, x)),
        look=looks[0] if channels == 1 else Look(),
    )


def read_rows(file: Any, layout: Layout, place: tuple[int, ...], rows: slice) -> NDArray[Any]:
    """Read rows of a plane."""
    at = dict(zip(layout.axes, place, strict=False))
    data = file[f"{_LEVEL}/TimePoint {at.get('t', 0)}/Channel {at.get('c', 0)}/Data"]
    return data[at.get("z", 0), rows, : layout.width]


def _text(attributes: Mapping[str, Any], name: str) -> str:
    """Read an attribute, which is an array of single letters."""
    found = attributes.get(name)
    if found is None:
        return ""
    return b"".join(np.asarray(found).astype("S1").ravel().tolist()).decode("utf-8", "replace")


def _number(attributes: Mapping[str, Any], name: str) -> float:
    with suppress(ValueError):
        return float(_text(attributes, name))
    return 0.0


def _size(image: Mapping[str, Any], name: str, stored: int) -> int:
    size = int(_number(image, name)) or stored
    if not 0 < size <= stored:
        raise UserError(f"it claims {size} pixels along {name} and holds {stored}")
    return size


def _axis(image: Mapping[str, Any], name: str, number: int, count: int) -> Axis:
    """Return an axis by the places of its two ends; lengths are in micrometres unless it says."""
    length = _number(image, f"ExtMax{number}") - _number(image, f"ExtMin{number}")
    unit = _text(image, "Unit") or "um"
    return spaced(name, length / count, unit)


def _times(info: Any, count: int) -> list[float]:
    attributes = info["TimeInfo"].attrs if "TimeInfo" in info else {}
    with suppress(ValueError):
        texts = [_text(attributes, f"TimePoint{number}") for number in range(1, count + 1)]
        moments = [datetime.fromisoformat(text.strip()) for text in texts]
        return [(moment - moments[0]).total_seconds() for moment in moments]
    return []


def _look(info: Any, number: int) -> Look:
    """Return name, colour and display range of a channel."""
    name = f"Channel {number}"
    attributes = info[name].attrs if name in info else {}
    colour, table = (_parts(attributes, key) for key in ("Color", "ColorTable"))
    colours: tuple[str, ...] = ()
    if _text(attributes, "ColorMode") == "TableColor" and len(table) >= 6 and len(table) % 3 == 0:
        colours = gradient(np.reshape(table, (-1, 3)))
    elif len(colour) == 3:
        colours = ramp(colour)
    return Look(
        _text(attributes, "Name"), colours, limits_of(_text(attributes, "ColorRange").split())
    )


def _parts(attributes: Mapping[str, Any], name: str) -> list[int]:
    """Return red, green and blue as bytes, which are written as parts of 1."""
    with suppress(ValueError):
        parts = [float(part) for part in _text(attributes, name).split()]
        return [round(255 * min(max(part, 0.0), 1.0)) for part in parts]
    return []
