"""How sure a refined transform is: its covariance, and the bias of the interpolation taken off."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix
from napari_stack.engine.opencv import cv2
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.gauss_newton import Refined, level_to_frame
from napari_stack.operators.registration.refinement.motion_models import (
    Transform,
    linear_terms,
    nearest,
    quadratic_terms,
    unknowns_of,
    update_matrix,
)
from napari_stack.operators.registration.refinement.one_level import normed
from napari_stack.operators.registration.refinement.uncertainty_sweep import PASSED, Sweep

#: Levels with a smaller share in the result are left out, for time; the others stand for them.
LEAST_SHARE = 0.05
#: Of a level of more pixels than `ENOUGH`, one band of `BAND` rows in 2, 4, 8 or 16 is taken.
ENOUGH, BAND, MOST_SKIPPED = 32_768, 32, 16
#: Bias that is left, in pixels of the frame, at its centre and for one unit of each other unknown.
FLOOR = 0.0005
#: What is left of the bias of interpolation in a shift, where all pixels are read between their
#: neighbours alike, and the same where frames were reduced for measuring, which aliases: in pixels
#: of the finest level. Measured without noise by `benchmarks/registration_uncertainty.py`.
ALIKE, ALIASED = 0.0015, 0.0035
Floats = NDArray[np.float64]


def measure_uncertainty(
    reference: Prepared,
    moving: Prepared,
    refined: Refined,
    transform: Transform,
    misled: float = 0.0,
) -> tuple[Matrix, Floats]:
    """Matrix without the bias of cubic interpolation, and the covariance of its entries.

    A sandwich (Huber 1967): the response of the unknowns to every pixel, through the robust
    weights, the band-pass and all levels that the result is made of, times the noise that the
    residuals show. The noise of pixels is taken to be independent before the band-pass; each
    level has the noise that is measured on it.

    Parameters
    ----------
    reference, moving : Prepared
        Two frames of the same shape.
    refined : Refined
        What `refine` made of them.
    transform : str
        Its kind, one of `TRANSFORMS`.
    misled : float
        Px at the corners by which growth, turn and shear may be off for other reasons than noise.

    Returns
    -------
    matrix : ndarray (3, 3)
    covariance : ndarray (8, 8)
        Of the entries m00, m01, ..., m21 of the matrix, where m22 is 1; NaN when the overlap
        does not determine them.
    """
    shares = {factor: share for factor, share in refined.shares if share >= LEAST_SHARE}
    whole = sum(shares.values())
    measured = [
        _level(reference, moving, refined.matrix, transform, factor, share / whole)
        for factor, share in shares.items()
    ]
    levels = [level for level in measured if level is not None]
    if not levels:
        return refined.matrix, np.full((8, 8), np.nan)
    covariance = _floor(refined.matrix, reference, len(levels[0].bias))
    covariance += of_growth(misled, len(covariance))
    for number, one in enumerate(levels):
        for other in levels[number:]:
            term = _between(one, other, transform)
            covariance += term if one is other else term + term.T
    step = np.sum([level.share * level.factor * level.bias for level in levels], axis=0)
    update = update_matrix(step, transform, reference.shape)
    matrix = normed(refined.matrix @ np.linalg.inv(update))
    matrix = nearest(matrix, transform, reference.shape)
    return matrix, of_entries(matrix, covariance, transform, reference.shape)


def _floor(matrix: Matrix, reference: Prepared, unknowns: int) -> Floats:
    """Covariance of the unknowns that is left without any noise."""
    factor = reference.factors[0]
    rows, columns = (side / factor for side in reference.shape)
    # How far the places between the pixels of the level turn full circle within the frame.
    turns = [((matrix[i, :2] - np.eye(2)[i]) * (columns, rows)) for i in range(2)]
    alike = np.array([np.prod(np.sinc(turn)) for turn in turns])
    bias = alike * factor * (ALIKE if factor == 1 else ALIASED)
    variances = np.full(unknowns, FLOOR**2)
    variances[:2] += bias**2
    return np.diag(variances)


def of_growth(misled: float, unknowns: int) -> Floats:
    """Covariance of so many unknowns that are off by px at the corners, all but the shift."""
    return np.diag(np.where(np.arange(unknowns) < 2, 0.0, misled**2))


def of_entries(
    matrix: Matrix, covariance: Floats, transform: Transform, shape: tuple[int, int]
) -> Floats:
    """Covariance (8, 8) of the entries of a matrix, from that of the unknowns of an update."""
    by_unknown = _derivatives(matrix, transform, shape)
    result: Floats = by_unknown.T @ covariance @ by_unknown
    return result


def of_unknowns(
    matrix: Matrix, covariance: Floats, transform: Transform, shape: tuple[int, int]
) -> Floats:
    """Covariance of the unknowns of an update, from that of the entries: `of_entries` turned."""
    back = np.linalg.pinv(_derivatives(matrix, transform, shape))
    result: Floats = back.T @ covariance @ back
    return result


def _derivatives(matrix: Matrix, transform: Transform, shape: tuple[int, int]) -> Floats:
    """Change (unknowns, 8) of the entries of a matrix for one unit of each unknown."""
    moved = matrix @ _changes(transform, shape)
    return (moved - matrix * moved[:, 2:, 2:]).reshape(-1, 9)[:, :8]


@lru_cache(maxsize=16)
def _changes(transform: Transform, shape: tuple[int, int]) -> Floats:
    """Change (unknowns, 3, 3) of no motion for one unit of each unknown."""
    small, eye = 1e-3, np.eye(3)
    return np.stack([
        (update_matrix(small * unknown, transform, shape) - eye) / small
        for unknown in unknowns_of(transform)
    ])  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Level:
    """What one level adds to the error of the unknowns.

    Attributes
    ----------
    factor, share
        Pixels of the frame per pixel of the level; the share of the level in the result.
    bands : ndarray (bands, rows)
        Numbers of the rows that were taken.
    powers
        Of where all rows, and all columns, lie about the centre, in half diagonals: (side, 5).
    response : ndarray (2, rows taken, columns)
        What noise of one standard deviation in a pixel adds to the equations, as a factor of the
        displacement (x, y) for one unit of an unknown.
    inverse : ndarray (unknowns, unknowns)
        Of the derivative of the equations.
    bias : ndarray (unknowns,)
        Step that takes off the bias of interpolation.
    """

    factor: int
    share: float
    bands: NDArray[np.int64]
    powers: tuple[Floats, Image]
    response: Image
    inverse: Floats
    bias: Floats


def _level(
    reference: Prepared,
    moving: Prepared,
    matrix: Matrix,
    transform: Transform,
    factor: int,
    share: float,
) -> _Level | None:
    """Measure one level; None when its overlap does not determine the unknowns."""
    number, to_frame = reference.factors.index(factor), level_to_frame(factor)
    fixed, other = reference.levels[number], moving.levels[number]
    bands = _bands(fixed.shape)
    sweep = Sweep(fixed, other, np.linalg.inv(to_frame) @ matrix @ to_frame, bands)
    sums, score = sweep.balanced()
    scale = len(fixed) / bands.size
    normal = scale * quadratic_terms(sums.slopes, transform)
    spread = np.linalg.eigvalsh(normal) if np.isfinite(normal).all() else np.zeros(1)
    if not spread[0] > 1e-6 * spread[-1] or not sums.power > 0:
        return None
    inverse = np.asarray(np.linalg.inv(normal), np.float64)
    noise = float(np.sqrt(sums.variance / PASSED))
    bias: Floats = -inverse @ (scale * linear_terms(sums.bias, transform))
    response = sweep.blurred(score, noise)
    return _Level(factor, share, bands, sweep.powers, response, inverse, bias)


def _bands(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Numbers of the rows to take of a level (bands, rows)."""
    rows, every = shape[0], 1
    while shape[0] * shape[1] > every * ENOUGH and every < MOST_SKIPPED:
        every *= 2
    height = BAND if every > 1 and rows >= BAND * every else rows
    return np.arange(0, rows - height + 1, height * every)[:, None] + np.arange(height)


