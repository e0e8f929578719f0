"""Kernels that clip many neighbouring pixels at once, of which the values are put in order.

What strays lies at the ends of the ordered values: so a pixel is a window of them that shrinks.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.jit import kernel
from napari_stack.operators.combine.clip_pixel import (
    DEVIATION,
    MAD,
    MAD_TO_SIGMA,
    MEAN,
    MEDIAN,
    WINSORISED,
    narrow,
    shrink,
)
from napari_stack.operators.combine.clip_tiles import (
    COUNT,
    FIRST,
    ROOM,
    SQUARES,
    STATE,
    TILE,
    TOTAL,
    add_up,
    mark,
    write,
)


@kernel
def put_in_order(
    lines: NDArray[Any], left: int, width: int, exchanges: NDArray[np.int32], tile: NDArray[Any]
) -> None:  # pragma: no cover
    """Copy columns of all frames, and put the values of each in order."""
    for frame in range(lines.shape[0]):
        tile[frame, :width] = lines[frame, left : left + width]
    for pair in range(exchanges.shape[0]):
        low, high = tile[exchanges[pair, 0]], tile[exchanges[pair, 1]]
        for i in range(width):
            one, other = low[i], high[i]
            low[i] = min(one, other)
            high[i] = max(one, other)


# Parts of the room: medians, spreads, and what is needed for a while.
_MEDIAN, _SPREAD, _OTHER, _LEAST, _MOST = (TILE * part for part in range(5))


@kernel
def _find_medians(
    tile: NDArray[Any], frames: int, width: int, room: NDArray[np.float64]
) -> None:  # pragma: no cover
    below, above = tile[(frames - 1) // 2], tile[frames // 2]
    for i in range(width):
        room[_MEDIAN + i] = 0.5 * (float(below[i]) + float(above[i]))


@kernel
def _find_distances(
    tile: NDArray[Any], frames: int, rank: int, width: int, room: NDArray[np.float64]
) -> None:  # pragma: no cover
    """Find the distance from the median of a rank, counted from 1.

    Distances to the left and to the right are in order each. The k-th least of both is the least,
    over all i, of the greater one of the i-th on the left and the (k - i)-th on the right.
    """
    half = frames // 2
    for i in range(width):
        room[_SPREAD + i] = np.inf
    for taken in range(max(0, rank - (frames - half)), min(rank, half) + 1):
        before, after = tile[half - max(taken, 1)], tile[half + max(rank - taken, 1) - 1]
        if taken == 0:
            for i in range(width):
                farther = float(after[i]) - room[_MEDIAN + i]
                room[_SPREAD + i] = min(room[_SPREAD + i], farther)
        elif taken == rank:
            for i in range(width):
                farther = room[_MEDIAN + i] - float(before[i])
                room[_SPREAD + i] = min(room[_SPREAD + i], farther)
        else:
            for i in range(width):
                median = room[_MEDIAN + i]
                farther = max(median - float(before[i]), float(after[i]) - median)
                room[_SPREAD + i] = min(room[_SPREAD + i], farther)


@kernel
def _find_mads(
    tile: NDArray[Any], frames: int, width: int, room: NDArray[np.float64]
) -> None:  # pragma: no cover
    """Find the median distance from the median, as a standard deviation."""
    _find_distances(tile, frames, frames // 2 + 1, width, room)
    if frames % 2 == 0:
        for i in range(width):
            room[_OTHER + i] = room[_SPREAD + i]
        _find_distances(tile, frames, frames // 2, width, room)
        for i in range(width):
            room[_SPREAD + i] = 0.5 * (room[_SPREAD + i] + room[_OTHER + i])
    for i in range(width):
        room[_SPREAD + i] *= MAD_TO_SIGMA


@kernel
def _find_strays(
    tile: NDArray[Any],
    frames: int,
    width: int,
    low: float,
    high: float,
    centre: int,
    spread: int,
    state: NDArray[np.float64],
    room: NDArray[np.float64],
    stray: NDArray[np.bool_],
) -> None:  # pragma: no cover
    """Mark pixels of which any value strays; those too whose spread is 0 by a robust measure.

    The values are in order, and the state holds the sums of all, where they are needed.
    """
    if centre == MEDIAN or spread == MAD:
        _find_medians(tile, frames, width, room)
    if spread == MAD:
        _find_mads(tile, frames, width, room)
    else:
        for i in range(width):
            room[_SPREAD + i] = np.sqrt(state[SQUARES + i] / frames)
    if centre == MEAN:
        for i in range(width):
            room[_MEDIAN + i] = state[FIRST + i] + state[TOTAL + i] / frames
    lowest, highest = tile[0], tile[frames - 1]
    for i in range(width):
        middle, deviation = room[_MEDIAN + i], room[_SPREAD + i]
        least, most = middle - low * deviation, middle + high * deviation
        room[_LEAST + i], room[_MOST + i] = least, most
        same = (deviation == 0) & (lowest[i] != highest[i])
        stray[i] = (float(lowest[i]) < least) | (float(highest[i]) > most) | same


@kernel
def _sum_kept(
    tile: NDArray[Any],
    frames: int,
    width: int,
    lower: NDArray[Any],
    upper: NDArray[Any],
    state: NDArray[np.float64],
) -> None:  # pragma: no cover
    """Sum up what lies from `lower` to `upper`: number, distances from the middle one, squares."""
    middle = tile[frames // 2]
    for i in range(width):
        state[FIRST + i] = float(middle[i])
        state[COUNT + i] = state[TOTAL + i] = state[SQUARES + i] = 0.0
    for frame in range(frames):
        line = tile[frame]
        for i in range(width):
            inside = (line[i] >= lower[i]) & (line[i] <= upper[i])
            distance = float(line[i]) - state[FIRST + i]
            distance = distance if inside else 0.0
            state[COUNT + i] += 1.0 if inside else 0.0
            state[TOTAL + i] += distance
            state[SQUARES + i] += distance * distance
    for i in range(width):
        total = state[TOTAL + i]
        state[SQUARES + i] = max(state[SQUARES + i] - total * (total / state[COUNT + i]), 0.0)


@kernel
def _count_rejected(
    lines: NDArray[Any],
    left: int,
    width: int,
    lower: NDArray[Any],
    upper: NDArray[Any],
    tally: NDArray[np.uint32],
) -> None:  # pragma: no cover
    """Count what lies outside in each frame."""
    for frame in range(lines.shape[0]):
        line = lines[frame, left : left + width]
        count = 0
        for i in range(width):
            count += (line[i] < lower[i]) | (line[i] > upper[i])
        tally[frame] += np.uint32(count)


@kernel
def _narrow_strays(
    tile: NDArray[Any],
    frames: int,
    places: NDArray[np.int64],
    low: float,
    high: float,
    centre: int,
    spread: int,
    iterations: int,
    unit: float,
    work: NDArray[np.float64],
    room: NDArray[np.float64],
    lower: NDArray[Any],
    upper: NDArray[Any],
) -> None:  # pragma: no cover
    """Clip single pixels; what is kept of them goes from `lower` to `upper`."""
    for j in range(places.size):
        i = places[j]
        for frame in range(frames):
            work[0, frame] = float(tile[frame, i])
        start, stop, left = 0, frames, iterations
        if spread != WINSORISED and room[_SPREAD + i] > 0:  # the first limits are known
            start, stop = shrink(work[0], 0, frames, room[_LEAST + i], room[_MOST + i])
            left -= 1
            if start == stop:
                start, stop, left = 0, frames, 0
        start, stop = narrow(work, start, stop, low, high, centre, spread, left, unit)
        lower[i], upper[i] = tile[start, i], tile[stop - 1, i]


@kernel
def clip_ordered(
    values: NDArray[Any],
    whole: NDArray[np.bool_],
    low: float,
    high: float,
    centre: int,
    spread: int,
    iterations: int,
    unit: float,
    exchanges: NDArray[np.int32],
    tile: NDArray[Any],
    mean: NDArray[np.float64],
    rejected: NDArray[np.uint16],
    count: NDArray[np.uint16],
    squares: NDArray[np.float32],
    tally: NDArray[np.uint32],
) -> None:  # pragma: no cover
    """Clip columns of all frames about any centre by any spread.

    Columns that are not `whole` get a result that is to be replaced, and are not tallied.
    """
    rows, frames, columns = values.shape
    size = tile.shape[1]
    work, room = np.empty((3, frames)), np.empty(ROOM)
    state, stray = np.empty(STATE), np.ones(TILE, np.bool_)
    places = np.empty(TILE + 1, np.int64)
    bounds = np.empty((2, size), tile.dtype)
    for row in range(rows):
        lines = values[row]
        for left in range(0, columns, size):
            width = min(size, columns - left)
            put_in_order(lines, left, width, exchanges, tile)
            if spread == DEVIATION or (spread == MAD and centre == MEAN):
                add_up(tile, 0, width, frames // 2, state)
            if spread != WINSORISED:
                _find_strays(tile, frames, width, low, high, centre, spread, state, room, stray)
            bounds[0], bounds[1] = tile[0], tile[frames - 1]
            strays = mark(stray, whole[row, left : left + width], places)
            if strays > 0:
                _narrow_strays(
                    tile, frames, places[:strays], low, high, centre, spread, iterations, unit,
                    work, room, bounds[0], bounds[1],
                )  # fmt: skip
                _count_rejected(lines, left, width, bounds[0], bounds[1], tally[row])
            if strays > 0 or spread != DEVIATION:
                _sum_kept(tile, frames, width, bounds[0], bounds[1], state)
            write(state, left, width, frames, mean[row], rejected[row], count[row], squares[row])
