"""Kernel that keeps, of neighbouring pixels at a time, what lies near a line of their values.

The values of a pixel are in order, and a line goes through them against their ranks.
"""

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel
from napari_stack.operators.combine.ordered_kernels import APART, MIXED, ONE, OTHER, OWN

#: Distances that are greater by rounding alone are not.
EXACT = 1 + 1e-6

# Behind what all methods share: sums of distances kept and of these times their ranks, how many,
# the rank of the next one, and the line.
_TOTAL, _WEIGHTED, _GOOD, _RANK, _SLOPE, _ORIGIN = (OWN + APART * part for part in range(6))


@inner_kernel
def keep_by_lines(
    near: NDArray[np.float64], frames: int, width: int, low: float, high: float, rounds: int,
    keep: NDArray[np.float64], state: NDArray[np.float64],
) -> None:  # pragma: no cover  # fmt: skip
    """Keep values near a line that is fitted again without what was rejected.

    All pixels take part in all rounds: one that is done stays as it is, which costs less than to
    move the others together.

    Parameters
    ----------
    near : ndarray, shape (n, `APART`)
        Distances from the value in the middle, in order.
    frames, width : int
        Rows and columns of it that count.
    low, high : float
        In mean distances from the line.
    rounds : int
    keep : ndarray, shape of `near`
        Set here: 1 for what is kept, else 0.
    state : ndarray, shape (`ORDERED_STATE`,)
    """
    for j in range(width):
        state[_TOTAL + j] = state[_WEIGHTED + j] = 0.0
        state[_GOOD + j] = float(frames)
    for i in range(frames):
        row, some, rank = near[i], keep[i], float(i)
        for j in range(width):
            some[j] = 1.0
            state[_TOTAL + j] += row[j]
            state[_WEIGHTED + j] += row[j] * rank
    for _ in range(rounds):
        for j in range(width):
            left, total = state[_GOOD + j], state[_TOTAL + j]
            middle = 0.5 * (left - 1.0)
            slope = 12.0 * (state[_WEIGHTED + j] - middle * total) / (left * (left * left - 1.0))
            state[_SLOPE + j], state[_ORIGIN + j] = slope, total / left - slope * middle
            state[_RANK + j] = state[ONE + j] = 0.0
        for i in range(frames):
            row, some = near[i], keep[i]
            for j in range(width):
                far = row[j] - (state[_ORIGIN + j] + state[_SLOPE + j] * state[_RANK + j])
                state[ONE + j] += abs(far) * some[j]
                state[_RANK + j] += some[j]
        for j in range(width):
            # With five values one can lie at 2.5 mean distances, no more: rounding decides nothing.
            reach = state[ONE + j] / state[_GOOD + j] * EXACT
            reach = reach if state[_GOOD + j] > 3.0 else np.inf
            state[ONE + j], state[OTHER + j] = -low * reach, high * reach
            state[_RANK + j] = state[_GOOD + j] = state[_TOTAL + j] = state[_WEIGHTED + j] = 0.0
        changed = 0.0
        for i in range(frames):
            row, some = near[i], keep[i]
            for j in range(width):
                far = row[j] - (state[_ORIGIN + j] + state[_SLOPE + j] * state[_RANK + j])
                state[_RANK + j] += some[j]
                good = some[j] if (far >= state[ONE + j]) & (far <= state[OTHER + j]) else 0.0
                distance = row[j] * good
                state[_TOTAL + j] += distance
                state[_WEIGHTED + j] += distance * state[_GOOD + j]
                state[_GOOD + j] += good
                some[j] = good
        for j in range(width):
            changed += state[_RANK + j] - state[_GOOD + j]
            # Where nothing is left what was kept before stands, which is found for itself.
            state[MIXED + j] = 1.0 if state[_GOOD + j] == 0.0 else state[MIXED + j]
            state[_GOOD + j] = state[_GOOD + j] if state[_GOOD + j] > 0.0 else 1.0
        if changed == 0.0:
            break
