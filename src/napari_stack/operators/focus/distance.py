"""Depth as a distance along the stacked axis, and how sure it is."""

from typing import Any

import numpy as np

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack

Array = np.ndarray[Any, Any]

# Parts of a depth's uncertainty, in frames, found on rendered planes, spheres and steps with noise
# of 1 to 8 of 255 (benchmarks/focus_depth.py): the least; what a parabola through three frames
# misses between frames, times the root of the bend of the focus curve; and the share of the
# variation of the depth around a pixel that the confidence leaves, falling with it.
LEAST, BETWEEN, AROUND, CONFIDENCE = 0.01, 0.107, 0.55, 0.1
# The variation is that of a Gaussian window of 4 pixels at a quarter of the size.
SHRINK, WINDOW = 4, 4.0


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
        return np.full(depth.shape, abs(_step(stack)), np.float32)
    gaps = np.abs(np.diff(stack.axes[0].positions))
    return np.interp(depth, np.arange(len(gaps)) + 0.5, gaps).astype(np.float32)


def _step(stack: Stack) -> float:
    axis = stack.axes[0]
    even = len(axis.positions) == len(stack) > 1
    return abs(axis.positions[1] - axis.positions[0]) if even else axis.step


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


def depth_uncertainty(depth: Array, confidence: Array, bend: float) -> Array:
    """Return the standard deviation of a depth's error, in frames.

    Parameters
    ----------
    depth, confidence : (y, x) ndarray of float32
    bend : float
        Of the logarithm of the sharpness at clear peaks, from a frame to the next: large where
        frames lie far apart in focus.

    Returns
    -------
    (y, x) ndarray of float32
        NaN at a confidence of 0, where the depth is filled in.
    """
    from napari_stack.engine.opencv import cv2

    small = tuple(-(-side // SHRINK) for side in depth.shape)[::-1]
    mean, square = (
        cv2.GaussianBlur(
            cv2.resize(plane, small, interpolation=cv2.INTER_AREA),
            (0, 0),
            WINDOW,
            borderType=cv2.BORDER_REPLICATE,
        )
        for plane in (depth, depth * depth)
    )
    around = np.maximum(square - mean * mean, 0)
    variance = cv2.resize(around, depth.shape[::-1], interpolation=cv2.INTER_LINEAR)
    variance *= np.float32(AROUND**2) * np.exp(confidence * np.float32(-1 / CONFIDENCE))
    between = np.sin(np.float32(2 * np.pi) * depth)
    variance += np.float32(BETWEEN**2 * bend) * between * between + np.float32(LEAST**2)
    found = np.sqrt(variance)
    found[confidence == 0] = np.nan
    return found
