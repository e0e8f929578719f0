"""Kernel that keeps, of neighbouring pixels at a time, what lies near a line of their values.

The values of a pixel are in order, and a line goes through them against their ranks.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel
from napari_stack.operators.combine.rejection.ordered_kernels import APART, MIXED, ONE, OTHER, OWN

#: Distances that are greater by rounding alone are not: by this factor, or share of the range of
#: the values, as where they lie on a line.
EXACT, LITTLE = 1 + 1e-6, 1e-9

# Behind what all methods share: sums of distances kept and of these times their ranks, how many,
# the rank of the next one, the line, the width of the bounds within which rounding may decide, and
# how many lie there.
_TOTAL, _WEIGHTED, _GOOD, _RANK, _SLOPE, _ORIGIN, _UNSURE, _DOUBTS = (
    OWN + APART * part for part in range(8)
)

#: From 1 to the next number of 32 bits.
_STEP = 2.0**-23


@inner_kernel
def keep_by_lines(
    near: NDArray[Any], frames: int, width: int, low: float, high: float, rounds: int,
    rounded: bool | None, keep: NDArray[Any], state: NDArray[Any],
) -> None:  # pragma: no cover  # fmt: skip
    """Keep values near a line that is fitted again without what was rejected.

    All pixels take part in all rounds: one that is done stays as it is, which costs less than to
    move the others together.

    Parameters
    ----------
    near : ndarray, shape (n or n + 1, `APART`)
        Distances from the value in the middle, in order; an even number of rows.
    frames, width : int
        Rows and columns of it that count.
    low, high : float
        In mean distances from the line.
    rounds : int
    rounded : True or None
        Pixels at which numbers of 32 bits cannot decide are marked, to be looked at for themselves.
    keep : ndarray, shape of `near`
        Set here: 1 for what is kept, else 0.
    state : ndarray, shape (`ORDERED_STATE`,)
    """
    kind = near.dtype.type
    none, unit, half, most = kind(0), kind(1), kind(0.5), kind(np.inf)
    least_of, most_of = kind(-low), kind(high)
    rows = near.shape[0]
    for j in range(width):
        state[_TOTAL + j] = state[_WEIGHTED + j] = none
        state[_GOOD + j] = kind(frames)
    for i in range(rows):
        row, some, rank = near[i], keep[i], kind(i)
        there = unit if i < frames else none
        for j in range(width):
            some[j] = there
            row[j] = row[j] if i < frames else none
            state[_TOTAL + j] += row[j]
            state[_WEIGHTED + j] += row[j] * rank
    if rounded is not None:
        first, last = near[0], near[frames - 1]
        steps = kind(_STEP * (16.0 + max(low, high) * (8.0 + 0.5 * frames)))
        exact = kind(2.0**25 / (frames * frames))
        for j in range(width):
            farthest = max(-first[j], last[j])
            state[_UNSURE + j] = steps * farthest
            # Beyond that sums are not exact.
            state[MIXED + j] = unit if farthest > exact else state[MIXED + j]
    smallest_of, greatest_of = near[0], near[frames - 1]
    for _ in range(rounds):
        for j in range(width):
            left, total = float(state[_GOOD + j]), float(state[_TOTAL + j])
            middle, weighted = 0.5 * (left - 1.0), float(state[_WEIGHTED + j])
            slope = 12.0 * (weighted - middle * total) / (left * (left * left - 1.0))
            state[_SLOPE + j] = kind(slope)
            state[_ORIGIN + j] = kind(total / left - slope * middle)
            state[_RANK + j] = state[ONE + j] = none
        for i in range(0, rows, 2):  # two at a time, so that sums are loaded and stored once
            row, some, next_row, more = near[i], keep[i], near[i + 1], keep[i + 1]
            for j in range(width):
                origin, slope = state[_ORIGIN + j], state[_SLOPE + j]
                rank = state[_RANK + j] + some[j]
                far = row[j] - (origin + slope * state[_RANK + j])
                far_too = next_row[j] - (origin + slope * rank)
                state[ONE + j] += abs(far) * some[j] + abs(far_too) * more[j]
                state[_RANK + j] = rank + more[j]
        for j in range(width):
            # With five values one can lie at 2.5 mean distances, no more: rounding decides nothing.
            least_distance = LITTLE * (float(greatest_of[j]) - float(smallest_of[j]))
            mean_distance = float(state[ONE + j]) / float(state[_GOOD + j])
            reach = kind(mean_distance * EXACT + least_distance)
            reach = reach if state[_GOOD + j] > kind(3) else most
            state[ONE + j], state[OTHER + j] = least_of * reach, most_of * reach
            state[_RANK + j] = state[_GOOD + j] = state[_TOTAL + j] = state[_WEIGHTED + j] = none
            state[_DOUBTS + j] = none
            if rounded is not None:
                state[ONE + j] -= half * state[_UNSURE + j]
                state[OTHER + j] += half * state[_UNSURE + j]
        for i in range(0, rows, 2):
            row, some, next_row, more = near[i], keep[i], near[i + 1], keep[i + 1]
            for j in range(width):
                origin, slope, rank = state[_ORIGIN + j], state[_SLOPE + j], state[_RANK + j]
                least, greatest = state[ONE + j], state[OTHER + j]
                far = row[j] - (origin + slope * rank)
                far_too = next_row[j] - (origin + slope * (rank + some[j]))
                state[_RANK + j] = rank + some[j] + more[j]
                good = some[j] if (far >= least) & (far <= greatest) else none
                good_too = more[j] if (far_too >= least) & (far_too <= greatest) else none
                distance, distance_too = row[j] * good, next_row[j] * good_too
                place = state[_GOOD + j]
                state[_TOTAL + j] += distance + distance_too
                state[_WEIGHTED + j] += distance * place + distance_too * (place + good)
                state[_GOOD + j] = place + good + good_too
                if rounded is not None:
                    least += state[_UNSURE + j]
                    greatest -= state[_UNSURE + j]
                    sure = some[j] if (far >= least) & (far <= greatest) else none
                    sure_too = more[j] if (far_too >= least) & (far_too <= greatest) else none
                    state[_DOUBTS + j] += (good - sure) + (good_too - sure_too)
                some[j], more[j] = good, good_too
        changed = none
        for j in range(width):
            changed += state[_RANK + j] - state[_GOOD + j]
            # Where nothing is left what was kept before stands, which is found for itself.
            alone = state[_GOOD + j] == none
            if rounded is not None:
                alone |= state[_DOUBTS + j] > none
            state[MIXED + j] = unit if alone else state[MIXED + j]
            state[_GOOD + j] = state[_GOOD + j] if state[_GOOD + j] > none else unit
        if changed == none:
            break
