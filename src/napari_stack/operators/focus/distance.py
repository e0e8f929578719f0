"""Depth as a distance along the stacked axis, and how sure it is."""

from typing import Any

import numpy as np

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack

Array = np.ndarray[Any, Any]


def uneven_places(stack: Stack) -> Array | None:
    """Return where the frames lie, ascending, in mean steps; None where evenly or not known."""
    positions = np.array(stack.axes[0].positions, float)
    if len(positions) != len(stack) or len(positions) < 2:
        return None
    gaps = np.diff(positions)
    if np.allclose(gaps, gaps[0]) or not ((gaps > 0).all() or (gaps < 0).all()):
        return None
    return ((positions - positions[0]) / gaps.mean()).astype(np.float32)


def as_distance(stack: Stack, depth: Array) -> Array:
    """Return a depth as the distance from the first frame, in the unit of the axis."""
    axis = stack.axes[0]
    require_distance(stack)
    if uneven_places(stack) is None:
        return depth * np.float32(_step(stack))
    away = np.abs(np.array(axis.positions) - axis.positions[0])
    return np.interp(depth, np.arange(len(stack)), away).astype(np.float32)


def distance_of_a_frame(stack: Stack, depth: Array) -> Array:
    """Return how far a frame lies from the next one around each depth, in the unit of the axis."""
    if uneven_places(stack) is None:
        return np.full(depth.shape, _step(stack), np.float32)
    gaps = np.abs(np.diff(stack.axes[0].positions))
    return np.interp(depth, np.arange(len(gaps)) + 0.5, gaps).astype(np.float32)


def _step(stack: Stack) -> float:
    axis = stack.axes[0]
    even = len(axis.positions) == len(stack) > 1
    return abs(axis.positions[1] - axis.positions[0]) if even else abs(axis.step)


def require_distance(stack: Stack) -> None:
    """Raise where it is not known how far the frames lie apart."""
    axis = stack.axes[0]
    if axis.unit in ("", "pixel"):
        raise UserError(
            f"how far the frames lie apart along {axis.name!r} is not known, for the axis has no "
            "unit: give the layer a scale and units (or the axis a step and a unit), or take "
            "depth_unit='frame'"
        )
    gaps = np.diff(axis.positions)
    if gaps.size and not ((gaps > 0).all() or (gaps < 0).all()):
        raise UserError(
            f"the frames lie at positions along {axis.name!r} that go forth and back: sort them, "
            "or take depth_unit='frame'"
        )
