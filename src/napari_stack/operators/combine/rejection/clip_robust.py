"""Kernels that clip pixels about medians or by robust spreads, their values in order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.statistics import MAD_TO_SIGMA
from napari_stack.core.system.jit import inner_kernel
from napari_stack.operators.combine.reducers.sorting import sort
from napari_stack.operators.combine.rejection.clip_pixel import (
    DEVIATION,
    MAD,
    MEDIAN,
    Rules,
    clip_sorted,
)
from napari_stack.operators.combine.rejection.clip_tile import (
    CENTRE,
    HIGH,
    LOW,
    MEDIANS,
    PIVOT,
    RANKED,
    SPREAD,
)


@inner_kernel
def _find_distances(
    tile: NDArray[Any], width: int, rank: int, state: NDArray[np.float64]
) -> None:  # pragma: no cover
    """Find the distance from the median of a rank, counted from 1, of values in order.

    Distances to the left and to the right are in order each. The k-th least of both is the least,
    over all i, of the greater one of the i-th on the left and the (k - i)-th on the right. Of a
    side that none is taken from, the median's other neighbour stands in: at most 0 away.
    """
    frames = tile.shape[0]
    half = frames // 2
    for i in range(width):
        state[RANKED + i] = np.inf
    for taken in range(max(0, rank - (frames - half)), min(rank, half) + 1):
        before, after = tile[half - taken], tile[half + rank - taken - 1]
        for i in range(width):
            median = state[MEDIANS + i]
            one, other = median - float(before[i]), float(after[i]) - median
            farther = one if one > other else other
            nearest = state[RANKED + i]
            state[RANKED + i] = farther if farther < nearest else nearest


@inner_kernel
def set_robust(
    tile: NDArray[Any], width: int, rules: Rules, state: NDArray[np.float64]
) -> None:  # pragma: no cover
    """Set medians and median absolute deviations of values in order, where they are wanted.

    The pivot is the upper one of the two values in the middle.
    """
    frames = tile.shape[0]
    below = tile[(frames - 1) // 2]
    for i in range(width):
        state[MEDIANS + i] = 0.5 * (float(below[i]) + state[PIVOT + i])
        if rules.centre == MEDIAN:
            state[CENTRE + i] = state[MEDIANS + i] - state[PIVOT + i]
        if (
            rules.spread != DEVIATION
        ):  # a spread of 0 is measured pixel by pixel: so is the winsorised one
            state[SPREAD + i] = 0.0
    if rules.spread == MAD:
        least, most = (frames + 1) // 2, frames // 2 + 1  # the same one of an odd number
        for rank in range(least, most + 1):
            _find_distances(tile, width, rank, state)
            for i in range(width):
                state[SPREAD + i] += MAD_TO_SIGMA / (most + 1 - least) * state[RANKED + i]


@inner_kernel
def bound_whole(
    tile: NDArray[Any],
    places: NDArray[np.int64],
    count: int,
    rules: Rules,
    work: NDArray[np.float64],
    state: NDArray[np.float64],
) -> int:  # pragma: no cover
    """Set the bounds of what is kept of listed pixels, one after the other.

    `LOW` and `HIGH` hold the first limits of all pixels, which are known where the spread is not 0.
    Those that lose no value leave the list; the number of the others is returned.
    """
    frames = tile.shape[0]
    kept = work[0]
    lose = 0
    for j in range(count):
        place = places[j]
        pivot = state[PIVOT + place]
        for frame in range(frames):
            kept[frame] = float(tile[frame, place]) - pivot
        known = state[SPREAD + place] > 0
        least, most = state[LOW + place], state[HIGH + place]
        start, stop = clip_sorted(work, frames, rules, least, most, known)
        if stop - start < frames:
            places[lose] = place
            state[LOW + lose], state[HIGH + lose] = kept[start], kept[stop - 1]
            lose += 1
    return lose


@inner_kernel
def bound_incomplete(
    lines: NDArray[Any],
    left: int,
    places: NDArray[np.int64],
    count: int,
    rules: Rules,
    work: NDArray[np.float64],
    near: NDArray[np.float64],
    state: NDArray[np.float64],
) -> None:  # pragma: no cover
    """Set the bounds of pixels one after the other, and take distances from their medians."""
    frames = lines.shape[0]
    kept = work[0]
    for j in range(count):
        place, there = places[j], np.int64(0)  # of a literal 0, `sort` would be compiled twice
        for frame in range(frames):
            if not np.isnan(near[frame, j]):
                kept[there] = float(lines[frame, left + place])
                there += 1
        if there == 0:
            continue
        sort(kept, there)
        pivot = kept[there // 2]
        for i in range(there):
            kept[i] -= pivot
        for frame in range(frames):
            if not np.isnan(near[frame, j]):
                near[frame, j] = float(lines[frame, left + place]) - pivot
        start, stop = clip_sorted(work, there, rules, 0.0, 0.0, False)
        state[PIVOT + place] = pivot
        state[LOW + j], state[HIGH + j] = kept[start], kept[stop - 1]
