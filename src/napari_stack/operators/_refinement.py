"""Sub-pixel refinement of a transform: Gauss-Newton over a pyramid, jointly with gain and offset."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_stack.operators._jit import kernel
from napari_stack.operators._preparation import Image, Prepared

Matrix = NDArray[np.float64]

#: Refinement starts at the coarsest level whose shortest side is at least this.
FIRST_SIZE = 64
#: Most iterations on small levels, and on those of more than `LARGE` pixels.
ITERATIONS, FEW_ITERATIONS, LARGE = 12, 3, 600_000
#: Iteration ends when the corners move less than this, in pixels of the level.
CONVERGED = 0.002
#: Weight of a pixel with gradient g and residual r, both in robust sigmas of the band-passed frame:
#: g^2 / (1 + g^2) / (1 + (0.3 g)^2 + (r / 2)^2). The first factor keeps noise in flat regions out,
#: the second bounds what strong edges (local displacements of 0.3 px) and outliers can do.
WEIGHTS = (np.float32(1.0), np.float32(0.3**2), np.float32(0.5**2))
#: Pixels left out at the border, where the band-pass mirrors the frame: 1.5 wide sigmas, but
#: never more than a sixteenth of the side.
MARGIN = 12
#: A finer level may move the corners by this many of its own pixels, or as far as the one before.
LARGEST_MOVE = 0.25
#: More is believed only where it raises the correlation coefficient of the frames by this.
LEAST_GAIN = 0.005
#: Least share of the pixels that must overlap.
LEAST_OVERLAP = 0.1


def refine(
    reference: Prepared,
    moving: Prepared,
    start: Matrix,
    similarity: bool,
    *,
    finest: int = 1,
    coarsest: int | None = None,
) -> Matrix:
    """Refine `start`, the matrix (3, 3) from the reference to the moving frame, coarse to fine.

    A level that moves the corners further than the level before did, and does not make the
    frames more alike, is not believed (frames out of focus diverge on fine levels): the
    refinement ends there.

    Only levels with factors of at least `finest` and at most `coarsest` are used. Compositional
    Gauss-Newton (Baker & Matthews 2004) with robust weights; both frames enter alike (Malis
    2004), so that noise and blur of one of them do not bias the result.
    """
    matrix, previous = start, np.inf
    for level in range(_first(reference), -1, -1):
        factor = reference.factors[level]
        if factor < finest or (coarsest is not None and factor > coarsest):
            continue
        to_full = level_to_frame(factor)
        to_level = np.linalg.inv(to_full)
        found = _refine_level(
            reference.levels[level], moving.levels[level], to_level @ matrix @ to_full, similarity
        )
        if found is None:
            continue
        found = to_full @ found @ to_level
        move = corner_distance(found, matrix, reference.shape)
        suspect = move > max(previous, LARGEST_MOVE * factor)
        if suspect and _gain(reference, moving, matrix, found) < LEAST_GAIN:
            break
        matrix, previous = found, move
    return matrix


def _gain(reference: Prepared, moving: Prepared, before: Matrix, after: Matrix) -> float:
    return likeness(reference, moving, after) - likeness(reference, moving, before)


def likeness(reference: Prepared, moving: Prepared, matrix: Matrix) -> float:
    """Correlation coefficient, in [-1, 1], of what two frames have in common at a matrix."""
    fixed, warped = overlapping(reference, moving, matrix)
    both = np.isfinite(fixed)
    a, b = fixed[both].astype(np.float64), warped[both].astype(np.float64)
    norm = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / norm) if norm > 0 else -1.0


def overlapping(reference: Prepared, moving: Prepared, matrix: Matrix) -> tuple[Image, Image]:
    """Coarse images of the reference and of the warped frame, NaN outside their overlap."""
    assert reference.coarse is not None and moving.coarse is not None
    to_frame = level_to_frame(reference.coarse_factor)
    inverse = np.linalg.inv(to_frame)
    fixed, warped = reference.coarse, warp_coarsely(moving.coarse, inverse @ matrix @ to_frame)
    fixed = np.where(np.isfinite(warped), fixed, np.float32(np.nan))
    return fixed, np.where(np.isfinite(fixed), warped, np.float32(np.nan))


def warp_coarsely(image: Image, matrix: Matrix) -> Image:
    """Image read at `matrix`; 1/32 px, OpenCV's step, does for what is only correlated."""
    return cv2.warpAffine(
        image,
        matrix[:2],
        image.shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=np.nan,
    )


