"""Kernels of deformations: where the pixels of a result lie in the frame, before any is read."""

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel, kernel

Floats = NDArray[np.float64]


@inner_kernel
def _four(u: float, count: int) -> tuple[int, float, float, float, float]:
    # The first of four control points of a cubic B-spline about u, and their weights.
    u = min(max(u, 1.0), count - 2.0)
    cell = min(int(u), count - 3)
    t = u - cell
    s = 1 - t
    return (
        cell - 1, s * s * s / 6, (4 - 6 * t * t + 3 * t * t * t) / 6,
        (4 - 6 * s * s + 3 * s * s * s) / 6, t * t * t / 6,
    )  # fmt: skip


@inner_kernel
def _blended(grid: Floats, v: float, k: int, line: Floats) -> None:
    # The row of control points at v.
    top, w0, w1, w2, w3 = _four(v, grid.shape[0])
    for c in range(grid.shape[1]):
        line[c] = (
            w0 * grid[top, c, k] + w1 * grid[top + 1, c, k]
            + w2 * grid[top + 2, c, k] + w3 * grid[top + 3, c, k]
        )  # fmt: skip


@inner_kernel
def _add_upright(line: Floats, a: float, b: float, out: Floats) -> None:
    # Along a row of pixels, u = a x + b with a > 0: a polynomial in each cell of the grid.
    columns, width = line.size, out.size
    before = min(max(int(np.ceil((1 - b) / a)), 0), width)  # pixels before the grid, and within
    within = min(max(int(np.floor((columns - 2 - b) / a)) + 1, before), width)
    first = (line[0] + 4 * line[1] + line[2]) / 6
    for x in range(before):
        out[np.uintp(x)] += first
    x = before
    while x < within:
        cell = min(max(int(a * x + b), 1), columns - 3)
        stop = min(max(int(np.ceil((cell + 1 - b) / a)), x + 1), within)
        p, q, r, s = line[cell - 1], line[cell], line[cell + 1], line[cell + 2]
        c0, c1 = (p + 4 * q + r) / 6, (r - p) / 2
        c2, c3 = (p - 2 * q + r) / 2, (s - 3 * r + 3 * q - p) / 6
        start = np.int32(x)
        for n in range(np.uintp(stop - x)):
            t = a * np.float64(start + np.int32(n)) + b - cell
            out[np.uintp(x) + n] += c0 + t * (c1 + t * (c2 + t * c3))
        x = stop
    last = (line[columns - 3] + 4 * line[columns - 2] + line[columns - 1]) / 6
    for x in range(within, width):
        out[np.uintp(x)] += last


@inner_kernel
def _add_any(grid: Floats, place: Floats, y: float, out: Floats) -> None:
    # The same for grids that are turned, mirrored or seen in perspective.
    for x in range(out.shape[1]):
        w = place[2, 0] * x + place[2, 1] * y + place[2, 2]
        u = (place[0, 0] * x + place[0, 1] * y + place[0, 2]) / w
        v = (place[1, 0] * x + place[1, 1] * y + place[1, 2]) / w
        if not (np.isfinite(u) and np.isfinite(v)):
            continue
        left, a0, a1, a2, a3 = _four(u, grid.shape[1])
        top, d0, d1, d2, d3 = _four(v, grid.shape[0])
        down = (d0, d1, d2, d3)
        for k in range(2):
            total = 0.0
            for j in range(4):
                total += down[j] * (
                    a0 * grid[top + j, left, k] + a1 * grid[top + j, left + 1, k]
                    + a2 * grid[top + j, left + 2, k] + a3 * grid[top + j, left + 3, k]
                )  # fmt: skip
            out[k, x] += total


@inner_kernel
def _by_matrix(matrix: Floats, y: float, out_x: Floats, out_y: Floats) -> None:
    b, d = matrix[0, 1] * y + matrix[0, 2], matrix[1, 1] * y + matrix[1, 2]
    f = matrix[2, 1] * y + matrix[2, 2]
    for x in range(out_x.size):
        out_x[x] = matrix[0, 0] * x + b
        out_y[x] = matrix[1, 0] * x + d
    if matrix[2, 0] != 0 or f != 1:
        for x in range(out_x.size):
            w = matrix[2, 0] * x + f
            # Points behind the horizon are in no frame.
            out_x[x] = out_x[x] / w if w > 0 else -1e9
            out_y[x] = out_y[x] / w if w > 0 else -1e9


@inner_kernel
def _row_of(y: float, seen: Floats, guess: int) -> tuple[float, int]:
    # The row of a scan that shows y, and the whole one before it.
    last = seen.size - 1
    if y <= seen[0]:
        return y - seen[0], 0
    if y >= seen[last]:
        return last + y - seen[last], last
    k = min(max(guess, 0), last - 1)
    while seen[k] > y:
        k -= 1
    while seen[k + 1] < y:
        k += 1
    between = seen[k + 1] - seen[k]
    return k + ((y - seen[k]) / between if between > 0 else 0.0), k


@kernel
def find_places(
    matrix: Floats, grid: Floats, place: Floats, seen: Floats, first_row: int, line: Floats,
    out: Floats,
) -> None:  # fmt: skip
    """Find where pixels lie in a frame.

    Parameters
    ----------
    matrix : ndarray (3, 3)
        Takes a point of the result to the frame, without deformation.
    grid : ndarray (rows, columns, 2)
        Control points of what is added; without any rows nothing is.
    place : ndarray (3, 3)
        Takes a point of the result to its (column, row) among the control points.
    seen : ndarray (height,)
        y that each row of a raster scan shows, none falling; empty for frames that are no scans.
    first_row : int
        Row of the result that the first one of `out` is.
    line : ndarray (columns,)
        Buffer.
    out : ndarray (2, lines, width)
        x and y: of a scan that of the row, but x without its offset.
    """
    upright = (
        place[0, 1] == 0 and place[1, 0] == 0 and place[2, 0] == 0 and place[2, 1] == 0
        and place[2, 2] == 1 and place[0, 0] > 0
    )  # fmt: skip
    level, guess = grid.shape[0] == 0 and matrix[1, 0] == 0 and matrix[2, 0] == 0, 0
    for r in range(out.shape[1]):
        y = float(first_row + r)
        _by_matrix(matrix, y, out[0, r], out[1, r])
        if grid.shape[0] > 0 and upright:
            for k in range(2):
                _blended(grid, place[1, 1] * y + place[1, 2], k, line)
                _add_upright(line, place[0, 0], place[0, 2], out[k, r])
        elif grid.shape[0] > 0:
            _add_any(grid, place, y, out[:, r])
        if seen.size > 0 and level:  # it is the same along a row that is not turned
            found, guess = _row_of(out[1, r, 0], seen, guess)
            out[1, r] = found
        elif seen.size > 0:
            before, found = np.nan, 0.0
            for x in range(out.shape[2]):
                if out[1, r, x] != before:
                    before = out[1, r, x]
                    found, guess = _row_of(before, seen, guess)
                out[1, r, x] = found
