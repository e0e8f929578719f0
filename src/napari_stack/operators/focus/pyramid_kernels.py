"""Compiled inner loops of the Laplacian pyramid: reduce, expand, pick, and the range of the frames.

Every array of pixels is (y, x, channel) and contiguous; edges are replicated.
"""

from typing import Any

import numpy as np

from napari_stack.core.jit import kernel

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
def _every_second(pixels: Array, channels: int, out: Array) -> None:
    """Copy every second pixel of a line, from the first; strides that are known are quick."""
    count = out.size // channels
    if channels == 1:
        for j in range(count):
            out[j] = pixels[2 * j]
    elif channels == 3:
        for j in range(count):
            out[3 * j] = pixels[6 * j]
            out[3 * j + 1] = pixels[6 * j + 1]
            out[3 * j + 2] = pixels[6 * j + 2]
    else:
        for j in range(count):
            for k in range(channels):
                out[channels * j + k] = pixels[2 * channels * j + k]


@kernel
def _interleave(even: Array, odd: Array, channels: int, out: Array) -> None:
    """Copy the pixels of two lines in turns, as many as there are in `out`."""
    width = out.size // channels
    if channels == 1:
        for j in range(width // 2):
            out[2 * j], out[2 * j + 1] = even[j], odd[j]
    elif channels == 3:
        for j in range(width // 2):
            out[6 * j], out[6 * j + 3] = even[3 * j], odd[3 * j]
            out[6 * j + 1], out[6 * j + 4] = even[3 * j + 1], odd[3 * j + 1]
            out[6 * j + 2], out[6 * j + 5] = even[3 * j + 2], odd[3 * j + 2]
    else:
        for j in range(width // 2):
            for k in range(channels):
                out[2 * channels * j + k] = even[channels * j + k]
                out[2 * channels * j + channels + k] = odd[channels * j + k]
    if width % 2:
        last = width // 2 * channels
        out[2 * last :] = even[last : last + channels]


@kernel
def _replicate(padded: Array, pixels: int, channels: int) -> None:
    """Fill so many pixels at both ends of a line with those next to them."""
    margin = pixels * channels
    inner = padded.size - margin
    for j in range(margin):
        padded[j] = padded[margin + j % channels]
        padded[inner + j] = padded[inner - channels + j % channels]


@kernel
def reduce(image: Array, weights: Array) -> Array:
    """Smooth an image (y, x, channel) and keep every second row and column, from the first."""
    height, width, channels = image.shape
    size = width * channels
    out = np.empty(((height + 1) // 2, (width + 1) // 2, channels), image.dtype)
    padded, smooth = np.empty(size + 4 * channels, image.dtype), np.empty(size, image.dtype)
    middle = padded[2 * channels : 2 * channels + size]
    # The line beside itself: all columns are smoothed, which is quicker than every second one.
    left, near = padded[:size], padded[channels : channels + size]
    far, right = padded[3 * channels : 3 * channels + size], padded[4 * channels :]
    lines, outs = image.reshape(height, -1), out.reshape(out.shape[0], -1)
    for i in range(out.shape[0]):
        a, b, c = lines[max(2 * i - 2, 0)], lines[max(2 * i - 1, 0)], lines[2 * i]
        d, e = lines[min(2 * i + 1, height - 1)], lines[min(2 * i + 2, height - 1)]
        for j in range(size):
            middle[j] = weights[0] * (a[j] + e[j]) + weights[1] * (b[j] + d[j]) + weights[2] * c[j]
        _replicate(padded, 2, channels)
        for j in range(size):
            smooth[j] = (
                weights[0] * (left[j] + right[j])
                + weights[1] * (near[j] + far[j])
                + weights[2] * middle[j]
            )
        _every_second(smooth, channels, outs[i])
    return out


@kernel
def _expand_row(
    row: Array, channels: int, weights: Array, padded: Array, even: Array, odd: Array, out: Array
) -> None:
    twice = weights + weights  # only every second pixel of the finer grid is there
    outer, half, centre = twice[0], twice[1], twice[2]
    size = row.size
    padded[channels : channels + size] = row
    _replicate(padded, 1, channels)
    before, here, after = padded[:size], padded[channels : channels + size], padded[2 * channels :]
    for j in range(size):
        even[j] = outer * (before[j] + after[j]) + centre * here[j]
        odd[j] = half * (here[j] + after[j])
    _interleave(even, odd, channels, out)


@kernel
def add_expanded(fine: Array, coarse: Array, weights: Array, sign: int, out: Array) -> None:
    """Write `fine` + `sign` * (`coarse` at twice its size) to `out`, which may be `fine`."""
    height, width, channels = fine.shape
    twice = weights + weights
    outer, half, centre = twice[0], twice[1], twice[2]
    factor = fine.dtype.type(sign)
    lines = np.empty((3, width * channels), fine.dtype)
    narrow = coarse.reshape(coarse.shape[0], -1)
    padded = np.empty(narrow.shape[1] + 2 * channels, fine.dtype)
    even, odd = np.empty(narrow.shape[1], fine.dtype), np.empty(narrow.shape[1], fine.dtype)
    source, target = fine.reshape(height, -1), out.reshape(height, -1)
    last = coarse.shape[0] - 1
    _expand_row(narrow[0], channels, weights, padded, even, odd, lines[1])
    lines[0] = lines[1]
    for i in range(last + 1):
        before, here, after = i % 3, (i + 1) % 3, (i + 2) % 3
        if i < last:
            _expand_row(narrow[i + 1], channels, weights, padded, even, odd, lines[after])
        else:
            lines[after] = lines[here]
        up, mid, down = lines[before], lines[here], lines[after]
        pixels, written = source[2 * i], target[2 * i]
        for j in range(mid.size):
            smooth = outer * (up[j] + down[j]) + centre * mid[j]
            written[j] = pixels[j] + factor * smooth
        if 2 * i + 1 < height:
            pixels, written = source[2 * i + 1], target[2 * i + 1]
            for j in range(mid.size):
                smooth = half * (mid[j] + down[j])
                written[j] = pixels[j] + factor * smooth


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
def _widen(lows: Array, highs: Array, leasts: Array, mosts: Array) -> None:
    for i in range(lows.size):
        lows[i] = min(lows[i], leasts[i])
        highs[i] = max(highs[i], mosts[i])


@kernel
def widen_range(low: Array, high: Array, least: Array, most: Array) -> None:
    """Widen the range `low` to `high`, in place, so that it holds `least` and `most`."""
    _widen(low.ravel(), high.ravel(), least.ravel(), most.ravel())


@kernel
def widen_range_where(low: Array, high: Array, values: Array, valid: Array) -> None:
    """Widen the range, in place, so that it holds the valid pixels of a frame."""
    _, width, channels = low.shape
    for i in range(low.shape[0]):
        lows, highs, pixels = low[i].ravel(), high[i].ravel(), values[i].ravel()
        counts = valid[i]
        first = 0
        while first < width:  # pixels that count come in long runs
            last = first
            while last < width and counts[last]:
                last += 1
            begin, end = first * channels, last * channels
            run = pixels[begin:end]
            _widen(lows[begin:end], highs[begin:end], run, run)
            first = last + 1
