"""Frames that were read once and lie in a scratch file, as a stack that is read many times."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np

from napari_stack.core.source import Pixels
from napari_stack.core.sources.stack_source import StackSource
from napari_stack.core.stack import Stack
from napari_stack.engine.bands import may_be_invalid
from napari_stack.engine.run import Run
from napari_stack.engine.scratch import Scratch, frame_bytes, free_scratch


@dataclass(frozen=True, eq=False)
class Spooled(StackSource):
    """Corrected frames of a stack in a scratch file.

    Parameters
    ----------
    stack : Stack
    scratch : Scratch
    places : mapping
        Where each frame lies in it.
    """

    scratch: Scratch
    places: Mapping[int, int]

    partial: ClassVar[bool] = True  # type: ignore[misc]

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        """Read rows of a frame."""
        return self.scratch.values(self.places[index], rows or slice(0, self.shape[1]))


@contextmanager
def spooled(stack: Stack, run: Run) -> Iterator[Stack]:
    """Give a stack whose used frames were read once, by threads of this process.

    Raises
    ------
    OSError
        When the disk has too little free space.
    """
    numbers = np.flatnonzero(stack.used).tolist()
    places = {number: place for place, number in enumerate(numbers)}
    with Scratch(run.scratch) as scratch:
        scratch.open(stack, len(numbers), masked=may_be_invalid(stack))
        put = partial(_put, scratch, places)
        replace(run, executor=None).each(put, stack, numbers, what="Setting frames aside")
        yield replace(stack, source=Spooled(stack, scratch, places), corrections=())


def _put(scratch: Scratch, places: Mapping[int, int], stack: Stack, index: int) -> None:
    scratch.put(stack, places, index)


def _free() -> int:
    """Bytes that may be set aside without being asked for; none where no folder can be written."""
    try:
        return free_scratch()
    except OSError:
        return 0


@contextmanager
def read_once(stack: Stack, run: Run, *, often: bool) -> Iterator[tuple[Stack, Run]]:
    """Give a stack to fuse, and the run for it: one whose frames were read once where that pays.

    That is where the run has a folder for scratch files, or frames are read `often` and the disk
    has room; not on an executor, nor where files give parts as they are stored.

    Raises
    ------
    OSError
        When the folder has too little free space.
    """
    worth = run.executor is None and (not stack.source.partial or bool(stack.corrections))
    if worth and run.scratch is None:
        needed = frame_bytes(stack, masked=may_be_invalid(stack)) * np.count_nonzero(stack.used)
        worth = often and bool(needed <= _free())
    if not worth:
        yield stack, run
        return
    with spooled(stack, run.part(0, 2)) as kept:
        yield kept, run.part(1, 2)
