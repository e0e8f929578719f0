"""HDF5, read by h5py: IMS of Imaris with its axes, and any data set of numbers as an image."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis, usual_name
from napari_stack.core.errors import UserError
from napari_stack.files.formats.array_axes import (
    ArrayFormat,
    StoredImage,
    contents_of,
    named_contents,
)
from napari_stack.files.formats.base import needed_package
from napari_stack.files.formats.described import spaced
from napari_stack.files.formats.microscopes import ims

#: Sizes of voxels (z, y, x) in micrometres, as ImageJ and ilastik note them.
_SIZES = "element_size_um"

#: Most data sets that are looked at: a file may hold a table for each of its cells.
_MOST = 4096


class Hdf5(ArrayFormat):
    """HDF5, and IMS, which is HDF5 in a fixed order."""

    name = "HDF5, IMS"
    starts = (b"\x89HDF\r\n\x1a\n",)
    suffixes = (".ims", ".h5", ".hdf5", ".hdf")
    libraries = ("h5py",)

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the image of an IMS; of others each data set that may be one."""
        with _opened(path) as file:
            if ims.is_ims(file):
                return [ims.image_of(path, file)]
            found = [_image(path, name, data) for name, data in _data_sets(file)]
        if not found:
            raise UserError("it holds no data set of numbers with two axes or more")
        return found

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        path, name = array
        with _opened(path) as file:
            if isinstance(name, ims.Layout):
                return ims.read_rows(file, name, place, rows)
            return file[name][(*place, rows) if len(file[name].shape) > 2 else rows]


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    with needed_package(path, "HDF5", "h5py", "microscopes"):
        import h5py
    with h5py.File(path, "r") as file:
        yield file


def _data_sets(file: Any) -> Iterator[tuple[str, Any]]:
    """Go through the data sets that may be images, none of which lies in another file."""
    import h5py

    names: list[str] = []

    def take(name: str, _: Any) -> bool | None:
        names.append(name)
        return True if len(names) > _MOST else None

    file.visititems(take)
    for name in names:
        data = file[name]
        if (
            isinstance(data, h5py.Dataset)
            and len(data.shape or ()) > 1
            and data.dtype.kind in "buif"
        ):
            if data.external:  # it may name any file of this computer
                raise UserError(f"its data set {name} lies in another file: convert it to one file")
            yield name, data


def _image(path: str, name: str, data: Any) -> StoredImage:
    shape, partial = tuple(data.shape), data.chunks is None or data.chunks[-2] < data.shape[-2]
    axes = _axes(data)
    if axes:
        held = named_contents(shape, data.dtype, axes, partial)
    else:
        held = contents_of(shape, data.dtype, partial=partial)
    return StoredImage((path, name), shape, held, name, name.rpartition("/")[2])


def _axes(data: Any) -> list[Axis]:
    """Return the axes by the labels of the dimensions, where all have one and y and x are last."""
    labels = [usual_name(str(dimension.label)) for dimension in data.dims]
    if labels[-2:] != ["y", "x"] or len(set(labels)) != len(labels) or "" in labels:
        return []
    return [
        spaced(name, size, "um") for name, size in zip(labels, _steps(data, labels), strict=True)
    ]


def _steps(data: Any, labels: list[str]) -> list[float]:
    attributes: Mapping[str, Any] = data.attrs
    known = {}
    with suppress(TypeError, ValueError):
        sizes = np.asarray(attributes.get(_SIZES, ()), float).ravel().tolist()
        known = dict(zip("zyx"[-len(sizes) :] if sizes else "", sizes, strict=False))
    return [known.get(name, 0.0) for name in labels]
