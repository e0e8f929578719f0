"""Linear equations between frames that are near each other in a series, and their covariances."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]


def solve_blocks(
    first: Numbers, second: Numbers, information: Floats, right: Floats, root: int
) -> tuple[Floats, Floats]:
    """Solve the equations of differences between nodes, one of which stays where it is.

    The matrix is block tridiagonal in groups of as many nodes as the longest difference spans:
    time and memory grow with the number of nodes (elimination forward; back, the solution and the
    diagonal blocks of the inverse).

    Parameters
    ----------
    first, second : ndarray (edges,)
        The nodes between which a difference is known.
    information : ndarray (edges, k, k)
        Inverse covariances of the differences.
    right : ndarray (nodes, k)
        The right-hand side.
    root : int
        The node that stays.

    Returns
    -------
    values : ndarray (nodes, k)
    covariances : ndarray (nodes, k, k)
        The diagonal blocks of the inverse. Both are 0 for the root, and for nodes without edges.
    """
    count, k = right.shape
    diagonal = np.zeros((count, k, k))
    for ends in (first, second):
        np.add.at(diagonal, ends, information)
    nodes = np.flatnonzero(np.abs(diagonal).max(axis=(1, 2)) > 0)
    nodes = nodes[nodes != root]
    values, covariances = np.zeros((count, k)), np.zeros((count, k, k))
    if not len(nodes):
        return values, covariances
    place = np.full(count, -1)
    place[nodes] = np.arange(len(nodes))
    a, b = place[first], place[second]
    between = (a >= 0) & (b >= 0) & (np.abs(information).max(axis=(1, 2)) > 0)
    low, high, links = np.minimum(a, b)[between], np.maximum(a, b)[between], information[between]
    size = max(int((high - low).max(initial=1)), 1)
    groups = -(-len(nodes) // size)
    main = np.zeros((groups, size, size, k, k))
    beside = np.zeros_like(main)
    every = np.arange(groups * size)
    main[every // size, every % size, every % size] = np.eye(k)  # beyond the last node
    at = np.arange(len(nodes))
    main[at // size, at % size, at % size] = diagonal[nodes]
    same = low // size == high // size
    for one, two, part in ((low, high, main), (high, low, main), (low, high, beside)):
        those = ~same if part is beside else same
        np.subtract.at(part, (one[those] // size, one[those] % size, two[those] % size),
                       links[those])  # fmt: skip
    known = np.zeros((groups * size, k))
    known[: len(nodes)] = right[nodes]
    flat = (groups, size * k, size * k)
    found, spread = _eliminated(
        main.swapaxes(2, 3).reshape(flat), beside.swapaxes(2, 3).reshape(flat),
        known.reshape(groups, -1),
    )  # fmt: skip
    values[nodes] = found.reshape(-1, k)[: len(nodes)]
    blocks = spread.reshape(groups, size, k, size, k)[:, np.arange(size), :, np.arange(size)]
    covariances[nodes] = blocks.swapaxes(0, 1).reshape(-1, k, k)[: len(nodes)]
    return values, covariances


def _eliminated(main: Floats, beside: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Solution (groups, n) and diagonal blocks of the inverse (groups, n, n)."""
    count = len(main)
    inverses, values = np.empty_like(main), right.copy()
    for g in range(count):
        block = main[g]
        if g:
            across = beside[g - 1].T @ inverses[g - 1]
            block = block - across @ beside[g - 1]
            values[g] -= across @ values[g - 1]
        inverses[g] = np.linalg.inv(block)
    spread = inverses.copy()
    values[-1] = inverses[-1] @ values[-1]
    for g in range(count - 2, -1, -1):
        across = inverses[g] @ beside[g]
        values[g] = inverses[g] @ values[g] - across @ values[g + 1]
        spread[g] += across @ spread[g + 1] @ across.T
    return values, spread
