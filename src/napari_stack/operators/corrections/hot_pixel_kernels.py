"""Kernels for defective pixels: how far pixels stand out of their neighbours, and their repair."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inlined_kernel, kernel

#: Half a side of a square at most that is searched for good pixels.
_FARTHEST = 50

#: Good neighbours that are taken for a median at most: a square of 31 pixels.
_MOST = 1024


@inlined_kernel
def _median_of_8(
    a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any
) -> Any:  # pragma: no cover
    """Mean of the 4th and the 5th, by exchanges of a merge sort (Batcher 1968).

    They are written out, so that loops over them are vectorised.
    """
    a, b = min(a, b), max(a, b)
    c, d = min(c, d), max(c, d)
    a, c = min(a, c), max(a, c)
    b, d = min(b, d), max(b, d)
    b, c = min(b, c), max(b, c)
    e, f = min(e, f), max(e, f)
    g, h = min(g, h), max(g, h)
    e, g = min(e, g), max(e, g)
    f, h = min(f, h), max(f, h)
    f, g = min(f, g), max(f, g)
    a, e = min(a, e), max(a, e)
    c, g = min(c, g), max(c, g)
    c, e = min(c, e), max(c, e)
    b, f = min(b, f), max(b, f)
    d, h = min(d, h), max(d, h)
    d, f = min(d, f), max(d, f)
    d, e = min(d, e), max(d, e)
    return (d + e) * 0.5


@kernel
def excess(
    values: NDArray[Any],
    first: int,
    step: int,
    noise: NDArray[np.float64],
    out: NDArray[Any],
) -> None:  # pragma: no cover
    """Take how far pixels stand out of the median of eight others, in units of the noise.

    Parameters
    ----------
    values : ndarray, shape (rows, x)
        Rows of a frame and those `step` above and below, where there are such.
    first : int
        Where the rows asked for begin.
    step : int
        How far the eight are away, to the sides and at the corners; beyond the border of the frame
        those on the other side stand in.
    noise : ndarray, shape (2 + k,)
        Where levels begin, entries for a root of the level above, and the noise by level.
    out : ndarray, shape (rows asked for, x)
    """
    height, width = values.shape
    level = np.empty(width, values.dtype)
    last = noise.size - 3
    for row in range(out.shape[0]):
        y = first + row
        above = y - step if y >= step else (y + step if y + step < height else y)
        below = y + step if y + step < height else (y - step if y >= step else y)
        up, here, down = values[above], values[y], values[below]
        for x in range(step, width - step):
            left, right = x - step, x + step
            level[x] = _median_of_8(
                up[left],
                up[x],
                up[right],
                here[left],
                here[right],
                down[left],
                down[x],
                down[right],
            )
        for k in range(2 * min(step, width)):
            x = k if k < step else width - 1 - (k - step)
            if x < 0 or x >= width:
                continue
            left = x - step if x >= step else (x + step if x + step < width else x)
            right = x + step if x + step < width else (x - step if x >= step else x)
            level[x] = _median_of_8(
                up[left],
                up[x],
                up[right],
                here[left],
                here[right],
                down[left],
                down[x],
                down[right],
            )
        for x in range(width):
            over = level[x] - noise[0]
            place = int(np.sqrt(over) * noise[1] + 0.5) if over > 0 else 0
            out[row, x] = (here[x] - level[x]) / noise[2 + (place if place < last else last)]


@kernel
def reaches(
    mask: NDArray[np.bool_], places: NDArray[np.int64], least: int, step: int
) -> NDArray[np.int64]:
    """Half a side of the square around each defective pixel that holds a good one, in steps.

    Parameters
    ----------
    mask : ndarray of bool, shape (y, x, channel)
    places : ndarray of int, shape (n, 3)
    least : int
    step : int
        From one neighbour to the next.
    """
    height, width, _ = mask.shape
    found = np.empty(len(places), np.int64)
    for n in range(len(places)):
        y, x, k = places[n]
        reach = least
        while reach < _FARTHEST:
            good = False
            for j in range(y - reach * step, y + reach * step + 1, step):
                for i in range(x - reach * step, x + reach * step + 1, step):
                    if 0 <= j < height and 0 <= i < width:
                        good = good or not mask[j, i, k]
            if good:
                break
            reach += 1
        found[n] = reach
    return found


@kernel
def repair(
    pixels: NDArray[Any],
    mask: NDArray[np.bool_],
    places: NDArray[np.int64],
    first: int,
    step: int,
    median: bool,
) -> None:
    """Replace defective pixels by what their good neighbours say, in place.

    Parameters
    ----------
    pixels : ndarray, shape (rows, x, channel)
        Rows of a frame, from row `first` on.
    mask : ndarray of bool, shape (y, x, 1 or channel)
        Of the whole frame; one channel counts for all.
    places : ndarray of int, shape (n, 4)
        Row in the frame, column, channel and reach of the pixels to repair.
    first : int
    step : int
        From one neighbour to the next.
    median : bool
        Take the median, else the mean.
    """
    height = min(first + pixels.shape[0], mask.shape[0])
    width, every = pixels.shape[1], pixels.shape[2]
    joint = mask.shape[2] == 1
    found = np.empty(_MOST, pixels.dtype)
    for n in range(len(places)):
        y, x, channel, reach = places[n]
        for k in range(0 if joint else channel, every if joint else channel + 1):
            count = 0
            total = 0.0
            for j in range(y - reach * step, y + reach * step + 1, step):
                for i in range(x - reach * step, x + reach * step + 1, step):
                    if j < first or j >= height or i < 0 or i >= width:
                        continue
                    if not mask[j, i, channel] and count < _MOST:
                        found[count] = pixels[j - first, i, k]
                        total += found[count]
                        count += 1
            if count == 0:
                continue
            if median:
                pixels[y - first, x, k] = np.median(found[:count])
            else:
                pixels[y - first, x, k] = total / count
