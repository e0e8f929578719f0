"""Long recordings: some frames are searched for, the others followed between these."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.registration.preprocess import Prepared
from napari_stack.operators.registration.search.align import Alignment
from napari_stack.operators.registration.sequence.track import FAR_KEYS, KEYS, Match, follow, match

if TYPE_CHECKING:
    from napari_stack.operators.registration.sequence.measure import Aligner, MeasureOptions


#: Prepares a frame, searches for it, and gives both.
Search = Callable[[Stack, int], tuple[Alignment, Prepared]]
Known = dict[int, tuple[Alignment, Match]]


def followed(
    stack: Stack,
    view: "MeasureOptions",
    aligner: "Aligner",
    reference: int,
    search: Search,
    moving: list[int],
    run: Run,
) -> dict[int, Alignment]:
    """Search for one frame in `KEYS`, and follow the motion between those that were found.

    In long recordings most of these are followed, too. What is not found so is searched for.
    """
    what = "Registering frames"
    far = len(moving) >= 2 * FAR_KEYS
    keys = sorted({*moving[:: FAR_KEYS if far else KEYS], moving[-1]})
    fixed = view.brief(stack, reference, of_reference=True)
    look = partial(_searched, fixed=fixed, search=search)
    found = dict(zip(keys, run.each(look, stack, keys, what=what), strict=True))
    for step in (KEYS, 1) if far else (1,):
        known = {i: (one, match) for i, (one, match) in found.items() if match is not None}
        between = [i for i in moving[::step] if i not in found]
        follow = partial(
            _follow, view=view, aligner=aligner, reference=reference, fixed=fixed, known=known,
            numbers=np.array(sorted({*known, reference})), search=search,
            reach=KEYS if step == 1 else FAR_KEYS,
        )  # fmt: skip
        later = _later(run, len(found), len(moving))
        found.update(zip(between, later.each(follow, stack, between, what=what), strict=True))
    return {i: alignment for i, (alignment, _) in found.items()}


def _later(run: Run, done: int, total: int) -> Run:
    """Return a run whose progress goes on after so many."""
    whole = run.tick
    if whole is None:
        return run

    def tick(more: int, _total: int, what: str) -> None:
        whole(done + more, total, what)

    return replace(run, tick=tick)


def _searched(
    stack: Stack, index: int, *, fixed: Prepared, search: Search
) -> tuple[Alignment, Match | None]:
    """Search for a frame; how much alike it is there, where it was found."""
    alignment, moving = search(stack, index)
    if not alignment.verified or not fixed.levels:
        return alignment, None
    return alignment, match(fixed, moving, alignment.matrix)


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
    search: Search,
    reach: int,
) -> tuple[Alignment, Match | None]:
    """Refine what lies between the places of the frames beside it, or search for it.

    `numbers` are those of the frames whose places are known, in order.
    """
    after = int(np.searchsorted(numbers, index))
    sides = [int(i) for i in numbers[max(after - 1, 0) : after + 1]]
    beside = [known[i] for i in sides if i != reference]
    if not beside or min(abs(i - index) for i in sides if i != reference) > reach:
        return _searched(stack, index, fixed=fixed, search=search)
    places = [np.eye(3) if i == reference else known[i][0].matrix for i in sides]
    share = (index - sides[0]) / (sides[-1] - sides[0]) if len(sides) == 2 else 0.0
    start = (1 - share) * places[0] + share * places[-1]
    moving = view.brief(stack, index)
    if moving.levels:
        expected = min((match for _, match in beside), key=lambda m: m.whole)
        quality = min(alignment.quality for alignment, _ in beside)
        how = expected, quality, aligner.transform, aligner.limits
        followed = follow(fixed, moving, start, *how)
        if followed is not None:
            return followed
    return _searched(stack, index, fixed=fixed, search=search)
