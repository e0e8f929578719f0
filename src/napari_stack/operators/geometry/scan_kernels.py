"""The compiled loop of a warp of raster scans: each row that is read has an offset of its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel, kernel
from napari_stack.operators.geometry.tap_kernels import BLOCK, ONE, TAP, Y, pixel_index, tap_weights

#: A tap of less weight than this does not count (whole shifts meet rounding); places so near to
#: steps of one pixel are these.
_FAINT, _EVEN = 1e-5, 1e-9


@inner_kernel
def _hold(position: NDArray[np.float64], start: Any, stop: Any, high: float, reflect: bool) -> None:
    # Positions within 0 to `high`: mirrored there, or held.
    if reflect and high > 0:
        for q in range(start, stop):
            x = abs(position[q])
            x -= 2 * high * int(x / (2 * high))
            position[q] = x if x < high else 2 * high - x
    for q in range(start, stop):
        x = position[q]
        x = x if x > 0 else 0.0
        position[q] = x if x < high else high


@inner_kernel
def _offset_at(row: float, offsets: NDArray[np.float64]) -> float:
    k = min(max(int(row), 0), max(offsets.size - 2, 0))
    t = min(max(row - k, 0.0), 1.0)
    return (1 - t) * offsets[k] + t * offsets[min(k + 1, offsets.size - 1)]


@inner_kernel
def _add_at_border(
    pixels: NDArray[Any], line: int, first: int, across: tuple[int, int], reflect: bool,
    part: Any, weight: NDArray[Any], q: Any, taps: tuple[int, ...], channels: tuple[int, ...],
    out: NDArray[Any], here: Any,
) -> None:  # fmt: skip
    # One pixel whose taps reach beyond the ends of a row.
    kind, deep = weight.dtype.type, len(channels)
    for k in range(deep):
        value = kind(0)
        for i in range(len(taps)):
            at = pixel_index(first + i, across, across[1], reflect)
            pixel = pixels[np.uintp((line + at) * deep + k)]
            value += weight[np.uintp(i) * TAP + q] * kind(pixel)
        out[here * np.uintp(deep) + np.uintp(k)] += part * value


@inner_kernel
def _mark_inside(
    flat: NDArray[np.float64], half: Any, here: Any, count: Any, offsets: NDArray[np.float64],
    limits: tuple[int, int, float], inside: NDArray[np.bool_],
) -> None:  # fmt: skip
    last_x, last_y, slack = limits
    offset, before = 0.0, np.nan
    for q in range(count):
        x, y = flat[here + q], flat[half + here + q]
        if y != before:
            before, offset = y, _offset_at(y, offsets)
        x += offset
        inside[here + q] = (
            x >= -slack and x <= last_x + slack and y >= -slack and y <= last_y + slack
        )


@inner_kernel
def _add_row(
    pixels: NDArray[Any], line: NDArray[np.int64], base: NDArray[np.int32], columns: int,
    reflect: bool, share: NDArray[Any], weight: NDArray[Any], count: Any, taps: tuple[int, ...],
    channels: tuple[int, ...], out: NDArray[Any],
) -> None:  # fmt: skip
    # What one tap along y adds: pixels that read neighbouring ones of a row together.
    side, deep, before = len(taps), np.uintp(len(channels)), (len(taps) - 1) // 2
    kind, last, q = weight.dtype.type, columns - side + before, np.uintp(0)
    regular = base[0] >= before and base[count - ONE] <= last
    for n in range(count - ONE):
        regular &= line[n + ONE] - line[n] == 1
    while q < count:
        stop = q + ONE
        if base[q] < before or base[q] > last:
            first = base[q] - before
            _add_at_border(
                pixels, line[q] - first, first, (0, columns - 1), reflect, share[q], weight, q,
                taps, channels, out, q,
            )  # fmt: skip
            q = stop
            continue
        if regular:
            stop = count
        while stop < count and line[stop] == line[stop - ONE] + 1 and base[stop] <= last:
            stop += ONE
        start = np.uintp(line[q])
        if deep == 1:
            for n in range(stop - q):
                m, p = q + n, start + n
                value = weight[m] * kind(pixels[p])
                for i in range(1, side):
                    value += weight[np.uintp(i) * TAP + m] * kind(pixels[p + np.uintp(i)])
                out[m] += share[m] * value
        else:
            for n in range(stop - q):
                for k in range(deep):
                    value = kind(0)
                    for i in range(side):
                        pixel = pixels[(start + n + np.uintp(i)) * deep + np.uintp(k)]
                        value += weight[np.uintp(i) * TAP + q + n] * kind(pixel)
                    out[(q + n) * deep + np.uintp(k)] += share[q + n] * value
        q = stop


@inner_kernel
def _add_even(
    pixels: NDArray[Any], start: Any, step: Any, part: Any, weight: NDArray[Any], of: Any,
    count: Any, taps: tuple[int, ...], out: NDArray[Any],
) -> None:  # fmt: skip
    # What one tap along y adds to a run of pixels that all have the same weights along x.
    side = len(taps)
    if side == 4:
        a, b = part * weight[of], part * weight[TAP + of]
        c, d = part * weight[TAP + TAP + of], part * weight[TAP + TAP + TAP + of]
        kind = weight.dtype.type
        for n in range(count):
            at = start + n
            out[n] += (
                a * kind(pixels[at]) + b * kind(pixels[at + step])
                + c * kind(pixels[at + step + step]) + d * kind(pixels[at + step + step + step])
            )  # fmt: skip
        return
    for i in range(side):
        share, first = part * weight[np.uintp(i) * TAP + of], start + np.uintp(i) * step
        for n in range(count):
            out[n] += share * weight.dtype.type(pixels[first + n])


@inner_kernel
def _warp_even(
    pixels: NDArray[Any], x: float, y: float, count: Any, first_row: int, rows: tuple[int, int],
    columns: int, offsets: NDArray[np.float64], reflect: bool, taps: tuple[int, ...], deep: int,
    position: NDArray[np.float64], base: NDArray[np.int32], weight: NDArray[Any],
    share: NDArray[Any], row_of: NDArray[np.int64], out: NDArray[Any],
) -> bool:  # fmt: skip
    # A run of pixels side by side along a row, if all their taps lie within the frame.
    side, before, last_y = len(taps), (len(taps) - 1) // 2, offsets.size - 1
    if not (y >= 0 and y <= last_y):
        return False
    position[0] = y
    tap_weights(position, ONE, base, weight, taps)
    for j in range(side):
        share[j] = weight[np.uintp(j) * TAP]
        row_of[j] = pixel_index(base[0] - before + j, rows, last_y, reflect)
    within = True
    for j in range(side):
        position[j] = x + offsets[row_of[j]]
        end = position[j] + np.int64(count) - 1 + side - before
        within &= position[j] >= before and end <= columns - 1
    if not within:
        return False
    tap_weights(position, np.uintp(side), base, weight, taps)
    step, values = np.uintp(deep), count * np.uintp(deep)
    for n in range(values):
        out[n] = weight.dtype.type(0)
    for j in range(side):
        start = np.uintp((row_of[j] - first_row) * columns + base[j] - before) * step
        _add_even(pixels, start, step, share[j], weight, np.uintp(j), values, taps, out)
    return True


@kernel
def warp_scan(
    pixels: NDArray[Any], valid: NDArray[np.bool_],
    given: tuple[tuple[int, int], tuple[int, int]], places: NDArray[np.float64],
    offsets: NDArray[np.float64], slack: float, reflect: bool, taps: tuple[int, ...],
    channels: tuple[int, ...], position: NDArray[np.float64], base: NDArray[np.int32],
    weight: NDArray[Any], out: NDArray[Any], inside: NDArray[np.bool_],
    whole: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Warp rows of a raster scan; the frame, its validity, and what comes out are flat.

    Parameters
    ----------
    pixels, valid, given, taps, channels
        As for `warp_lines`.
    places : ndarray (2, lines, width)
        x without the offset, and y, in the frame, of every pixel.
    offsets : ndarray (height,)
        dx of every row of the frame.
    slack : float
        Positions outside by no more than this are inside.
    reflect : bool
    position, base, weight : ndarray
        Buffers of 2 * BLOCK, the last one of so many a tap.
    out : ndarray of float
    inside, whole
        As for `warp_lines`.
    """
    down, across = given
    columns, last_x, last_y = across[1] + 1, across[1], offsets.size - 1
    kind, side, deep = weight.dtype.type, len(taps), len(channels)
    before, width = (side - 1) // 2, places.shape[2]
    share = np.empty(side * BLOCK, weight.dtype)
    row_of, line = np.empty(side * BLOCK, np.int64), np.empty(BLOCK, np.int64)
    flat, half = places.reshape(-1), np.uintp(places.shape[1] * width)
    for r in range(places.shape[1]):
        for left in range(0, width, BLOCK):
            count = np.uintp(min(width - left, BLOCK))
            here = np.uintp(r * width + left)
            x, y = flat[here], flat[half + here]
            even = valid.size == 0 and side > 1  # the nearest row does not tell of its neighbour
            for q in range(count):
                even &= flat[half + here + q] == y and abs(flat[here + q] - x - q) < _EVEN
            if even and _warp_even(
                pixels, x, y, count, down[0], down, columns, offsets, reflect, taps, deep,
                position, base, weight, share, row_of, out[here * np.uintp(deep) :],
            ):  # fmt: skip
                for q in range(count):
                    inside[here + q] = True
                continue
            _mark_inside(flat, half, here, count, offsets, (last_x, last_y, slack), inside)
            for q in range(count):
                position[q] = 0.0
                position[Y + q] = flat[half + here + q]
            _hold(position, Y, Y + count, float(last_y), reflect)
            tap_weights(position, Y + count, base, weight, taps)
            level = True
            for q in range(count):
                level &= flat[half + here + q] == flat[half + here]
            for j in range(side):
                for q in range(ONE if level else count):
                    share[np.uintp(j * BLOCK) + q] = weight[np.uintp(j) * TAP + Y + q]
                    row = base[Y + q] - before + j
                    row_of[np.uintp(j * BLOCK) + q] = pixel_index(row, down, last_y, reflect)
            for q in range(count * np.uintp(deep)):
                out[here * np.uintp(deep) + q] = kind(0)
            for j in range(side):
                of_tap = np.uintp(j * BLOCK)
                if level:
                    offset, part = offsets[row_of[of_tap]], share[of_tap]
                    start = (row_of[of_tap] - down[0]) * columns - before
                    for q in range(count):
                        position[q] = flat[here + q] + offset
                        share[of_tap + q] = part
                else:
                    for q in range(count):
                        position[q] = flat[here + q] + offsets[row_of[of_tap + q]]
                for q in range(count):  # a neighbouring row may end sooner
                    within = position[q] >= -slack and position[q] <= last_x + slack
                    inside[here + q] &= within or abs(share[of_tap + q]) <= _FAINT
                _hold(position, np.uintp(0), count, float(last_x), reflect)
                tap_weights(position, count, base, weight, taps)
                if level:
                    for q in range(count):
                        line[q] = start + base[q]
                else:
                    for q in range(count):
                        line[q] = (row_of[of_tap + q] - down[0]) * columns + base[q] - before
                _add_row(
                    pixels, line, base, columns, reflect, share[of_tap:], weight, count, taps,
                    channels, out[here * np.uintp(deep) :],
                )  # fmt: skip
                if valid.size > 0:
                    for q in range(count):
                        first = base[q] - before
                        for i in range(side):
                            at = pixel_index(first + i, across, last_x, reflect)
                            heavy = abs(share[of_tap + q] * weight[np.uintp(i) * TAP + q]) > _FAINT
                            if heavy and not valid[np.uintp(line[q] - first + at)]:
                                whole[here + q] = False
