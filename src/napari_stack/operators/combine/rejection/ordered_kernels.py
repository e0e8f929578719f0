"""Kernels on neighbouring pixels at a time, their values in order: which are kept, and their sums.

What is kept is 1 in an array as large as that of the values, else 0. The state of a tile is one
array, the parts of which lie at places known when it is compiled, so that loops over pixels are
vectorised without checks for overlaps. Distances, what is kept and the state are of one type: 32
bits hold all that is taken of whole numbers of 16 bits, and twice as many are worked on at once.
Sums are of 64 bits.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel

#: Pixels worked on at a time, and numbers from one row of them to the next: of a power of two, the
#: rows would share few places of the cache.
WIDE, APART = 128, 136

# Where the parts of the state begin, by pixel: the value that distances are taken from; whether it
# has to be looked at for itself; the run kept, of methods that keep one; the number of values kept,
# the least and the greatest of them, the number rejected below, the first and last value of a gap;
# two parts for what a method needs.
PIVOT, MIXED, START, STOP, KEPT, LOWEST, HIGHEST, BELOW, GAP, GAP_END = (
    APART * part for part in range(10)
)
ONE, OTHER = 10 * APART, 11 * APART

#: Numbers in the state; methods have parts of their own behind these.
OWN, ORDERED_STATE = 12 * APART, 20 * APART

# Sums of the distances kept and of their squares; those of what the test of extremes has left.
TOTAL, SQUARES, _SUM, _SUM2, _TINY = (APART * part for part in range(5))

#: Numbers in the sums.
ORDERED_SUMS = 5 * APART

# Those of the test of extremes: the run of what is left.
_FIRST, _LAST = OWN, OWN + APART


@inner_kernel
def take_distances(
    tile: NDArray[Any], width: int, near: NDArray[Any], state: NDArray[Any]
) -> None:  # pragma: no cover
    """Take distances from the value in the middle, and keep all."""
    frames, kind = tile.shape[0], near.dtype.type
    middle, none, all_of_them = tile[frames // 2], kind(0), kind(frames)
    for j in range(width):
        state[PIVOT + j] = kind(middle[j])
        state[START + j], state[STOP + j], state[MIXED + j] = none, all_of_them, none
    for i in range(frames):
        line, row = tile[i], near[i]
        for j in range(width):
            row[j] = kind(line[j]) - state[PIVOT + j]


@inner_kernel
def bound_by_shares(
    near: NDArray[Any], frames: int, width: int, low: float, high: float, state: NDArray[Any],
    sums: NDArray[np.float64],
) -> None:  # pragma: no cover  # fmt: skip
    """Keep what differs from the median by less than a share of it; of two kinds of values all."""
    kind = near.dtype.type
    none, unit, all_of_them = kind(0), kind(1), kind(frames)
    below = near[(frames - 1) // 2]
    for j in range(width):
        middle = 0.5 * float(below[j])
        size = abs(float(state[PIVOT + j]) + middle)
        sums[_SUM + j], sums[_SUM2 + j] = middle - low * size, middle + high * size
    for i in range(frames):
        row = near[i]
        for j in range(width):
            state[START + j] += unit if float(row[j]) < sums[_SUM + j] else none
            state[STOP + j] -= unit if float(row[j]) > sums[_SUM2 + j] else none
    for j in range(width):
        some = state[START + j] < state[STOP + j]
        state[START + j] = state[START + j] if some else none
        state[STOP + j] = state[STOP + j] if some else all_of_them


@inner_kernel
def bound_by_extremes(
    near: NDArray[Any], frames: int, width: int, critical: NDArray[np.float64],
    state: NDArray[Any], sums: NDArray[np.float64],
) -> None:  # pragma: no cover  # fmt: skip
    """Keep what the generalised ESD test leaves.

    Outliers are as many as the last step of which the extreme lies beyond its critical value.
    """
    kind = near.dtype.type
    none, unit, all_of_them = kind(0), kind(1), kind(frames)
    for j in range(width):
        sums[_SUM + j] = sums[_SUM2 + j] = 0.0
        state[_FIRST + j], state[_LAST + j] = none, all_of_them
    for i in range(frames):
        row = near[i]
        for j in range(width):
            distance = float(row[j])
            sums[_SUM + j] += distance
            sums[_SUM2 + j] += distance * distance
    for j in range(width):
        sums[_TINY + j] = 1e-12 * sums[_SUM2 + j]
    for i in range(critical.size):
        left = float(frames - i)
        share, limit = 1.0 / left, critical[i] * critical[i] / (left - 1.0)
        for j in range(width):
            first, last = np.int32(state[_FIRST + j]), np.int32(state[_LAST + j])
            least, most = float(near[first, j]), float(near[last - 1, j])
            mean = sums[_SUM + j] * share
            spread = sums[_SUM2 + j] - sums[_SUM + j] * mean
            below, above = mean - least, most - mean
            lower = below > above
            far = below if lower else above
            gone = least if lower else most
            state[_FIRST + j] += unit if lower else none
            state[_LAST + j] -= none if lower else unit
            # Of values that are all the same the spread is rounding.
            beyond = (spread > sums[_TINY + j]) & (far * far > limit * spread)
            state[START + j] = state[_FIRST + j] if beyond else state[START + j]
            state[STOP + j] = state[_LAST + j] if beyond else state[STOP + j]
            sums[_SUM + j] -= gone
            sums[_SUM2 + j] -= gone * gone


@inner_kernel
def keep_run(
    frames: int, width: int, keep: NDArray[Any], state: NDArray[Any]
) -> None:  # pragma: no cover
    """Keep the values from `START` to before `STOP`."""
    kind = keep.dtype.type
    none, unit = kind(0), kind(1)
    for i in range(frames):
        line, rank = keep[i], kind(i)
        for j in range(width):
            inside = (rank >= state[START + j]) & (rank < state[STOP + j])
            line[j] = unit if inside else none


@inner_kernel
def sum_up(
    tile: NDArray[Any], near: NDArray[Any], keep: NDArray[Any], width: int, state: NDArray[Any],
    sums: NDArray[np.float64],
) -> None:  # pragma: no cover  # fmt: skip
    """Sum up what is kept, and mark as `MIXED` pixels that have to be looked at for themselves.

    It is 2 where bounds do not tell which frames' values are rejected: what is rejected lies beyond
    what is kept, or in one gap of it, where none that is kept lies.
    """
    frames, kind = tile.shape[0], near.dtype.type
    none, unit, two, half = kind(0), kind(1), kind(2), kind(0.5)
    most, least = kind(np.inf), kind(-np.inf)
    for j in range(width):
        sums[TOTAL + j] = sums[SQUARES + j] = 0.0
        state[KEPT + j], state[LOWEST + j], state[HIGHEST + j] = none, most, least
    for i in range(frames):
        row, some = near[i], keep[i]
        for j in range(width):
            distance = float(row[j] * some[j])
            sums[TOTAL + j] += distance
            sums[SQUARES + j] += distance * distance
    for i in range(frames):
        line, some = tile[i], keep[i]
        for j in range(width):
            value, kept = kind(line[j]), some[j] > none
            state[KEPT + j] += some[j]
            less, greater = (value, value) if kept else (most, least)
            state[LOWEST + j] = less if less < state[LOWEST + j] else state[LOWEST + j]
            state[HIGHEST + j] = greater if greater > state[HIGHEST + j] else state[HIGHEST + j]
    middle = keep[frames // 2]
    for j in range(width):
        if middle[j] == none:  # distances from a value that is rejected would lose digits
            state[PIVOT + j], sums[TOTAL + j], sums[SQUARES + j] = state[LOWEST + j], 0.0, 0.0
            for i in range(frames):
                apart = float(tile[i, j]) - float(state[PIVOT + j])
                distance = apart if keep[i, j] > none else 0.0
                sums[TOTAL + j] += distance
                sums[SQUARES + j] += distance * distance
    for j in range(width):
        # Those rejected below are counted up to the kept one in the middle.
        state[ONE + j], state[OTHER + j] = np.floor(half * state[KEPT + j]), none
        state[BELOW + j], state[GAP + j], state[GAP_END + j] = none, most, least
    for i in range(frames):
        line, some = tile[i], keep[i]
        for j in range(width):
            gone, value = unit - some[j], kind(line[j])
            state[BELOW + j] += gone if state[OTHER + j] <= state[ONE + j] else none
            state[OTHER + j] += some[j]
            within = (gone > none) & (value >= state[LOWEST + j]) & (value <= state[HIGHEST + j])
            first, last = (value, value) if within else (most, least)
            state[GAP + j] = first if first < state[GAP + j] else state[GAP + j]
            state[GAP_END + j] = last if last > state[GAP_END + j] else state[GAP_END + j]
    gaps = none
    for j in range(width):
        gaps += unit if state[GAP + j] <= state[GAP_END + j] else none
    if gaps == none:
        return
    for i in range(frames):
        line, some = tile[i], keep[i]
        for j in range(width):
            value = kind(line[j])
            within = (value >= state[GAP + j]) & (value <= state[GAP_END + j])
            unclear = within & (some[j] > none) & (state[MIXED + j] == none)
            state[MIXED + j] = two if unclear else state[MIXED + j]
