"""Kernel that clips rows of pixels, a tile of neighbouring pixels at a time, and its parts.

It looks for pixels that have outliers, and works on these alone, side by side: about means by
standard deviations in rounds over all of them, about other centres or by other spreads one after
the other, their values in order. Pixels of which some frames are invalid are worked on in the same
way, with NaN for what is invalid.

Parts that are called once are written out in `clip_rows`: each function that kernels call is
compiled for itself and again with its caller, and compiling takes seconds.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import kernel
from napari_stack.operators.combine.reducers.sorting import put_in_order
from napari_stack.operators.combine.rejection.clip_pixel import Rules
from napari_stack.operators.combine.rejection.clip_robust import (
    bound_incomplete,
    bound_whole,
    set_robust,
)
from napari_stack.operators.combine.rejection.clip_tile import (
    CENTRE,
    COUNT,
    HIGH,
    LEAST,
    LOW,
    MOST,
    PIVOT,
    SPREAD,
    SQUARES,
    TOTAL,
    add_up,
    clip_rounds,
)


@kernel
def clip_rows(
    values: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    whole: NDArray[np.bool_],
    channels: int,
    rules: Rules,
    exchanges: NDArray[np.int32] | None,
    tile: NDArray[Any],
    near: NDArray[np.float64],
    state: NDArray[np.float64],
    work: NDArray[np.float64],
    places: NDArray[np.int64],
    flags: NDArray[np.bool_],
    mean: NDArray[np.float64],
    used: NDArray[np.uint16],
    squares: NDArray[np.float32],
    below: NDArray[np.uint16],
    rejected_per_frame: NDArray[np.uint32],
) -> None:  # pragma: no cover
    """Clip rows of all frames: mean, number and squares of what is kept.

    Branches on what is None are left out when it is compiled.

    Parameters
    ----------
    values : ndarray, shape (rows, n, columns)
        A column is a channel of a pixel.
    valid : ndarray of bool, shape (rows, n, columns / channels), or None
    whole : ndarray of bool, shape (rows, columns), or (rows, 0) where all are
        Whether all frames are valid.
    rules : Rules
    exchanges : ndarray, shape (exchanges, 2), or None
        Those that put n values in order; None to clip about means by standard deviations.
    tile : ndarray of the type of `values`, shape (n, width), or (2, width) without exchanges
        Scratch: values in order, or for the least and the greatest of them.
    near, state, work, places, flags : ndarray
        Scratch of shape (2, n, `TILE`), (`STATE`,), (3, n), (2, `TILE` + 1), (`TILE`,).
    mean, used : ndarray, shape (rows, columns)
    squares : ndarray, shape (rows, columns), or (rows, 0) if they are not wanted
    below : ndarray, shape (rows, columns), or (rows, 0) if it is not wanted
        Values rejected below what is kept are added to it.
    rejected_per_frame : ndarray, shape (rows, n)
        Rejected values are added to it.
    """
    rows, frames, columns = values.shape
    size, listed, origin = tile.shape[1], places[0], places[1]
    lowest, highest = tile[0], tile[tile.shape[0] - 1]
    groups = 2 if whole.size else 1
    for row in range(rows):
        lines = values[row]
        for left in range(0, columns, size):
            stop = left + size if left + size < columns else columns
            width = stop - left
            source, first, pivot = lines, left, 0
            if exchanges is not None:
                put_in_order(lines, left, width, exchanges, tile)
                source, first, pivot = tile, 0, frames // 2
            add_up(source, first, width, pivot, state)
            if exchanges is not None:
                set_robust(tile, width, rules, state)
            else:
                line = lines[0, left:stop]
                for i in range(width):
                    lowest[i] = highest[i] = line[i]
                for frame in range(frames % 2, frames, 2):
                    one, two = lines[frame, left:stop], lines[frame + 1, left:stop]
                    for i in range(width):
                        less, greater = (one[i], two[i]) if one[i] < two[i] else (two[i], one[i])
                        lowest[i] = less if less < lowest[i] else lowest[i]
                        highest[i] = greater if greater > highest[i] else highest[i]
            for group in range(groups):  # pixels with outliers, then those with invalid frames
                for i in range(width):
                    middle, reach = state[CENTRE + i], state[SPREAD + i]
                    state[LOW + i] = middle - rules.low * reach
                    state[HIGH + i] = middle + rules.high * reach
                    least = float(lowest[i]) - state[PIVOT + i]
                    most = float(highest[i]) - state[PIVOT + i]
                    beyond = (least < state[LOW + i]) | (most > state[HIGH + i])
                    flags[i] = (beyond | ((reach == 0) & (least != most))) & (rules.iterations > 0)
                if groups == 2:
                    complete = whole[row, left:stop]
                    for i in range(width):
                        flags[i] = flags[i] & complete[i] if group == 0 else not complete[i]
                count = np.int64(0)
                for i in range(width):
                    listed[count] = i
                    count += flags[i]
                if count == 0:
                    continue
                rounds = rules.iterations + group
                if group == 0:
                    if exchanges is not None:
                        rounds = 1
                        count = bound_whole(tile, listed, count, rules, work, state)
                    else:
                        for j in range(count):
                            state[LOW + j] = state[LOW + listed[j]]
                            state[HIGH + j] = state[HIGH + listed[j]]
                    for frame in range(frames):
                        for j in range(count):
                            distance = float(lines[frame, left + listed[j]])
                            near[0, frame, j] = distance - state[PIVOT + listed[j]]
                elif valid is not None:
                    for j in range(count):
                        place = listed[j]
                        column, known = left + place, np.nan
                        for frame in range(frames):
                            there = valid[row, frame, column // channels]
                            value = float(lines[frame, column]) if there else np.nan
                            known = value if np.isnan(known) else known
                            near[0, frame, j] = value - known
                        state[PIVOT + place], state[COUNT + place] = known, 0.0
                        state[LOW + j], state[HIGH + j] = -np.inf, np.inf
                    if exchanges is not None:
                        rounds = 1
                        bound_incomplete(lines, left, listed, count, rules, work, near[0], state)
                clip_rounds(
                    lines, left, listed[:count], rounds, rules, origin, near[0], near[1], state
                )
                for frame in range(frames):
                    line = near[0, frame]
                    rejected = 0
                    for j in range(count):
                        rejected += (line[j] < state[LEAST + j]) | (line[j] > state[MOST + j])
                    rejected_per_frame[row, frame] += np.uint32(rejected)
                    if below.size:
                        for j in range(count):
                            below[row, left + listed[j]] += line[j] < state[LEAST + j]
            means, numbers = mean[row, left:stop], used[row, left:stop]
            for i in range(width):
                kept = state[COUNT + i]
                value = (kept * state[PIVOT + i] + state[TOTAL + i]) / kept
                means[i] = value if kept > 0 else 0.0
                numbers[i] = np.uint16(kept)
            if squares.size:
                for i in range(width):
                    squares[row, left + i] = state[SQUARES + i]
