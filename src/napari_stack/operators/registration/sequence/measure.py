"""How the frames of a stack are measured: what of each, in which sequence, chains."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.pixels.luminance import ChannelWeights, brightness_of
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack
from napari_stack.engine.glimpses import small
from napari_stack.engine.run import Run
from napari_stack.operators.registration.methods import Features, Intensity, Method
from napari_stack.operators.registration.preprocess import without_defects
from napari_stack.operators.registration.refinement.motion_models import Transform
from napari_stack.operators.registration.search.align import (
    ANY,
    Alignment,
    Limits,
    Prepared,
    align,
    align_by,
    prepare,
)
from napari_stack.operators.registration.search.features import require
from napari_stack.operators.registration.search.judgement import Follow
from napari_stack.operators.registration.sequence.chains import (
    Found,
    badly_known,
    chained,
    measure_globally,
    near,
    surer,
)
from napari_stack.operators.registration.sequence.following import followed
from napari_stack.operators.registration.sequence.steady_picture import picture_for
from napari_stack.operators.registration.sequence.track import KEYS

#: Recordings of so many frames and more are followed.
LONG = 2 * KEYS


#: Where more than this share of the frames is lost, or badly known, pairs of all are measured.
MANY = 0.1
#: Frames whose place is probable, but not beyond doubt, are told by those between where they are no
#: more than this share of all.
MANY_HURRIED = 0.25
#: Prepared frames of stacks of so many are kept: no more than `pairs` holds of longer ones.
KEPT = 16


@dataclass(frozen=True, eq=False)
class MeasureOptions:
    """What of a frame is measured: one channel, a region, an average over time."""

    channel: int | str = "all"
    mask: NDArray[np.bool_] | None = None
    working_size: int = 2048
    average: int = 1
    #: Takes small copies of the pixels of frames that are read, by number.
    seen: dict[int, NDArray[Any]] | None = None

    def __call__(self, stack: Stack, index: int) -> Prepared:
        """Prepare a frame."""
        return prepare(*self.pixels(stack, index), self.working_size)

    def brief(
        self,
        stack: Stack,
        index: int,
        *,
        wanted: Collection[int] = (),
        of_reference: bool = False,
    ) -> Prepared:
        """Prepare levels of a frame alone, all or some; without its defects, for a reference."""
        values, valid = self.pixels(stack, index)
        if of_reference:
            valid = without_defects(values, valid)
        return prepare(values, valid, self.working_size, brief=True, wanted=wanted)

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
        values = total / total.dtype.type(len(near)) if len(near) > 1 else total
        if self.seen is not None:
            self.seen[index] = small(values)
        return values, valid


@dataclass(frozen=True)
class Aligner:
    """How two prepared frames are aligned."""

    method: Method | str = "auto"
    transform: Transform = "similarity"
    limits: Limits = ANY
    follow: Follow = "largest"

    def __post_init__(self) -> None:
        if isinstance(self.method, Features):
            require(self.method)

    @property
    def follows(self) -> bool:
        """Whether frames between two that were found need no search of their own."""
        by_intensities = isinstance(self.method, str | Intensity)
        return by_intensities and self.transform != "homography"

    def __call__(
        self,
        fixed: Prepared,
        moving: Prepared,
        start: NDArray[np.float64] | None = None,
        *,
        only: bool = False,
        patient: bool = True,
    ) -> Alignment:
        """Align a frame; "auto" tries intensities, then key points, refined on intensities.

        Where intensities are compared, and `only`, nothing but the start is tried; where it is not
        `patient`, nothing more once a place is probable.
        """
        how: Any = {"transform": self.transform, "limits": self.limits}
        if not isinstance(self.method, str | Intensity):
            return align_by(fixed, moving, method=self.method, **how)
        steps = (self.method if isinstance(self.method, Intensity) else Intensity()).iterations
        features = None if isinstance(self.method, Intensity) else Features()
        how |= {"iterations": steps, "features": features, "only": only, "follow": self.follow}
        how["patient"] = patient
        return align(fixed, moving, start=start, **how)


def measure(
    stack: Stack, view: MeasureOptions, aligner: Aligner, reference: int, sequence: str, run: Run
) -> Found:
    """Alignments of all frames but the reference, by number.

    In the sequence "previous" every frame is measured against its neighbour on the way to the
    reference, and matrices are multiplied; in "global" pairs of all frames are solved together;
    in "auto" those of frames that are lost directly, or badly known, with those beside them.

    Raises
    ------
    ValueError
        For a reference without structure.
    """
    moving = [i for i in range(len(stack)) if i != reference]
    what = "Registering frames"
    # Another frame is prepared beside the reference: no thread waits. Nothing is sent elsewhere.
    alone = run.executor is not None or sequence in ("previous", "global")
    beside = moving[: 0 if alone else 1]
    picture = None if alone else picture_for(run, stack, reference)
    watched = view if picture is None else replace(view, seen=picture.seen)
    fixed, *others = replace(_held(run, 0.0), executor=None).each(
        watched, stack, [reference, *beside], what=what
    )
    if not fixed.levels and moving:
        raise UserError(
            f"the reference {stack.source.label(reference)} holds no structure to register to: "
            "choose another reference"
        )
    if sequence == "previous":
        return chained(stack, view, aligner, reference, run)
    begun = dict(zip(beside, others, strict=True))
    globally = partial(measure_globally, stack, view, aligner, (reference, fixed), begun)
    if sequence == "global":
        return globally({}, moving, run)
    how: dict[str, Any] = {"view": watched, "aligner": aligner, "fixed": fixed, "begun": begun}
    if len(moving) >= LONG and aligner.follows:
        search = partial(_searched, **how)
        found = followed(stack, watched, aligner, reference, search, moving, run, picture)
    else:
        how["keep"] = not alone and len(stack) <= KEPT
        # Frames beside the reference have none between that could tell more.
        far = [i for i in moving if abs(i - reference) > 1] if sequence == "auto" else []
        each = partial(_against, **how, hurried=far)
        direct = run.each(each, stack, moving, what=what, growing=picture)
        found = dict(zip(moving, direct, strict=True))
        hurried = sum(a.hurried for a in direct)
        if hurried > MANY_HURRIED * len(moving) or not any(a.verified for a in direct):
            found |= _patiently(stack, how, found, run)
    lost = [i for i in moving if not found[i].verified]
    if sequence == "direct" or len(lost) == len(moving):
        return found
    size = (stack.shape[1], stack.shape[2])
    bad = sorted({*lost, *badly_known(found, size)})
    if not bad:
        return found
    frames = moving if len(bad) > MANY * len(moving) else near(bad, len(stack))
    # Frames on the other side of the reference tell nothing of these.
    sides = {i > reference for i in bad}
    again = globally(found, [i for i in frames if (i > reference) in sides], _held(run, 1.0))
    found |= surer(found, again, size)
    return found | _patiently(stack, how, found, run)


def _patiently(stack: Stack, how: dict[str, Any], found: Found, run: Run) -> Found:
    """Search once more for frames that were placed in a hurry, and that others did not help."""
    left = [i for i, alignment in found.items() if alignment.hurried]
    if not left:
        return {}
    what = "Registering frames again"
    again = _held(run, 1.0).each(partial(_against, **how), stack, left, what=what)
    return dict(zip(left, again, strict=True))


def _held(run: Run, share: float) -> Run:
    """Return a run that can be stopped and whose progress stays where it is.

    How much is searched again nobody knows before: a bar that is full stays so.
    """
    whole = run.tick

    def tick(_done: int, total: int, what: str) -> None:
        assert whole
        whole(round(share * total), total, what)

    return replace(run, tick=tick if whole else None)


def _searched(
    stack: Stack,
    index: int,
    *,
    view: MeasureOptions,
    aligner: Aligner,
    fixed: Prepared,
    begun: dict[int, Prepared],
    keep: bool = False,
    hurried: Collection[int] = (),
) -> tuple[Alignment, Prepared]:
    """Align a frame with the reference; some are prepared already, and all are if kept."""
    moving = begun[index] if index in begun else view(stack, index)
    if keep:
        begun[index] = moving
    return aligner(fixed, moving, patient=index not in hurried), moving


def _against(stack: Stack, index: int, **how: Any) -> Alignment:
    """Align a frame with the reference, and keep nothing of it."""
    return _searched(stack, index, **how)[0]
