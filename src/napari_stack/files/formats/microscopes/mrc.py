"""MRC of electron microscopes, read by mrcfile: sections are planes or frames, as the file says."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.files.formats.array_axes import ArrayFormat, StoredImage
from napari_stack.files.formats.base import Frame, needed_package
from napari_stack.files.formats.described import spaced, stored_image

_UNIT = "angstrom"


class Mrc(ArrayFormat):
    """MRC of 2014; rows come in the order in which they are stored, the lowest first."""

    name = "MRC"
    suffixes = (".mrc", ".mrcs", ".rec", ".map", ".st", ".ali")
    libraries = ("mrcfile",)

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: ARG003
        """Its mark stands behind the first bytes."""
        return path.lower().endswith(cls.suffixes)

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the image, volume, or stack of either."""
        with _opened(path) as file:
            size, shape = file.voxel_size, file.data.shape
            z = spaced("z", float(size.z), _UNIT)
            names = [Axis("volume"), z] if file.is_volume_stack() else [z]
            if file.is_image_stack():  # of a tilt series or movie: z counts
                names = [Axis("frame")]
            leading = list(zip(names, shape[:-2], strict=True)) if len(shape) > 2 else []
            frame = Frame(shape[-2:], file.data.dtype.newbyteorder("="))
            plane = spaced("y", float(size.y), _UNIT), spaced("x", float(size.x), _UNIT)
            return [stored_image(path, leading, frame, plane, partial=True)]

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        with _opened(array) as file:
            data = file.data
            return np.array(data[(*place, rows)] if data.ndim > 2 else data[rows])


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    with needed_package(path, "MRC", "mrcfile", "microscopes"):
        import mrcfile
    with mrcfile.mmap(path, "r") as file:
        yield file
