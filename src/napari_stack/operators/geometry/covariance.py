"""Covariances of the entries of matrices: of products, of inverses, and at points.

A covariance (8, 8) is that of m00, m01, m02, m10, m11, m12, m20, m21, where m22 is 1.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: The entries of a matrix but the last one, which a scale of the matrix fixes.
ENTRIES = 8


def unknown(count: int) -> Floats:
    """Covariances of so many frames of which nothing is known: NaN."""
    return np.full((count, ENTRIES, ENTRIES), np.nan)


def at_points(matrices: Floats, covariances: Floats, points: Floats) -> Floats:
    """Covariance (n, points, 2, 2) of where matrices (n, 3, 3) take points (points, 2)."""
    matrices = _normed(matrices)
    p = np.column_stack([points, np.ones(len(points))])
    moved = np.einsum("nij,pj->npi", matrices, p)
    place, height = moved[..., :2] / moved[..., 2:], moved[..., 2]
    slopes = np.zeros((*height.shape, 2, 9))
    slopes[..., 0, 0:3] = slopes[..., 1, 3:6] = p
    slopes[..., 6:9] = -place[..., None] * p[:, None]
    slopes = slopes[..., :ENTRIES] / height[..., None, None]
    result: Floats = slopes @ covariances[:, None] @ slopes.swapaxes(-1, -2)
    return result


def of_product(first: Floats, of_first: Floats, second: Floats, of_second: Floats) -> Floats:
    """Covariances of the products ``first @ second`` of independent matrices (n, 3, 3)."""
    first, second = _normed(first), _normed(second)
    eye = np.eye(3)
    # Row by row: d(A B) = dA B + A dB.
    by_first = np.einsum("ik,nlj->nijkl", eye, second).reshape(-1, 9, 9)
    by_second = np.einsum("nik,jl->nijkl", first, eye).reshape(-1, 9, 9)
    product: Floats = first @ second
    return _moved(by_first, of_first, product) + _moved(by_second, of_second, product)


def of_inverse(matrices: Floats, covariances: Floats) -> Floats:
    """Covariances of the inverses of matrices (n, 3, 3)."""
    inverse = np.linalg.inv(_normed(matrices)).astype(np.float64)
    slopes = -np.einsum("nik,nlj->nijkl", inverse, inverse).reshape(-1, 9, 9)
    return _moved(slopes, covariances, inverse)


def _moved(slopes: Floats, covariances: Floats, matrices: Floats) -> Floats:
    """Covariances by derivatives (n, 9, 9) of matrices, which are scaled to the last entry 1."""
    last = matrices[:, 2, 2, None, None]
    entries = matrices.reshape(-1, 9, 1)
    slopes = (slopes - entries * slopes[:, ENTRIES:] / last) / last
    slopes = slopes[:, :ENTRIES, :ENTRIES]
    result: Floats = slopes @ covariances @ slopes.swapaxes(-1, -2)
    return (result + result.swapaxes(-1, -2)) / 2


def _normed(matrices: Floats) -> Floats:
    return matrices / matrices[:, 2:, 2:]


def packed(covariance: Floats) -> Floats:
    """Lower triangle (36,) of a covariance, row by row."""
    return covariance[np.tril_indices(ENTRIES)]


def unpacked(triangle: Floats) -> Floats:
    """Covariance (8, 8) of its lower triangle."""
    lower = np.zeros((ENTRIES, ENTRIES))
    lower[np.tril_indices(ENTRIES)] = triangle
    return lower + np.tril(lower, -1).T
