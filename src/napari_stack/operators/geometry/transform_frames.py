"""`transform_frames`: frames rotated, cropped and resized, all alike and lazily."""

from dataclasses import dataclass, replace
from math import ceil
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.correction import Correction
from napari_stack.core.errors import UserError
from napari_stack.core.matrices import about_centre
from napari_stack.core.method_options import MethodOptions
from napari_stack.core.options import Bounds, CountsWith, check
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.geometry.transforms import Transforms
from napari_stack.operators.geometry.warp import Interpolation, Warp

_SIDE = Bounds(1, 100_000, unit="px")
_PLACE = Bounds(0, 100_000, unit="px")

#: A side that rounding makes this much longer is not longer.
_SLACK = 1e-6


@dataclass(frozen=True)
class ByFactor(MethodOptions):
    """Resize both sides by a factor.

    Parameters
    ----------
    factor : float
        New length of a side over the old one.
    """

    factor: Annotated[float, Bounds(0.001, 100, step=0.1)] = 0.5

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the result."""
        return max(round(height * self.factor), 1), max(round(width * self.factor), 1)


@dataclass(frozen=True)
class ToFit(MethodOptions):
    """Shrink to fit into a box, with the sides in proportion; a thumbnail.

    Parameters
    ----------
    width, height : int
        Greatest width and height; smaller frames stay as they are.
    """

    width: Annotated[int, _SIDE] = 128
    height: Annotated[int, _SIDE] = 128

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the result."""
        factor = min(self.width / width, self.height / height, 1.0)
        return max(round(height * factor), 1), max(round(width * factor), 1)


@dataclass(frozen=True)
class ToSize(MethodOptions):
    """Resize to an exact size, whatever becomes of the proportion of the sides.

    Parameters
    ----------
    width, height : int
        New width and height.
    """

    width: Annotated[int, _SIDE] = 1024
    height: Annotated[int, _SIDE] = 1024

    def size(self, height: int, width: int) -> tuple[int, int]:  # noqa: ARG002
        """Height and width of the result."""
        return self.height, self.width


@dataclass(frozen=True)
class Box(MethodOptions):
    """A part of the frames.

    Parameters
    ----------
    left, top : int
        First column and row that is kept.
    right, bottom : int
        Column and row before which it ends; 0 for the edge of the frame.
    """

    left: Annotated[int, _PLACE] = 0
    top: Annotated[int, _PLACE] = 0
    right: Annotated[int, _PLACE] = 0
    bottom: Annotated[int, _PLACE] = 0


