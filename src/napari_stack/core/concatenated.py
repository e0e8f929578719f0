"""`Joined`: frames of several stacks as the source of one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.combined_sources import Together
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack


@dataclass(frozen=True, eq=False)
class Joined(Together):
    """Frames of stacks of equal length, in any order, as the source of one.

    Parameters
    ----------
    stacks : tuple of Stack
    order : ndarray of int
        Numbers of frames, counted through all stacks.
    """

    order: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (len(self.order), *self.stacks[0].shape[1:])

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
