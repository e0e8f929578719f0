"""How the frames of a stack are measured: what of each, in which sequence, chains."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.luminance import ChannelWeights, brightness_of
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.geometry.covariance import of_product
from napari_stack.operators.registration.align import (
    ANY,
    Alignment,
    Limits,
    Prepared,
    align,
    align_by,
    prepare,
)
from napari_stack.operators.registration.features import require
from napari_stack.operators.registration.following import followed
from napari_stack.operators.registration.methods import Features, Intensity, Method
from napari_stack.operators.registration.motion_models import Transform
from napari_stack.operators.registration.preprocess import without_defects
from napari_stack.operators.registration.track import KEYS

#: Recordings of so many frames and more are followed.
LONG = 2 * KEYS
#: A frame whose neighbour cannot be used is linked to one at most this far.
LONGEST_LINK = 4

#: Share of the covariance of a link that the noise of each of its two frames makes; it would be a
#: half if the link were measured on the same pixels in the same way in both. With 0.4 chains of 2
#: to 8 links of 128 px at a noise of 10 (of 255) are as far off as they claim, by 24 series.
SHARED = 0.4

Found = dict[int, Alignment]
#: Of the entries of a matrix, (8, 8).
Covariance = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MeasureOptions:
    """What of a frame is measured: one channel, a region, an average over time."""

    channel: int | str = "all"
    mask: NDArray[np.bool_] | None = None
    working_size: int = 2048
    average: int = 1

    def __call__(self, stack: Stack, index: int) -> Prepared:
        """Prepare a frame."""
        return prepare(*self.pixels(stack, index), self.working_size)

    def brief(self, stack: Stack, index: int, *, of_reference: bool = False) -> Prepared:
        """Prepare the levels of a frame alone; without its defects, for a reference."""
        values, valid = self.pixels(stack, index)
        if of_reference:
            valid = without_defects(values, valid)
        return prepare(values, valid, self.working_size, brief=True)

    def pixels(self, stack: Stack, index: int) -> Pixels:
        """Grey values of a frame, averaged over its neighbours, and where they count."""
        reach = self.average // 2
        near = range(max(index - reach, 0), min(index + reach + 1, len(stack)))
        if stack.ndim == 4:
            stack = brightness_of(stack, ChannelWeights(stack.rgb, stack.alpha, self.channel))
        total, valid = stack.read(near[0])
        for number in near[1:]:
            values, counts = stack.read(number)
            total = total + values
            if counts is not None:
                valid = counts if valid is None else valid & counts
        if self.mask is not None:
            valid = self.mask if valid is None else valid & self.mask
        return (total / total.dtype.type(len(near)) if len(near) > 1 else total), valid


@dataclass(frozen=True)
class Aligner:
    """How two prepared frames are aligned."""

    method: Method | str = "auto"
    transform: Transform = "similarity"
    limits: Limits = ANY

    def __post_init__(self) -> None:
        if isinstance(self.method, Features):
            require(self.method)

    @property
    def follows(self) -> bool:
        """Whether frames between two that were found need no search of their own."""
        by_intensities = isinstance(self.method, str | Intensity)
        return by_intensities and self.transform != "homography"

    def __call__(
        self, fixed: Prepared, moving: Prepared, start: NDArray[np.float64] | None = None
    ) -> Alignment:
        """Align a frame; "auto" tries intensities, then key points, refined on intensities."""
        how: Any = {"transform": self.transform, "limits": self.limits}
        if not isinstance(self.method, str | Intensity):
            return align_by(fixed, moving, method=self.method, **how)
        steps = (self.method if isinstance(self.method, Intensity) else Intensity()).iterations
        features = None if isinstance(self.method, Intensity) else Features()
        return align(fixed, moving, start=start, iterations=steps, features=features, **how)


def measure(
    stack: Stack, view: MeasureOptions, aligner: Aligner, reference: int, sequence: str, run: Run
) -> Found:
    """Alignments of all frames but the reference, by number.

    In the sequence "previous" every frame is measured against its neighbour on the way to the
    reference, and matrices are multiplied; in "auto" only those that are lost directly are, and
    what was found is measured once more against the reference.

    Raises
    ------
    ValueError
        For a reference without structure.
    """
    moving = [i for i in range(len(stack)) if i != reference]
    what = "Registering frames"
    # Another frame is prepared beside the reference: no thread waits. Nothing is sent elsewhere.
    beside = moving[:1] if run.executor is None and sequence != "previous" else []
    fixed, *others = _begun(run).each(view, stack, [reference, *beside], what=what)
    begun = dict(zip(beside, others, strict=True))
    if not fixed.levels and moving:
        raise UserError(
            f"the reference {stack.source.label(reference)} holds no structure to register to: "
            "choose another reference"
        )
    if sequence == "previous":
        found: Found = {}
        _chain(stack, view, aligner, reference, found, moving, run)
        return found
    against = partial(_against, view=view, aligner=aligner, fixed=fixed)
    direct = partial(against, begun=begun, starts={})
    if len(moving) >= LONG and aligner.follows:
        found = followed(stack, view, aligner, reference, direct, moving, run)
    else:
        found = dict(zip(moving, run.each(direct, stack, moving, what=what), strict=True))
    lost = [i for i in moving if not found[i].verified]
    if sequence == "direct" or not lost or len(lost) == len(moving):
        return found
    chained = _chain(stack, view, aligner, reference, found, lost, run)
    starts = {i: found[i].matrix for i in chained}
    again = partial(against, begun={}, starts=starts)
    for i, better in zip(chained, run.each(again, stack, chained, what="Refining"), strict=True):
        found[i] = better if better.verified else found[i]
    return found


def _begun(run: Run) -> Run:
    """Return a run in this process that can be stopped, and whose progress stays at 0."""
    whole = run.tick

    def tick(_done: int, total: int, what: str) -> None:
        assert whole
        whole(0, total, what)

    return replace(run, executor=None, tick=tick if whole else None)


def _chain(
    stack: Stack,
    view: MeasureOptions,
    aligner: Aligner,
    reference: int,
    found: Found,
    lost: list[int],
    run: Run,
) -> list[int]:
    """Link lost frames to neighbours on the way to the reference; give those that were found.

    Where the neighbour itself is of no use, the one behind it is tried, and so on.
    """
    chained: list[int] = []
    own: dict[int, Covariance] = {}
    steps = _links(stack, view, aligner, reference, 1, lost, run)
    for i in lost:
        found.setdefault(i, Alignment(np.eye(3), steps[i].quality, False))
    chained = _joined(steps, reference, 1, found, own)
    for distance in range(2, LONGEST_LINK + 1):
        # Only frames just behind a gap: what follows them hangs on the steps measured above.
        ends = [
            i
            for i in lost
            if abs(i - reference) >= distance
            and not found[i].verified
            and _known(_toward(i, reference, distance), reference, found)
        ]
        links = _links(stack, view, aligner, reference, distance, ends, run)
        chained += _joined(links, reference, distance, found, own)
        chained += _joined(steps, reference, 1, found, own)
    return sorted(chained)


def _links(
    stack: Stack,
    view: MeasureOptions,
    aligner: Aligner,
    reference: int,
    distance: int,
    frames: list[int],
    run: Run,
) -> Found:
    link = partial(_link, view=view, aligner=aligner, reference=reference, distance=distance)
    what = "Registering to neighbours"
    return dict(zip(frames, run.each(link, stack, frames, what=what), strict=True))


def _joined(
    links: Found, reference: int, distance: int, found: Found, own: dict[int, Covariance]
) -> list[int]:
    """Multiply links with the matrices of what they lead to, from the reference outward.

    `own` gets the part of their covariances that is due to the noise of the frames themselves.
    """
    joined = []
    for i in sorted(links, key=lambda i: abs(i - reference)):
        towards = _toward(i, reference, distance)
        done = i in found and found[i].verified
        if done or not links[i].verified or not _known(towards, reference, found):
            continue
        if towards == reference:
            found[i] = links[i]
        else:
            start = found[towards]
            own_part = own.get(towards, SHARED * start.covariance)
            found[i], own[i] = _multiplied(links[i], start, own_part)
        joined.append(i)
    return joined


def _multiplied(link: Alignment, start: Alignment, own: Covariance) -> tuple[Alignment, Covariance]:
    """Continue an alignment by a link, and tell what the noise of the last frame adds.

    `own` is what the noise of the frame between them adds to `start`: it moves the end of the one
    and the start of the other alike, and cancels.
    """
    matrix = link.matrix @ start.matrix
    links, starts = link.matrix[None], start.matrix[None]
    rest = (1 - SHARED) * link.covariance
    covariance = of_product(links, rest[None], starts, (start.covariance - own)[None])[0]
    last = of_product(links, SHARED * link.covariance[None], starts, np.zeros((1, 8, 8)))[0]
    return replace(link, matrix=matrix / matrix[2, 2], covariance=covariance), last


def _known(index: int, reference: int, found: Found) -> bool:
    return index == reference or (index in found and found[index].verified)


def _toward(index: int, reference: int, distance: int) -> int:
    return index - distance if index > reference else index + distance


def _against(
    stack: Stack,
    index: int,
    *,
    view: MeasureOptions,
    aligner: Aligner,
    fixed: Prepared,
    begun: dict[int, Prepared],
    starts: dict[int, NDArray[np.float64]],
) -> Alignment:
    """Align a frame with the reference; some are prepared already, some have a matrix to start."""
    moving = begun[index] if index in begun else view(stack, index)
    return aligner(fixed, moving, starts.get(index))


def _link(
    stack: Stack,
    index: int,
    *,
    view: MeasureOptions,
    aligner: Aligner,
    reference: int,
    distance: int,
) -> Alignment:
    return aligner(view(stack, _toward(index, reference, distance)), view(stack, index))
