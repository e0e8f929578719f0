"""Long recordings: some frames are searched for, the others followed between these."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.registration.align import Alignment
from napari_stack.operators.registration.preprocess import Prepared
from napari_stack.operators.registration.track import KEYS, Match, follow, match

if TYPE_CHECKING:
    from napari_stack.operators.registration.sequence import Aligner, MeasureOptions


def followed(
    stack: Stack,
    view: "MeasureOptions",
    aligner: "Aligner",
    reference: int,
    search: Callable[[Stack, int], Alignment],
    moving: list[int],
    run: Run,
) -> dict[int, Alignment]:
    """Search for one frame in `KEYS`, and follow the motion between those that were found.

    What is not found there is searched for like the others.
    """
    what = "Registering frames"
    keys = sorted({*moving[::KEYS], moving[-1]})
    fixed = view.brief(stack, reference, of_reference=True)
    look = partial(_searched, view=view, fixed=fixed, search=search)
    searched = run.each(look, stack, keys, what=what)
    found = {i: alignment for i, (alignment, _) in zip(keys, searched, strict=True)}
    known = {
        i: (alignment, match)
        for i, (alignment, match) in zip(keys, searched, strict=True)
        if match is not None
    }
    between = [i for i in moving if i not in found]
    follow = partial(
        _follow, view=view, aligner=aligner, reference=reference, fixed=fixed, known=known,
        numbers=np.array(sorted({*known, reference})), search=search,
    )  # fmt: skip
    later = _later(run, len(keys), len(moving))
    found.update(zip(between, later.each(follow, stack, between, what=what), strict=True))
    return found


def _later(run: Run, done: int, total: int) -> Run:
    """Return a run whose progress goes on after so many."""
    whole = run.tick
    if whole is None:
        return run

    def tick(more: int, _total: int, what: str) -> None:
        whole(done + more, total, what)

    return replace(run, tick=tick)


def _searched(
    stack: Stack,
    index: int,
    *,
    view: "MeasureOptions",
    fixed: Prepared,
    search: Callable[[Stack, int], Alignment],
) -> tuple[Alignment, Match | None]:
    """Search for a frame; how much alike it is there, where it was found."""
    alignment = search(stack, index)
    if not alignment.verified or not fixed.levels:
        return alignment, None
    moving = view.brief(stack, index)
    if not moving.levels:
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
    known: dict[int, tuple[Alignment, Match]],
    numbers: NDArray[np.intp],
    search: Callable[[Stack, int], Alignment],
) -> Alignment:
    """Refine what lies between the places of the frames beside it, or search for it.

    `numbers` are those of the frames whose places are known, in order.
    """
    after = int(np.searchsorted(numbers, index))
    sides = [int(i) for i in numbers[max(after - 1, 0) : after + 1]]
    beside = [known[i] for i in sides if i != reference]
    if not beside or min(abs(i - index) for i in sides if i != reference) > KEYS:
        return search(stack, index)
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
    return search(stack, index)
