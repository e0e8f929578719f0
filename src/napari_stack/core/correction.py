"""`Correction`: what was measured for the frames of a stack, and how a frame is corrected by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.source import Pixels


@dataclass(frozen=True, eq=False)
class Correction:
    """What was measured for the frames of a stack, and how it is applied to one of them.

    Subclasses are frozen, picklable dataclasses; what is measured for each frame has one entry a
    frame. Everything but `apply` has a default: a correction of every pixel for itself that is the
    same for all frames.

    Attributes
    ----------
    of_sensor : bool
        It corrects what the sensor did: it comes before the corrections that do not, as warps.
    local : bool
        A row is made of that row alone, so that a few rows at a time can be corrected.
    reads_stored : bool
        `apply` takes pixels as they are stored, without a copy in the working type.
    moves : bool
        It changes where pixels lie, and nothing else.
    transforms : Transforms or None
        The motion that it takes out.
    """

    of_sensor: ClassVar[bool] = False
    local: ClassVar[bool] = False
    reads_stored: ClassVar[bool] = False
    moves: ClassVar[bool] = False
    transforms: ClassVar[Any] = None

    def apply(
        self, values: NDArray[Any], valid: NDArray[np.bool_] | None, index: int, rows: slice
    ) -> Pixels:
        """Make `rows` of frame `index` from its `source_rows`, which may be changed in place."""
        raise NotImplementedError

    def source_rows(self, rows: slice, index: int) -> slice:  # noqa: ARG002
        """Return the rows that are needed to make `rows`."""
        return rows

    def frame_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of a corrected frame."""
        return shape

    def merged(self, later: "Correction") -> "Correction | None":  # noqa: ARG002
        """Return one correction that does this and then `later`; None where there is none."""
        return None

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """Return numbers of every frame for a table, by title."""
        return {}

    def select(self, frames: NDArray[np.intp]) -> Self:  # noqa: ARG002
        """Return the correction of these frames, in this order (repeats allowed)."""
        return self

    def join(self, others: Sequence[Self]) -> Self:
        """Return the correction of these frames followed by those of `others`.

        Raises
        ------
        ValueError
            When the corrections differ in what all frames share.
        """
        if any(other != self for other in others):
            raise UserError("frames with different corrections cannot stand in one stack")
        return self


def last_transforms(corrections: Sequence[Correction]) -> Any:
    """Return the `Transforms` of the last correction that has any, or None."""
    found = (c.transforms for c in reversed(corrections))
    return next((transforms for transforms in found if transforms is not None), None)
