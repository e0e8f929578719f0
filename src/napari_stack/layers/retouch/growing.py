"""`Growing`: a stroke while it is painted, and the pixels that it gives in the window around it."""

from typing import Any

import numpy as np

from napari_stack.operators.focus.retouch.blend import Window
from napari_stack.operators.focus.retouch.patches import Loaded, Patch, newest_patch

Array = np.ndarray[Any, Any]

#: Pixels by which the window grows at least, so that it is seldom copied.
_GROWTH = 256


class Growing:
    """A stroke that gets longer; what it changes is computed once, piece by piece.

    Parameters
    ----------
    image : ndarray, shape (y, x) or (y, x, channel)
        What it is painted on, which stays as it is.
    source : Loaded
    radius : float
    alpha : bool
        The last channel is alpha.
    """

    def __init__(self, image: Array, source: Loaded, radius: float, *, alpha: bool = False) -> None:
        self.image, self.source, self.radius, self.alpha = image, source, radius, alpha
        self.points: list[tuple[float, float]] = []
        #: The window so far, and what is in it: pixels, and which of them lie in the stroke.
        self.window: Window = (slice(0, 0), slice(0, 0))
        self.values: Array = image[self.window].copy()
        self.painted: Array = np.zeros((0, 0), bool)

    def add(self, y: float, x: float) -> bool:
        """Go on to a point; tell whether it is far enough from the last one to count."""
        point = round(float(y), 2), round(float(x), 2)
        if self.points:
            step = np.hypot(point[0] - self.points[-1][0], point[1] - self.points[-1][1])
            if step < max(self.radius / 16, 0.5):
                return False
        self.points.append(point)
        patch = newest_patch(self.image, self.source, self.points, self.radius, alpha=self.alpha)
        self._take(patch)
        return True

    def _take(self, patch: Patch) -> None:
        if not all(_holds(own, part) for own, part in zip(self.window, patch.window, strict=True)):
            self._grow(patch.window)
        inner = tuple(
            slice(part.start - own.start, part.stop - own.start)
            for own, part in zip(self.window, patch.window, strict=True)
        )
        self.values[inner], self.painted[inner] = patch.values, patch.painted

    def _grow(self, wanted: Window) -> None:
        """Hold a larger window."""
        old, values, painted = self.window, self.values, self.painted
        rows, columns = (
            _united(own, part, length)
            for own, part, length in zip(old, wanted, self.image.shape, strict=False)
        )
        self.window = rows, columns
        self.values = self.image[self.window].copy()
        self.painted = np.zeros(self.values.shape[:2], bool)
        inner = tuple(
            slice(part.start - own.start, part.stop - own.start)
            for own, part in zip(self.window, old, strict=True)
        )
        if painted.size:
            self.values[inner], self.painted[inner] = values, painted


def _holds(own: slice, part: slice) -> bool:
    return bool(own.start <= part.start and part.stop <= own.stop)


def _united(own: slice, part: slice, length: int) -> slice:
    """Return the least slice, on a coarse grid, that holds both."""
    both = (own, part) if own.stop > own.start else (part,)
    start = min(each.start for each in both) // _GROWTH * _GROWTH
    stop = -(-max(each.stop for each in both) // _GROWTH) * _GROWTH
    return slice(start, min(stop, length))
