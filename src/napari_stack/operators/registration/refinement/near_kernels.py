"""Gauss-Newton on one level in one compiled loop, where rows of the frames run nearly alike."""

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from napari_stack.core.system.jit import inner_kernel, summing_kernel
from napari_stack.operators.registration.refinement.near_row_kernels import (
    across,
    between,
    down,
    sum_row,
)

#: Sums over a row: products of gradients xx, xy, yy (powers 0, 1, 2 of the place x); of gradients
#: and value xv, yv, gradients x, y, of gradients and residual xr, yr (powers 0, 1); then vv, v, 1,
#: vr, r; the number of pixels, squared gradients, squared residuals.
SUMS = 29
#: Least pivot of the scaled normal matrix: below it, the frames do not determine an unknown.
LEAST_PIVOT = 1e-6


@inner_kernel
def _add_rows(
    fixed: NDArray[np.float32], moving: NDArray[np.float32], shape: tuple[int, int],
    matrix: NDArray[np.float64], margin: int, lines: NDArray[np.int64],
    model: tuple[np.float32, np.float32, np.float32, np.float32, np.float32],
    rooms: NDArray[np.float32], total: NDArray[np.float64],
) -> None:  # fmt: skip
    # Sums over some rows (SUMS, 3), times powers 0 to 2 of their heights in half diagonals.
    height, width = shape
    a, b, c, d = matrix[0, 0], matrix[0, 1], matrix[1, 0], matrix[1, 1]
    values, slopes, warped, steep, px, found = (
        rooms[0],
        rooms[1],
        rooms[2],
        rooms[3],
        rooms[4],
        rooms[5],
    )
    slope, turn = c / a, (float32(b), float32(d))
    radius = np.hypot(width - 1.0, height - 1.0) / 2
    for j in range(width):
        px[j] = float32((j - (width - 1) / 2) / radius)
    total[:] = 0
    for r in lines:
        x0, y0 = b * r + matrix[0, 2], d * r + matrix[1, 2]
        left, right = between(margin, width - 1.0 - margin, a, x0, margin - 1, width - margin + 1)
        left, right = between(margin, height - 1.0 - margin, c, y0, left, right)
        if right - left < 3:
            continue
        first, last = int(np.floor(a * left + x0)) - 1, int(np.floor(a * (right - 1) + x0)) + 3
        down(moving, width, first, last, slope, y0 - slope * x0, height, values, slopes)
        across(values, slopes, left, right, a, x0, warped, steep)
        sum_row(fixed, width, r, left + 1, right - 1, warped, steep, px, turn, model, found)
        y = (r - (height - 1) / 2) / radius
        for k in range(SUMS):
            total[k, 0] += found[k]
            total[k, 1] += found[k] * y
            total[k, 2] += found[k] * y * y


@inner_kernel
def _equations(
    total: NDArray[np.float64], fields: NDArray[np.float64], normal: NDArray[np.float64],
    right: NDArray[np.float64],
) -> None:  # fmt: skip
    # Normal equations of the unknowns, gain and offset: `motion_models.equations` for what is
    # affine. `fields` (2, unknowns, 3): displacement for one unit, as factors of 1, px and py.
    count = fields.shape[1]
    # Where the sum of a product of two powers is: of x, and of y.
    k, m = (0, 1, 0), (0, 0, 1)
    for u in range(count):
        for v in range(count):
            entry = 0.0
            for i in range(3):
                for j in range(3):
                    p, q = k[i] + k[j], m[i] + m[j]
                    one, two = fields[0, u, i], fields[1, u, i]
                    three, four = fields[0, v, j], fields[1, v, j]
                    entry += one * three * total[p, q] + two * four * total[6 + p, q]
                    entry += (one * four + two * three) * total[3 + p, q]
            normal[u, v] = entry
        values = slopes = rest = 0.0
        for i in range(3):
            one, two, p, q = fields[0, u, i], fields[1, u, i], k[i], m[i]
            values += one * total[9 + p, q] + two * total[11 + p, q]
            slopes += one * total[13 + p, q] + two * total[15 + p, q]
            rest += one * total[17 + p, q] + two * total[19 + p, q]
        normal[u, count] = normal[count, u] = values
        normal[u, count + 1] = normal[count + 1, u] = slopes
        right[u] = rest
    normal[count, count], normal[count + 1, count + 1] = total[21, 0], total[23, 0]
    normal[count, count + 1] = normal[count + 1, count] = total[22, 0]
    right[count], right[count + 1] = total[24, 0], total[25, 0]


@inner_kernel
def _inverted(normal: NDArray[np.float64], inverse: NDArray[np.float64]) -> bool:
    # Inverse of a symmetric matrix by Gauss and Jordan, in units of its diagonal; False where a
    # pivot is too small.
    size = normal.shape[0]
    for i in range(size):
        if not normal[i, i] > 0:
            return False
    scale = np.empty(size)
    for i in range(size):
        scale[i] = 1 / np.sqrt(normal[i, i])
    left = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            left[i, j] = normal[i, j] * scale[i] * scale[j]
            inverse[i, j] = 1.0 if i == j else 0.0
    for i in range(size):
        pivot = left[i, i]
        if not pivot > LEAST_PIVOT:
            return False
        for j in range(size):
            left[i, j] /= pivot
            inverse[i, j] /= pivot
        for other in range(size):
            factor = left[other, i]
            if other != i and factor != 0:
                for j in range(size):
                    left[other, j] -= factor * left[i, j]
                    inverse[other, j] -= factor * inverse[i, j]
    for i in range(size):
        for j in range(size):
            inverse[i, j] *= scale[i] * scale[j]
    return True


