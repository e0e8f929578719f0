"""Frames that are measured against their neighbours: chains of these, and all pairs at once."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix, corners_of
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.geometry.covariance import at_points, of_product
from napari_stack.operators.registration.refinement.motion_models import Transform, unknowns_of
from napari_stack.operators.registration.refinement.uncertainty import of_entries, of_growth
from napari_stack.operators.registration.search.align import Alignment, Prepared
from napari_stack.operators.registration.sequence.pair_graph import Pair
from napari_stack.operators.registration.sequence.pairs import BACK, Walk
from napari_stack.operators.registration.sequence.solution import SHARED, solved

if TYPE_CHECKING:
    from napari_stack.operators.registration.sequence.measure import Aligner, MeasureOptions

#: A frame whose neighbour cannot be used is linked to one at most this far.
LONGEST_LINK = 16
#: A frame is badly known where its error at the corners is expected to be more than so many pixels,
#: and so many times that of the better frames.
BADLY, TIMES = 0.15, 2.5
#: A frame that pairs alone tell of counts as found where no more pixels are expected there.
UNKNOWN = 4.0

Found = dict[int, Alignment]
#: Of the entries of a matrix, (8, 8).
Covariance = NDArray[np.float64]
#: What unlike sharpness, in px at the corners, adds to the covariance of a matrix.
Grown = Callable[[Matrix, float], Covariance]


def measure_globally(
    stack: Stack,
    view: "MeasureOptions",
    aligner: "Aligner",
    fixed: tuple[int, Prepared],
    begun: dict[int, Prepared],
    direct: Found,
    frames: list[int],
    run: Run,
) -> Found:
    """Alignments of some frames by the global solution; those that none leads to are not found.

    Parameters
    ----------
    fixed : (int, Prepared)
        The reference.
    begun : dict
        Frames that are prepared already.
    direct : dict
        What is known already of frames against the reference.
    frames : list of int
        Those to measure pairs of, in order.
    """
    reference = fixed[0]
    known = {i: a for i, a in direct.items() if a.verified and i in frames}
    places = {reference: np.eye(3)} | {i: a.matrix for i, a in known.items()}
    # Prepared frames are shared by the pairs: nothing is sent elsewhere.
    here = replace(run, executor=None)
    sides = [i for i in frames if i > reference], [i for i in frames[::-1] if i < reference]
    pairs = [Pair(reference, i, a) for i, a in known.items()]
    for number, side in enumerate(sides):
        walk = Walk(stack, view, aligner, fixed, places, here.part(number, 2), begun, list(pairs))
        pairs = walk.go(side)
    size = (stack.shape[1], stack.shape[2])
    result = solved(pairs, reference, aligner.transform, size) | _alone(pairs, reference)
    lost = Alignment(np.eye(3), 0.0, False)
    return {
        i: result[i] if i in result and aligner.limits.allow(result[i].matrix, size) else lost
        for i in frames
        if i != reference
    }


def _alone(pairs: list[Pair], reference: int) -> Found:
    """Alignments of frames that were measured against the reference and nothing else."""
    ends = Counter(frame for pair in pairs for frame in (pair.first, pair.second))
    return {p.second: p.alignment for p in pairs if p.first == reference and ends[p.second] == 1}


def chained(
    stack: Stack, view: "MeasureOptions", aligner: "Aligner", reference: int, run: Run
) -> Found:
    """Link all frames to their neighbours on the way to the reference, and multiply.

    Where the neighbour itself is of no use, the one behind it is tried, and so on.
    """
    lost = [i for i in range(len(stack)) if i != reference]
    found: Found = {}
    own: dict[int, Covariance] = {}
    steps = _links(stack, view, aligner, reference, 1, lost, run)
    grown = partial(_grown, transform=aligner.transform, shape=(stack.shape[1], stack.shape[2]))
    for i in lost:
        found[i] = Alignment(np.eye(3), steps[i].quality, False)
    join = partial(_join, reference=reference, found=found, own=own, grown=grown)
    join(steps, distance=1)
    for distance in range(2, LONGEST_LINK + 1):
        # Only frames just behind a gap: what follows them hangs on the steps measured above.
        ends = [
            i
            for i in lost
            if abs(i - reference) >= distance
            and not found[i].verified
            and _known(_toward(i, reference, distance), reference, found)
        ]
        if not ends:
            continue
        links = _links(stack, view, aligner, reference, distance, ends, run)
        join(links, distance=distance)
        join(steps, distance=1)
    return found


def _links(
    stack: Stack,
    view: "MeasureOptions",
    aligner: "Aligner",
    reference: int,
    distance: int,
    frames: list[int],
    run: Run,
) -> Found:
    link = partial(_link, view=view, aligner=aligner, reference=reference, distance=distance)
    what = "Registering to neighbours"
    return dict(zip(frames, run.each(link, stack, frames, what=what), strict=True))


def _link(
    stack: Stack,
    index: int,
    *,
    view: "MeasureOptions",
    aligner: "Aligner",
    reference: int,
    distance: int,
) -> Alignment:
    return aligner(view(stack, _toward(index, reference, distance)), view(stack, index))


def _join(
    links: Found,
    *,
    reference: int,
    distance: int,
    found: Found,
    own: dict[int, Covariance],
    grown: Grown,
) -> None:
    """Multiply links with the matrices of what they lead to, from the reference outward.

    `own` gets the part of their covariances that is due to the noise of the frames themselves.
    """
    for i in sorted(links, key=lambda i: abs(i - reference)):
        towards = _toward(i, reference, distance)
        if found[i].verified or not links[i].verified or not _known(towards, reference, found):
            continue
        if towards == reference:
            found[i] = links[i]
        else:
            how = found[towards], own.get(towards), grown
            found[i], own[i] = _multiplied(links[i], *how)


def _multiplied(
    link: Alignment, start: Alignment, own: Covariance | None, grown: Grown
) -> tuple[Alignment, Covariance]:
    """Continue an alignment by a link, and tell what the noise of the last frame adds.

    `own` is what the noise of the frame between them adds to `start`: it moves the end of the one
    and the start of the other alike, and cancels. What misleads one link misleads the next one
    alike, and adds up.
    """
    matrix = link.matrix @ start.matrix
    matrix = matrix / matrix[2, 2]
    links, starts = link.matrix[None], start.matrix[None]
    noise = link.covariance - grown(link.matrix, link.misled)
    before = start.covariance - grown(start.matrix, start.misled)
    before = before - (SHARED * before if own is None else own)
    misled = start.misled + link.misled
    covariance = of_product(links, (1 - SHARED) * noise[None], starts, before[None])[0]
    covariance = covariance + grown(matrix, misled)
    last = of_product(links, SHARED * noise[None], starts, np.zeros((1, 8, 8)))[0]
    return replace(link, matrix=matrix, covariance=covariance, misled=misled), last


def _grown(
    matrix: Matrix, misled: float, *, transform: Transform, shape: tuple[int, int]
) -> Covariance:
    unlike = of_growth(misled, len(unknowns_of(transform)))
    return of_entries(matrix, unlike, transform, shape)


def _known(index: int, reference: int, found: Found) -> bool:
    return index == reference or (index in found and found[index].verified)


def _toward(index: int, reference: int, distance: int) -> int:
    return index - distance if index > reference else index + distance


def badly_known(found: Found, shape: tuple[int, int]) -> list[int]:
    """Numbers of frames whose place is much less sure than that of others, by their covariances.

    They have become unlike the reference: out of focus, or of another scale.
    """
    errors = _at_corners(found, shape)
    if not errors:
        return []
    limit = max(BADLY, TIMES * float(np.quantile(list(errors.values()), 0.25)))
    return [i for i, error in errors.items() if error > limit]


def surer(found: Found, again: Found, shape: tuple[int, int]) -> Found:
    """Places that pairs tell, of frames that are found by them alone, or surer than before.

    Errors of homographies of blurred frames add up to tens of pixels in the corners: where much is
    expected the frame is not found, and a longer search would tell no better.
    """
    before, now = _at_corners(found, shape), _at_corners(again, shape)
    chosen = {}
    for i, alignment in again.items():
        error = now.get(i, 0.0)
        if found[i].verified:
            if not alignment.verified or error <= before.get(i, np.inf):
                chosen[i] = alignment
        elif alignment.verified:
            chosen[i] = alignment if error <= UNKNOWN else Alignment(np.eye(3), 0.0, False)
    return chosen


def _at_corners(found: Found, shape: tuple[int, int]) -> dict[int, float]:
    """Return the errors expected in the corners, in pixels, of frames whose covariances tell."""
    numbers = [i for i, a in found.items() if a.verified and np.isfinite(a.covariance).all()]
    if not numbers:
        return {}
    matrices = np.stack([found[i].matrix for i in numbers])
    covariances = np.stack([found[i].covariance for i in numbers])
    corners = corners_of(shape)[:2].T
    at_corners = at_points(matrices, covariances, corners)
    errors = np.sqrt(np.trace(at_corners, axis1=2, axis2=3).mean(axis=1))
    return {i: float(error) for i, error in zip(numbers, errors, strict=True)}


def near(lost: list[int], count: int) -> list[int]:
    """Numbers of frames that pairs with lost ones can be measured with, these included."""
    wanted = np.zeros(count + 2 * max(BACK), bool)
    for i in lost:
        wanted[i : i + 2 * max(BACK) + 1] = True
    return [int(i) for i in np.flatnonzero(wanted[max(BACK) : max(BACK) + count])]
