"""Compiled inner loops of the restricted pyramid: energies, and weighted sums within a range."""

from typing import Any

import numpy as np

from napari_stack.jit import kernel

Array = np.ndarray[Any, Any]


@kernel
def _expanded(coarse: Array, i: int, j: int, k: int, taps: Array) -> float:
    """Return a pixel of `coarse` at twice its size; `taps` are outer, half and centre, doubled."""
    last_row, last_column = coarse.shape[0] - 1, coarse.shape[1] - 1
    m, n = i // 2, j // 2
    after, right = min(m + 1, last_row), min(n + 1, last_column)
    outer, half, centre = taps[0], taps[1], taps[2]
    if i % 2:
        if j % 2:
            return (
                half
                * half
                * (
                    coarse[m, n, k]
                    + coarse[m, right, k]
                    + coarse[after, n, k]
                    + coarse[after, right, k]
                )
            )
        left = max(n - 1, 0)
        sides = (
            coarse[m, left, k]
            + coarse[m, right, k]
            + coarse[after, left, k]
            + coarse[after, right, k]
        )
        return half * (outer * sides + centre * (coarse[m, n, k] + coarse[after, n, k]))
    before = max(m - 1, 0)
    if j % 2:
        sides = (
            coarse[before, n, k]
            + coarse[before, right, k]
            + coarse[after, n, k]
            + coarse[after, right, k]
        )
        return half * (outer * sides + centre * (coarse[m, n, k] + coarse[m, right, k]))
    left = max(n - 1, 0)
    corners = (
        coarse[before, left, k]
        + coarse[before, right, k]
        + coarse[after, left, k]
        + coarse[after, right, k]
    )
    sides = coarse[before, n, k] + coarse[after, n, k] + coarse[m, left, k] + coarse[m, right, k]
    return outer * outer * corners + outer * centre * sides + centre * centre * coarse[m, n, k]


@kernel
def window_mean(plane: Array, centre: float, side: float, scale: float, floor: float) -> Array:
    """Return `scale` * the mean of |plane| + `floor`; weights are side, centre, side both ways."""
    height, width = plane.shape
    out = np.empty((height, width), np.float32)
    row = np.empty(width, np.float32)
    for i in range(height):
        up, down = plane[max(i - 1, 0)], plane[min(i + 1, height - 1)]
        here = plane[i]
        for j in range(width):
            row[j] = side * (abs(up[j]) + abs(down[j])) + centre * abs(here[j])
        for j in range(width):
            left, right = row[max(j - 1, 0)], row[min(j + 1, width - 1)]
            out[i, j] = scale * (side * (left + right) + centre * row[j]) + floor
    return out


@kernel
def gather_details(
    total: Array,
    weight: Array,
    fine: Array,
    coarse: Array,
    energy: Array,
    support: Array,
    first: Array,
    last: Array,
    index: int,
    start: int,
    taps: Array,
) -> None:
    """Add a frame's details, weighted by energy^8, where the frame is in the range of a pixel.

    The first row lies at row `start`, an even one, of twice the size of `coarse`. `support` is
    (1, 1) where all pixels of the frame are valid.
    """
    partial = support.shape == first.shape
    for i in range(first.shape[0]):
        for j in range(first.shape[1]):
            if first[i, j] <= index <= last[i, j]:
                power = energy[i, j] * energy[i, j]
                power *= power
                power *= power
                if partial:
                    power *= support[i, j]
                weight[i, j] += power
                for k in range(total.shape[2]):
                    detail = fine[i, j, k] - _expanded(coarse, start + i, j, k, taps)
                    total[i, j, k] += power * detail


@kernel
def gather_base(
    total: Array,
    weight: Array,
    base: Array,
    energy: Array,
    support: Array,
    first: Array,
    last: Array,
    index: int,
) -> None:
    """Add a frame's base, weighted by energy^4, where the frame is in the range of a pixel."""
    partial = support.shape == first.shape
    for i in range(first.shape[0]):
        for j in range(first.shape[1]):
            if first[i, j] <= index <= last[i, j]:
                power = energy[i, j] * energy[i, j]
                power *= power
                if partial:
                    power *= support[i, j]
                weight[i, j] += power
                for k in range(total.shape[2]):
                    total[i, j, k] += power * base[i, j, k]


@kernel
def divide(total: Array, weight: Array) -> None:
    """Divide a sum by its weight, in place; what has no weight stays 0."""
    for i in range(weight.shape[0]):
        for j in range(weight.shape[1]):
            if weight[i, j] > 0:
                for k in range(total.shape[2]):
                    total[i, j, k] /= weight[i, j]


@kernel
def widen_stored(low: Array, high: Array, values: Array, valid: Array, whole: bool) -> None:
    """Widen the range, kept in the stored type, so that it holds a frame's valid pixels as seen."""
    if whole:  # flat loops without branches, which become vector instructions
        lows, highs, seen = low.ravel(), high.ravel(), values.ravel()
        for i in range(lows.size):
            lows[i] = min(lows[i], seen[i])
            highs[i] = max(highs[i], seen[i])
        return
    for i in range(low.shape[0]):
        for j in range(low.shape[1]):
            if valid[i, j]:
                for k in range(low.shape[2]):
                    low[i, j, k] = min(low[i, j, k], values[i, j, k])
                    high[i, j, k] = max(high[i, j, k], values[i, j, k])
