"""`PlaneMap`: where the planes of images lie, in one file or several, as a description says."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.look import Look
from napari_stack.files.formats.base import MISSING, Contents, FileSet, Series
from napari_stack.files.formats.tiff.pages import Layout


@dataclass(frozen=True, eq=False)
class MappedImage:
    """An image, and where each of its planes lies.

    Attributes
    ----------
    name : str
    leading : tuple of Axis
        Axes before y and x, those of length 1 among them.
    sizes : tuple of int
        Their lengths.
    plane : tuple of Axis
        The axes y and x.
    places : ndarray of int, shape (n, 2)
        Number of the file and of the page in it of every plane, in C order over the leading axes;
        `MISSING` for planes that were never recorded.
    look : Look
        How it is shown where it is one channel alone.
    """

    name: str
    leading: tuple[Axis, ...]
    sizes: tuple[int, ...]
    plane: tuple[Axis, Axis]
    places: NDArray[np.intp]
    look: Look = Look()

    @property
    def recorded(self) -> NDArray[np.intp]:
        """Places of the planes that are not missing."""
        return self.places[self.places[:, 1] >= 0]

    def contents(self, layout: Layout, order: NDArray[np.intp]) -> Contents:
        """Say what it holds; `order` counts its planes as the file or the set does."""
        kept = [number for number, size in enumerate(self.sizes) if size > 1]
        leading = tuple(self.leading[number] for number in kept) or (Axis("frame"),)
        sizes = tuple(self.sizes[number] for number in kept) or (1,)
        used = None if (order >= 0).all() else order >= 0
        frame, plane = layout.frame, self.plane
        return Contents(frame, layout.partial, leading, sizes, plane, order, used, self.look)


@dataclass(frozen=True, eq=False)
class PlaneMap:
    """Images in files.

    Attributes
    ----------
    files : list of str
        Their paths.
    images : list of MappedImage
        Each with one recorded plane at least.
    """

    files: list[str]
    images: list[MappedImage]

    def series(self, layout_of: Callable[[str, int], Layout]) -> tuple[Series, ...]:
        """List the images of a map of one file; pages are numbered as they are there."""
        return tuple(
            Series(image.name, image.contents(self._layout(image, layout_of), image.places[:, 1]))
            for image in self.images
        )

    def file_set(self, layout_of: Callable[[str, int], Layout]) -> FileSet:
        """Make the set; files without a plane of these images are left out.

        Parameters
        ----------
        layout_of : callable
            Gives how the page of a file, by path and number, is stored.
        """
        recorded = np.concatenate([image.recorded for image in self.images])
        numbers = sorted(set(recorded[:, 0].tolist()))
        places = np.stack([np.searchsorted(numbers, recorded[:, 0]), recorded[:, 1]], axis=1)
        found, start = [], 0
        for image in self.images:
            present = image.places[:, 1] >= 0
            order = np.where(present, start + np.cumsum(present) - 1, MISSING)
            found.append(Series(image.name, image.contents(self._layout(image, layout_of), order)))
            start += int(present.sum())
        return FileSet([self.files[number] for number in numbers], places, tuple(found))

    def _layout(self, image: MappedImage, layout_of: Callable[[str, int], Layout]) -> Layout:
        file, number = image.recorded[0]
        return layout_of(self.files[file], int(number))


def empty_places(sizes: tuple[int, ...]) -> NDArray[np.intp]:
    """Return places of an image of which no plane is known yet."""
    return np.full((prod(sizes), 2), MISSING, np.intp)
