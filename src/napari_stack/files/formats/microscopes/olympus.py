"""OIF and OIB of Olympus FluoView, read by oiffile: one TIFF a plane, in a folder or packed."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.look import Look
from napari_stack.files.formats.array_axes import ArrayFormat, StoredImage
from napari_stack.files.formats.base import Frame, needed_package
from napari_stack.files.formats.described import channel_axis, spaced, stored_image
from napari_stack.files.formats.microscopes.compound_integrity import check_chains
from napari_stack.files.formats.tiff.opened import silenced

#: Axes that a file declares at most.
_AXES = 8

#: Lengths in micrometres, times in seconds.
_UNITS = {"nm": 1e-3, "um": 1.0, "µm": 1.0, "mm": 1e3, "us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0}


class Olympus(ArrayFormat):
    """OIF and OIB."""

    name = "OIF, OIB"
    suffixes = (".oif", ".oib")
    libraries = ("oiffile", "tifffile", "imagecodecs")

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: ARG003
        """Tell by the suffix: an OIF is a text, an OIB begins as documents of Office do."""
        return path.lower().endswith(cls.suffixes)

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the image; beside it lie only previews."""
        _library(path)
        if not path.lower().endswith(".oif"):
            check_chains(path)
        with _opened(path) as file:
            if not file.series:
                raise UserError("it holds no pixels")
            planes, settings = file.series[0], file.mainfile
            first = _plane(file, planes[0])
            axes = {
                "C": channel_axis(_looks(settings, planes)),
                "Z": _axis(settings, "Z", "um"),
                "T": _axis(settings, "T", "s"),
            }
            leading = [
                (axes.get(letter, Axis(letter.lower())), size)
                for letter, size in zip(planes.axes, planes.shape, strict=False)
                if letter in "CZT" or size > 1
            ]
            if int(np.prod(planes.shape)) != len(planes):
                raise UserError(f"{len(planes)} planes where {planes.shape} are due")
            frame = Frame(first.shape, first.dtype.newbyteorder("="))
            plane = (_pixel(settings, "Height", "y"), _pixel(settings, "Width", "x"))
            return [stored_image((path, tuple(planes)), leading, frame, plane)]

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        path, names = array
        sizes = self._images(path)[0].contents.sizes
        with _opened(path) as file:
            return _plane(file, names[int(np.ravel_multi_index(place, sizes))])[rows]


def _library(path: str) -> Any:
    with needed_package(path, "OIF", "oiffile", "microscopes"):
        import oiffile
    return oiffile


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    with _library(path).OifFile(path) as file:
        yield file


def _plane(file: Any, name: str) -> NDArray[Any]:
    """Read a plane, which is a TIFF of its own."""
    import tifffile

    with (
        silenced("tifffile"),
        file.open_file(name) as packed,
        tifffile.TiffFile(BytesIO(packed.read())) as tif,
    ):
        pixels = np.asarray(tif.pages.first.asarray())
    if pixels.ndim != 2:
        raise UserError(f"its plane {name} has the shape {pixels.shape}")
    return pixels


def _section(settings: Any, name: str) -> dict[str, Any]:
    try:
        return dict(settings[name])
    except KeyError:
        return {}


def _pixel(settings: Any, side: str, name: str) -> Axis:
    """Return the axis y or x, of which the size of a pixel is noted."""
    found = _section(settings, "Reference Image Parameter")
    unit = _UNITS.get(str(found.get(f"{side}Unit", "um")), 0.0)
    return spaced(name, _number(found.get(f"{side}ConvertValue")) * unit, "um")


def _axis(settings: Any, letter: str, unit: str) -> Axis:
    """Return an axis of which first and last place are noted, or the distance of two."""
    name = letter.lower()
    for number in range(_AXES):
        found = _section(settings, f"Axis {number} Parameters Common")
        if found.get("AxisCode") == letter:
            scale = _UNITS.get(str(found.get("UnitName", unit)), 0.0)
            step = _number(found.get("Interval"))
            gaps = _number(found.get("MaxSize")) - 1
            if not step and gaps > 0:
                ends = _number(found.get("EndPosition")) - _number(found.get("StartPosition"))
                step = ends / gaps
            return spaced(name, abs(step) * scale, unit)
    return Axis(name)


def _looks(settings: Any, planes: Any) -> list[Look]:
    """Return the dyes of the channels."""
    count = dict(zip(planes.axes, planes.shape, strict=False)).get("C", 1)
    sections = [_section(settings, f"Channel {n} Parameters") for n in range(1, 1 + count)]
    return [Look(str(section.get("DyeName") or "")) for section in sections]


def _number(value: Any) -> float:
    with suppress(TypeError, ValueError):
        return float(value)
    return 0.0
