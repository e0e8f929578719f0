"""Pairs of frames as a graph: starts from the surest paths, and the quality these allow."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from napari_stack.operators.registration.search.align import Alignment

#: Error, in pixels, of a pair that tells no covariance.
UNKNOWN_ERROR = 0.5
#: Frames further apart than this, in places of the series, may differ by blur and light.
FAR = 8

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pair:
    """Two frames that were measured: the alignment takes points of `first` to `second`."""

    first: int
    second: int
    alignment: Alignment


@dataclass(frozen=True, eq=False)
class Edges:
    """Pairs as arrays: nodes at both ends, matrices, covariances of their entries, and `misled`."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    matrices: Floats
    covariances: Floats
    quality: Floats
    left_out: NDArray[np.bool_]
    misled: Floats


def edges_of(pairs: Sequence[Pair], node: dict[int, int]) -> Edges:
    """Return pairs as arrays, the frames by the numbers of their nodes."""
    return Edges(
        np.array([node[p.first] for p in pairs], np.intp),
        np.array([node[p.second] for p in pairs], np.intp),
        np.array([p.alignment.matrix for p in pairs], np.float64).reshape(-1, 3, 3),
        np.array([p.alignment.covariance for p in pairs], np.float64).reshape(-1, 8, 8),
        np.array([p.alignment.quality for p in pairs], np.float64),
        np.array([p.alignment.transform is not None for p in pairs], bool),
        np.array([p.alignment.misled for p in pairs], np.float64),
    )


def taken(edges: Edges, which: NDArray[np.bool_]) -> Edges:
    """Return some of the edges."""
    return Edges(*(part[which] for part in vars(edges).values()))


def started(edges: Edges, count: int, root: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Places by the surest path from the reference, and whether there is one."""
    doubt = 1.0 - edges.quality
    spread = np.trace(edges.covariances[:, 2::3, 2::3], axis1=1, axis2=2)
    cost = 0.01 + doubt + np.where(np.isfinite(spread), spread, UNKNOWN_ERROR**2)
    apart = np.abs(edges.second - edges.first)
    cost += np.where(apart > FAR, 0.02 * apart, 0.0)  # the way along the series is surer
    ends = np.r_[edges.first, edges.second], np.r_[edges.second, edges.first]
    order = np.argsort(-np.r_[cost, cost], kind="stable")  # of two alike the cheaper one is last
    cheapest = {(a, b): c for a, b, c in zip(ends[0][order], ends[1][order],
                                             np.r_[cost, cost][order], strict=True)}  # fmt: skip
    # SciPy 1.13 finds its ways in graphs of numbers of 32 bits alone.
    rows, columns = (np.array(side, np.int32) for side in zip(*cheapest, strict=True))
    graph = coo_array((np.array(list(cheapest.values())), (rows, columns)), (count, count))
    distance, before = dijkstra(graph.tocsr(), indices=root, return_predecessors=True)
    along = {}
    for k in np.argsort(-cost, kind="stable"):
        a, b = int(edges.first[k]), int(edges.second[k])
        along[a, b], along[b, a] = edges.matrices[k], np.linalg.inv(edges.matrices[k])
    places = np.tile(np.eye(3), (count, 1, 1))
    for k in np.argsort(distance, kind="stable"):
        if k != root and np.isfinite(distance[k]):
            places[k] = along[int(before[k]), int(k)] @ places[before[k]]
            places[k] /= places[k][2, 2]
    return places, np.isfinite(distance)


def widest(edges: Edges, good: NDArray[np.bool_], count: int, root: int) -> Floats:
    """Quality of the frames: that of the least sure pair on the surest way; 0 without one.

    Of several ways each would have to be wrong: what is told is no more than one of them allows.
    """
    quality = np.zeros(count)
    for level in np.unique(edges.quality[good])[::-1]:
        those = good & (edges.quality >= level)
        ends = tuple(side[those].astype(np.int32) for side in (edges.first, edges.second))
        graph = coo_array((np.ones(those.sum()), ends), (count, count))
        _, part = connected_components(graph.tocsr(), directed=False)
        quality[(part == part[root]) & (quality == 0)] = level
        if (quality > 0).all():
            break
    return quality
