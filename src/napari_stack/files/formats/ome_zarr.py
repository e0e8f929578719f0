"""Zarr arrays and OME-Zarr, read: level 0 of each image."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis, usual_name
from napari_stack.core.errors import UserError
from napari_stack.core.look import Look, limits_of
from napari_stack.core.sources.blocks import Blocks
from napari_stack.files.formats import ngff
from napari_stack.files.formats.array_axes import (
    ArrayFormat,
    StoredImage,
    arranged,
    contents_of,
    named_contents,
)
from napari_stack.files.formats.base import Contents, needed_package
from napari_stack.files.formats.ome_zarr_images import ZIPPED, images_in, is_zipped, root_of_zip
from napari_stack.files.metadata import KEY, Note, reconciled, reconciled_axis
from napari_stack.files.remote import is_remote, unreachable_named

#: Where xarray keeps the names of axes in zarr 2.
_XARRAY = "_ARRAY_DIMENSIONS"


@dataclass(frozen=True, eq=False)
class Moved:
    """An array whose axes are seen in another order.

    Parameters
    ----------
    array : zarr.Array
    places : tuple of int
        Which axis of the array is seen as each one.
    """

    array: Any
    places: tuple[int, ...]

    @classmethod
    def of(cls, array: Any, places: Sequence[int]) -> Any:
        """Make it of an array, which stays as it is where its axes are in that order."""
        return array if list(places) == list(range(array.ndim)) else cls(array, tuple(places))

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return tuple(self.array.shape[k] for k in self.places)

    @property
    def ndim(self) -> int:  # noqa: D102
        return int(self.array.ndim)

    @property
    def chunks(self) -> tuple[int, ...]:  # noqa: D102
        return tuple(self.array.chunks[k] for k in self.places)

    @property
    def dtype(self) -> Any:  # noqa: D102
        return self.array.dtype

    def __getitem__(self, index: tuple[Any, ...]) -> NDArray[Any]:
        whole = [i if isinstance(i, slice) else slice(i, i + 1) for i in index]
        stored = [slice(None)] * self.ndim
        for place, part in zip(self.places, whole, strict=False):
            stored[place] = part
        found = np.transpose(self.array[tuple(stored)], self.places)
        return found[tuple(slice(None) if isinstance(i, slice) else 0 for i in index)]


def _places(order: Any, leading: int, count: int) -> list[int]:
    """Return which axis of an array is seen as each one, by our note: channels of a pixel last.

    Parameters
    ----------
    order : list of int
        Which leading axis of the content each one of the array is; -1 is the channels of a pixel.
    leading : int
        Leading axes of the content.
    count : int
        Axes of the array.
    """
    given = order if isinstance(order, list) and len(order) == count - 2 else []
    if not given or min(given) < -1 or sorted(given) != list(range(leading - count + 2, leading)):
        return list(range(count))
    last = [given.index(-1)] if -1 in given else []
    return [*(given.index(i) for i in range(leading)), count - 2, count - 1, *last]


class OmeZarr(ArrayFormat):
    """A folder, or a zip of one, that holds an array or the images of a group."""

    name = "zarr"
    suffixes = (".zarr", *ZIPPED)
    libraries = ("zarr", "zipfile")

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: D102
        return Path(path).is_dir() or (start.startswith(b"PK\x03\x04") and is_zipped(path))

    def find_images(self, path: str) -> list[StoredImage]:  # noqa: D102
        with unreachable_named(path) if is_remote(path) else nullcontext():
            images = stored_images(_opened(path))
        return [replace(image, array=(image.array, _blocks(image))) for image in images]

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        pixels, blocks = array
        return pixels[(*place, rows)] if blocks is None else blocks.frame(place, rows)

    def note(self, path: str) -> Note:
        """Read our own note in the attributes."""
        with self.damage_named(path):
            return Note.from_plain(_opened(path).attrs.get(KEY))


def stored_images(node: Any) -> list[StoredImage]:
    """Describe the images of a group, or an array."""
    found = []
    for image in images_in(node):
        array, held = _image_in(image.node, image.number)
        found.append(StoredImage(array, array.shape, held, image.name))
    return found


def _blocks(image: StoredImage) -> Any:
    """Return what reads chunks of several frames once."""
    return Blocks.of(image.array, len(image.shape) - len(image.contents.frame.shape))


def _opened(path: str) -> Any:
    with needed_package(path, "zarr", "zarr", "zarr"):
        import zarr
    if is_remote(path) or Path(path).is_dir():
        return zarr.open(path, mode="r")
    root = root_of_zip(path)
    if root is None:
        raise UserError("the zip holds no zarr, or is cut off")
    return zarr.open(zarr.storage.ZipStore(path, mode="r"), path=root, mode="r")


def _image_in(node: Any, number: int) -> tuple[Any, Contents]:
    """Find the array of an image, of one of the multiscales of a group, and what it holds."""
    attributes = dict(node.attrs)
    ome = attributes.get("ome", attributes)
    declared = attributes.get(KEY, {})
    note = Note.from_plain(declared)
    if hasattr(node, "shape") and not note.axes:
        array, axes = _arranged(node)
    elif hasattr(node, "shape"):
        array, axes = node, ()
    elif scales := ome.get("multiscales"):
        scale = scales[number]
        array, axes = node[scale["datasets"][0]["path"]], ngff.axes_of(scale)
    elif note.axes and "0" in node:
        array, axes = node["0"], ()
    else:
        raise UserError("the group holds no image: name the folder of an array in it")
    return _described(array, axes, note, declared, ngff.looks_of(ome.get("omero")))


def _described(
    array: Any, stored: tuple[Axis, ...], note: Note, declared: Mapping[str, Any], looks: Any
) -> tuple[Any, Contents]:
    """Say what an array holds, by its own axes and looks and by our note."""
    axes, shape = note.axes or stored, tuple(array.shape)
    partial = len(shape) > 1 and array.chunks[-2] < shape[-2]
    if not axes or len(shape) - len(axes) not in (0, 1):
        return array, contents_of(shape, array.dtype, partial=partial)
    moved = array
    if not isinstance(array, Moved):
        moved = Moved.of(array, _places(declared.get("order"), len(axes) - 2, len(shape)))
    found = named_contents(moved.shape, array.dtype, axes, partial)
    if "rgb" in declared:
        frame = replace(found.frame, rgb=bool(declared["rgb"]), alpha=bool(declared.get("alpha")))
        found = replace(found, frame=frame)
    looks = () if found.frame.rgb else _changed(looks, declared.get("windows"))
    shown = [
        _with_looks(axis, size, looks, note) if usual_name(axis.name) == "c" else axis
        for axis, size in zip(found.leading, found.sizes, strict=True)
    ]
    alone = looks[0] if len(looks) == 1 else Look()
    look = reconciled(note.look, alone) if note.axes else alone
    used = note.used_of(len(found.order))
    return moved, replace(found, leading=tuple(shown), used=used, look=look)


def _changed(looks: tuple[Look, ...], windows: Any) -> tuple[Look, ...]:
    """Leave out the windows that we wrote where no display range was known, only the pixels'."""
    windows = windows if isinstance(windows, list) else []
    own = [limits_of((w.get("start"), w.get("end"))) for w in windows if isinstance(w, dict)]
    return tuple(
        replace(look, limits=None) if number < len(own) and look.limits == own[number] else look
        for number, look in enumerate(looks)
    )


def _with_looks(axis: Axis, size: int, looks: tuple[Look, ...], note: Note) -> Axis:
    found = ngff.with_looks(axis if not note.axes else replace(axis, looks=()), size, looks)
    return reconciled_axis(axis, found) if note.axes else found


def _arranged(array: Any) -> tuple[Any, tuple[Axis, ...]]:
    """Put the axes of an array in order by the names that it may have: of zarr 3, or of xarray."""
    names = getattr(array.metadata, "dimension_names", None) or array.attrs.get(_XARRAY)
    if not isinstance(names, Sequence) or len(names) != array.ndim or not all(names):
        return array, ()
    known = [usual_name(str(name)) for name in names]
    if len(set(known)) < len(known) or len(known) < 2:
        return array, ()
    leading, plane, samples = arranged(known, array.shape)
    axes = tuple(Axis(known[place]) for place in (*leading, *plane))
    return Moved.of(array, (*leading, *plane, *samples)), axes
