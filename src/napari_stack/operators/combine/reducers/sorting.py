"""Put the values of each pixel in order: exchanges for many pixels at once, a sort for one."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel

#: Bytes of all frames that are worked on at a time: they stay in a core's own cache.
_TILE_BYTES = 48 * 1024


def tile_width(frames: int, itemsize: int, most: int) -> int:
    """Pixels worked on at a time: a multiple of 32, and at most `most`."""
    return int(np.clip(_TILE_BYTES // (frames * itemsize) // 32 * 32, 32, most))


@cache
def selection_network(count: int, first: int, last: int) -> NDArray[np.int32]:
    """Exchanges that bring the values of some ranks to their places, and no more.

    They are those of a merge sort (Batcher 1968) without the ones that do not matter for these
    ranks. Whatever the values are, the exchanges are the same: so they run on many pixels at once.

    Parameters
    ----------
    count : int
        Number of values.
    first, last : int
        Ranks wanted, counted from 0, the last one included.

    Returns
    -------
    ndarray of int32, shape (exchanges, 2)
        Pairs of places; the lesser value goes to the first of a pair.
    """
    wanted = np.zeros(count, bool)
    wanted[first : last + 1] = True
    pairs = sorting_network(count)
    if wanted.all():
        return pairs
    kept = []
    for low, high in pairs[::-1].tolist():
        if wanted[low] or wanted[high]:
            wanted[low] = wanted[high] = True
            kept.append((low, high))
    return np.array(kept[::-1], np.int32).reshape(-1, 2)


@cache
def sorting_network(count: int) -> NDArray[np.int32]:
    """Exchanges of Batcher's odd-even merge sort, in order (Knuth 1998, algorithm 5.2.2M)."""
    steps = [np.empty((0, 2), np.int64)]
    block = 1
    while block < count:
        step = block
        while step >= 1:
            place = np.arange(count - step)
            low = place[(place - step % block) // step % 2 == 0]
            low = low[low >= step % block]
            low = low[low // (2 * block) == (low + step) // (2 * block)]
            steps.append(np.column_stack([low, low + step]))
            step //= 2
        block *= 2
    return np.concatenate(steps).astype(np.int32)


@inner_kernel
def put_in_order(
    lines: NDArray[Any], left: int, width: int, exchanges: NDArray[np.int32], tile: NDArray[Any]
) -> None:  # pragma: no cover
    """Copy columns of all frames to a tile, and put the values of each in order by exchanges."""
    for frame in range(lines.shape[0]):
        line, copy = lines[frame, left : left + width], tile[frame]
        for i in range(width):
            copy[i] = line[i]
    for pair in range(exchanges.shape[0]):
        low, high = tile[exchanges[pair, 0]], tile[exchanges[pair, 1]]
        for i in range(width):
            one, other = low[i], high[i]
            low[i] = min(one, other)
            high[i] = max(one, other)


@inner_kernel
def sort(values: NDArray[np.float64], count: int) -> None:  # pragma: no cover
    """Put the first `count` values in order (Shell 1959, with the gaps of Ciura 2001).

    numba's own sort takes seconds to compile.
    """
    for gap in (1750, 701, 301, 132, 57, 23, 10, 4, 1):
        if gap > 1 and (count <= gap or count < 24):  # few are put in at once
            continue
        for i in range(gap, count):
            value = values[i]
            j = i
            while j >= gap and values[j - gap] > value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
