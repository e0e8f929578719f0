"""How probable it is that an alignment is right: evidence in, one number out.

Boosted decision trees (Friedman 2001) over what `evidence` gathers, fitted to pairs with exact
truth of every kind: see `benchmarks/registration_fit.py` and `registration_pairs.py`. How often a
probability holds on other pairs, `benchmarks/registration_trials.py` shows.
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix
from napari_stack.operators.registration.preprocess import Prepared
from napari_stack.operators.registration.refinement.motion_models import Transform, unknowns_of
from napari_stack.operators.registration.refinement.one_level import corner_distance
from napari_stack.operators.registration.search.evidence import (
    EXPLAINED,
    IN_PLACE,
    Evidence,
    gather,
    preferred,
)

#: A frame is found where its place is as probable as this.
LEAST_PROBABILITY = 0.7
#: Nothing else is tried where so many tiles, and this share of them, match clearly and at zero,
#: no other place is nearly as good, and the highest of the correlation is there.
CERTAIN_TILES, CERTAIN_SHARE, CERTAIN_QUALITY, CERTAIN_CENTRAL = 8, 0.75, 0.6, 0.95
#: ... and the frames have this share in common: a foreground may fill what is left of less.
CERTAIN_COMMON = 0.85
#: ... and their plain correlation away from zero stays below this share of that at zero.
CERTAIN_REPEATED = 0.45
#: A tile that matches at zero by so many standard deviations counts; more than the second counts
#: no more.
COUNTS_FROM, COUNTS_TO = 2.0, 4.0
#: Another alignment with this share of the support is preferred where it fits better over more of
#: the frame, by so many standard deviations.
SHARE_OF_RIVAL, PREFERRED = 0.6, 3.0
#: Where another one has more than this share of the support, an alignment that fits more of what
#: either explains by less than so many standard deviations is doubted.
NEARLY, CLOSE = 0.5, 1.0
#: What is followed as the background has this share of the support of the largest motion.
SHARE_OF_BACKGROUND = 0.35
#: Either motion may be meant where another has so many tiles of its own and this share of
#: those of the chosen one (of the reach, for the background), unless that fits more of the
#: frame by so many standard deviations.
TILES_OF_RIVAL, SHARE_OF_TILES, AMBIGUOUS, LARGEST_MARGIN = 5, 0.5, 0.6, 5.0
#: A refinement that leads further than tiles in place may be off keeps this share of the support.
LEAST_KEPT = 0.9
#: Tiles that match clearly elsewhere, where an alignment has none, and reach this share of what it
#: reaches itself, are the scene behind a foreground that was taken for it, ...
SCENE_BEHIND = 0.42
#: ... unless this share of its own tiles match, or of what it shows is explained.
MOST_MATCH = 0.75
#: Fewer tiles are chance.
LEAST_BEYOND = 3
#: Where another place fits more of what either explains by so many standard deviations, or one that
#: repeats fits better than a period away by less than so many, nothing is more probable than this.
CONTRADICTED, UNDECIDED, LARGEST_DOUBTED = -2.0, 2.0, 0.5


_ALL = slice(None)

#: Which of several motions is taken.
Follow = Literal["largest", "background"]


@dataclass(frozen=True, eq=False)
class Weighed:
    """An alignment, what else was found, and which transforms are spoken of.

    Attributes
    ----------
    evidence : Evidence
    rivals : list of Evidence
        Of alignments that lie elsewhere.
    asked, told : str
        The transform that was asked for, and the richest that the frames determine.
    follow : {"largest", "background"}
        Which of several motions was asked for.
    """

    evidence: Evidence
    rivals: list[Evidence]
    asked: Transform
    told: Transform
    follow: Follow = field(default="largest", kw_only=True)

    @classmethod
    def alone(cls, evidence: Evidence, transform: Transform) -> Self:
        """Weigh an alignment beside which nothing else was looked for."""
        return cls(evidence, [], transform, transform)


def certain(evidence: Evidence) -> bool:
    """Whether nothing else needs to be tried."""
    return (
        evidence.in_place >= max(CERTAIN_TILES, CERTAIN_SHARE * len(evidence.heights))
        and evidence.again.height <= CERTAIN_REPEATED
        and evidence.quality > CERTAIN_QUALITY
        and evidence.central > CERTAIN_CENTRAL
        and evidence.common > CERTAIN_COMMON
    )


def support(evidence: Evidence) -> float:
    """Sum over the tiles of how clearly each matches at zero; a strong one counts no more."""
    return float(np.clip(evidence.at_zero - COUNTS_FROM, 0, COUNTS_TO).sum())


def reach(evidence: Evidence, tiles: NDArray[np.bool_] | slice = _ALL) -> float:
    """Support that counts by how near to the border it is: 0 at the centre, 1 at a side.

    Of some of the tiles, or all.
    """
    if not len(evidence.points):
        return 0.0
    half = (np.array(evidence.shape[::-1]) - 1) / 2
    away = np.abs(evidence.points / half - 1).max(axis=1)
    strengths = np.clip(evidence.at_zero - COUNTS_FROM, 0, COUNTS_TO)
    return float(strengths[tiles] @ away[tiles] ** 2)


def strayed(reference: Prepared, moving: Prepared, judged: Matrix, refined: Matrix) -> bool:
    """Whether the last refinement led away from the place that was judged, to a worse one.

    Where strong things that stay, as dust does, outweigh a faint scene on the finest level.
    """
    if corner_distance(judged, refined, reference.shape) < IN_PLACE * reference.coarse_factor:
        return False
    before, after = (gather(reference, moving, matrix) for matrix in (judged, refined))
    if before is None or after is None:
        return after is None
    return support(after) < LEAST_KEPT * support(before)


def choose(found: list[Evidence], follow: Follow = "largest") -> int:
    """Return the number of the alignment that explains most of what is seen.

    Or, of those that explain a good part of it, the one that reaches most of the border: what
    moves before a scene rarely surrounds it.
    """
    if follow == "background":
        strengths = [support(evidence) for evidence in found]
        reaches = [
            reach(evidence) if strength >= SHARE_OF_BACKGROUND * max(strengths) else -1.0
            for evidence, strength in zip(found, strengths, strict=True)
        ]
        return int(np.argmax(reaches))
    strengths = [support(evidence) for evidence in found]
    order = sorted(range(len(found)), key=lambda i: -strengths[i])
    best = order[0]
    for i in order[1:]:
        share, doubt = preferred(found[i].local, found[best].local)
        if strengths[i] > SHARE_OF_RIVAL * strengths[best] and share > 0.5 + PREFERRED * doubt:
            best = i
    return best


def probability(weighed: Weighed) -> float:
    """Probability in [0, 1] that an alignment is right to a pixel or two."""
    model, seen = _model(), features_of(weighed)
    values = [seen[name] for name in model["features"]]
    logit = model["start"]
    for tree in model["trees"]:
        node, left = 0, tree["left"]
        while left[node] >= 0:
            below = values[tree["feature"][node]] <= tree["threshold"][node]
            node = left[node] if below else tree["right"][node]
        logit += tree["value"][node]
    least = UNDECIDED if weighed.evidence.repeats else CONTRADICTED
    least = max(least, CLOSE) if seen["ratio"] > NEARLY else least
    margin = _margin(weighed, explained=True)
    doubted = margin < least or _ambiguous(weighed, max(margin, seen["margin"]))
    return min(float(1 / (1 + np.exp(-logit))), LARGEST_DOUBTED if doubted else 1.0)


def _ambiguous(weighed: Weighed, margin: float) -> bool:
    """Whether another motion has nearly as many tiles, or reaches nearly as much of the border."""
    own = weighed.evidence
    if weighed.follow == "largest" and _before_scene(own, weighed.rivals):
        return True
    if margin > LARGEST_MARGIN:
        return False
    if weighed.follow == "background":
        # A scene that repeats reaches as far a period away: the margin alone tells between them.
        return not own.repeats and any(
            rival.in_place >= TILES_OF_RIVAL and reach(rival) > AMBIGUOUS * reach(own)
            for rival in weighed.rivals
        )
    mine = _where(own)
    others = (np.count_nonzero(_where(r) & ~mine) / r.tile**2 for r in weighed.rivals)
    return any(max(TILES_OF_RIVAL, SHARE_OF_TILES * own.in_place) <= tiles for tiles in others)


def _before_scene(own: Evidence, rivals: list[Evidence]) -> bool:
    """Whether the scene behind may be what another alignment reaches the border with.

    A strong texture in the middle outweighs a faint scene that surrounds it. A scene that repeats
    matches a period away as well, and tells nothing.
    """
    if own.repeats or own.in_place >= MOST_MATCH * len(own.points):
        return False
    shown = own.local[np.isfinite(own.local)]
    if np.count_nonzero(shown > EXPLAINED) >= MOST_MATCH * shown.size:
        return False
    least, mine = SCENE_BEHIND * reach(own), _where(own)
    return any(_reach_beyond(rival, mine) > least for rival in rivals)


def _reach_beyond(rival: Evidence, mine: NDArray[np.bool_]) -> float:
    """Return what tiles reach outside of a part of the frame; 0 where too few match there.

    Or more inside: that is nearly the same place.
    """
    places = np.round((rival.points - (rival.factor - 1) / 2) / rival.factor).astype(int)
    free = ~mine[places[:, 1], places[:, 0]]
    if np.count_nonzero(free & rival.clear & rival.placed) < max(LEAST_BEYOND, rival.in_place / 2):
        return 0.0
    return reach(rival, free)


def _where(evidence: Evidence) -> NDArray[np.bool_]:
    return evidence.elsewhere(evidence.clear, evidence.placed[evidence.clear], 0.0)


@lru_cache(maxsize=1)
def _model() -> dict[str, Any]:
    """Read the trees: names of features, the logit to start from, nodes with feature and limit."""
    text = (
        files("napari_stack.operators.registration.search")
        .joinpath("judgement.json")
        .read_text("utf-8")
    )
    model: dict[str, Any] = json.loads(text)
    return model


def verified(sure: float) -> bool:
    """Whether a probability is enough to go by."""
    return sure >= LEAST_PROBABILITY


def features_of(weighed: Weighed) -> dict[str, float]:
    """Return what the trees go by."""
    evidence, strength = weighed.evidence, support(weighed.evidence)
    tiles, placed = max(len(evidence.heights), 1), int(np.count_nonzero(evidence.placed))
    local = np.nan_to_num(evidence.local)
    shown = max(int(np.count_nonzero(np.isfinite(evidence.local))), 1)
    asked, told = (len(unknowns_of(name)) for name in (weighed.asked, weighed.told))
    rivals = weighed.rivals
    strongest: float = max(map(support, rivals), default=0.0)
    clearest: float = max((rival.prominence for rival in rivals), default=0.0)
    return {
        "placed": placed / tiles,
        "log_placed": np.log1p(placed),
        "log_in": np.log1p(evidence.in_place),
        "out": np.count_nonzero(evidence.clear & ~evidence.placed) / tiles,
        "log_prominence": np.log1p(max(evidence.prominence, 0.0)),
        "likeness": evidence.likeness,
        "local": float(local.sum()) / shown,
        "explained": np.count_nonzero(local > EXPLAINED) / shown,
        "quality": evidence.quality,
        "central": evidence.central,
        "margin": _margin(weighed),
        "ratio": min(strongest / max(strength, 1e-3), 2.0),
        "common": evidence.common,
        "log_support": np.log1p(strength),
        "side": float(evidence.side),
        "asked": float(asked),
        "lost": float(asked - told),
        "zero": float(np.mean(evidence.at_zero)) if len(evidence.at_zero) else 0.0,
        "spread": evidence.spread,
        "rival": min(clearest / max(evidence.prominence, 0.1), 3.0),
        "repeated": min(evidence.again.height, 2.0),
    }


def _margin(weighed: Weighed, *, explained: bool = False) -> float:
    """By how many standard deviations the alignment fits more of the frame than any other.

    Or more of what either of the two explains, which the trees have not learnt from.
    """
    margins, local = [15.0], weighed.evidence.local
    for rival in weighed.rivals:
        share, doubt = preferred(local, rival.local, explained=explained)
        margins.append((share - 0.5) / doubt)
    return float(np.clip(min(margins), -5, 15))
