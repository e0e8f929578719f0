"""The compiled loops of Laplacian pyramids: reduce, expand, select, measure energy, add up.

Kernels take arrays of one or two dimensions, do not call each other and assign no slices: the
compiler takes seconds more for kernels that do, whenever they are used for the first time.
"""

from typing import Any

import numpy as np

from napari_stack.core.system.jit import kernel

Array = np.ndarray[Any, Any]


#: Weight of the generating kernel at its centre: 0.4 is close to a Gaussian, 0.5 to a triangle.
CENTRE = 0.4

# Planes of no pixels: all pixels are valid, all frames count.
EVERYWHERE = np.empty(0, np.float32)
ALL_FRAMES = (np.empty(0, np.uint16), np.empty(0, np.uint16))


def generating_weights(centre: float, dtype: np.dtype[Any]) -> Array:
    """Return the five weights of the generating kernel of Burt and Adelson (1983), as a type."""
    outer = 0.25 - centre / 2
    return np.array([outer, 0.25, centre, 0.25, outer], dtype)


def flat(array: Array) -> Array:
    """View an array that is written to in one dimension; a copy would lose what is written."""
    if not array.flags.c_contiguous:
        raise AssertionError("only a contiguous array can be written to")
    return array.reshape(-1)


def _lines(image: Array) -> Array:
    return image.reshape(image.shape[0], -1)


