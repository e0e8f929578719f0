"""When a search may end: what it found leaves no doubt."""

from collections.abc import Callable

import numpy as np

from napari_stack.operators.registration.refinement.motion_models import Transform
from napari_stack.operators.registration.search.evidence import Evidence
from napari_stack.operators.registration.search.judgement import (
    COUNTS_FROM,
    Weighed,
    probability,
    verified,
)

#: Nothing else is tried where so many tiles, and this share of them, match clearly and at zero,
#: no other place is nearly as good, and the highest of the correlation is there.
CERTAIN_TILES, CERTAIN_SHARE, CERTAIN_QUALITY, CERTAIN_CENTRAL = 8, 0.75, 0.6, 0.95
#: ... and the frames have this share in common: a foreground may fill what is left of less.
CERTAIN_COMMON = 0.85
#: ... and their plain correlation away from zero stays below this share of that at zero.
CERTAIN_REPEATED = 0.45
#: In noise, instead of clear tiles: the correlation at zero is so many standard deviations of its
#: surface, the second peak is lower, so many tiles match at zero if less clearly, and no more than
#: so many peak clearly beside it.
EVEN_PROMINENCE, EVEN_QUALITY, EVEN_SHARE, BESIDE_SHARE = 15.0, 0.75, 0.95, 0.2


def decided(evidence: Evidence, transform: Transform, best: Callable[[], Weighed | None]) -> bool:
    """Whether nothing else needs to be tried; `best` gives what is the best so far.

    Frames that are `even` may still be turned, or grown, by a little.
    """
    if transform != "translation" or certain(evidence) or not even(evidence):
        return certain(evidence)
    return probable(best())


def probable(best: Weighed | None) -> bool:
    """Whether there is a place, and it is probable enough to go by."""
    return best is not None and verified(probability(best))


def certain(evidence: Evidence) -> bool:
    """Whether it leaves no doubt, tile by tile."""
    most = max(CERTAIN_TILES, CERTAIN_SHARE * len(evidence.heights))
    return evidence.in_place >= most and _unrivalled(evidence)


def even(evidence: Evidence) -> bool:
    """Whether frames match clearly as a whole, and no tile says otherwise: so it is in noise."""
    tiles = max(len(evidence.at_zero), CERTAIN_TILES)
    matching = int(np.count_nonzero(evidence.at_zero > COUNTS_FROM))
    return (
        evidence.prominence > EVEN_PROMINENCE
        and evidence.quality > EVEN_QUALITY
        and matching >= EVEN_SHARE * tiles
        and int(np.count_nonzero(evidence.clear & ~evidence.placed)) <= BESIDE_SHARE * tiles
        and _unrivalled(evidence)
    )


def _unrivalled(evidence: Evidence) -> bool:
    return (
        evidence.again.height <= CERTAIN_REPEATED
        and evidence.quality > CERTAIN_QUALITY
        and evidence.central > CERTAIN_CENTRAL
        and evidence.common > CERTAIN_COMMON
    )