@dataclass(frozen=True)
class Resample(Correction):
    """Frames resized; antialiased when shrinking.

    Parameters
    ----------
    source_size, size : tuple of int
        Height and width of a frame before and after.
    interpolation : {"nearest", "linear", "cubic", "lanczos"}
    """

    source_size: tuple[int, int]
    size: tuple[int, int]
    interpolation: Interpolation = "cubic"

    moves: ClassVar[bool] = True

    def frame_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of a corrected frame."""
        return (*self.size, *shape[2:])

    def source_rows(self, rows: slice, index: int) -> slice:  # noqa: ARG002
        """Rows of the frame that `rows` of the result are made of."""
        from napari_stack.operators.geometry.resize import source_span

        sides = self.source_size[0], self.size[0]
        return source_span(rows.start, rows.stop, *sides, self.interpolation)

    def apply(
        self, values: NDArray[Any], valid: NDArray[np.bool_] | None, index: int, rows: slice
    ) -> Pixels:
        """Resize rows of a frame."""
        from napari_stack.operators.geometry.resize import resize_rows

        first = self.source_rows(rows, index).start
        return resize_rows(
            values, valid, first, self.source_size, self.size, rows, self.interpolation
        )


def transform_frames(
    stack: Stack,
    *,
    rotate: Annotated[float, Bounds(-360, 360, step=1, unit="degrees")] = 0.0,
    grow: Annotated[bool, CountsWith("rotate")] = False,
    crop: Literal["none", "box"] | Box = "none",
    resize: Literal["none", "by factor", "to fit", "to size"] | ByFactor | ToFit | ToSize = "none",
    interpolation: Interpolation = "cubic",
    run: Run = Run(),  # noqa: ARG001
) -> Stack:
    """Rotate, then crop, then resize all frames alike.

    Parameters
    ----------
    stack : Stack
    rotate : float
        Angle about the centre, counter-clockwise; quarter turns move pixels as they are.
    grow : bool
        Enlarge the canvas so that the rotated frames fit.
    crop : {"none"} or Box
        The part that is kept, in pixels of the rotated frames.
    resize : {"none"}, ByFactor, ToFit or ToSize
        New size: by a factor, shrunk to fit into a box, or exactly; antialiased when shrinking.
    interpolation : {"nearest", "linear", "cubic", "lanczos"}
        How pixels between pixels are made; cubic is that of Keys (1981), lanczos has three lobes.
    run : Run
        Not used: frames are transformed when they are read.

    Returns
    -------
    Stack
        Rotation and crop join with a registration into one interpolation, by the wider kernel of
        the two; the border of the registration stays. The pixel size follows the resizing, and
        quarter turns. Corners that a rotation lays bare do not count: where the registration
        filled its border, frames are interpolated twice for that.

    Raises
    ------
    ValueError
        For a box outside the frames.
    """
    given = {"rotate": rotate, "grow": grow, "crop": crop, "resize": resize,
             "interpolation": interpolation}  # fmt: skip
    check(transform_frames, given)
    box = Box() if isinstance(crop, str) else crop
    if rotate % 360 or box != Box():
        stack = stack.corrected(_moved(stack, rotate, grow, box, interpolation))
        stack = _sides_swapped(stack) if rotate % 180 == 90 else stack
        if not rotate % 360:
            frame, y, x = stack.axes
            stack = replace(stack, axes=(frame, y.begun(box.top), x.begun(box.left)))
    named = {"by factor": ByFactor, "to fit": ToFit, "to size": ToSize}
    if resize == "none":
        return stack
    height, width = stack.shape[1:3]
    method = named[resize]() if isinstance(resize, str) else resize
    return _resized(stack, method.size(height, width), interpolation)


def _moved(
    stack: Stack, degrees: float, grow: bool, box: Box, interpolation: Interpolation
) -> Warp:
    """Rotate about the centre and crop, in one warp: its origin is that of both."""
    height, width = size = stack.shape[1:3]
    c, s = _turn(degrees)
    view = size
    if grow:
        view = (ceil(abs(s) * width + abs(c) * height - _SLACK),
                ceil(abs(c) * width + abs(s) * height - _SLACK))  # fmt: skip
    # y points down: what turns counter-clockwise on screen is read at angles turned clockwise.
    matrix = about_centre(size, c, s)
    left, top, right, bottom = _sides(box, *view)
    # The canvas grows alike on all sides.
    origin = left + (width - view[1]) / 2, top + (height - view[0]) / 2
    transforms = Transforms.exact(matrix, len(stack))
    place = (height, width), (bottom - top, right - left)
    return Warp(transforms, *place, origin, interpolation)


def _sides_swapped(stack: Stack) -> Stack:
    """After a quarter turn a pixel is as high as it was wide."""
    frame, y, x = stack.axes
    sides = replace(y, step=x.step, unit=x.unit), replace(x, step=y.step, unit=y.unit)
    return replace(stack, axes=(frame, *sides))


def _turn(degrees: float) -> tuple[float, float]:
    """Cosine and sine, exact for quarter turns."""
    quarters, rest = divmod(degrees, 90)
    if rest == 0:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarters) % 4]
    return float(np.cos(np.deg2rad(degrees))), float(np.sin(np.deg2rad(degrees)))


def _sides(box: Box, height: int, width: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a box in frames of a size."""
    right, bottom = box.right or width, box.bottom or height
    if not (box.left < right <= width and box.top < bottom <= height):
        raise UserError(
            f"crop: columns {box.left} to {right} and rows {box.top} to {bottom} are no part of "
            f"frames of {width} x {height} pixels: choose a box inside them"
        )
    return box.left, box.top, right, bottom


def _resized(stack: Stack, size: tuple[int, int], interpolation: Interpolation) -> Stack:
    height, width = stack.shape[1:3]
    if size == (height, width):
        return stack
    frame, y, x = stack.axes
    down, across = height / size[0], width / size[1]
    axes = (  # the middle of the first pixel moves with its size
        frame,
        replace(y.begun((down - 1) / 2), step=y.step * down),
        replace(x.begun((across - 1) / 2), step=x.step * across),
    )
    resample = Resample((height, width), size, interpolation)
    return replace(stack.corrected(resample), axes=axes)
