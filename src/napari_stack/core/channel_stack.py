"""`Banded`: frames of several stacks as the bands of one, so that one can measure for all."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.combined_sources import Together
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack


@dataclass(frozen=True, eq=False)
class Banded(Together):
    """Grey frames of stacks of one shape, as channels of a pixel.

    Parameters
    ----------
    stacks : tuple of Stack
    """

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (*self.stacks[0].shape, len(self.stacks))

    def read(self, index: int, rows: slice | None = None) -> NDArray[Any]:  # noqa: D102
        return np.stack([stack.seen(index, rows) for stack in self.stacks], axis=-1)

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        """Read what is computed with; a pixel is valid where it is in all stacks."""
        found = [stack.values(index, rows) for stack in self.stacks]
        masks = [valid for _, valid in found if valid is not None]
        valid = np.logical_and.reduce(masks) if masks else None
        return np.stack([values for values, _ in found], axis=-1), valid


def banded(stacks: list[Stack]) -> Stack:
    """Make one stack of several, their frames as bands; a frame is used where it is in all.

    Raises
    ------
    ValueError
        For frames that have channels already.
    """
    first = stacks[0]
    if first.ndim != 3:
        raise ValueError(
            "the frames have channels of a pixel already, which are always measured together: "
            "leave out measure_at"
        )
    used = np.logical_and.reduce([stack.used for stack in stacks])
    return Stack(Banded(tuple(stacks)), used=used, axes=first.axes)
