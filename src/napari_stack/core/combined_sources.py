"""`Together`: what sources that are made of several stacks have in common."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_stack.core.stack import Stack


@dataclass(frozen=True, eq=False)
class Together:
    """Frames of stacks of one shape and type; what is not said otherwise is as in the first.

    Parameters
    ----------
    stacks : tuple of Stack
    """

    stacks: tuple[Stack, ...]

    #: It hands on what is computed with, by its method ``pixels``.
    computed = True

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return self.stacks[0].shape

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return self.stacks[0].dtype

    @property
    def partial(self) -> bool:  # noqa: D102
        return self.stacks[0].source.partial

    def label(self, index: int) -> str:  # noqa: D102
        return self.stacks[0].source.label(index)
