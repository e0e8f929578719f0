"""Stacks of data that other libraries opened; see `given_data`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.source import ArraySource, Pixels, Source
from napari_stack.core.stack import Stack
from napari_stack.files.formats.array_axes import StoredImage, numbered, place_of
from napari_stack.files.formats.base import Frame
from napari_stack.files.given_data import images_of
from napari_stack.files.series import along_axes, taken_along
from napari_stack.files.series_choice import chosen


@dataclass(frozen=True, eq=False)
class DataSource(Source):
    """Frames in several arrays, or some of the frames of one.

    Attributes
    ----------
    images : sequence of StoredImage
    frame : Frame
    order : ndarray of int, shape (n,)
        Number of every frame, through all images.
    """

    images: Sequence[StoredImage]
    frame: Frame
    order: NDArray[np.intp]

    partial = True

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (len(self.order), *self.frame.shape)

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return self.frame.dtype

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:  # noqa: D102
        at = place_of(self.images, int(self.order[index]))
        if at is None:
            raise IndexError(f"frame {index} of {len(self.order)}")
        image, place = at
        part = image.array[(*place, slice(None) if rows is None else rows)]
        if hasattr(part, "compute"):  # in this thread: the run has threads of its own
            part = part.compute(scheduler="synchronous")
        return np.asarray(part, dtype=self.dtype), None


def stack_of(
    data: Any, axis: str | int | None, part: slice, series: int | str | None
) -> Stack | Hyperstack:
    """Make a stack of data that another library opened; see `napari_stack.read`."""
    images = images_of(data)
    found = chosen(numbered(images), series, f"the {type(data).__name__}")
    taken = taken_along(axis, part, found)
    order = found.order.reshape(found.sizes).take(taken.places, axis=taken.axis)
    source: Source = DataSource(images, found.frame, order.ravel())
    first = images[0]
    if (
        len(images) == 1
        and order.size == len(found.order)
        and len(first.shape) > len(found.frame.shape)
    ):
        source = ArraySource(first.array, found.sizes)
    used = np.ones(order.size, bool)
    return along_axes(source, found, taken, used, chosen=axis is not None)
