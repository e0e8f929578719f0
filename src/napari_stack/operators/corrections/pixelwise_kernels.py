"""Pixel kernels that change rows of a frame in place: gains, smooth gains, curves."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import kernel, summing_kernel

#: Nodes of a smooth gain that are expanded at a time: what is made of them stays in the cache.
_TILE_NODES = 64


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
    if block.shape[2] == 1:  # a view that is known to lie in one piece: the loops are vectorised
        plane = block.reshape(block.shape[:2]) if block.flags.c_contiguous else block[..., 0]
        _smooth_plane(plane, grid[0], spacing, first, pivot, threshold)
    else:
        _smooth_colours(block, grid, spacing, first, pivot, threshold)


@kernel
def _smooth_plane(
    plane: NDArray[Any], grid: NDArray[Any], spacing: int, first: int, pivot: Any, threshold: Any
) -> None:
    rows, width = plane.shape
    tile = spacing * _TILE_NODES
    low, rise = np.empty(tile, plane.dtype), np.empty(tile, plane.dtype)
    top = 0
    while top < rows:
        node = (first + top) // spacing
        bottom = min((node + 1) * spacing - first, rows)
        for left in range(0, width, tile):
            right = min(left + tile, width)
            i = left // spacing
            _expand_two(grid[node, i:], grid[node + 1, i:], spacing, low, rise)
            for y in range(top, bottom):
                t = plane.dtype.type((first + y) % spacing)
                _scale_line(plane[y, left:right], low, rise, t, pivot, threshold)
        top = bottom


@kernel
def _smooth_colours(
    block: NDArray[Any], grid: NDArray[Any], spacing: int, first: int, pivot: Any, threshold: Any
) -> None:
    rows, width, _ = block.shape
    tile = spacing * _TILE_NODES
    low = np.empty((len(grid), tile), block.dtype)
    rise = np.empty((len(grid), tile), block.dtype)
    top = 0
    while top < rows:
        node = (first + top) // spacing
        bottom = min((node + 1) * spacing - first, rows)
        for left in range(0, width, tile):
            right = min(left + tile, width)
            i = left // spacing
            for g in range(len(grid)):
                _expand_two(grid[g, node, i:], grid[g, node + 1, i:], spacing, low[g], rise[g])
            for y in range(top, bottom):
                t = block.dtype.type((first + y) % spacing)
                _scale_colours(block[y, left:right], low, rise, t, pivot, threshold)
        top = bottom


@kernel
def _expand_two(
    above: NDArray[Any], below: NDArray[Any], spacing: int, low: NDArray[Any], rise: NDArray[Any]
) -> None:
    # Gains of a line of pixels at one row of nodes, and their rise a row towards the next.
    share = low.dtype.type(1) / low.dtype.type(spacing)
    for i in range(min(_TILE_NODES, len(above) - 1)):
        start = i * spacing
        a, b = above[i], (above[i + 1] - above[i]) * share
        c, d = (below[i] - a) * share, (below[i + 1] - below[i] - above[i + 1] + a) * share * share
        for j in range(spacing):
            low[start + j] = a + b * low.dtype.type(j)
            rise[start + j] = c + d * low.dtype.type(j)


@kernel
def _scale_line(
    line: NDArray[Any], low: NDArray[Any], rise: NDArray[Any], t: Any, pivot: Any, threshold: Any
) -> None:
    # What is chosen is a factor, not what is stored: so it is done for many pixels at once.
    one, zero = line.dtype.type(1), line.dtype.type(0)
    for x in range(len(line)):
        value = line[x]
        more = low[x] + rise[x] * t - one
        line[x] = value + (value - pivot) * (more if value > threshold else zero)


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


def bend_power(block: NDArray[Any], power: float, top: float) -> None:
    """Send values through ``top * (v / top) ** power``, in place.

    Values below zero become zero; above `top` the curve goes on straight. In float32 a result is
    right to 1e-6 of itself, or to 1e-6 times the power where that is more.
    """
    kind = block.dtype.type
    if block.dtype != np.float32:
        beyond = np.maximum(block - kind(top), 0) * kind(power)
        block[...] = top * np.clip(block / kind(top), 0, 1) ** kind(power) + beyond
    elif block.flags.c_contiguous:
        _power_line(block.reshape(-1), kind(power), kind(top))
    else:
        _power_lines(block, kind(power), kind(top))


@kernel
def _power_lines(block: NDArray[Any], power: Any, top: Any) -> None:
    for y in range(block.shape[0]):
        for k in range(block.shape[2]):
            _power_line(block[y, :, k], power, top)


#: Of ``log2(1 + t)`` from t on, where 1 + t lies between the root of a half and that of 2, and of
#: ``2 ** r`` from r on, where r lies between -0.5 and 0.5: least squares at Chebyshev's points.
_LOG = np.array(
    [1.44269494, -0.721352626, 0.480928146, -0.36025313,
     0.286957062, -0.248550456, 0.235069467, -0.148176227],
    np.float32,
)  # fmt: skip
_EXP = np.array([0.693146856, 0.24022238, 0.0555089295, 0.00967169794, 0.00132186725], np.float32)


@summing_kernel
def _power_line(line: NDArray[Any], power: Any, top: Any) -> None:
    # 2 ** (power * log2(value / top)): a number's exponent is the whole part of its logarithm, so
    # no table is read, and many pixels are done at once. For that, choices are made of factors.
    one, half, zero = np.float32(1), np.float32(0.5), np.float32(0)
    share, least = one / top, np.float32(2.0**-126)
    root_half, places = np.int32(0x3F3504F3), np.int32(23)
    for x in range(len(line)):
        value = line[x]
        bits = np.float32(min(max(value * share, least), one)).view(np.int32)
        exponent = np.int32(np.int32(bits - root_half) >> places)
        t = np.int32(bits - np.int32(exponent << places)).view(np.float32) - one
        log = _LOG[6] + t * _LOG[7]
        log = _LOG[4] + t * (_LOG[5] + t * log)
        log = t * (_LOG[0] + t * (_LOG[1] + t * (_LOG[2] + t * (_LOG[3] + t * log))))
        log = max(power * (np.float32(exponent) + log), np.float32(-126))
        whole = np.floor(log + half)
        r = log - whole
        part = one + r * (_EXP[0] + r * (_EXP[1] + r * (_EXP[2] + r * (_EXP[3] + r * _EXP[4]))))
        bits = np.float32(part).view(np.int32) + np.int32(np.int32(whole) << places)
        found = np.int32(bits).view(np.float32) * (top if value > zero else zero)
        line[x] = found + max(value - top, zero) * power
