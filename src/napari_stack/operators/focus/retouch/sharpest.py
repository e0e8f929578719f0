"""`sharpest_frame`: which frame is the sharpest at one place, to take its pixels there."""

from functools import partial
from math import ceil, floor
from typing import Any

import numpy as np

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run

#: Pixels from the middle that are looked at, at least: less shows noise more than sharpness.
_LEAST = 6


def sharpest_frame(stack: Stack, y: float, x: float, radius: float, run: Run = Run()) -> int:
    """Return the number of the frame that is the sharpest in a disc.

    The measure is the mean modified Laplacian (Nayar and Nakagawa 1994) of the brightness, as a
    share of the mean brightness, so that flicker counts for nothing.

    Raises
    ------
    ValueError
        When no frame that is used has pixels there.
    """
    used = [int(index) for index in np.flatnonzero(stack.used)]
    measure = partial(_sharpness, place=(y, x), radius=max(radius, _LEAST))
    found = run.each(measure, stack, used, what="Looking for the sharpest frame")
    if not found or max(found) < 0:
        raise UserError(f"no frame has pixels at y={y:g}, x={x:g}: point at the image")
    return used[int(np.argmax(found))]


def _sharpness(stack: Stack, index: int, place: tuple[float, float], radius: float) -> float:
    """Measure one frame; -1 where it has no pixels."""
    rows, columns = (
        _span(at, radius, length) for at, length in zip(place, stack.shape[1:3], strict=True)
    )
    if rows.stop - rows.start < 3 or columns.stop - columns.start < 3:
        return -1.0
    values, valid = stack.read(index, rows)
    grey = _brightness(values[:, columns], stack)
    counts = np.isfinite(grey) if valid is None else valid[:, columns] & np.isfinite(grey)
    grey = np.where(counts, grey, 0)
    middle = grey[1:-1, 1:-1]
    energy = np.abs(2 * middle - grey[:-2, 1:-1] - grey[2:, 1:-1])
    energy += np.abs(2 * middle - grey[1:-1, :-2] - grey[1:-1, 2:])
    ys, xs = np.ogrid[rows.start + 1 : rows.stop - 1, columns.start + 1 : columns.stop - 1]
    inside = np.hypot(ys - place[0], xs - place[1]) <= radius
    around = (counts[:-2, 1:-1], counts[2:, 1:-1], counts[1:-1, :-2], counts[1:-1, 2:])
    inside &= np.logical_and.reduce((counts[1:-1, 1:-1], *around))
    if not inside.any():
        return -1.0
    level = float(np.abs(middle[inside]).mean())
    return float(energy[inside].mean()) / level if level > 0 else 0.0


def _span(at: float, radius: float, length: int) -> slice:
    low, high = max(floor(at - radius) - 1, 0), min(ceil(at + radius) + 2, length)
    return slice(low, max(low, high))


def _brightness(values: Any, stack: Stack) -> Any:
    if values.ndim == 2:
        return values
    return (values[..., :-1] if stack.alpha else values).mean(axis=2)