def level_to_frame(factor: int) -> Matrix:
    """Matrix from pixels of a level, means over factor x factor, to those of the frame."""
    half = (factor - 1) / 2
    return np.array([[factor, 0, half], [0, factor, half], [0, 0, 1]], dtype=np.float64)


def corner_distance(first: Matrix, second: Matrix, shape: tuple[int, int]) -> float:
    """Mean distance of the images of the four corners of a frame under two matrices."""
    rows, columns = shape
    corners = np.array(
        [[0, columns - 1, 0, columns - 1], [0, 0, rows - 1, rows - 1], [1, 1, 1, 1]], np.float64
    )
    difference = (first - second)[:2] @ corners
    return float(np.hypot(difference[0], difference[1]).mean())


def _first(prepared: Prepared) -> int:
    fitting = [i for i, level in enumerate(prepared.levels) if min(level.shape) >= FIRST_SIZE]
    return fitting[-1] if fitting else 0


def _refine_level(
    reference: Image, moving: Image, matrix: Matrix, similarity: bool
) -> Matrix | None:
    """Iterate on one level; None when the overlap does not determine the transform."""
    rows, columns = reference.shape
    centre = np.array([(columns - 1) / 2, (rows - 1) / 2])
    # Lengths in half diagonals, so that all unknowns weigh alike in the equations.
    radius = float(np.hypot(*centre))
    margin = max(min(MARGIN, min(rows, columns) // 16), 1)
    gain, offset = 1.0, 0.0
    for _ in range(FEW_ITERATIONS if reference.size > LARGE else ITERATIONS):
        warped = resample(moving, matrix[:2], margin)
        sums = _normal_equations(
            reference, warped, np.float32(gain), np.float32(offset), np.float32(radius), margin,
            WEIGHTS,
        )
        if sums[-1] < LEAST_OVERLAP * reference.size:
            return None
        step = _solve(sums, similarity)
        if step is None:
            return None
        gain, offset = gain * float(np.clip(1 + step[4], 0.5, 2)), offset + step[5]
        update = _update(step[:4], centre, radius)
        matrix = matrix @ np.linalg.inv(update)
        if corner_distance(update, np.eye(3), reference.shape) < CONVERGED:
            break
    return matrix


def _update(step: NDArray[np.float64], centre: NDArray[np.float64], radius: float) -> Matrix:
    """Matrix of the displacement (tx, ty, growth, turn) about the centre."""
    tx, ty = step[:2]
    growth, turn = step[2:] / radius
    linear = np.array([[1 + growth, -turn], [turn, 1 + growth]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre - linear @ centre + (tx, ty)
    return matrix


def _solve(sums: NDArray[np.float64], similarity: bool) -> NDArray[np.float64] | None:
    """Step (tx, ty, growth, turn, gain, offset) from the sums; None when undetermined."""
    normal = np.zeros((6, 6))
    normal[np.triu_indices(6)] = sums[:21]
    normal += np.triu(normal, 1).T
    unknown = np.array([0, 1, 2, 3, 4, 5] if similarity else [0, 1, 4, 5])
    normal = normal[np.ix_(unknown, unknown)]
    if not np.all(np.diag(normal) > 0):
        return None
    scale = np.sqrt(np.diag(normal))
    normal = normal / np.outer(scale, scale)
    if np.linalg.eigvalsh(normal)[0] < 1e-6:
        return None
    step = np.zeros(6)
    step[unknown] = np.linalg.solve(normal, sums[21:27][unknown] / scale) / scale
    return step


@kernel
def resample(image: Image, matrix: Matrix, margin: int) -> Image:
    """Image read at matrix (2, 3) by cubic convolution (Keys 1981); NaN outside or near NaN.

    `margin`, at least 1, is the number of pixels at the border that count as outside.
    """
    rows, columns = image.shape
    warped = np.full((rows, columns), np.nan, np.float32)
    a, b, c = matrix[0, 0], matrix[0, 1], matrix[0, 2]
    d, e, f = matrix[1, 0], matrix[1, 1], matrix[1, 2]
    right, bottom = columns - 1 - margin, rows - 1 - margin
    one, two, three = np.float32(1), np.float32(2), np.float32(3)
    four, five = np.float32(4), np.float32(5)
    for j in range(rows):
        for i in range(columns):
            u, v = a * i + b * j + c, d * i + e * j + f
            if not (u >= margin and v >= margin and u < right and v < bottom):
                continue
            x, y = int(u), int(v)
            s, t = np.float32(u - x), np.float32(v - y)
            s0, s1 = s * (s * (two - s) - one), s * s * (three * s - five) + two
            s2, s3 = s * (s * (four - three * s) + one), s * s * (s - one)
            t0, t1 = t * (t * (two - t) - one), t * t * (three * t - five) + two
            t2, t3 = t * (t * (four - three * t) + one), t * t * (t - one)
            total = np.float32(0)
            for k, weight in enumerate((t0, t1, t2, t3)):
                row = image[y - 1 + k]
                total += weight * (
                    s0 * row[x - 1] + s1 * row[x] + s2 * row[x + 1] + s3 * row[x + 2]
                )
            warped[j, i] = np.float32(0.25) * total
    return warped


def _fast_kernel(function: Callable[..., Any]) -> Any:
    """Like `kernel`, with sums that may be reordered; NaN keeps its meaning."""
    flags = {"reassoc", "contract", "nsz", "arcp"}
    try:
        return njit(nogil=True, cache=True, fastmath=flags)(function)
    except RuntimeError:
        return njit(nogil=True, fastmath=flags)(function)


@_fast_kernel
def _normal_equations(
    reference: Image,
    warped: Image,
    gain: np.float32,
    offset: np.float32,
    radius: np.float32,
    margin: int,
    weights: tuple[np.float32, np.float32, np.float32],
) -> NDArray[np.float64]:
    """Upper triangle (21), right-hand side (6) and pixel count of the weighted equations.

    NaN in either frame leaves a pixel out (the flags of fastmath keep the meaning of NaN).
    """
    rows, columns = reference.shape
    flat, model_error, residual = weights
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    cx, cy = np.float32(columns - 1) * half, np.float32(rows - 1) * half
    total = np.zeros(28)
    for y in range(margin, rows - margin):
        py = (np.float32(y) - cy) / radius
        n00 = n01 = n02 = n03 = n04 = n05 = n11 = n12 = n13 = n14 = n15 = zero
        n22 = n23 = n24 = n25 = n33 = n34 = n35 = n44 = n45 = n55 = zero
        b0 = b1 = b2 = b3 = b4 = b5 = count = zero
        for x in range(margin, columns - margin):
            px = (np.float32(x) - cx) / radius
            fx = half * gain * (reference[y, x + 1] - reference[y, x - 1])
            fy = half * gain * (reference[y + 1, x] - reference[y - 1, x])
            mx = half * (warped[y, x + 1] - warped[y, x - 1])
            my = half * (warped[y + 1, x] - warped[y - 1, x])
            fixed = gain * reference[y, x]
            value = half * (fixed + warped[y, x])
            r = warped[y, x] - fixed - offset
            gx, gy = half * (fx + mx), half * (fy + my)
            squared = gx * gx + gy * gy
            w = squared / ((flat + squared) * (one + model_error * squared + residual * r * r))
            if not (w >= zero):
                continue
            # Products of the two frames' gradients, not squares: noise, which they do not share,
            # cancels, where in squares it would make every step too short.
            xx, yy, xy = w * fx * mx, w * fy * my, half * w * (fx * my + fy * mx)
            n00 += xx
            n01 += xy
            n11 += yy
            xg, xt = xx * px + xy * py, xy * px - xx * py
            yg, yt = xy * px + yy * py, yy * px - xy * py
            n02 += xg
            n03 += xt
            n12 += yg
            n13 += yt
            n22 += xg * px + yg * py
            n23 += xt * px + yt * py
            n33 += yt * px - xt * py
            wx, wy, wv = w * gx, w * gy, w * value
            wg, wt = wx * px + wy * py, wy * px - wx * py
            n04 += wx * value
            n05 += wx
            n14 += wy * value
            n15 += wy
            n24 += wg * value
            n25 += wg
            n34 += wt * value
            n35 += wt
            n44 += wv * value
            n45 += wv
            n55 += w
            b0 += wx * r
            b1 += wy * r
            b2 += wg * r
            b3 += wt * r
            b4 += wv * r
            b5 += w * r
            count += one
        row = (
            n00, n01, n02, n03, n04, n05, n11, n12, n13, n14, n15, n22, n23, n24, n25, n33, n34,
            n35, n44, n45, n55, b0, b1, b2, b3, b4, b5, count,
        )  # fmt: skip
        for k, value in enumerate(row):
            total[k] += value
    return total
