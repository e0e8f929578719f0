"""Kernel that rejects, in neighbouring pixels at a time, what lies far from a line of their values.

The values of a pixel are in order, and a line goes through them against their ranks. What all
pixels do is done side by side; those of which something is rejected go on alone.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel

#: Pixels worked on at a time, and numbers from one row of them to the next: of a power of two, the
#: rows would share few places of the cache.
WIDE, APART = 256, 264

# Where the parts of the state begin: by pixel, number of values kept, and the value that distances
# are taken from; by place in the list of pixels that are worked on, the number, sums of distances
# and of these times ranks, the line's origin and slope, of distances from it the sum of sizes, the
# least and the greatest.
COUNT, PIVOT, LEFT, TOTAL, WEIGHTED, ORIGIN, SLOPE, SPREAD, LEAST, MOST = (
    APART * part for part in range(10)
)

#: Numbers in the state.
LINE_STATE = 10 * APART


#: Distances that are greater by rounding alone are not.
EXACT = 1 + 1e-6


@inner_kernel
def reject_by_lines(
    tile: NDArray[Any],
    width: int,
    low: float,
    high: float,
    rounds: int,
    near: NDArray[np.float64],
    places: NDArray[np.int64],
    gone: NDArray[np.float64],
    state: NDArray[np.float64],
) -> None:  # pragma: no cover
    """Reject values of columns in order: those kept stand first in order, then the others.

    Parameters
    ----------
    tile : ndarray, shape (n, width)
        Set here; how many of each column are kept is found in the state, from `COUNT` on.
    width : int
        Columns that count, at most `WIDE`.
    low, high : float
        In mean distances from the line.
    rounds : int
    near, places, gone, state : ndarray
        Scratch of shape (n, `APART`), (`WIDE`,), (n,) and (`LINE_STATE`,).
    """
    frames, active = tile.shape[0], np.int64(width)
    for j in range(width):
        places[j] = j
        state[COUNT + j], state[PIVOT + j] = frames, float(tile[frames // 2, j])
    for i in range(frames):
        line, row = tile[i], near[i]
        for j in range(width):
            row[j] = float(line[j]) - state[PIVOT + j]
    for _ in range(rounds):
        longest = 0.0
        for a in range(active):
            count = state[COUNT + places[a]]
            longest = count if count > longest else longest
            state[LEFT + a] = count
            state[TOTAL + a] = state[WEIGHTED + a] = state[SPREAD + a] = 0.0
            state[LEAST + a], state[MOST + a] = np.inf, -np.inf
        for i in range(np.int64(longest)):
            row, rank = near[i], float(i)
            for a in range(active):
                distance = row[a] if rank < state[LEFT + a] else 0.0
                state[TOTAL + a] += distance
                state[WEIGHTED + a] += distance * rank
        for a in range(active):
            left, total = state[LEFT + a], state[TOTAL + a]
            middle = 0.5 * (left - 1.0)
            slope = 12.0 * (state[WEIGHTED + a] - middle * total) / (left * (left * left - 1.0))
            state[SLOPE + a], state[ORIGIN + a] = slope, total / left - slope * middle
        for i in range(np.int64(longest)):
            row, rank = near[i], float(i)
            for a in range(active):
                far = row[a] - (state[ORIGIN + a] + state[SLOPE + a] * rank)
                far = far if rank < state[LEFT + a] else 0.0
                state[SPREAD + a] += abs(far)
                state[LEAST + a] = far if far < state[LEAST + a] else state[LEAST + a]
                state[MOST + a] = far if far > state[MOST + a] else state[MOST + a]
        more = np.int64(0)
        for a in range(active):
            left = np.int64(state[LEFT + a])
            # With five values one can lie at 2.5 mean distances, no more: rounding decides nothing.
            reach = state[SPREAD + a] / left * EXACT
            least, most = -low * reach, high * reach
            if state[LEAST + a] >= least and state[MOST + a] <= most:
                continue
            place, origin, slope = places[a], state[ORIGIN + a], state[SLOPE + a]
            kept = out = np.int64(0)
            for i in range(left):  # without branches, of which chance would decide
                distance, value = near[i, a], tile[i, place]
                far = distance - (origin + slope * i)
                bad = np.int64((far < least) | (far > most))
                gone[out] = value
                tile[kept, place] = value
                near[kept, more] = distance  # for the next round, if there is one
                out += bad
                kept += 1 - bad
            for i in range(out):
                tile[kept + i, place] = gone[i]
            if kept == 0:  # nothing would be left: what was kept before stands
                continue
            state[COUNT + place] = kept
            if kept > 3 and out > 0:
                places[more] = place
                more += 1
        active = more
        if active == 0:
            break
