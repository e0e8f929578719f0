"""`Projected`: frames of several stacks seen as one, to measure on what no single one shows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.combined_sources import Together
from napari_stack.core.source import Pixels, cast
from napari_stack.core.stack import Stack

#: How planes are seen as one: the mean of all, or at each pixel the largest value.
Projection = Literal["mean", "maximum"]
PROJECTIONS: tuple[str, ...] = get_args(Projection)

#: Where something is measured on another axis: a number, or a projection along it.
Place = int | Projection


@dataclass(frozen=True, eq=False)
class Projected(Together):
    """Frames of stacks of one shape, projected on one another; invalid pixels do not count.

    Parameters
    ----------
    stacks : tuple of Stack
    way : {"mean", "maximum"}
    """

    way: Projection

    def read(self, index: int, rows: slice | None = None) -> NDArray[Any]:  # noqa: D102
        values, valid = self.pixels(index, rows)
        return cast(values, self.dtype, valid)

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        """Read what is computed with; a pixel is valid where it is in any frame that is used."""
        used = [stack for stack in self.stacks if stack.used[index]] or list(self.stacks)
        add = np.add if self.way == "mean" else np.fmax
        nothing = 0 if self.way == "mean" else np.nan
        total: Any = None
        count: Any = 0
        for stack in used:
            values, valid = stack.values(index, rows)
            values = values.astype(stack.working)  # a copy, which may be changed
            if valid is not None:
                values[~valid] = nothing
            total = values if total is None else add(total, values, out=total)
            count = count + (1 if valid is None else valid)
        known = None if np.isscalar(count) or np.all(count) else count > 0
        if self.way == "mean":
            count = np.maximum(count, 1)
            total /= count if total.ndim == 2 or np.isscalar(count) else count[..., np.newaxis]
        elif known is not None:
            total[~known] = 0
        return total, known


def projected(stacks: list[Stack], way: Projection) -> Stack:
    """Make one stack of several that lie along an axis; a frame is used where it is in any."""
    used = np.logical_or.reduce([stack.used for stack in stacks])
    return replace(stacks[0], source=Projected(tuple(stacks), way), corrections=(), used=used)


def is_place(value: Any) -> bool:
    """Tell a place where something can be measured: a whole number, or a projection.

    Examples
    --------
    >>> [is_place(value) for value in (3, "maximum", "least", 0.5, True)]
    [True, True, False, False, False]
    """
    if isinstance(value, str):
        return value in PROJECTIONS
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def refuse_projections(operator: str, places: Mapping[str, Place]) -> None:
    """Refuse a projection where an operator measures at one place along an axis.

    Raises
    ------
    ValueError
        With the axis, and what is needed.
    """
    for name, at in places.items():
        if isinstance(at, str):
            raise ValueError(
                f"{operator} measures at one place of {name!r}, not at {at!r}: give its number"
            )


def plain_places(places: Mapping[str, Place]) -> dict[str, Place]:
    """Return places as plain data: texts, and numbers that are not NumPy's."""
    return {name: at if isinstance(at, str) else int(at) for name, at in places.items()}
