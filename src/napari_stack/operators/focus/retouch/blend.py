"""The pixels of a stroke: its mask, and the blend of two images over a pyramid of few levels."""

from collections.abc import Sequence
from math import ceil, floor, log2
from typing import Any

import numpy as np

from napari_stack.operators.focus.pyramid_kernels import add_expanded
from napari_stack.operators.focus.pyramid_levels import details_of, gaussian_levels

Array = np.ndarray[Any, Any]

#: Rows and columns of an image.
Window = tuple[slice, slice]

#: Levels of the widest blend. The weights of level l reach 2 (2^l - 1) px beyond the mask, what
#: they weigh as far again in either direction: 60 px with 4 levels.
LEVELS = 4
#: Pixels around a stroke that its blend may need or change.
MARGIN = 64
#: Windows begin at a multiple of this, so that the pixels of the coarsest level are the same ones
#: in every window: what is computed in a small one is what is computed in all of the image.
GRID = 2**LEVELS

# The smallest brush, in px, that is blended over one level. With the radius the seam grows, and the
# middle of the stroke, 4 (2^levels - 1) px from its edge, always shows the source and nothing else.
_ONE_LEVEL = 8


def levels_of(radius: float) -> int:
    """Return over how many levels a stroke is blended.

    Examples
    --------
    >>> [levels_of(radius) for radius in (2, 8, 50, 500)]
    [0, 1, 3, 4]
    """
    return min(max(floor(log2(2 * radius / _ONE_LEVEL)), 0), LEVELS)


def window_of(
    points: Sequence[tuple[float, float]], radius: float, size: tuple[int, int]
) -> Window:
    """Return the window that a stroke, or a part of one, can change: on the grid, in the image."""
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    rows, columns = (
        _span(float(a) - radius, float(b) + radius, length)
        for a, b, length in zip(low, high, size, strict=True)
    )
    return rows, columns


def _span(low: float, high: float, length: int) -> slice:
    first = floor((floor(low) - MARGIN) / GRID) * GRID
    end = ceil((ceil(high) + 1 + MARGIN) / GRID) * GRID
    start = min(max(first, 0), length)
    return slice(start, min(max(end, start), length))


def mask_of(points: Sequence[tuple[float, float]], radius: float, window: Window) -> Array:
    """Return how far each pixel of a window lies in a stroke.

    Parameters
    ----------
    points : sequence of (y, x)
    radius : float
    window : (slice, slice)

    Returns
    -------
    ndarray of float32, shape (y, x)
        1 in it, 0 outside, between 0 and 1 over the pixel at its edge.
    """
    rows, columns = window
    square = np.full((rows.stop - rows.start, columns.stop - columns.start), np.inf)
    line = np.asarray(points, np.float64)
    for start, end in zip(
        line[: max(len(line) - 1, 1)], line[min(1, len(line) - 1) :], strict=True
    ):
        _put_nearer(square, start, end, radius + 1, window)
    distance = np.sqrt(square, out=square)
    return np.clip(radius + 0.5 - distance, 0, 1).astype(np.float32)


def _put_nearer(square: Array, start: Array, end: Array, reach: float, window: Window) -> None:
    """Put squares of distances to a segment where they are less; those in reach of it."""
    low = np.floor(np.minimum(start, end) - reach).astype(int)
    high = np.ceil(np.maximum(start, end) + reach).astype(int) + 1
    spans = [
        (max(int(a), part.start), min(int(b), part.stop))
        for a, b, part in zip(low, high, window, strict=True)
    ]
    if any(a >= b for a, b in spans):
        return
    (top, bottom), (left, right) = spans
    y, x = np.arange(top, bottom)[:, None] - start[0], np.arange(left, right)[None] - start[1]
    dy, dx = end - start
    length = dy * dy + dx * dx
    along = np.clip((y * dy + x * dx) / length, 0, 1) if length > 0 else 0.0
    found = (y - along * dy) ** 2 + (x - along * dx) ** 2
    part = square[
        top - window[0].start : bottom - window[0].start,
        left - window[1].start : right - window[1].start,
    ]
    np.minimum(part, found, out=part)


def blended(
    base: Array, other: Array, valid: Array | None, mask: Array, levels: int
) -> tuple[Array, Array]:
    """Blend an image into another by a mask, details sharply and wide differences softly.

    The differences are weighted level by level of their Laplacian pyramid, as Burt and Adelson
    (1983, "A multiresolution spline") weigh the two images; beyond the reach of the mask exactly
    nothing changes.

    Parameters
    ----------
    base, other : ndarray, shape (y, x, channel)
        Float pixels.
    valid : ndarray of bool, shape (y, x), optional
        Pixels of `other` that count; None for all.
    mask : ndarray, shape (y, x)
        0 to 1.
    levels : int

    Returns
    -------
    values : ndarray, shape (y, x, channel)
        At every pixel between the two images.
    changed : ndarray of bool, shape (y, x)
    """
    if valid is not None:
        other = np.where(valid[..., np.newaxis], other, base)
        mask = np.where(valid, mask, 0)
    difference = other - base
    weights = gaussian_levels(mask[..., np.newaxis].astype(base.dtype), levels)
    images = gaussian_levels(difference, levels)
    total = images[-1] * weights[-1]
    for fine, coarse, weight in zip(images[-2::-1], images[:0:-1], weights[-2::-1], strict=True):
        detail = details_of(fine, coarse)
        detail *= weight
        add_expanded(detail, total, 1, detail)
        total = detail
    total += base
    np.clip(total, np.minimum(base, other), np.maximum(base, other), out=total)
    return total, (total != base).any(axis=2)
