"""`FrameGeometry`: where the frames of a result lie, in pixels of the frames before."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.layers.stacks.read_layer import Data
from napari_stack.operators.geometry.warp import Warp


@dataclass(frozen=True)
class FrameGeometry:
    """Origin and pixel size of frames, in pixels of the frames before.

    Parameters
    ----------
    origin : tuple of float
        (x, y) where the frames begin.
    pixel : tuple of float
        Height and width of a pixel; not 1 where frames were resized.
    slabs : tuple of (int, float, float) or None
        For frames that stand for several: the number of their axis, how far apart they lie along
        it, and the middle of the first one.
    """

    origin: tuple[float, float] = (0.0, 0.0)
    pixel: tuple[float, float] = (1.0, 1.0)
    slabs: tuple[int, float, float] | None = None

    @classmethod
    def between(cls, before: Data, after: Data) -> Self:
        """Find it from the frames before an operator and after it."""
        pixel = _pixel(before, after)
        return cls(_origin(before, after, pixel), pixel, _slabs(before, after))

    @property
    def shift(self) -> NDArray[np.float64]:
        """Centre of the first pixel, (y, x): it moves with the origin and with the pixel's size."""
        return np.array(self.origin[::-1]) + (np.array(self.pixel) - 1) / 2

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Takes a pixel (x, y, 1) of the frames to the pixel of the frames before."""
        (y, x), (down, across) = self.pixel, self.shift
        return np.array([[x, 0, across], [0, y, down], [0, 0, 1]])


def same_source(before: Data, after: Data) -> bool:
    """Whether the frames are those of before, corrected, and were not made anew."""
    return before.frames.source is after.frames.source


def view_after(view: NDArray[np.float64], before: Data, after: Data) -> NDArray[np.float64]:
    """Return the `Chain.view` of what was made of the data of a chain, from the view of that."""
    if not same_source(before, after):  # they are the source of what follows
        return np.eye(3)
    return view @ FrameGeometry.between(before, after).matrix


def _pixel(before: Data, after: Data) -> tuple[float, float]:
    y, x = (new.step / old.step for new, old in zip(after.axes[-2:], before.axes[-2:], strict=True))
    return y, x


def _origin(before: Data, after: Data, pixel: tuple[float, float]) -> tuple[float, float]:
    # The last warp determines where the frames begin; a resize may follow it.
    old, new = (
        [c for c in data.frames.corrections if isinstance(c, Warp)] for data in (before, after)
    )
    if not new or (old and new[-1] is old[-1]):
        return (0.0, 0.0)
    warp = new[-1]
    left, top = warp.origin
    # Where a quarter turn makes pixels as high as they were wide, the middle stays where it was.
    (height, width), size = (data.frames.shape[1:3] for data in (before, after))
    sides = zip(pixel, size, warp.size, strict=True)
    high, wide = (length * now / warped for length, now, warped in sides)
    return left + (width / 2 - left) * (1 - wide), top + (height / 2 - top) * (1 - high)


def _slabs(before: Data, after: Data) -> tuple[int, float, float] | None:
    spacing = after.frames.source.spacing
    return None if spacing is None or same_source(before, after) else (before.number, *spacing)
