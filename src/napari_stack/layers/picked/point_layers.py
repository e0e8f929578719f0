"""`PointLayers`: pairs of points picked in two layers, as pairs on the frames of a third."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Layer, Points
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.layers.compat import unwrapped
from napari_stack.layers.places.placement import Placement
from napari_stack.layers.stacks.read_layer import leading_axes

#: A pair a row, as `PointPairs.to_json` gives them.
Rows = list[list[float]]


@dataclass(frozen=True, eq=False)
class PointLayers:
    """Two layers of points, in the same order.

    Parameters
    ----------
    reference : Points layer
        Points on the reference.
    frames : Points layer
        The same object points on other frames; the first on each frame belongs to the first one on
        the reference, and so on.
    """

    reference: Points
    frames: Points

    def rows(self, layer: Layer, axis: str) -> Rows:
        """Return the pairs in pixels of a layer's frames.

        Parameters
        ----------
        layer : Image layer
        axis : str
            Along which its frames lie.

        Raises
        ------
        ValueError
            When these are not two layers of points, one is empty, or a frame has more points than
            the reference.
        """
        both = (self.reference, self.frames)
        if unwrapped(both[0]) is unwrapped(both[1]) or not all(
            isinstance(points, Points) for points in both
        ):
            raise UserError(
                "pairs of points need two layers of points: one with those on the reference, one "
                "with those on the frames"
            )
        for points in both:
            if not len(points.data):
                raise UserError(f"{points.name!r} holds no points: add some to it")
        first, second = xy_in(self.reference, layer), xy_in(self.frames, layer)
        numbers = numbers_in(self.frames, layer, axis)
        rows: Rows = []
        for frame in np.unique(numbers):
            own = second[numbers == frame]
            if len(own) > len(first):
                raise UserError(
                    f"{self.frames.name!r} has {len(own)} points on frame {frame}, and "
                    f"{self.reference.name!r} has {len(first)}: every one needs its partner, in "
                    "the same order"
                )
            rows += [
                [int(frame), *p, *q] for p, q in zip(first.tolist(), own.tolist(), strict=False)
            ]
        return rows


def with_rows(options: Mapping[str, Any], layer: Layer, axis: str) -> dict[str, Any]:
    """Return options with pairs in the place of two layers of points, or of a tuple of them."""
    return {name: _with_rows(value, layer, axis) for name, value in options.items()}


def _with_rows(value: Any, layer: Layer, axis: str) -> Any:
    if isinstance(value, tuple) and value and all(isinstance(la, Layer) for la in value):
        value = PointLayers(*value)
    return value.rows(layer, axis) if isinstance(value, PointLayers) else value


def xy_in(points: Any, layer: Layer) -> NDArray[np.float64]:
    """Points (x, y) of a layer in pixels of another one's frames."""
    frames = Placement.of(layer)
    to_pixels = np.linalg.inv(frames.plane) @ Placement.of(points).plane_in(frames)
    data = np.asarray(points.data, np.float64)
    whole = np.column_stack([data[:, -1], data[:, -2], np.ones(len(data))])
    return np.asarray((whole @ to_pixels.T)[:, :2])


def numbers_in(points: Any, layer: Layer, axis: str) -> NDArray[np.intp]:
    """Numbers of the frames of a layer that points of another one lie on.

    Raises
    ------
    ValueError
        When the points belong to no frame.
    """
    own, theirs = Placement.of(layer), Placement.of(points)
    number = own.names.index(axis)
    partner = own.partners(theirs)[number]
    if partner is None:
        raise UserError(
            f"{points.name!r} lacks the axis {axis!r} of the frames, so that nobody knows which "
            f"frame its points lie on: add a Points layer with {layer.ndim} dimensions"
        )
    at = theirs.indices(partner, np.asarray(points.data)[:, partner], own, number)
    numbers = np.rint(at).astype(np.intp)
    size = leading_axes(layer)[axis]
    if ((numbers < 0) | (numbers >= size)).any():
        raise UserError(
            f"{points.name!r} has points at {numbers.min()} to {numbers.max()} along {axis!r}; "
            f"there are the frames 0 to {size - 1}"
        )
    return numbers
