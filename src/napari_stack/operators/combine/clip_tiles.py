"""Kernels that clip many neighbouring pixels at once, by mean and standard deviation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.jit import kernel
from napari_stack.operators.combine.clip_pixel import narrow_plain

#: Columns worked on at a time: the running sums and 20 frames of 16 bits stay in the first cache.
TILE = 256

#: Squares about the mean that are a smaller share of those about the pivot have lost digits.
_CANCELLED = 1e-6

#: Where the parts of the state of a tile begin: the pivot, from which distances are taken; number
#: and sum of the distances kept, their squares about the mean; bounds of what is kept. All are in
#: one array, and their places are known when it is compiled: so loops over them are vectorised.
FIRST, COUNT, TOTAL, SQUARES, LEAST, MOST = (TILE * part for part in range(6))

#: Numbers in the state, and in the room that is needed besides.
STATE, ROOM = 6 * TILE, 7 * TILE

# Parts of the room of `clip_strays`: bounds, then number, sum, squares, least and greatest of what
# lies within them.
_LEAST, _MOST, _COUNT, _TOTAL, _SQUARES, _LOWEST, _HIGHEST = (TILE * part for part in range(7))


@kernel
def add_up(
    lines: NDArray[Any], left: int, width: int, pivot: int, state: NDArray[np.float64]
) -> None:  # pragma: no cover
    """Sum up distances from the value of frame `pivot`, and their squares about the mean."""
    frames = lines.shape[0]
    start = frames % 4
    middle = lines[pivot, left : left + width]  # known to be contiguous: so it is vectorised
    for i in range(width):
        state[FIRST + i] = float(middle[i])
        state[TOTAL + i] = 0.0
        state[SQUARES + i] = 0.0
    for frame in range(start):
        line = lines[frame, left : left + width]
        for i in range(width):
            distance = float(line[i]) - state[FIRST + i]
            state[TOTAL + i] += distance
            state[SQUARES + i] += distance * distance
    for frame in range(start, frames, 4):  # four at a time: the sums are loaded and stored once
        one, two = lines[frame, left : left + width], lines[frame + 1, left : left + width]
        three, four = lines[frame + 2, left : left + width], lines[frame + 3, left : left + width]
        for i in range(width):
            first = state[FIRST + i]
            a, b = float(one[i]) - first, float(two[i]) - first
            c, d = float(three[i]) - first, float(four[i]) - first
            state[TOTAL + i] += (a + b) + (c + d)
            state[SQUARES + i] += (a * a + b * b) + (c * c + d * d)
    for i in range(width):
        total = state[TOTAL + i]
        # The pivot is one of the values: so this difference loses a factor of n at most.
        state[SQUARES + i] = max(state[SQUARES + i] - total * (total / frames), 0.0)
        state[COUNT + i] = frames


@kernel
def find_extremes(
    lines: NDArray[Any], left: int, width: int, lowest: NDArray[Any], highest: NDArray[Any]
) -> None:  # pragma: no cover
    """Find the least and the greatest value of all frames."""
    frames = lines.shape[0]
    start = frames % 2
    line = lines[0, left : left + width]
    for i in range(width):
        lowest[i] = line[i]
        highest[i] = line[i]
    for frame in range(start, frames, 2):
        one, two = lines[frame, left : left + width], lines[frame + 1, left : left + width]
        for i in range(width):
            lowest[i] = min(lowest[i], min(one[i], two[i]))
            highest[i] = max(highest[i], max(one[i], two[i]))


@kernel
def find_strays(
    lowest: NDArray[Any],
    highest: NDArray[Any],
    width: int,
    low: float,
    high: float,
    state: NDArray[np.float64],
    stray: NDArray[np.bool_],
) -> None:  # pragma: no cover
    """Set the bounds, and mark the pixels of which any value lies beyond them."""
    share = 1.0 / state[COUNT]  # all are counted so far
    for i in range(width):
        first, middle = state[FIRST + i], state[TOTAL + i] * share
        spread = np.sqrt(state[SQUARES + i] * share)
        least, most = middle - low * spread, middle + high * spread
        state[LEAST + i], state[MOST + i] = least, most
        stray[i] = (float(lowest[i]) - first < least) | (float(highest[i]) - first > most)


@kernel
def mark(
    stray: NDArray[np.bool_], whole: NDArray[np.bool_], places: NDArray[np.int64]
) -> int:  # pragma: no cover
    """List the places of strays that are whole; return how many there are."""
    count = 0
    for i in range(whole.size):
        places[count] = i
        count += stray[i] & whole[i]
    return count


@kernel
def write(
    state: NDArray[np.float64],
    left: int,
    width: int,
    frames: int,
    mean: NDArray[np.float64],
    rejected: NDArray[np.uint16],
    count: NDArray[np.uint16],
    squares: NDArray[np.float32],
) -> None:  # pragma: no cover
    """Write the mean of what is kept and how much is not; number and squares, if there is room."""
    means, numbers = mean[left : left + width], rejected[left : left + width]
    for i in range(width):
        kept = state[COUNT + i]
        means[i] = (kept * state[FIRST + i] + state[TOTAL + i]) / kept
        numbers[i] = np.uint16(frames - kept)
    if squares.size:
        for i in range(width):
            count[left + i] = np.uint16(state[COUNT + i])
            squares[left + i] = state[SQUARES + i]


@kernel
def gather(
    lines: NDArray[Any],
    left: int,
    places: NDArray[np.int64],
    state: NDArray[np.float64],
    near: NDArray[np.float64],
) -> None:  # pragma: no cover
    """Put the distances of some pixels side by side."""
    for frame in range(lines.shape[0]):
        line, row = lines[frame], near[frame]
        for j in range(places.size):
            row[j] = float(line[left + places[j]]) - state[FIRST + places[j]]


@kernel
def _keep(
    near: NDArray[np.float64], active: int, room: NDArray[np.float64]
) -> None:  # pragma: no cover
    """Sum up what lies within the bounds: number, sum, squares, least and greatest."""
    for j in range(active):
        room[_COUNT + j] = room[_TOTAL + j] = room[_SQUARES + j] = 0.0
        room[_LOWEST + j], room[_HIGHEST + j] = np.inf, -np.inf
    for frame in range(near.shape[0]):
        line = near[frame]
        for j in range(active):
            value = line[j]
            inside = (value >= room[_LEAST + j]) & (value <= room[_MOST + j])
            kept = value if inside else 0.0
            room[_COUNT + j] += 1.0 if inside else 0.0
            room[_TOTAL + j] += kept
            room[_SQUARES + j] += kept * kept
            room[_LOWEST + j] = min(room[_LOWEST + j], value if inside else np.inf)
            room[_HIGHEST + j] = max(room[_HIGHEST + j], value if inside else -np.inf)


@kernel
def clip_strays(
    lines: NDArray[Any],
    left: int,
    near: NDArray[np.float64],
    places: NDArray[np.int64],
    low: float,
    high: float,
    iterations: int,
    state: NDArray[np.float64],
    room: NDArray[np.float64],
    again: NDArray[np.float64],
) -> None:  # pragma: no cover
    """Clip gathered pixels; their count, sum, squares and bounds go to the state of the tile.

    Pixels that lose no more values leave, and the others move up in `again`, a copy.
    """
    frames, active = near.shape[0], places.size
    here = places.copy()
    origin = np.arange(active)
    for j in range(active):
        room[_LEAST + j], room[_MOST + j] = state[LEAST + places[j]], state[MOST + places[j]]
    block = near
    for done in range(iterations):
        _keep(block, active, room)
        more = 0
        for j in range(active):
            place = here[j]
            count, total, squares = room[_COUNT + j], room[_TOTAL + j], room[_SQUARES + j]
            lowest, highest = room[_LOWEST + j], room[_HIGHEST + j]
            if count == 0:  # below one sigma nothing may be left: what was kept before stands
                if done == 0:
                    state[LEAST + place], state[MOST + place] = -np.inf, np.inf
                continue
            mean = total / count
            rest = squares - total * mean
            if rest < _CANCELLED * squares:
                # The pivot strays so far that distances from it have lost digits.
                column = near[:, origin[j]]
                for frame in range(frames):
                    column[frame] = float(lines[frame, left + place])
                _clip_alone(column, place, low, high, iterations, state)
                continue
            state[COUNT + place], state[TOTAL + place], state[SQUARES + place] = count, total, rest
            state[LEAST + place], state[MOST + place] = lowest, highest
            spread = np.sqrt(rest / count)
            least, most = mean - low * spread, mean + high * spread
            if count < 3 or (lowest >= least and highest <= most):
                continue
            room[_LEAST + more], room[_MOST + more] = max(lowest, least), min(highest, most)
            here[more], origin[more] = place, origin[j]
            more += 1
        active = more
        if active == 0 or done == iterations - 1:
            break
        for frame in range(frames):
            line, row = near[frame], again[frame]
            for j in range(active):
                row[j] = line[origin[j]]
        block = again


@kernel
def _clip_alone(
    near: NDArray[np.float64],
    place: int,
    low: float,
    high: float,
    iterations: int,
    state: NDArray[np.float64],
) -> None:  # pragma: no cover
    """Clip one pixel in two passes a round, of which the values themselves are given."""
    kept = near.copy()
    count = narrow_plain(kept, kept.size, low, high, iterations)
    total, squares, least, most = 0.0, 0.0, kept[0], kept[0]
    for i in range(count):
        total += kept[i]
        least, most = min(least, kept[i]), max(most, kept[i])
    for i in range(count):
        squares += (kept[i] - total / count) ** 2
    state[FIRST + place], state[COUNT + place] = 0.0, count
    state[TOTAL + place], state[SQUARES + place] = total, squares
    state[LEAST + place], state[MOST + place] = least, most


@kernel
def count_rejected(
    near: NDArray[np.float64],
    places: NDArray[np.int64],
    state: NDArray[np.float64],
    room: NDArray[np.float64],
    tally: NDArray[np.uint32],
) -> None:  # pragma: no cover
    """Count what lies beyond the bounds in each frame."""
    for j in range(places.size):
        room[_LEAST + j], room[_MOST + j] = state[LEAST + places[j]], state[MOST + places[j]]
    for frame in range(near.shape[0]):
        line = near[frame]
        count = 0
        for j in range(places.size):
            count += (line[j] < room[_LEAST + j]) | (line[j] > room[_MOST + j])
        tally[frame] += np.uint32(count)


@kernel
def clip_quickly(
    values: NDArray[Any],
    whole: NDArray[np.bool_],
    low: float,
    high: float,
    iterations: int,
    mean: NDArray[np.float64],
    rejected: NDArray[np.uint16],
    count: NDArray[np.uint16],
    squares: NDArray[np.float32],
    tally: NDArray[np.uint32],
) -> None:  # pragma: no cover
    """Clip columns of all frames about their means by standard deviations.

    Columns that are not `whole` get a result that is to be replaced, and are not tallied.
    """
    rows, frames, columns = values.shape
    extremes = np.empty((2, TILE), values.dtype)
    near, room = np.empty((2, frames, TILE)), np.empty(ROOM)
    state, stray = np.empty(STATE), np.empty(TILE, np.bool_)
    places = np.empty(TILE + 1, np.int64)
    for row in range(rows):
        lines = values[row]
        for left in range(0, columns, TILE):
            width = min(TILE, columns - left)
            add_up(lines, left, width, 0, state)
            strays = 0
            if iterations > 0:
                find_extremes(lines, left, width, extremes[0], extremes[1])
                find_strays(extremes[0], extremes[1], width, low, high, state, stray)
                strays = mark(stray, whole[row, left : left + width], places)
            if strays > 0:
                some = places[:strays]
                gather(lines, left, some, state, near[0])
                clip_strays(lines, left, near[0], some, low, high, iterations, state, room, near[1])
                count_rejected(near[0], some, state, room, tally[row])
            write(state, left, width, frames, mean[row], rejected[row], count[row], squares[row])
