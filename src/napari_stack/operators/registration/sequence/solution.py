"""The global solution: places of all frames that agree best with redundant pairs of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from napari_stack.core.matrices import Matrix
from napari_stack.operators.registration.refinement.motion_models import (
    Transform,
    growth_of,
    update_matrix,
    update_of,
)
from napari_stack.operators.registration.refinement.uncertainty import of_entries
from napari_stack.operators.registration.search.align import Alignment
from napari_stack.operators.registration.sequence.block_tridiagonal import solve_blocks
from napari_stack.operators.registration.sequence.pair_graph import (
    FAR,
    UNKNOWN_ERROR,
    Edges,
    Pair,
    edges_of,
    started,
    taken,
    widest,
)

#: Share of the covariance of a pair that the noise of each of its two frames makes; it would be a
#: half if both were measured on the same pixels in the same way. With 0.4 chains of 2 to 8 links of
#: 128 px at a noise of 10 (of 255) are as far off as they claim, by 24 series.
SHARED = 0.4
#: Error, in pixels, that every pair has beside what its covariance tells, and of an unknown
#: that a pair leaves out.
LEAST_ERROR, LEFT_OUT = 0.003, 20.0
#: A pair is given up where its squared distance from the solution exceeds that of so many standard
#: deviations in every unknown. At first all pairs count; each round is so much less patient.
SIGMAS, HASTE, ROUNDS, LAST_ROUNDS = 4.0, 2.5, 12, 3
#: What differs between frames that are far apart pulls a pair by more than its noise tells: their
#: covariance grows by what they and so many pairs beside them show.
ALIKE = 17

Floats = NDArray[np.float64]


def solved(
    pairs: Sequence[Pair], reference: int, transform: Transform, shape: tuple[int, int]
) -> dict[int, Alignment]:
    """Alignments with the reference, of all frames that pairs lead to.

    The places minimise the squared distances of all pairs from what they imply, weighted with the
    inverse covariances of the pairs: each is an unknown small change of a start in the
    coordinates of the reference, where pairs are differences of changes to first order
    (Gauss-Newton on the matrices; Govindu 2004). Pairs far from what the others say lose their
    weight (Geman and McClure 1985), late at first so that a wrong start does not decide (Yang et
    al. 2020). A frame that only such pairs lead to, or more of these than of others, is not found.

    Parameters
    ----------
    pairs : sequence of Pair
        Verified ones.
    reference : int
    transform : str
        One of `TRANSFORMS`.
    shape : tuple of int
        Rows and columns of a frame.
    """
    if not pairs:
        return {}
    frames = sorted({reference, *(f for p in pairs for f in (p.first, p.second))})
    node = {frame: k for k, frame in enumerate(frames)}
    edges = edges_of(pairs, node)
    places, reached = started(edges, len(frames), node[reference])
    used = reached[edges.first] & reached[edges.second]
    if not used.any():
        return {}
    edges = taken(edges, used)
    system = _System(edges, places, node[reference], transform, shape)
    system.go()
    good = system.kept
    support, against = (
        np.bincount(np.r_[edges.first[those], edges.second[those]],
                    np.r_[edges.quality[those], edges.quality[those]], len(frames))
        for those in (good, ~good)
    )  # fmt: skip
    doubted = (against >= support) & (np.arange(len(frames)) != node[reference])
    good &= ~(doubted[edges.first] | doubted[edges.second])
    quality = widest(edges, good, len(frames), node[reference])
    covariance = system.covariances(good)
    told = _told(pairs, used, good, edges, len(frames))
    return {
        frame: Alignment(
            system.places[k], float(quality[k]), True, told[k],
            np.full((8, 8), np.nan) if told[k] else covariance[k],
        )
        for frame, k in node.items() if frame != reference and quality[k] > 0
    }  # fmt: skip


class _System:
    """The equations of all pairs about the places so far."""

    def __init__(
        self, edges: Edges, places: Floats, root: int, transform: Transform, shape: tuple[int, int]
    ) -> None:
        self.edges, self.places, self.root = edges, places, root
        self.transform, self.shape = transform, shape
        self.kept = np.ones(len(edges.first), bool)
        self.factors = np.ones(len(edges.first))

    def go(self) -> None:
        """Solve, first with all pairs, then with those that agree."""
        patience = max(1.0, float(np.sqrt(self._squared(*self._residuals()).max())) / SIGMAS)
        for _ in range(ROUNDS):
            self._step(patience)
            if patience == 1:
                break
            patience = max(1.0, patience / HASTE)
        for _ in range(LAST_ROUNDS):
            self._step(1.0)

    @staticmethod
    def _squared(rest: Floats, noise: Floats) -> Floats:
        """Return squared distances of the pairs from the solution, for one unknown."""
        squared: Floats = np.einsum("ei,eij,ej->e", rest, np.linalg.inv(noise), rest)
        return squared / rest.shape[1]

    def _step(self, patience: float) -> None:
        """Weigh the pairs by how well they agree, and solve once."""
        rest, noise = self._residuals()
        squared = self._squared(rest, noise)
        # Where all pairs are further off than they say, none of them is to be blamed.
        self.factors = self._factors(squared)
        squared, limit = squared / self.factors, (SIGMAS * patience) ** 2
        self.kept = squared < limit
        weights = np.where(self.kept, 1 / (1 + squared / limit) ** 2, 0.0) / self.factors
        steps, _ = self._solve(noise, weights, rest)
        for k in np.flatnonzero(np.abs(steps).max(axis=1) > 0):
            place: Matrix = self.places[k] @ update_matrix(steps[k], self.transform, self.shape)
            self.places[k] = place / place[2, 2]

    def _factors(self, squared: Floats) -> Floats:
        """Tell how much greater the covariances of pairs are than they say; at least 1."""
        edges = self.edges
        far = np.abs(edges.second - edges.first) > FAR
        whole = float(np.median(squared[~far])) if not far.all() else 1.0
        factors = np.full(len(squared), max(1.0, whole))
        order = np.flatnonzero(far)[np.argsort((edges.first + edges.second)[far], kind="stable")]
        if len(order):
            factors[order] = np.maximum(median_filter(squared[order], ALIKE, mode="nearest"), 1.0)
        return factors

    def covariances(self, good: NDArray[np.bool_]) -> Floats:
        """Covariances (nodes, 8, 8) of the entries of the places.

        What the noise of the two frames of a pair adds belongs to these frames: it does not grow
        along a chain, and no number of pairs makes it less. How far pairs are from the solution
        tells the rest, which does.
        """
        rest, noise = self._residuals()
        noise = noise * self.factors[:, None, None]
        squared = self._squared(rest, noise)
        redundant = 1 - (len(self.places) - 1) / max(int(good.sum()), 1)
        shown = float(squared[good].mean()) / redundant if good.any() and redundant > 0 else 0.0
        of_pairs = max(1 - 2 * SHARED, min(shown, 1.0))
        _, by_node = self._solve(of_pairs * noise, good.astype(float), None)
        own = self._own(noise, good)
        total = by_node + own + own[self.root] + self._drifts(noise, good)
        return np.stack([
            of_entries(place, c, self.transform, self.shape)
            for place, c in zip(self.places, total, strict=True)
        ])  # fmt: skip

    def _drifts(self, noise: Floats, good: NDArray[np.bool_]) -> Floats:
        """Covariances of a growth that all pairs are misled by with one sign, away from the root.

        Pairs that agree do not show it, however many they are.
        """
        edges = self.edges
        outward = np.where(
            np.abs(edges.second - self.root) > np.abs(edges.first - self.root), 1.0, -1.0
        )
        growth = (outward * edges.misled)[:, None] * growth_of(self.transform)
        drift, _ = self._solve(noise, good.astype(float), growth)
        covariances: Floats = drift[:, :, None] * drift[:, None]
        return covariances

    def _own(self, noise: Floats, good: NDArray[np.bool_]) -> Floats:
        """Covariances of what the noise of each frame itself adds to its place."""
        count, unknowns = len(self.places), noise.shape[1]
        precision, pairs = np.zeros((count, unknowns, unknowns)), np.zeros(count)
        for ends in (self.edges.first, self.edges.second):
            np.add.at(precision, ends[good], np.linalg.inv(noise[good]))
            np.add.at(pairs, ends[good], 1)
        some = pairs > 0
        own = np.zeros_like(precision)
        own[some] = SHARED * pairs[some, None, None] * np.linalg.inv(precision[some])
        return own

    def _residuals(self) -> tuple[Floats, Floats]:
        """Return what pairs say of their second frames beyond their places, and its covariance."""
        edges, places = self.edges, self.places
        start, end = places[edges.first], places[edges.second]
        back = np.linalg.inv(edges.matrices @ start)
        rest = update_of(
            np.asarray(np.linalg.inv(back @ end), np.float64), self.transform, self.shape
        )
        unknowns = rest.shape[1]
        # M -> (M + dM) changes the place by M1^-1 M^-1 dM M1 in the reference's coordinates.
        slopes: Floats = np.einsum("eik,elj->eklij", back, start)
        slopes = slopes.reshape(-1, 9, 3, 3)[:, :8]
        eye = np.eye(3)
        near = np.asarray(eye + _SMALL * slopes, np.float64).reshape(-1, 3, 3)
        changes = update_of(near, self.transform, self.shape).reshape(-1, 8, unknowns) / _SMALL
        noise = changes.swapaxes(1, 2) @ np.nan_to_num(edges.covariances) @ changes
        least = np.full((len(noise), unknowns), LEAST_ERROR)
        least[~np.isfinite(edges.covariances).all(axis=(1, 2))] = UNKNOWN_ERROR
        least[edges.left_out, 2:] = LEFT_OUT
        noise[:, np.arange(unknowns), np.arange(unknowns)] += least**2
        return rest, noise

    def _solve(self, noise: Floats, weights: Floats, rest: Floats | None) -> tuple[Floats, Floats]:
        """Return changes (nodes, unknowns) of the places, and the covariances of these."""
        edges, count, unknowns = self.edges, len(self.places), noise.shape[1]
        information = weights[:, None, None] * np.linalg.inv(noise)
        right = np.zeros((count, unknowns))
        if rest is not None:
            pull = np.einsum("eij,ej->ei", information, rest)
            np.add.at(right, edges.second, pull)
            np.add.at(right, edges.first, -pull)
        return solve_blocks(edges.first, edges.second, information, right, self.root)


_SMALL = 1e-6


def _told(
    pairs: Sequence[Pair], used: NDArray[np.bool_], good: NDArray[np.bool_], edges: Edges,
    count: int,
) -> list[Transform | None]:  # fmt: skip
    """Name what each frame tells, where none of its pairs tells all that was asked for."""
    told: list[Transform | None] = [None] * count
    whole = np.zeros(count, bool)
    chosen = [pair for pair, take in zip(pairs, used, strict=True) if take]
    for k in np.flatnonzero(good):
        less = chosen[k].alignment.transform
        for end in (edges.first[k], edges.second[k]):
            whole[end] |= less is None
            told[end] = less or told[end]
    return [None if full else name for full, name in zip(whole, told, strict=True)]