def _between(one: _Level, other: _Level, transform: Transform) -> Floats:
    """Covariance of what two levels add to the unknowns, in pixels of the frame."""
    fine, coarse = (one, other) if one.factor <= other.factor else (other, one)
    first, second, rows = fine.response, coarse.response, coarse.bands.ravel()
    if fine is not coarse:
        first, lines = _reduced(fine, coarse.factor // fine.factor)
        rows, at, among = np.intersect1d(lines, rows, return_indices=True)
        columns = min(first.shape[2], second.shape[2])
        first, second = first[:, at, :columns], second[:, among, :columns]
    y, x = coarse.powers[0][rows], coarse.powers[1][: first.shape[2]]
    sums = _moments(first[:, None] * second, y, x) * (len(coarse.powers[0]) / max(len(rows), 1))
    scale = one.share * one.factor * other.share * other.factor
    result = scale * fine.inverse @ quadratic_terms(sums, transform) @ coarse.inverse.T
    return result if fine is one else result.T


def _reduced(level: _Level, ratio: int) -> tuple[Image, NDArray[np.int64]]:
    """Response to the noise of a coarser level's pixels, and the numbers of its rows."""
    count, height = level.bands.shape
    rows, columns = height // ratio, level.response.shape[2] // ratio
    cut = level.response.reshape(2, count, height, -1)[:, :, : rows * ratio, : columns * ratio]
    # The mean of ratio x ratio pixels has a standard deviation less by the ratio.
    small = [
        ratio * cv2.resize(part, (columns, count * rows), interpolation=cv2.INTER_AREA)
        for part in cut.reshape(2, count * rows * ratio, columns * ratio)
    ]
    return np.stack(small), (level.bands[:, : rows * ratio : ratio] // ratio).ravel()


def _moments(values: Image, y: Floats, x: Image) -> Floats:
    """Sum (..., k, l) values (..., rows, columns) times x^k y^l, of which the powers are given."""
    result: Floats = (values @ x).swapaxes(-1, -2) @ y
    return result
