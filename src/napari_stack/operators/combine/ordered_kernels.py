"""Kernels on neighbouring pixels at a time, their values in order: which are kept, and their sums.

What is kept is 1 in an array as large as that of the values, else 0. The state of a tile is one
array, the parts of which lie at places known when it is compiled, so that loops over pixels are
vectorised without checks for overlaps.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel

#: Pixels worked on at a time, and numbers from one row of them to the next: of a power of two, the
#: rows would share few places of the cache.
WIDE, APART = 128, 136

# Where the parts of the state begin, by pixel: the value that distances are taken from; whether it
# has to be looked at for itself; the run kept, of methods that keep one; number, sum and squares of
# distances kept, the least and the greatest value, the number rejected below, the first
# and last value of a gap; two parts for what a method needs.
PIVOT, MIXED, START, STOP, KEPT, TOTAL, SQUARES, LOWEST, HIGHEST, BELOW, GAP, GAP_END = (
    APART * part for part in range(12)
)
ONE, OTHER = 12 * APART, 13 * APART

#: Numbers in the state; methods have parts of their own behind these.
OWN, ORDERED_STATE = 14 * APART, 20 * APART

# Those of the test of extremes: sum, squares and run of what is left.
_SUM, _SUM2, _FIRST, _LAST = (OWN + APART * part for part in range(4))


@inner_kernel
def take_distances(
    tile: NDArray[Any], width: int, near: NDArray[np.float64], state: NDArray[np.float64]
) -> None:  # pragma: no cover
    """Take distances from the value in the middle, and keep all."""
    frames = tile.shape[0]
    middle = tile[frames // 2]
    for j in range(width):
        state[PIVOT + j] = float(middle[j])
        state[START + j], state[STOP + j], state[MIXED + j] = 0.0, float(frames), 0.0
    for i in range(frames):
        line, row = tile[i], near[i]
        for j in range(width):
            row[j] = float(line[j]) - state[PIVOT + j]


@inner_kernel
def bound_by_shares(
    near: NDArray[np.float64], frames: int, width: int, low: float, high: float,
    state: NDArray[np.float64],
) -> None:  # pragma: no cover  # fmt: skip
    """Keep what differs from the median by less than a share of it; of two kinds of values all."""
    below = near[(frames - 1) // 2]
    for j in range(width):
        middle = 0.5 * below[j]
        size = abs(state[PIVOT + j] + middle)
        state[ONE + j], state[OTHER + j] = middle - low * size, middle + high * size
    for i in range(frames):
        row = near[i]
        for j in range(width):
            state[START + j] += 1.0 if row[j] < state[ONE + j] else 0.0
            state[STOP + j] -= 1.0 if row[j] > state[OTHER + j] else 0.0
    for j in range(width):
        some = state[START + j] < state[STOP + j]
        state[START + j] = state[START + j] if some else 0.0
        state[STOP + j] = state[STOP + j] if some else float(frames)


@inner_kernel
def bound_by_extremes(
    near: NDArray[np.float64], frames: int, width: int, critical: NDArray[np.float64],
    state: NDArray[np.float64],
) -> None:  # pragma: no cover  # fmt: skip
    """Keep what the generalised ESD test leaves.

    Outliers are as many as the last step of which the extreme lies beyond its critical value.
    """
    for j in range(width):
        state[_SUM + j] = state[_SUM2 + j] = state[_FIRST + j] = 0.0
        state[_LAST + j] = float(frames)
    for i in range(frames):
        row = near[i]
        for j in range(width):
            state[_SUM + j] += row[j]
            state[_SUM2 + j] += row[j] * row[j]
    for j in range(width):
        state[ONE + j] = 1e-12 * state[_SUM2 + j]
    for i in range(critical.size):
        left = float(frames - i)
        share, limit = 1.0 / left, critical[i] * critical[i] / (left - 1.0)
        for j in range(width):
            first, last = np.int64(state[_FIRST + j]), np.int64(state[_LAST + j])
            least, most = near[first, j], near[last - 1, j]
            mean = state[_SUM + j] * share
            spread = state[_SUM2 + j] - state[_SUM + j] * mean
            below, above = mean - least, most - mean
            lower = below > above
            far = below if lower else above
            gone = least if lower else most
            first += 1 if lower else 0
            last -= 0 if lower else 1
            # Of values that are all the same the spread is rounding.
            beyond = (spread > state[ONE + j]) & (far * far > limit * spread)
            state[_FIRST + j], state[_LAST + j] = float(first), float(last)
            state[START + j] = float(first) if beyond else state[START + j]
            state[STOP + j] = float(last) if beyond else state[STOP + j]
            state[_SUM + j] -= gone
            state[_SUM2 + j] -= gone * gone


@inner_kernel
def keep_run(
    frames: int, width: int, keep: NDArray[np.float64], state: NDArray[np.float64]
) -> None:  # pragma: no cover
    """Keep the values from `START` to before `STOP`."""
    for i in range(frames):
        line, rank = keep[i], float(i)
        for j in range(width):
            inside = (rank >= state[START + j]) & (rank < state[STOP + j])
            line[j] = 1.0 if inside else 0.0


@inner_kernel
def sum_up(
    tile: NDArray[Any], near: NDArray[np.float64], keep: NDArray[np.float64], width: int,
    state: NDArray[np.float64],
) -> None:  # pragma: no cover  # fmt: skip
    """Sum up what is kept, and mark as `MIXED` pixels that have to be looked at for themselves.

    It is 2 where bounds do not tell which frames' values are rejected: what is rejected lies beyond
    what is kept, or in one gap of it, where none that is kept lies.
    """
    frames = tile.shape[0]
    for j in range(width):
        state[KEPT + j] = state[TOTAL + j] = state[SQUARES + j] = 0.0
        state[LOWEST + j], state[HIGHEST + j] = np.inf, -np.inf
    for i in range(frames):
        row, line, some = near[i], tile[i], keep[i]
        for j in range(width):
            distance, value = row[j] * some[j], float(line[j])
            state[KEPT + j] += some[j]
            state[TOTAL + j] += distance
            state[SQUARES + j] += distance * distance
            less, greater = (value, value) if some[j] > 0.0 else (np.inf, -np.inf)
            state[LOWEST + j] = less if less < state[LOWEST + j] else state[LOWEST + j]
            state[HIGHEST + j] = greater if greater > state[HIGHEST + j] else state[HIGHEST + j]
    middle = keep[frames // 2]
    for j in range(width):
        if middle[j] == 0.0:  # distances from a value that is rejected would lose digits
            state[PIVOT + j], state[TOTAL + j], state[SQUARES + j] = state[LOWEST + j], 0.0, 0.0
            for i in range(frames):
                distance = (float(tile[i, j]) - state[PIVOT + j]) if keep[i, j] > 0.0 else 0.0
                state[TOTAL + j] += distance
                state[SQUARES + j] += distance * distance
    for j in range(width):
        # Those rejected below are counted up to the kept one in the middle.
        state[ONE + j], state[OTHER + j], state[BELOW + j] = (
            np.floor(0.5 * state[KEPT + j]),
            0.0,
            0.0,
        )
        state[GAP + j], state[GAP_END + j] = np.inf, -np.inf
    for i in range(frames):
        line, some = tile[i], keep[i]
        for j in range(width):
            gone, value = 1.0 - some[j], float(line[j])
            state[BELOW + j] += gone if state[OTHER + j] <= state[ONE + j] else 0.0
            state[OTHER + j] += some[j]
            within = (gone > 0.0) & (value >= state[LOWEST + j]) & (value <= state[HIGHEST + j])
            first, last = (value, value) if within else (np.inf, -np.inf)
            state[GAP + j] = first if first < state[GAP + j] else state[GAP + j]
            state[GAP_END + j] = last if last > state[GAP_END + j] else state[GAP_END + j]
    gaps = 0.0
    for j in range(width):
        gaps += 1.0 if state[GAP + j] <= state[GAP_END + j] else 0.0
    if gaps == 0.0:
        return
    for i in range(frames):
        line, some = tile[i], keep[i]
        for j in range(width):
            value = float(line[j])
            within = (value >= state[GAP + j]) & (value <= state[GAP_END + j]) & (some[j] > 0.0)
            unclear = within & (state[MIXED + j] == 0.0)
            state[MIXED + j] = 2.0 if unclear else state[MIXED + j]
