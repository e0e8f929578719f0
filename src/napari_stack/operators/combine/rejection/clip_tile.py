"""The state of a tile of neighbouring pixels that are clipped, and the kernels that sum them up."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel
from napari_stack.operators.combine.rejection.clip_pixel import Rules

#: Pixels worked on at a time: the running sums and 20 frames of 16 bits stay in the first cache.
TILE = 256

#: Squares about the mean that are a smaller share of those about the pivot have lost digits.
_CANCELLED = 1e-6

# Where the parts of the state of a tile begin. All are in one array, and their places are known
# when it is compiled: so loops over them are vectorised without checks for overlaps. By pixel: the
# pivot, a value that distances are taken from; number and sum of the distances kept, their squares
# about the mean; centre and spread, as distances; and two parts for medians and distances.
PIVOT, COUNT, TOTAL, SQUARES, CENTRE, SPREAD, MEDIANS, RANKED = (TILE * part for part in range(8))
# By place in the list of pixels that are worked on: bounds of what is kept in the end; bounds of a
# round, then number, sum, squares, least and greatest of what lies within them.
LEAST, MOST, LOW, HIGH, KEPT, SUM, SUM2, LOWEST, HIGHEST = (TILE * part for part in range(8, 17))

#: Numbers in the state.
STATE = 17 * TILE


@inner_kernel
def add_up(
    lines: NDArray[Any], left: int, width: int, pivot: int, state: NDArray[np.float64]
) -> None:  # pragma: no cover
    """Sum up distances from the values of frame `pivot`: centre and spread of all frames."""
    frames, stop = lines.shape[0], left + width
    line = lines[pivot, left:stop]  # known to be contiguous: so it is vectorised
    for i in range(width):
        state[PIVOT + i] = float(line[i])
        state[TOTAL + i] = state[SQUARES + i] = 0.0
    # Four at a time, so that sums are loaded and stored once. The first four may begin before
    # frame 0: there the pivot stands in, of which the distance is 0.
    for frame in range(-(-frames % 4), frames, 4):
        one = lines[frame if frame >= 0 else pivot, left:stop]
        two = lines[frame + 1 if frame >= -1 else pivot, left:stop]
        three = lines[frame + 2 if frame >= -2 else pivot, left:stop]
        four = lines[frame + 3, left:stop]
        for i in range(width):
            first = state[PIVOT + i]
            a, b = float(one[i]) - first, float(two[i]) - first
            c, d = float(three[i]) - first, float(four[i]) - first
            state[TOTAL + i] += (a + b) + (c + d)
            state[SQUARES + i] += (a * a + b * b) + (c * c + d * d)
    share = 1.0 / frames
    for i in range(width):
        mean = state[TOTAL + i] * share
        # The pivot is one of the values: so this difference loses a factor of n at most.
        squares = state[SQUARES + i] - state[TOTAL + i] * mean
        squares = squares if squares > 0 else 0.0
        state[COUNT + i], state[SQUARES + i] = frames, squares
        state[CENTRE + i], state[SPREAD + i] = mean, np.sqrt(squares * share)


@inner_kernel
def clip_rounds(
    lines: NDArray[Any],
    left: int,
    places: NDArray[np.int64],
    rounds: int,
    rules: Rules,
    origin: NDArray[np.int64],
    near: NDArray[np.float64],
    again: NDArray[np.float64],
    state: NDArray[np.float64],
) -> None:  # pragma: no cover
    """Sum up what lies within the bounds of some pixels, set new bounds by it, and so on.

    Pixels that lose no more values leave, and the others move up in `again`, a copy of `near`.
    """
    frames, active = near.shape[0], places.size
    block = near
    for j in range(active):
        origin[j] = j
    for done in range(rounds):
        for j in range(active):
            state[KEPT + j] = state[SUM + j] = state[SUM2 + j] = 0.0
            state[LOWEST + j], state[HIGHEST + j] = np.inf, -np.inf
        for frame in range(frames):
            line = block[frame]
            for j in range(active):
                value = line[j]
                inside = (value >= state[LOW + j]) & (value <= state[HIGH + j])
                kept = value if inside else 0.0
                state[KEPT + j] += 1.0 if inside else 0.0
                state[SUM + j] += kept
                state[SUM2 + j] += kept * kept
                less, greater = (value, value) if inside else (np.inf, -np.inf)
                state[LOWEST + j] = less if less < state[LOWEST + j] else state[LOWEST + j]
                state[HIGHEST + j] = greater if greater > state[HIGHEST + j] else state[HIGHEST + j]
        more = 0
        for j in range(active):
            here = origin[j]
            place = places[here]
            count, total, squares = state[KEPT + j], state[SUM + j], state[SUM2 + j]
            lowest, highest = state[LOWEST + j], state[HIGHEST + j]
            if count == 0:  # below one sigma nothing may be left: what was kept before stands
                if done == 0:
                    state[LEAST + here], state[MOST + here] = -np.inf, np.inf
                continue
            if squares - total * (total / count) < _CANCELLED * squares:
                # The pivot is so far away that distances from it have lost digits: take another.
                least, most, first = state[LOW + j], state[HIGH + j], 0.0
                for frame in range(frames):
                    if near[frame, here] >= least and near[frame, here] <= most:
                        first = float(lines[frame, left + place])
                total, squares, lowest, highest = 0.0, 0.0, np.inf, -np.inf
                for frame in range(frames):
                    before = near[frame, here]
                    if np.isnan(before):
                        continue
                    distance = float(lines[frame, left + place]) - first
                    near[frame, here] = distance
                    if before >= least and before <= most:
                        total += distance
                        squares += distance * distance
                        lowest = distance if distance < lowest else lowest
                        highest = distance if distance > highest else highest
                state[PIVOT + place] = first
            mean = total / count
            squares -= total * mean
            squares = squares if squares > 0 else 0.0
            state[COUNT + place], state[TOTAL + place] = count, total
            state[SQUARES + place] = squares
            state[LEAST + here], state[MOST + here] = lowest, highest
            spread = np.sqrt(squares / count)
            least, most = mean - rules.low * spread, mean + rules.high * spread
            if count < 3 or (lowest >= least and highest <= most):
                continue
            # What was rejected does not come back.
            state[LOW + more] = least if least > lowest else lowest
            state[HIGH + more] = most if most < highest else highest
            origin[more] = here
            more += 1
        active = more
        if active == 0 or done == rounds - 1:
            break
        for frame in range(frames):
            line, row = near[frame], again[frame]
            for j in range(active):
                row[j] = line[origin[j]]
        block = again
