"""`Fold`: a state that frames are added to one by one, whole or in rows."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import partial
from typing import Any, Protocol, Self, TypeVar

from napari_stack.core.stack import Stack


class Fold(Protocol):
    """A running state that frames are added to one by one, and that merges with that of others."""

    def prepare(self, stack: Stack, index: int) -> Any:
        """Do what can be done for a frame alone; it runs in threads and changes nothing."""
        ...

    def add(self, index: int, prepared: Any) -> None:
        """Take in a prepared frame; frames come in order."""
        ...

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        ...


class RowFold(Fold, Protocol):
    """A fold whose state is made of rows: frames are taken in some rows at a time."""

    def strips(self) -> Sequence[slice]:
        """Rows that are taken in together; they do not overlap."""
        ...

    def take(self, index: int, frame: Stack, rows: slice) -> None:
        """Take in rows of an opened frame, in a thread; frames come in order at each row."""
        ...

    def close(self, index: int) -> None:
        """Do what is left when all rows of a frame were taken in, in a thread too."""
        ...


F = TypeVar("F", bound=Fold)
R = TypeVar("R", bound=RowFold)


def fold_part(state: F, stack: Stack, part: list[int]) -> F:
    """Fold some frames into a copy of a state, which may be on its way to another process."""
    state = deepcopy(state)
    for index in part:
        state.add(index, state.prepare(stack, index))
    return state


def row_tasks(
    state: R, stack: Stack, numbers: Sequence[int], strips: Sequence[slice], ahead: int
) -> Iterator[Callable[[], int]]:
    """Give what is to be done, in order; each task tells how many frames it finishes.

    Of tasks that are `ahead` apart the earlier one is over when the later one begins. So a frame
    is closed some strips into the next one, and the last frame is left to be closed.
    """
    opened: dict[int, Stack] = {}

    def open_frame(index: int) -> int:
        opened[index] = stack.opened(index)
        return 0

    def take(index: int, frame: Stack, rows: slice) -> int:
        state.take(index, frame, rows)
        return 0

    def close(index: int) -> int:
        state.close(index)
        return 1

    open_frame(numbers[0])
    for place, index in enumerate(numbers):
        frame = opened.pop(index)
        if place + 1 < len(numbers):
            yield partial(open_frame, numbers[place + 1])
        for number, rows in enumerate(strips):
            yield partial(take, index, frame, rows)
            if place and number + 1 == ahead:
                yield partial(close, numbers[place - 1])
