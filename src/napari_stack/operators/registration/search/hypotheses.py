"""The search for where a frame lies: hypotheses, each refined and weighed against the others."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix, moved
from napari_stack.operators.registration.methods import Features
from napari_stack.operators.registration.preprocess import Prepared
from napari_stack.operators.registration.refinement.gauss_newton import Refined, refine
from napari_stack.operators.registration.refinement.motion_models import Transform, nearest
from napari_stack.operators.registration.refinement.one_level import ITERATIONS, corner_distance
from napari_stack.operators.registration.search.certainty import decided, probable
from napari_stack.operators.registration.search.correlation import correlate, spectrum_of
from napari_stack.operators.registration.search.determined import determined
from napari_stack.operators.registration.search.evidence import (
    Evidence,
    behind,
    gather,
    unexplained,
)
from napari_stack.operators.registration.search.features import agreed, match_features
from napari_stack.operators.registration.search.fourier_mellin import shifted, turned_of
from napari_stack.operators.registration.search.guesses import Guesses, shifts_of
from napari_stack.operators.registration.search.hidden import weights_of_moving, without
from napari_stack.operators.registration.search.judgement import (
    AMBIGUOUS,
    Follow,
    Weighed,
    choose,
    reach,
    support,
)
from napari_stack.operators.registration.search.limits import ANY, Limits

#: Two hypotheses are one when the corners lie closer than this, in coarse pixels.
SAME_PLACE = 3.0
#: Tiles that agree on a rest of more than this, in coarse pixels, correct the matrix ...
LARGEST_REST = 0.5
#: ... so many times at most.
CORRECTIONS = 2
#: ... within so many of which they agree.
AGREE = 2.0
#: A simpler transform must leave this share of what speaks for the one that was asked for.
LEAST_LEFT = 0.9
#: Motions that key points are asked for; so many tiles make another one, which is looked for where
#: so much of the frame is left open.
MOTIONS, LEAST_TILES, LEAST_OPEN = 2, 3, 0.1


@dataclass(frozen=True, eq=False)
class Candidate:
    """A hypothesis that was refined on the coarse levels, and what speaks for it."""

    refined: Refined
    evidence: Evidence


@dataclass(frozen=True, eq=False)
class Best(Weighed):
    """The likeliest candidate, beside what else was found, and where it lies.

    Attributes
    ----------
    refined : Refined
    transform : str
        What it was measured with: less than was asked for, where the frames tell no more.
    """

    refined: Refined
    transform: Transform

    def of_others(self) -> NDArray[np.bool_]:
        """Mask, in coarse pixels, of tiles that move otherwise: they would pull a refinement.

        Those that match clearly elsewhere, and those that match clearly under another alignment.
        """
        own = self.evidence
        good, clear = own.clear & own.placed, own.clear
        hidden = own.elsewhere(clear, ~own.placed[clear])
        if np.count_nonzero(clear & ~good) < LEAST_TILES:
            hidden[:] = False
        for rival in self.rivals:
            if rival.in_place >= LEAST_TILES:
                hidden |= rival.elsewhere(rival.clear, rival.placed[rival.clear])
        return hidden & ~own.elsewhere(clear, own.placed[clear], beyond=0.0)


@dataclass(eq=False)
class Search:
    """Hypotheses about how one frame lies against another, refined and weighed."""

    reference: Prepared
    moving: Prepared
    transform: Transform
    limits: Limits = ANY
    iterations: int = ITERATIONS
    follow: Follow = "largest"
    #: Whether to go on where a place is probable; if not, `hurried` tells where it ended there.
    patient: bool = True
    hurried: bool = False
    found: list[Candidate] = field(default_factory=list)
    #: Starts since the reference is the one that hypotheses are now refined against.
    tried: list[Matrix] = field(default_factory=list)
    fixed: Prepared = field(init=False)

    def __post_init__(self) -> None:
        self.fixed = self.reference

    def go(self, start: Matrix | None, features: Features | None, *, only: bool = False) -> None:
        """Try hypotheses, likeliest first, until one leaves no doubt; or the start alone."""
        hypotheses = self._starts(start, features)
        for hypothesis in islice(hypotheses, 1) if only and start is not None else hypotheses:
            self._add(hypothesis)
            if self.found and decided(self.found[-1].evidence, self.transform, self.best):
                return
            self.hurried = not self.patient and probable(self.best())
            if self.hurried:
                return

    def best(self) -> Best | None:
        """Return the candidate that explains most, measured with no more than frames can tell."""
        if not self.found:
            return None
        chosen = self.found[self._chosen()]
        place = chosen.refined.matrix
        told = determined(self.reference, self.moving, place, chosen.evidence, self.transform)
        simple = self._simpler(chosen, told) if told != self.transform else chosen
        places = [place, simple.refined.matrix]
        rivals = [c.evidence for c in self.found if not self._known(c.refined.matrix, places)]
        if simple.evidence.repeats:
            rivals += self._a_period_away(simple)
        evidence = simple.evidence
        if self.follow == "background":
            # What reaches less of the border is before it: it speaks neither for it nor against it.
            before = [r for r in rivals if reach(r) <= AMBIGUOUS * reach(evidence)]
            rivals = [r for r in rivals if reach(r) > AMBIGUOUS * reach(evidence)]
            evidence = behind(evidence, before)
        with_what = self.transform if simple is chosen else told
        found = evidence, rivals, self.transform, told, simple.refined, with_what
        return Best(*found, follow=self.follow)

    def _chosen(self) -> int:
        return choose([candidate.evidence for candidate in self.found], self.follow)

    def _starts(self, start: Matrix | None, features: Features | None) -> Iterator[Matrix]:
        """Give starting matrices; each is computed only when the ones before leave doubt.

        None where spectra show nothing that is not by chance, and key points do not agree. Without
        key points nothing is left out: spectra alone miss some that can be found.
        """
        reference, moving = self.reference, self.moving
        if start is not None and np.all(np.isfinite(start)):
            yield nearest(np.asarray(start, np.float64), self.transform, reference.shape)
        guesses = Guesses(reference, moving, self.transform)
        found = [candidate.refined.matrix for candidate in self.found]
        asked = features is not None
        if asked and not guesses.promise(found) and not self._by_points(features, brief=True):
            return
        yield from guesses.shifts()
        yield from guesses.turns
        yield from self._remaining()
        self.fixed = reference
        yield from self._by_points(features)

    def _by_points(self, features: Features | None, *, brief: bool = False) -> list[Matrix]:
        """Give starts from key points, where these are asked for."""
        how = self.reference, self.moving, self.transform
        return [] if features is None else match_features(*how, features, MOTIONS, brief=brief)

    def _remaining(self) -> Iterator[Matrix]:
        """Give starts for what the likeliest alignment so far leaves open: another motion."""
        if not self.found:
            return
        reference, factor = self.reference, self.reference.coarse_factor
        best = self.found[self._chosen()]
        self._second_motion(best)
        weights = unexplained(best.evidence, reference.coarse.shape)
        if weights.mean() < LEAST_OPEN:
            return
        self.fixed, self.tried = without(reference, weights < 0.5), []
        fixed = np.nan_to_num(reference.even) * weights
        other = weights_of_moving(weights, best.refined.matrix, factor)
        moving = np.nan_to_num(self.moving.even) * other
        spectrum = spectrum_of(fixed)
        yield from shifts_of(correlate(spectrum, spectrum_of(moving)), factor)
        if self.transform != "translation":
            for matrix in turned_of(fixed, moving, spectrum, factor):
                yield nearest(matrix, self.transform, reference.shape)

    def _add(self, start: Matrix) -> None:
        """Refine a hypothesis that is not like one before, and gather evidence."""
        if self._known(start, self.tried):
            return
        self.tried.append(start)
        candidate = self._refined(start, self.transform)
        for _ in range(CORRECTIONS):
            better = None if candidate is None else self._corrected(candidate)
            if better is None:
                break
            candidate = better
        if candidate is not None:
            self._keep(candidate)

    def _keep(self, candidate: Candidate) -> None:
        """Add a candidate that is allowed and not known."""
        place = candidate.refined.matrix
        allowed = self.limits.allow(place, self.reference.shape)
        if allowed and not self._known(place, [c.refined.matrix for c in self.found]):
            self.found.append(candidate)

    def _known(self, matrix: Matrix, others: list[Matrix]) -> bool:
        near = SAME_PLACE * self.reference.coarse_factor
        return any(corner_distance(matrix, m, self.reference.shape) < near for m in others)

    def _refined(
        self, start: Matrix, transform: Transform, *, fine: bool = False, whole: bool = False
    ) -> Candidate | None:
        # The `whole` reference counts where what was found is weighed: the search goes on after it.
        coarse = self.reference.coarse_factor
        rough = tuple(f for f in self.reference.factors if f == coarse or (f > coarse and not fine))
        how = transform, rough, self.iterations
        refined = refine(self.reference if whole else self.fixed, self.moving, Refined(start), *how)
        evidence = gather(self.reference, self.moving, refined.matrix)
        return None if evidence is None else Candidate(refined, evidence)

    def _a_period_away(self, candidate: Candidate) -> list[Evidence]:
        """Gather evidence for where a scene that repeats matches once more."""
        factor, place = self.reference.coarse_factor, candidate.refined.matrix
        away = [place @ shifted(p.x * factor, p.y * factor) for p in candidate.evidence.periods]
        other = self._refined(away[0], self.transform, whole=True)
        refined = []
        if other is not None and not self._known(other.refined.matrix, [place]):
            refined = [other.evidence]
        plain = [gather(self.reference, self.moving, matrix) for matrix in away[len(refined) :]]
        return refined + [evidence for evidence in plain if evidence is not None]

    def _corrected(self, candidate: Candidate) -> Candidate | None:
        """Start again from where clear tiles agree that the frame lies; None where it is there."""
        evidence, factor = candidate.evidence, self.reference.coarse_factor
        points, rests = evidence.points[evidence.clear], evidence.rests[evidence.clear]
        update = agreed(points, points + rests, AGREE * factor, self.transform, "RANSAC")
        if update is None:
            return None
        update = nearest(update, self.transform, self.reference.shape)
        rest = moved(update, points) - points
        if np.hypot(*rest.T).mean() < LARGEST_REST * factor:
            return None
        off = np.hypot(*(rests - rest).T) > AGREE * factor
        start, hidden = candidate.refined.matrix @ update, evidence.elsewhere(evidence.clear, off)
        for fine in (True, False):
            better = self._beside(start, hidden, fine=fine)
            if better is not None and better.evidence.in_place > evidence.in_place:
                return better
        return None

    def _beside(
        self, start: Matrix, hidden: NDArray[np.bool_], *, fine: bool = True
    ) -> Candidate | None:
        """Refine from where tiles say, without a part of the frame that moves otherwise.

        It would pull the refinement back to where that part lies, on coarse levels most: a `fine`
        one starts on the last of them, which is near enough.
        """
        before = self.fixed
        self.fixed = without(before, hidden)
        found = self._refined(start / start[2, 2], self.transform, fine=fine)
        self.fixed = before
        return found

    def _second_motion(self, candidate: Candidate) -> None:
        """Find what the tiles agree on that match clearly, but not in place."""
        evidence = candidate.evidence
        out = evidence.clear & ~evidence.placed
        points, within = evidence.points[out], AGREE * evidence.factor
        update = agreed(points, points + evidence.rests[out], within, self.transform, "RANSAC")
        if update is None:
            return
        start = candidate.refined.matrix @ nearest(update, self.transform, self.reference.shape)
        placed = evidence.placed[evidence.clear]
        self.fixed = self.reference
        other = self._beside(start, evidence.elsewhere(evidence.clear, placed))
        if other is not None and other.evidence.in_place >= LEAST_TILES:
            self._keep(other)

    def _simpler(self, candidate: Candidate, transform: Transform) -> Candidate:
        """Measure again with a transform of fewer unknowns, from where the match is."""
        matrix, evidence = candidate.refined.matrix, candidate.evidence
        points = evidence.points[evidence.placed]
        start = nearest(matrix, transform, self.reference.shape)
        if transform == "translation" and len(points):
            start = shifted(*np.median(moved(matrix, points) - points, axis=0))
        again = self._refined(start, transform, whole=True)
        enough = LEAST_LEFT * support(evidence)
        return candidate if again is None or support(again.evidence) < enough else again
