"""Which part of the scene registered frames show."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.matrices import corners_of

Framing = Literal["reference", "common", "all"]

#: Pixels by which rounding may miss a whole number.
_TOLERANCE = 1e-6

#: No canvas grows beyond this multiple of a frame: transforms that ask for more are wrong.
_MOST_GROWTH = 25


def view_of(
    matrices: NDArray[np.float64], size: Sequence[int], framing: Framing, more: float
) -> tuple[tuple[float, float], tuple[int, int]]:
    """Origin (x, y) and size (height, width) of the view; points move by up to `more` beyond."""
    height, width = size
    if framing == "reference" or not len(matrices):
        return (0.0, 0.0), (height, width)
    points = np.linalg.inv(matrices) @ corners_of((height, width))
    x, y = points[:, 0] / points[:, 2], points[:, 1] / points[:, 2]
    more /= _least_scale(matrices) if more else 1.0
    if framing == "all":
        low, high = (
            np.floor([x.min() - more, y.min() - more]),
            np.ceil([x.max() + more, y.max() + more]),
        )
    else:
        low, high = _common(x, y, more)
    columns, rows = (high - low + 1).astype(int)
    if columns < 1 or rows < 1:
        raise UserError("no part of the view is covered by all used frames: choose framing='all'")
    if columns * rows > _MOST_GROWTH * height * width:
        raise UserError(
            f"showing all frames needs {columns} x {rows} pixels for frames of {width} x {height}: "
            "the transforms look wrong; choose framing='reference'"
        )
    return (float(low[0]), float(low[1])), (int(rows), int(columns))


def _least_scale(matrices: NDArray[np.float64]) -> float:
    linear = matrices[:, :2, :2] / matrices[:, 2:, 2:]
    return float(np.linalg.norm(linear, axis=(1, 2), ord=-2).min())


def _common(
    x: NDArray[np.float64], y: NDArray[np.float64], more: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Upright rectangle inside all frames: between the innermost of their corners on each side."""
    left, right = np.sort(x, axis=1)[:, 1].max(), np.sort(x, axis=1)[:, 2].min()
    top, bottom = np.sort(y, axis=1)[:, 1].max(), np.sort(y, axis=1)[:, 2].min()
    low = np.ceil(np.array([left, top]) + more - _TOLERANCE)
    return low, np.floor(np.array([right, bottom]) - more + _TOLERANCE)
