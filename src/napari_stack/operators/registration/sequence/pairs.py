"""Which pairs of frames are measured for a global solution, a few prepared frames at a time."""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from napari_stack.core.matrices import Matrix
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.registration.search.align import Alignment, Prepared
from napari_stack.operators.registration.sequence.pair_graph import Pair

if TYPE_CHECKING:
    from napari_stack.operators.registration.sequence.measure import Aligner, MeasureOptions

#: A frame is measured against those that lie so many places back, of frames that were placed.
BACK = (1, 2, 4, 8)
#: Frames that are prepared together: with those kept for `BACK`, 16 are in memory.
BLOCK = 8
#: A frame that does not match the one before is searched for from so many others.
MORE = 3

#: A frame and its number.
Seen = tuple[int, Prepared]


@dataclass(eq=False)
class Walk:
    """The way from the reference to one end of a series, and the pairs measured along it.

    Attributes
    ----------
    places : dict
        Where frames lie against the reference, as far as it is known: starts, no results.
    """

    stack: Stack
    view: "MeasureOptions"
    aligner: "Aligner"
    reference: Seen
    places: dict[int, Matrix]
    run: Run
    #: Frames that are prepared already.
    begun: dict[int, Prepared] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)
    #: The last frames that were placed.
    window: list[Seen] = field(default_factory=list)

    def go(self, frames: list[int]) -> list[Pair]:
        """Measure pairs of frames, which are given in the order of the way; give verified ones."""
        self.window, count = [self.reference], -(-len(frames) // BLOCK)
        for number in range(count):
            run = self.run.part(number, count)
            self._block(frames[number * BLOCK : (number + 1) * BLOCK], run)
        return self.pairs

    def _block(self, numbers: list[int], run: Run) -> None:
        what = "Registering to neighbours"
        new = [i for i in numbers if i not in self.begun]
        prepared = run.part(0, 3).each(self.view, self.stack, new, what=what)
        known = self.begun | dict(zip(new, prepared, strict=True))
        usable = [(i, known[i]) for i in numbers if known[i].levels]
        befores = [self.window[-1], *usable]
        self._measure(self._new(list(zip(befores, usable, strict=False))), run.part(1, 3))
        line = list(self.window)
        for frame in usable:
            if frame[0] in self.places or self._bridged(frame, line):
                line.append(frame)
        begun = len(self.window)
        more = [(line[k - b], line[k]) for k in range(begun, len(line)) for b in BACK if k >= b]
        more += [(self.reference, frame) for frame in line[begun:]]
        more = self._new(more)
        agreeing = self._measure(more, run.part(2, 3), only=True)
        tried = {b[0] for _, b in more}
        for k in range(begun, len(line)):
            # Nothing says so but one pair: what a search from another frame finds may differ.
            if line[k][0] in tried - agreeing and k >= BACK[1]:
                self._measure([(line[k - BACK[1]], line[k])], None)
        self.window = line[-max(BACK) :]

    def _new(self, pairs: list[tuple[Seen, Seen]]) -> list[tuple[Seen, Seen]]:
        """Leave out what was measured: a pair that counts twice looks surer than it is."""
        known = {(p.first, p.second) for p in self.pairs}
        each = {(a[0], b[0]): (a, b) for a, b in pairs}
        return [pair for numbers, pair in each.items() if numbers not in known]

    def _bridged(self, frame: Seen, line: list[Seen]) -> bool:
        """Place a frame by one of the last that were placed, where the one before is no help."""
        for other in line[: -MORE - 1 : -1]:
            self._measure([(other, frame)], None)
            if frame[0] in self.places:
                return True
        return False

    def _measure(
        self, pairs: list[tuple[Seen, Seen]], run: Run | None, *, only: bool = False
    ) -> set[int]:
        """Measure pairs, and place what they place; give the numbers of frames that match."""
        align = partial(_aligned, pairs=pairs, places=self.places, aligner=self.aligner, only=only)
        what = "Registering to neighbours"
        numbers = range(len(pairs))
        done = (
            [align(self.stack, k) for k in numbers]
            if run is None
            else run.each(align, self.stack, numbers, what=what)
        )
        found = [
            Pair(a[0], b[0], alignment)
            for (a, b), alignment in zip(pairs, done, strict=True)
            if alignment.verified
        ]
        self.pairs += found
        for pair in found:
            if pair.first in self.places and pair.second not in self.places:
                place = pair.alignment.matrix @ self.places[pair.first]
                self.places[pair.second] = place / place[2, 2]
        return {pair.second for pair in found}


def _aligned(
    stack: Stack,  # noqa: ARG001
    index: int,
    *,
    pairs: list[tuple[Seen, Seen]],
    places: dict[int, Matrix],
    aligner: "Aligner",
    only: bool,
) -> Alignment:
    """Align one of the pairs, from where its frames are known to lie."""
    (first, fixed), (second, moving) = pairs[index]
    start = None
    if first in places and second in places:
        start = places[second] @ np.linalg.inv(places[first])
    return aligner(fixed, moving, start, only=only)
