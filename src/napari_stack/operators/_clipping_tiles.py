"""Kernels that clip many neighbouring pixels at once, by mean and standard deviation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.operators._jit import kernel

#: Columns worked on at a time: the running sums and 20 frames of 16 bits stay in the first cache.
TILE = 512

#: What the quick look leaves to the thorough one, as a share of the limit: rounding at a tie.
_SLACK = 1e-9

#: Rows of the state that is kept for a tile: the first value, from which distances are taken;
#: number and sum of those kept, their squares about the mean; bounds of what is kept.
FIRST, COUNT, TOTAL, SQUARES, LEAST, MOST = range(6)


@kernel
def look(
    lines: NDArray[Any],
    left: int,
    width: int,
    low: float,
    high: float,
    state: NDArray[np.float64],
) -> None:  # pragma: no cover
    """Sum up all frames, and set the bounds that nothing beyond should lie."""
    frames = lines.shape[0]
    first, total, squares = state[FIRST], state[TOTAL], state[SQUARES]
    for i in range(width):
        first[i] = float(lines[0, left + i])
        total[i] = 0.0
        squares[i] = 0.0
    for frame in range(1, frames):
        line = lines[frame, left : left + width]  # known to be contiguous: so it is vectorised
        for i in range(width):
            distance = float(line[i]) - first[i]
            total[i] += distance
            squares[i] += distance * distance
    for i in range(width):
        middle = total[i] / frames
        squares[i] = max(squares[i] - total[i] * middle, 0.0)
        spread = np.sqrt(squares[i] / frames) * (1 - _SLACK)
        state[COUNT, i] = frames
        state[LEAST, i] = middle - low * spread
        state[MOST, i] = middle + high * spread


@kernel
def find_strays(
    lines: NDArray[Any],
    left: int,
    width: int,
    state: NDArray[np.float64],
    stray: NDArray[np.bool_],
) -> None:  # pragma: no cover
    """Mark the pixels of which any value lies beyond the bounds."""
    frames = lines.shape[0]
    first, least, most = state[FIRST], state[LEAST], state[MOST]
    for i in range(width):
        stray[i] = False
    for frame in range(frames):
        line = lines[frame, left : left + width]
        for i in range(width):
            distance = float(line[i]) - first[i]
            stray[i] |= (distance < least[i]) | (distance > most[i])


@kernel
def mark(
    stray: NDArray[np.bool_], width: int, places: NDArray[np.int64]
) -> int:  # pragma: no cover
    """List the places of strays; return how many there are."""
    count = 0
    for i in range(width):
        if stray[i]:
            places[count] = i
            count += 1
    return count


@kernel
def write(
    state: NDArray[np.float64],
    left: int,
    width: int,
    frames: int,
    mean: NDArray[np.float64],
    rejected: NDArray[np.uint16],
) -> None:  # pragma: no cover
    """Write the mean of what is kept and how much is not."""
    first, count, total = state[FIRST], state[COUNT], state[TOTAL]
    for i in range(width):
        mean[left + i] = (count[i] * first[i] + total[i]) / count[i]
        rejected[left + i] = np.uint16(frames - count[i])


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
        line = lines[frame]
        for j in range(places.size):
            near[frame, j] = float(line[left + places[j]]) - state[FIRST, places[j]]


@kernel
def clip_strays(
    near: NDArray[np.float64],
    places: NDArray[np.int64],
    low: float,
    high: float,
    iterations: int,
    state: NDArray[np.float64],
    work: NDArray[np.float64],
) -> None:  # pragma: no cover
    """Clip gathered pixels; their count, sum and bounds go to the state of the tile.

    Pixels that lose no more values leave, and the others move up. `near` and `places` are
    changed.
    """
    frames, active = near.shape[0], places.size
    least, most, count, total = work[0], work[1], work[2], work[3]
    mean, squares, low_now, high_now = work[4], work[5], work[6], work[7]
    for j in range(active):
        least[j], most[j] = -np.inf, np.inf
        count[j], total[j] = frames, state[TOTAL, places[j]]
        state[LEAST, places[j]], state[MOST, places[j]] = -np.inf, np.inf
    for _ in range(iterations):
        for j in range(active):
            mean[j] = total[j] / count[j]
            squares[j] = 0.0
        for frame in range(frames):
            line = near[frame]
            for j in range(active):
                distance = line[j] - mean[j]
                inside = (line[j] >= least[j]) & (line[j] <= most[j])
                squares[j] += distance * distance if inside else 0.0
        for j in range(active):
            spread = np.sqrt(squares[j] / count[j])
            low_now[j] = max(least[j], mean[j] - low * spread)
            high_now[j] = min(most[j], mean[j] + high * spread)
            squares[j] = 0.0  # from here on: how many are left
            mean[j] = 0.0  # and their sum
        for frame in range(frames):
            line = near[frame]
            for j in range(active):
                inside = (line[j] >= low_now[j]) & (line[j] <= high_now[j])
                squares[j] += 1.0 if inside else 0.0
                mean[j] += line[j] if inside else 0.0
        left = 0
        for j in range(active):
            # Below one sigma nothing may be left: then what was kept before stands.
            if squares[j] == count[j] or squares[j] == 0 or count[j] < 3:
                continue
            place = places[j]
            state[COUNT, place], state[TOTAL, place] = squares[j], mean[j]
            state[LEAST, place], state[MOST, place] = low_now[j], high_now[j]
            places[left] = place
            count[left], total[left] = squares[j], mean[j]
            least[left], most[left] = low_now[j], high_now[j]
            if left < j:
                for frame in range(frames):
                    near[frame, left] = near[frame, j]
            left += 1
        active = left
        if active == 0:
            break


@kernel
def count_rejected(
    lines: NDArray[Any],
    left: int,
    places: NDArray[np.int64],
    state: NDArray[np.float64],
    detailed: bool,
    tally: NDArray[np.uint32],
) -> None:  # pragma: no cover
    """Count what lies beyond the bounds in each frame, and sum up the squares of what does not."""
    for j in range(places.size):
        place = places[j]
        first, least, most = state[FIRST, place], state[LEAST, place], state[MOST, place]
        mean = state[TOTAL, place] / state[COUNT, place]
        squares = 0.0
        for frame in range(lines.shape[0]):
            distance = float(lines[frame, left + place]) - first
            if distance < least or distance > most:
                tally[frame] += 1
            elif detailed:
                squares += (distance - mean) ** 2
        state[SQUARES, place] = squares
