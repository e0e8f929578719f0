"""The levels of a prepared frame; fine ones are made when they are first asked for."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Lock
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


class Later:
    """An image of a known shape that is made once, when it is asked for, by whichever thread.

    Parameters
    ----------
    shape : tuple of int
    make : callable
        Makes it; it is let go afterwards, with what it holds.
    """

    def __init__(self, shape: tuple[int, ...], make: Callable[[], Image]) -> None:
        self.shape = shape
        self._make: Callable[[], Image] | None = make
        self._made: Image | None = None
        self._lock = Lock()

    def image(self) -> Image:
        """Return the image."""
        with self._lock:
            if self._made is None:
                assert self._make
                self._made, self._make = self._make(), None
            return self._made


class Levels(Sequence[Image]):
    """Images, finest first, of which some are made when they are asked for.

    Attributes
    ----------
    shapes : tuple
        Those of the images, for which none has to be made.
    """

    def __init__(self, images: Iterable[Image | Later] = ()) -> None:
        self._images = tuple(images)
        self.shapes = tuple(image.shape for image in self._images)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._images)

    @overload
    def __getitem__(self, place: int) -> Image: ...
    @overload
    def __getitem__(self, place: slice) -> "Levels": ...
    def __getitem__(self, place: int | slice) -> "Image | Levels":
        """Return one of them, or some, which are not made by that."""
        if isinstance(place, slice):
            return Levels(self._images[place])
        found = self._images[place]
        return found.image() if isinstance(found, Later) else found

    def changed(self, change: Callable[[int, Image], Image]) -> "Levels":
        """Return images of the same shapes: `change`, of a number and an image, makes each."""
        return Levels(
            Later(shape, partial(self._changed, number, change))
            for number, shape in enumerate(self.shapes)
        )

    def _changed(self, number: int, change: Callable[[int, Image], Image]) -> Image:
        return change(number, self[number])

    def __reduce__(self) -> Any:
        """Send what is made to another process, all of it."""
        return Levels, (tuple(self),)
