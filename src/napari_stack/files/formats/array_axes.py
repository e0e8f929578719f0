"""Arrays of any number of axes as frames: which axes are y, x and channels, which come before."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files.formats.base import MISSING, Contents, First, Format, Frame, Series
from napari_stack.files.header_cache import stamp_of
from napari_stack.files.remote import is_remote

#: A last axis of this length holds colours where the axis before it is longer.
_COLOURS = (3, 4)

#: What channels of a pixel are called, an axis of colours.
_SAMPLES = ("s", "rgb", "rgba", "sample", "samples", "band_rgb")

#: Bytes that a folder may hold: the size of a folder says nothing about its pixels.
_ANY_SIZE = 2**40


@dataclass(frozen=True, eq=False)
class StoredImage:
    """An array in a file, and what it holds.

    Attributes
    ----------
    array : object
        What `ArrayFormat.read_rows` needs to know of it.
    shape : tuple of int
    contents : Contents
        Its frames numbered from 0.
    name, kind : str
        See `Series`.
    """

    array: Any
    shape: tuple[int, ...]
    contents: Contents
    name: str = ""
    kind: str = ""


class ArrayFormat(Format):
    """Files that hold arrays; where these are and what they hold is looked for once.

    A format gives `find_array`, or `find_images` where there may be several of them, and
    `read_rows`; these are called within `damage_named`.
    """

    def find_images(self, path: str) -> Sequence[StoredImage]:
        """Return the images of a file, one at least."""
        return [StoredImage(*self.find_array(path))]

    def find_array(self, path: str) -> tuple[Any, tuple[int, ...], Contents]:
        """Return what `read_rows` needs to know of the array, its shape, and what it holds."""
        raise NotImplementedError

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:
        """Read rows of the frame at a place along the leading axes, as they are stored."""
        raise NotImplementedError

    def contents(self, path: str) -> Contents:  # noqa: D102
        return self._images(path)[0].contents

    def series(self, path: str) -> tuple[Series, ...]:  # noqa: D102
        return numbered(self._images(path))

    def read_frame(self, path: str, number: int, rows: slice | None, first: First) -> NDArray[Any]:  # noqa: D102
        if (at := place_of(self._images(path), number)) is None:
            raise UserError(f"{path} holds fewer frames now: open it anew")
        image, place = at
        found = image.contents
        first.check(path, found.frame, len(found.order))
        rows = slice(0, found.frame.shape[0]) if rows is None else rows
        with self.damage_named(path):
            pixels = self.read_rows(image.array, place, rows)
            due = (rows.stop - rows.start, *found.frame.shape[1:])
            if pixels.shape != due:
                raise UserError(f"{pixels.shape} pixels where {due} are due")
            return np.ascontiguousarray(pixels, dtype=found.frame.dtype)

    def _images(self, path: str) -> Sequence[StoredImage]:
        with self.damage_named(path):
            key = self.name, stamp_of(path)
            if (known := self.headers.recall(*key)) is not None:
                return known
            found = self.find_images(path)
        any_size = is_remote(path) or os.path.isdir(path)  # noqa: PTH112
        size = _ANY_SIZE if any_size else os.stat(path).st_size  # noqa: PTH116
        for image in found:
            image.contents.frame.check(path, size)
        return self.headers.keep(found, *key)


def numbered(images: Sequence[StoredImage]) -> tuple[Series, ...]:
    """Make series of images, whose frames are numbered through all of them."""
    found, start = [], 0
    for image in images:
        order = image.contents.order
        held = replace(image.contents, order=np.where(order < 0, MISSING, order + start))
        found.append(Series(image.name, held, image.kind))
        start += len(order)
    return tuple(found)


def place_of(
    images: Sequence[StoredImage], number: int
) -> tuple[StoredImage, tuple[int, ...]] | None:
    """Return the image that holds a frame, and its place along the leading axes there."""
    for image in images:
        count = len(image.contents.order)
        if number < count:
            leading = image.shape[: len(image.shape) - len(image.contents.frame.shape)]
            return image, tuple(int(i) for i in np.unravel_index(number, leading))
        number -= count
    return None


def contents_of(shape: tuple[int, ...], dtype: DTypeLike, *, partial: bool) -> Contents:
    """Say what an array without names of axes holds: (..., y, x), or (..., y, x, colours).

    Raises
    ------
    UserError
        For less than two axes.
    """
    channels = int(len(shape) > 2 and shape[-1] in _COLOURS and shape[-2] > max(_COLOURS))
    count = len(shape) - 2 - channels
    return named_contents(shape, dtype, numbered_axes(count), partial)


def numbered_axes(count: int) -> list[Axis]:
    """Return axes for an array with so many axes before y and x that have no names."""
    names = ["frame"] if count == 1 else [f"axis{number}" for number in range(count)]
    return [Axis(name) for name in (*names, "y", "x")]


def arranged(names: Sequence[str], shape: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    """Return the numbers of the leading axes of an array, of y and x, and of colours, by names.

    Without a y and an x, the last two axes are meant.

    Examples
    --------
    >>> arranged(["y", "x", "z"], (8, 9, 3)), arranged(["time", "lat", "lon"], (2, 8, 9))
    (([2], [0, 1], []), ([0], [1, 2], []))
    """
    every = range(len(names))
    samples = [i for i in every if names[i] in _SAMPLES and shape[i] <= max(_COLOURS)]
    plane = [names.index(wanted) for wanted in "yx" if wanted in names]
    plane = plane if len(plane) == 2 else [i for i in every if i not in samples][-2:]
    return [i for i in every if i not in (*plane, *samples)], plane, samples


def named_contents(
    shape: tuple[int, ...], dtype: DTypeLike, axes: Sequence[Axis], partial: bool
) -> Contents:
    """Say what an array holds whose axes are named, all but the channels of a pixel.

    Raises
    ------
    UserError
        For axes that do not fit the shape.
    """
    if len(axes) < 2 or len(shape) - len(axes) not in (0, 1):
        raise UserError(f"it holds an array of the shape {shape}, which is no image")
    count = len(axes) - 2
    frame = shape[count:]
    return Contents(
        Frame(frame, np.dtype(dtype).newbyteorder("="), rgb=frame[2:] == (3,)),
        partial,
        tuple(axes[:count]) or (Axis("frame"),),
        shape[:count] or (1,),
        (axes[-2], axes[-1]),
        np.arange(prod(shape[:count])),
    )
