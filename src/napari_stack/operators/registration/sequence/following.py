"""Long recordings: some frames are searched for, the others followed between these."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.registration.preprocess import Prepared
from napari_stack.operators.registration.refinement.motion_models import Transform, growth_of
from napari_stack.operators.registration.search.align import Alignment
from napari_stack.operators.registration.search.correlation import (
    compressed,
    repeated,
    spectrum_of,
)
from napari_stack.operators.registration.sequence.steady_picture import SteadyPicture
from napari_stack.operators.registration.sequence.track import (
    FAR_KEYS,
    KEYS,
    Place,
    coarsest,
    follow,
    placed,
    starts,
)
from napari_stack.operators.registration.sequence.unlike import coarse_only, nothing_in_common

if TYPE_CHECKING:
    from napari_stack.operators.registration.sequence.measure import Aligner, MeasureOptions

#: A scene repeats where it is as much alike, away from its place, as this share of what frames are.
REPEATS = 0.6

#: Prepares a frame, searches for it, and gives both.
Search = Callable[[Stack, int], tuple[Alignment, Prepared]]
Known = dict[int, Place]


def followed(
    stack: Stack,
    view: "MeasureOptions",
    aligner: "Aligner",
    reference: int,
    search: Search,
    moving: list[int],
    run: Run,
    picture: SteadyPicture | None = None,
) -> dict[int, Alignment]:
    """Search for two frames, and follow the motion to all others.

    One in up to `FAR_KEYS` is found by its correlation with the reference; then, again and again,
    those half way between two that are known. What is not found so is searched for. Of a scene that
    repeats, one frame in `KEYS` is searched for.
    """
    what = "Registering frames"
    steps = _steps(len(moving))
    keys = _keys(moving, steps[0])
    fixed = view.brief(stack, reference, of_reference=True)
    look = partial(_searched, fixed=fixed, search=search, transform=aligner.transform)
    shown: dict[str, Any] = {"what": what, "growing": picture}
    searched = keys[max(len(keys) // 2 - 1, 0) :][:2]
    first = _later(run, 0, len(moving))
    found = dict(zip(searched, first.each(look, stack, searched, **shown), strict=True))
    tight = _repeats(fixed, [place for _, place in found.values() if place is not None])
    if tight:
        # A drift of a period would not be seen: frames are followed from close by alone.
        steps, keys = [KEYS, 1], _keys(moving, KEYS)
        searched, later = [i for i in keys if i not in found], _later(run, 2, len(moving))
        found.update(zip(searched, later.each(look, stack, searched, **shown), strict=True))
    coarse = coarse_only(fixed) if fixed.levels else fixed
    for before, step in pairwise([len(stack), *steps]):
        known = {i: place for i, (_, place) in found.items() if place is not None}
        between = [i for i in (keys if step == steps[0] else moving[::step]) if i not in found]
        follow = partial(
            _follow, view=view, aligner=aligner, reference=reference, fixed=fixed, known=known,
            numbers=np.array(sorted({*known, reference})), look=look,
            reach=before, keep=step > 1, tight=tight, coarse=coarse,
        )  # fmt: skip
        later = _later(run, len(found), len(moving))
        found.update(zip(between, later.each(follow, stack, between, **shown), strict=True))
    return {i: alignment for i, (alignment, _) in found.items()}


def _steps(count: int) -> list[int]:
    """Tell of so many frames which are searched for, one in the first number, then followed."""
    step = KEYS
    while 4 * step <= count + 1 and step < FAR_KEYS:
        step *= 2
    return [*(step >> n for n in range((step // KEYS).bit_length())), 1]


def _repeats(reference: Prepared, places: list[Place]) -> bool:
    """Whether a frame may lie elsewhere nearly as well, beside what those found are alike."""
    if not places:
        return False
    spectrum = spectrum_of(compressed(reference.levels[coarsest(reference)]))
    again = repeated(spectrum, spectrum, 1, REPEATS)[0].height
    return again > REPEATS * max(place.match.whole for place in places)


def _keys(moving: list[int], step: int) -> list[int]:
    return sorted({*moving[::step], moving[-1]})


def _later(run: Run, done: int, total: int) -> Run:
    """Return a run whose progress goes on after so many."""
    whole = run.tick
    if whole is None:
        return run

    def tick(more: int, _total: int, what: str) -> None:
        whole(done + more, total, what)

    return replace(run, tick=tick)


def _searched(
    stack: Stack, index: int, *, fixed: Prepared, search: Search, transform: Transform
) -> tuple[Alignment, Place | None]:
    """Search for a frame; what those beside it are compared with, where it was found."""
    alignment, moving = search(stack, index)
    if not alignment.verified or not fixed.levels:
        return alignment, None
    return alignment, placed(fixed, moving, alignment, transform)


def _follow(
    stack: Stack,
    index: int,
    *,
    view: "MeasureOptions",
    aligner: "Aligner",
    reference: int,
    fixed: Prepared,
    known: Known,
    numbers: NDArray[np.intp],
    look: Callable[[Stack, int], tuple[Alignment, Place | None]],
    reach: int,
    keep: bool,
    tight: bool,
    coarse: Prepared,
) -> tuple[Alignment, Place | None]:
    """Refine what lies between the places of the frames beside it, or search for it.

    Where the frame is not there, it may have jumped: that a correlation tells, if it has one peak.
    One that has nothing in common with the reference is not searched for.
    `numbers` are those of the frames whose places are known, in order. What others are compared
    with is given only to `keep` it: in a long recording it would fill the memory. When `tight`,
    both sides must be within `reach`. `coarse` is `fixed` as `coarse_only` gives it.
    """
    after = int(np.searchsorted(numbers, index))
    sides = [int(i) for i in numbers[max(after - 1, 0) : after + 1]]
    beside = [known[i] for i in sides if i != reference]
    if not beside or min(abs(i - index) for i in sides if i != reference) > reach:
        return look(stack, index)
    if tight and (len(sides) < 2 or max(abs(i - index) for i in sides) > reach):
        return look(stack, index)
    if any(place.unlike for place in beside):  # what is followed is half as exact then
        return look(stack, index)
    places = [np.eye(3) if i == reference else known[i].alignment.matrix for i in sides]
    share = (index - sides[0]) / (sides[-1] - sides[0]) if len(sides) == 2 else 0.0
    start = (1 - share) * places[0] + share * places[-1]
    least = min(beside, key=lambda place: place.match.whole)
    # What those between are compared with tells how sharp it is, which may have changed.
    afresh = keep and bool(growth_of(aligner.transform).any())
    moving = view.brief(stack, index, wanted=() if afresh else least.wanted)
    if moving.levels:
        quality = min(place.alignment.quality for place in beside)
        how = least, quality, aligner.transform, aligner.limits
        for begin in starts(fixed, moving, start):
            place = follow(fixed, moving, begin, *how, afresh=afresh)
            if place is not None:
                return place.alignment, place if keep else None
        if nothing_in_common(coarse, moving, least, start, aligner.transform):
            return Alignment(np.eye(3), 0.0, False), None
    return look(stack, index)
