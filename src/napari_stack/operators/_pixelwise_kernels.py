"""Pixel kernels that change rows of a frame in place: gains, smooth gains, curves."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.operators._jit import kernel


@kernel
def scale(block: NDArray[Any], gains: NDArray[Any], pivot: Any) -> None:
    """Multiply the distance from `pivot` by a gain: one for all channels, or one for each.

    Parameters
    ----------
    block : ndarray, shape (rows, x, channel)
    gains : ndarray, shape (1,) or (channel,), in the type of `block`
    pivot : float, in the type of `block`
        The value that stays as it is.
    """
    rows, width, channels = block.shape
    each = len(gains) > 1
    for k in range(channels):
        gain = gains[k if each else 0]
        offset = pivot - pivot * gain
        for y in range(rows):
            for x in range(width):
                block[y, x, k] = block[y, x, k] * gain + offset


def scale_smooth(
    block: NDArray[Any], grid: NDArray[Any], spacing: int, first: int, pivot: Any, threshold: Any
) -> None:
    """Multiply the distance from `pivot` by a gain that varies slowly over the frame.

    Parameters
    ----------
    block : ndarray, shape (rows, x, channel)
    grid : ndarray, shape (1 or channel, y nodes, x nodes), in the type of `block`
        Gains at every `spacing` pixels, from the frame's first pixel on; linear between.
    spacing : int
    first : int
        Row of the frame that `block` begins with.
    pivot : float, in the type of `block`
    threshold : float, in the type of `block`
        Pixels whose mean over the channels is not above it stay as they are.
    """
    if block.shape[2] == 1:
        _smooth_plane(block[..., 0], grid[0], spacing, first, pivot, threshold)
    else:
        _smooth_colours(block, grid, spacing, first, pivot, threshold)


@kernel
def _smooth_plane(
    plane: NDArray[Any], grid: NDArray[Any], spacing: int, first: int, pivot: Any, threshold: Any
) -> None:
    rows, width = plane.shape
    low, rise = np.empty(width, plane.dtype), np.empty(width, plane.dtype)
    done = -1
    for y in range(rows):
        node = (first + y) // spacing
        if node != done:
            done = node
            _expand_two(grid[node], grid[node + 1], spacing, low, rise)
        t = plane.dtype.type((first + y) % spacing)
        _scale_line(plane[y], low, rise, t, pivot, threshold)


@kernel
def _smooth_colours(
    block: NDArray[Any], grid: NDArray[Any], spacing: int, first: int, pivot: Any, threshold: Any
) -> None:
    rows, width, _ = block.shape
    low, rise = np.empty((len(grid), width), block.dtype), np.empty((len(grid), width), block.dtype)
    done = -1
    for y in range(rows):
        node = (first + y) // spacing
        if node != done:
            done = node
            for g in range(len(grid)):
                _expand_two(grid[g, node], grid[g, node + 1], spacing, low[g], rise[g])
        t = block.dtype.type((first + y) % spacing)
        _scale_colours(block[y], low, rise, t, pivot, threshold)


@kernel
def _expand_two(
    above: NDArray[Any], below: NDArray[Any], spacing: int, low: NDArray[Any], rise: NDArray[Any]
) -> None:
    # Gains of a line of pixels at one row of nodes, and their rise a row towards the next.
    share = low.dtype.type(1) / low.dtype.type(spacing)
    width = len(low)
    for i in range((width + spacing - 1) // spacing):
        start = i * spacing
        a, b = above[i], (above[i + 1] - above[i]) * share
        c, d = (below[i] - a) * share, (below[i + 1] - below[i] - above[i + 1] + a) * share * share
        for j in range(min(spacing, width - start)):
            low[start + j] = a + b * low.dtype.type(j)
            rise[start + j] = c + d * low.dtype.type(j)


@kernel
def _scale_line(
    line: NDArray[Any], low: NDArray[Any], rise: NDArray[Any], t: Any, pivot: Any, threshold: Any
) -> None:
    # Both sides of the choice are computed, so that it is done for many pixels at once.
    for x in range(len(line)):
        value = line[x]
        lit = (value - pivot) * (low[x] + rise[x] * t) + pivot
        line[x] = lit if value > threshold else value


@kernel
def _scale_colours(
    line: NDArray[Any], low: NDArray[Any], rise: NDArray[Any], t: Any, pivot: Any, threshold: Any
) -> None:
    width, channels = line.shape
    for x in range(width):
        total = line[x, 0]
        for k in range(1, channels):
            total += line[x, k]
        if not total > threshold * line.dtype.type(channels):
            continue
        for k in range(channels):
            g = k if len(low) > 1 else 0
            line[x, k] = (line[x, k] - pivot) * (low[g, x] + rise[g, x] * t) + pivot


@kernel
def bend(block: NDArray[Any], curve: NDArray[Any], start: Any, step: Any) -> None:
    """Send values through a curve, linear between its nodes and of slope 1 beyond its ends.

    Parameters
    ----------
    block : ndarray
        Of any shape of three axes.
    curve : ndarray, shape (nodes,), in the type of `block`
        Results for ``start``, ``start + step``, and so on.
    start, step : float, in the type of `block`
    """
    last = len(curve) - 1
    top = start + step * block.dtype.type(last)
    share = block.dtype.type(1) / step
    rows, width, channels = block.shape
    for y in range(rows):
        for x in range(width):
            for k in range(channels):
                value = block[y, x, k]
                if value <= start:
                    block[y, x, k] = curve[0] + (value - start)
                elif value >= top:
                    block[y, x, k] = curve[last] + (value - top)
                else:
                    place = (value - start) * share
                    i = min(int(place), last - 1)
                    t = place - block.dtype.type(i)
                    block[y, x, k] = curve[i] + (curve[i + 1] - curve[i]) * t


def bend_power(block: NDArray[Any], nodes: NDArray[Any], top: Any) -> None:
    """Send values through a power curve whose nodes lie at ``top * (i / last) ** 2``, in place.

    So close to zero they lie close together, where a power bends most. Values below zero become
    zero; above `top` the curve goes on straight.
    """
    last = len(nodes) - 1
    kind = block.dtype.type
    # Between nodes i and i + 1, which lie 2 i + 1 apart in units of top / last ** 2, a straight
    # line; it is kept as its value at zero and its slope.
    i = np.arange(last, dtype=np.float64)
    slopes = np.diff(nodes.astype(np.float64)) / (2 * i + 1)
    starts = (nodes[:-1] - slopes * i**2).astype(block.dtype)
    beyond = kind(slopes[-1] * last**2 / float(top))
    found = (starts, slopes.astype(block.dtype), kind(last), beyond, kind(top))
    if block.flags.c_contiguous:
        _bend_line(block.reshape(-1), *found)
        return
    for k in range(block.shape[2]):
        for line in block[..., k]:
            _bend_line(line, *found)


@kernel
def _bend_line(
    line: NDArray[Any], starts: NDArray[Any], slopes: NDArray[Any], last: Any, beyond: Any, top: Any
) -> None:
    kind = line.dtype.type
    zero = kind(0)
    full = last * last
    scale = full / top
    end = np.int32(len(starts) - 1)
    # Without branches, and numbered without a sign: so many pixels are done at once.
    for x in range(len(line)):
        value = line[x]
        place = min(max(value, zero) * scale, full)
        node = np.uint32(min(np.int32(np.sqrt(place)), end))
        line[x] = starts[node] + slopes[node] * place + max(value - top, zero) * beyond
