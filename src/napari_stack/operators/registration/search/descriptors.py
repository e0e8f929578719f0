"""The two nearest descriptors of each, by products of matrices: exact, and quicker."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Descriptors that are compared at a time, so that their distances stay in the caches.
_BLOCK = 128
#: float32 holds whole numbers exactly up to 2**24; a squared distance is at most four such sums.
_GREATEST_SUM = 2**22

Numbers = NDArray[np.intp]


def are_exact(*descriptors: NDArray[Any]) -> bool:
    """Whether squared distances of descriptors are exact in float32: SIFT's are whole numbers."""
    return all(
        d.dtype == np.float32
        and np.einsum("ij,ij->i", d, d).max(initial=0) < _GREATEST_SUM
        and np.array_equal(d, np.rint(d))
        for d in descriptors
    )


def matched(
    one: NDArray[np.float32], other: NDArray[np.float32], ratio: float
) -> tuple[Numbers, Numbers]:
    """Match where the nearest is nearer than `ratio` times the second nearest (Lowe 2004).

    Parameters
    ----------
    one, other : ndarray (n, d), (m, d), of exact ones
        Two or more of the other.
    ratio : float

    Returns
    -------
    ndarray of int, ndarray of int
        Numbers of those of one that match, and of their nearest.
    """
    squares = np.einsum("ij,ij->i", other, other)
    turned = -2 * np.ascontiguousarray(other.T)
    nearest = np.empty(len(one), np.intp)
    good = np.empty(len(one), bool)
    for start in range(0, len(one), _BLOCK):
        some = one[start : start + _BLOCK]
        distances = some @ turned
        distances += squares
        rows, found = np.arange(len(some)), distances.argmin(axis=1)
        own = np.einsum("ij,ij->i", some, some)
        first = distances[rows, found] + own
        distances[rows, found] = np.inf
        second = distances.min(axis=1) + own
        nearest[start : start + _BLOCK] = found
        # Roots of float32, as OpenCV compares them.
        good[start : start + _BLOCK] = np.sqrt(first).astype(float) < ratio * np.sqrt(
            second
        ).astype(float)
    return np.flatnonzero(good), nearest[good]
