"""`Joined`: frames of several stacks as the source of one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.sources import Pixels
from napari_stack.stack import Stack


@dataclass(frozen=True, eq=False)
class Joined:
    """Frames of stacks of equal length, in any order, as the source of one.

    Parameters
    ----------
    stacks : tuple of Stack
    order : ndarray of int
        Numbers of frames, counted through all stacks.
    """

    stacks: tuple[Stack, ...]
    order: NDArray[np.intp]

    #: It hands on what is computed with: see `pixels`.
    computed = True

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (len(self.order), *self.stacks[0].shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return self.stacks[0].dtype

    @property
    def partial(self) -> bool:  # noqa: D102
        return self.stacks[0].source.partial

    def _place(self, index: int) -> tuple[Stack, int]:
        number, frame = divmod(int(self.order[index]), len(self.stacks[0]))
        return self.stacks[number], frame

    def read(self, index: int, rows: slice | None = None) -> NDArray[Any]:  # noqa: D102
        stack, frame = self._place(index)
        return stack.seen(frame, rows)

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:  # noqa: D102
        stack, frame = self._place(index)
        return stack.values(frame, rows)

    def label(self, index: int) -> str:  # noqa: D102
        stack, frame = self._place(index)
        return stack.source.label(frame)