@inner_kernel
def _updated(
    matrix: NDArray[np.float64], step: NDArray[np.float64], fields: NDArray[np.float64],
    rigid: bool, shape: tuple[int, int],
) -> float:  # fmt: skip
    # Put the inverse of an update behind an affine matrix; how far the update moves the corners.
    height, width = shape
    radius = np.hypot(width - 1.0, height - 1.0) / 2
    cx, cy = (width - 1) / 2, (height - 1) / 2
    u = np.zeros((2, 3))
    for n in range(fields.shape[1]):
        for axis in range(2):
            for i in range(3):
                u[axis, i] += fields[axis, n, i] * step[n]
    a, b, c, d = 1 + u[0, 1] / radius, u[0, 2] / radius, u[1, 1] / radius, 1 + u[1, 2] / radius
    if rigid:
        root = np.sqrt(a * d - b * c)
        a, b, c, d = a / root, b / root, c / root, d / root
    tx, ty = u[0, 0] + cx - a * cx - b * cy, u[1, 0] + cy - c * cx - d * cy
    moved = 0.0
    for x in (0.0, width - 1.0):
        for y in (0.0, height - 1.0):
            moved += np.hypot(a * x + b * y + tx - x, c * x + d * y + ty - y) / 4
    whole = a * d - b * c
    ia, ib, ic, id_ = d / whole, -b / whole, -c / whole, a / whole
    ix, iy = -(ia * tx + ib * ty), -(ic * tx + id_ * ty)
    for i in range(2):
        p, q = matrix[i, 0], matrix[i, 1]
        matrix[i, 0], matrix[i, 1] = p * ia + q * ic, p * ib + q * id_
        matrix[i, 2] += p * ix + q * iy
    return moved


@summing_kernel
def iterate(
    fixed: NDArray[np.float32], moving: NDArray[np.float32], shape: tuple[int, int],
    matrix: NDArray[np.float64], fields: NDArray[np.float64], rigid: bool, margin: int,
    lines: NDArray[np.int64], weights: tuple[np.float32, np.float32, np.float32],
    rounds: int, converged: float, least: float, state: NDArray[np.float64],
) -> int:  # fmt: skip
    """Refine an affine matrix (3, 3), in place, by so many steps at most on some rows.

    Parameters
    ----------
    fixed, moving : ndarray of float32
        Two images of one shape, flat.
    matrix : ndarray (3, 3), float64
        Takes rows nearly to rows: [0, 0] is near to 1, [1, 0] to 0. Else this is slow, or ends.
    fields : ndarray (2, unknowns, 3)
        Displacement (x, y) for one unit of each unknown, as factors of 1, px and py.
    lines : ndarray of int
        The rows.
    weights
        As `WEIGHTS` of `gauss_newton`.
    converged, least : float
        A step that moves the corners by less ends it; least number of pixels.
    state : ndarray (6,), float64
        Gain and offset, which go on; expected error, in pixels of the level, as if all rows that
        there are had been taken for `state[5]` of them; move of the last step; steps taken.

    Returns
    -------
    int
        1: converged, 0: not yet, -1: the rows do not determine the unknowns, or do not overlap.
    """
    count = fields.shape[1]
    total, rooms = np.zeros((SUMS, 3)), np.empty((6, max(shape[1], SUMS)), np.float32)
    normal, inverse = np.zeros((count + 2, count + 2)), np.zeros((count + 2, count + 2))
    right, step = np.zeros(count + 2), np.zeros(count + 2)
    for _ in range(rounds):
        if not (0.5 < matrix[0, 0] < 2 and abs(matrix[1, 0]) < 1):
            return -1
        model = (float32(state[0]), float32(state[1]), weights[0], weights[1], weights[2])
        _add_rows(fixed, moving, shape, matrix, margin, lines, model, rooms, total)
        if total[26, 0] < least:
            return -1
        _equations(total, fields, normal, right)
        if not _inverted(normal, inverse):
            return -1
        trace = 0.0
        for i in range(count + 2):
            step[i] = 0.0
            for j in range(count + 2):
                step[i] += inverse[i, j] * right[j]
            trace += inverse[i, i] if i < count else 0.0
        # Squared gradients over their products between the frames: how much noise adds to them.
        noisy = total[27, 0] / (total[0, 0] + total[6, 0])
        state[2] = np.sqrt(total[28, 0] / total[23, 0] * noisy * trace * state[5])
        state[0] *= min(max(1 + step[count], 0.5), 2.0)
        state[1] += step[count + 1]
        state[3] = _updated(matrix, step, fields, rigid, shape)
        state[4] += 1
        if not state[3] < np.inf:
            return -1
        if state[3] < converged:
            return 1
    return 0