def reduce(image: Array, centre: float = CENTRE) -> Array:
    """Smooth an image (y, x, channel) and keep every second row and column, from the first."""
    height, width, channels = image.shape
    out = np.empty(((height + 1) // 2, (width + 1) // 2, channels), image.dtype)
    buffers = np.empty((2, (width + 4) * channels), image.dtype)
    weights = generating_weights(centre, image.dtype)
    _reduce(_lines(image), weights, channels, buffers, _lines(out))
    return out


@kernel
def _reduce(lines: Array, weights: Array, channels: int, buffers: Array, out: Array) -> None:
    padded, smooth = buffers[0], buffers[1]
    height, size = lines.shape
    outer, inner, centre = weights[0], weights[1], weights[2]
    # The padded line beside itself: all columns are smoothed, which is quicker than half of them.
    near, here = padded[channels:], padded[2 * channels :]
    far, right = padded[3 * channels :], padded[4 * channels :]
    for i in range(out.shape[0]):
        a, b, c = lines[max(2 * i - 2, 0)], lines[max(2 * i - 1, 0)], lines[2 * i]
        d, e = lines[min(2 * i + 1, height - 1)], lines[min(2 * i + 2, height - 1)]
        for j in range(size):
            here[j] = outer * (a[j] + e[j]) + inner * (b[j] + d[j]) + centre * c[j]
        for j in range(2 * channels):
            padded[j] = here[j % channels]
            here[size + j] = here[size - channels + j % channels]
        for j in range(size):
            smooth[j] = (
                outer * (padded[j] + right[j]) + inner * (near[j] + far[j]) + centre * here[j]
            )
        line = out[i]
        for k in range(channels):
            for j in range(line.size // channels):
                line[channels * j + k] = smooth[2 * channels * j + k]


def add_expanded(fine: Array, coarse: Array, sign: int, out: Array, centre: float = CENTRE) -> None:
    """Write `fine` + `sign` * (`coarse` at twice its size) to `out`, which may be `fine`."""
    channels, dtype = fine.shape[2], fine.dtype
    size = coarse.shape[1] * channels
    narrow = np.empty((3, size + 2 * channels), dtype)
    wide = np.empty((3, 2 * size), dtype)
    # Twice the weights: only every second pixel of the finer grid is there.
    weights, factor = 2 * generating_weights(centre, dtype), dtype.type(sign)
    lines = flat(out).reshape(out.shape[0], -1)
    _add_expanded(_lines(fine), _lines(coarse), weights, channels, factor, narrow, wide, lines)


@kernel
def _add_expanded(
    fine: Array,
    coarse: Array,
    weights: Array,
    channels: int,
    factor: float,
    narrow: Array,
    wide: Array,
    out: Array,
) -> None:
    """Expand rows one after another, the last three of which are held, and smooth between them."""
    outer, half, centre = weights[0], weights[1], weights[2]
    rows, size = coarse.shape
    even, odd, padded = narrow[0], narrow[1], narrow[2]
    here, after = padded[channels:], padded[2 * channels :]
    for i in range(rows + 1):
        if i < rows:
            row, line = coarse[i], wide[i % 3]
            for j in range(size):
                here[j] = row[j]
            for j in range(channels):
                padded[j] = row[j]
                here[size + j] = row[size - channels + j]
            for j in range(size):
                even[j] = outer * (padded[j] + after[j]) + centre * here[j]
                odd[j] = half * (here[j] + after[j])
            if channels == 1:  # strides that are known make quick loops
                for j in range(size):
                    line[2 * j], line[2 * j + 1] = even[j], odd[j]
            elif channels == 3:
                for j in range(size // 3):
                    line[6 * j], line[6 * j + 3] = even[3 * j], odd[3 * j]
                    line[6 * j + 1], line[6 * j + 4] = even[3 * j + 1], odd[3 * j + 1]
                    line[6 * j + 2], line[6 * j + 5] = even[3 * j + 2], odd[3 * j + 2]
            else:
                for k in range(channels):
                    for j in range(size // channels):
                        line[2 * channels * j + k] = even[channels * j + k]
                        line[2 * channels * j + channels + k] = odd[channels * j + k]
        if i == 0:
            continue
        middle = wide[(i - 1) % 3]
        above = wide[(i - 2) % 3] if i > 1 else middle
        below = wide[i % 3] if i < rows else middle
        pixels, written = fine[2 * i - 2], out[2 * i - 2]
        for j in range(pixels.size):
            smooth = outer * (above[j] + below[j]) + centre * middle[j]
            written[j] = pixels[j] + factor * smooth
        if 2 * i - 1 < fine.shape[0]:
            pixels, written = fine[2 * i - 1], out[2 * i - 1]
            for j in range(pixels.size):
                smooth = half * (middle[j] + below[j])
                written[j] = pixels[j] + factor * smooth


def keep_larger(best: Array, pixels: Array, energy: Array, candidate: Array) -> None:
    """Take the candidate's pixels, in place, where its energy is above the best so far."""
    _keep_larger(flat(best), flat(pixels), energy.reshape(-1), candidate.reshape(-1))


@kernel
def _keep_larger(best: Array, pixels: Array, energy: Array, candidate: Array) -> None:
    channels = pixels.size // best.size
    for i in range(best.size):
        if energy[i] > best[i]:
            best[i] = energy[i]
            for k in range(i * channels, (i + 1) * channels):
                pixels[k] = candidate[k]


def window_mean(plane: Array, centre: float, side: float, scale: float, floor: float) -> Array:
    """Return `scale` * the mean of |plane| + `floor`; weights are side, centre, side both ways."""
    out = np.empty(plane.shape, np.float32)
    _window_mean(plane, centre, side, scale, floor, np.empty(plane.shape[1] + 2, np.float32), out)
    return out


@kernel
def _window_mean(
    plane: Array, centre: float, side: float, scale: float, floor: float, row: Array, out: Array
) -> None:
    height, width = plane.shape
    for i in range(height):
        here, up, down = plane[i], plane[max(i - 1, 0)], plane[min(i + 1, height - 1)]
        mean = out[i]
        for j in range(width):
            row[j + 1] = side * (abs(up[j]) + abs(down[j])) + centre * abs(here[j])
        row[0], row[width + 1] = row[1], row[width]
        for j in range(width):
            mean[j] = scale * (side * (row[j] + row[j + 2]) + centre * row[j + 1]) + floor


def add_weighted(
    total: Array,
    weight: Array,
    values: Array,
    energy: Array,
    *,
    squarings: int = 0,
    support: Array = EVERYWHERE,
    frames: tuple[Array, Array] = ALL_FRAMES,
    index: int = 0,
) -> None:
    """Add a frame's values (y, x, channel) and their weights, powers of the energy, in place.

    Parameters
    ----------
    total, weight : ndarray
        Sums so far.
    values, energy : ndarray
    squarings : int
        The power is 2 to this number.
    support : (y, x) ndarray
        Further weights, for pixels that are not valid.
    frames : two (y, x) ndarray
        The first and last frame that count at each pixel.
    index : int
        Number of the frame.
    """
    planes = (plane.reshape(-1) for plane in (values, energy, support, *frames))
    _add_weighted(flat(total), flat(weight), *planes, index, squarings)


@kernel
def _add_weighted(
    total: Array,
    weight: Array,
    values: Array,
    energy: Array,
    support: Array,
    first: Array,
    last: Array,
    index: int,
    squarings: int,
) -> None:
    channels = total.size // weight.size
    limited, partial = first.size > 0, support.size > 0
    for i in range(weight.size):
        if not limited or first[i] <= index <= last[i]:
            power = energy[i]
            for _ in range(squarings):
                power *= power
            if partial:
                power *= support[i]
            weight[i] += power
            for k in range(i * channels, (i + 1) * channels):
                total[k] += power * values[k]


def divide(total: Array, weight: Array) -> None:
    """Divide a sum by its weight, in place; what has no weight stays 0."""
    _divide(flat(total), flat(weight))


@kernel
def _divide(total: Array, weight: Array) -> None:
    channels = total.size // weight.size
    for i in range(weight.size):
        if weight[i] > 0:
            for k in range(i * channels, (i + 1) * channels):
                total[k] /= weight[i]
