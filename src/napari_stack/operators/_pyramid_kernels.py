"""Compiled inner loops of the Laplacian pyramid: reduce, expand, pick, and the range of the frames.

Every array of pixels is (y, x, channel) and contiguous; edges are replicated.
"""

from typing import Any

import numpy as np

from napari_stack.jit import kernel

Array = np.ndarray[Any, Any]


def generating_weights(parameter: float, dtype: np.dtype[Any]) -> Array:
    """Return the five weights of the generating kernel of Burt and Adelson (1983).

    Parameters
    ----------
    parameter : float
        The central weight a; 0.4 is close to a Gaussian, 0.5 to a triangle.
    dtype : dtype
        Type of the pixels the weights are for, so that products stay in that type.

    Returns
    -------
    (5,) ndarray
        1/4 - a/2, 1/4, a, 1/4, 1/4 - a/2.
    """
    outer = 0.25 - parameter / 2
    return np.array([outer, 0.25, parameter, 0.25, outer], dtype)


@kernel
def _reduce_row(row: Array, weights: Array, out: Array) -> None:
    width, channels = row.shape
    for j in range(out.shape[0]):
        a, b = max(2 * j - 2, 0), max(2 * j - 1, 0)
        d, e = min(2 * j + 1, width - 1), min(2 * j + 2, width - 1)
        for k in range(channels):
            out[j, k] = (
                weights[0] * (row[a, k] + row[e, k])
                + weights[1] * (row[b, k] + row[d, k])
                + weights[2] * row[2 * j, k]
            )


@kernel
def reduce(image: Array, weights: Array) -> Array:
    """Smooth an image (y, x, channel) and keep every second row and column, from the first."""
    height, width, channels = image.shape
    out = np.empty(((height + 1) // 2, (width + 1) // 2, channels), image.dtype)
    row = np.empty((width, channels), image.dtype)
    flat = row.reshape(-1)
    lines = image.reshape(height, -1)
    for i in range(out.shape[0]):
        a, b, c = lines[max(2 * i - 2, 0)], lines[max(2 * i - 1, 0)], lines[2 * i]
        d, e = lines[min(2 * i + 1, height - 1)], lines[min(2 * i + 2, height - 1)]
        for j in range(flat.size):
            flat[j] = weights[0] * (a[j] + e[j]) + weights[1] * (b[j] + d[j]) + weights[2] * c[j]
        _reduce_row(row, weights, out[i])
    return out


@kernel
def _expand_row(row: Array, outer: float, centre: float, half: float, out: Array) -> None:
    last = row.shape[0] - 1
    for j in range(out.shape[0]):
        m = j // 2
        after = min(m + 1, last)
        if j % 2:
            for k in range(row.shape[1]):
                out[j, k] = half * (row[m, k] + row[after, k])
        else:
            before = max(m - 1, 0)
            for k in range(row.shape[1]):
                out[j, k] = outer * (row[before, k] + row[after, k]) + centre * row[m, k]


@kernel
def add_expanded(fine: Array, coarse: Array, weights: Array, sign: int, out: Array) -> None:
    """Write `fine` + `sign` * (`coarse` at twice its size) to `out`, which may be `fine`."""
    height, width, channels = fine.shape
    twice = weights + weights  # only every second pixel of the finer grid is there
    outer, half, centre = twice[0], twice[1], twice[2]
    factor = fine.dtype.type(sign)
    rows = np.empty((3, width, channels), fine.dtype)
    flat = rows.reshape(3, -1)
    source, target = fine.reshape(height, -1), out.reshape(height, -1)
    last = coarse.shape[0] - 1
    _expand_row(coarse[0], outer, centre, half, rows[1])
    rows[0] = rows[1]
    for i in range(last + 1):
        before, here, after = i % 3, (i + 1) % 3, (i + 2) % 3
        if i < last:
            _expand_row(coarse[i + 1], outer, centre, half, rows[after])
        else:
            rows[after] = rows[here]
        up, mid, down = flat[before], flat[here], flat[after]
        for j in range(mid.size):
            smooth = outer * (up[j] + down[j]) + centre * mid[j]
            target[2 * i, j] = source[2 * i, j] + factor * smooth
        if 2 * i + 1 < height:
            for j in range(mid.size):
                smooth = half * (mid[j] + down[j])
                target[2 * i + 1, j] = source[2 * i + 1, j] + factor * smooth


@kernel
def weighted_sum(image: Array, weights: Array) -> Array:
    """Return the (y, x) sum over the channels, each times its weight."""
    height, width, channels = image.shape
    out = np.empty((height, width), image.dtype)
    for i in range(height):
        for j in range(width):
            total = weights[0] * image[i, j, 0]
            for k in range(1, channels):
                total += weights[k] * image[i, j, k]
            out[i, j] = total
    return out


@kernel
def keep_larger(best: Array, pixels: Array, energy: Array, candidate: Array) -> None:
    """Take the candidate's pixels, in place, where its energy is above the best so far."""
    for i in range(best.shape[0]):
        for j in range(best.shape[1]):
            if energy[i, j] > best[i, j]:
                best[i, j] = energy[i, j]
                for k in range(pixels.shape[2]):
                    pixels[i, j, k] = candidate[i, j, k]


@kernel
def widen_range(low: Array, high: Array, least: Array, most: Array) -> None:
    """Widen the range `low` to `high`, in place, so that it holds `least` and `most`."""
    lows, highs, leasts, mosts = low.ravel(), high.ravel(), least.ravel(), most.ravel()
    for i in range(lows.size):
        lows[i] = min(lows[i], leasts[i])
        highs[i] = max(highs[i], mosts[i])


@kernel
def widen_range_where(low: Array, high: Array, values: Array, valid: Array) -> None:
    """Widen the range, in place, so that it holds the valid pixels of a frame."""
    for i in range(low.shape[0]):
        for j in range(low.shape[1]):
            if valid[i, j]:
                for k in range(low.shape[2]):
                    low[i, j, k] = min(low[i, j, k], values[i, j, k])
                    high[i, j, k] = max(high[i, j, k], values[i, j, k])
