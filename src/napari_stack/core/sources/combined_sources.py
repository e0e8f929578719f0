"""Sources made of several stacks: concatenated, as channels of a pixel, or projected.

`Projection` and `Place` say where something is measured on another axis.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.source import Pixels, Source
from napari_stack.core.stack import Stack

#: How planes are seen as one: the mean of all, or at each pixel the largest value.
Projection = Literal["mean", "maximum"]
PROJECTIONS: tuple[str, ...] = get_args(Projection)

#: Where something is measured on another axis: a number, or a projection along it.
Place = int | Projection


@dataclass(frozen=True, eq=False)
class CombinedSource(Source):
    """Frames of stacks of one shape and type; what is not said otherwise is as in the first.

    Parameters
    ----------
    stacks : tuple of Stack
    """

    stacks: tuple[Stack, ...]

    computed: ClassVar[bool] = True  # type: ignore[misc]

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return self.stacks[0].shape

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return self.stacks[0].dtype

    @property
    def partial(self) -> bool:  # type: ignore[override]  # noqa: D102
        return self.stacks[0].source.partial

    @property
    def parents(self) -> tuple[Source, ...]:  # noqa: D102
        return tuple(stack.source for stack in self.stacks)

    def label(self, index: int) -> str:  # noqa: D102
        return self.stacks[0].source.label(index)


@dataclass(frozen=True, eq=False)
class Concatenated(CombinedSource):
    """Frames of stacks of equal length, in any order.

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

    @property
    def spacing(self) -> tuple[float, float] | None:  # type: ignore[override]  # noqa: D102
        return self.stacks[0].source.spacing

    @property
    def missing(self) -> frozenset[int]:  # noqa: D102
        if not any(stack.source.missing for stack in self.stacks):
            return frozenset()
        places = [self._place(index) for index in range(len(self.order))]
        return frozenset(i for i, (stack, n) in enumerate(places) if n in stack.source.missing)

    def _place(self, index: int) -> tuple[Stack, int]:
        number, frame = divmod(int(self.order[index]), len(self.stacks[0]))
        return self.stacks[number], frame

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:  # noqa: D102
        stack, frame = self._place(index)
        return stack.values(frame, rows)

    def origin(self, index: int) -> tuple[Source, int]:  # noqa: D102
        stack, frame = self._place(index)
        return stack.source, frame

    def label(self, index: int) -> str:  # noqa: D102
        stack, frame = self._place(index)
        return stack.source.label(frame)


@dataclass(frozen=True, eq=False)
class ChannelStack(CombinedSource):
    """Grey frames of stacks of one shape, as channels of a pixel.

    Parameters
    ----------
    stacks : tuple of Stack
    """

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (*self.stacks[0].shape, len(self.stacks))

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        """Read the working values; a pixel is valid where it is in all stacks."""
        found = [stack.values(index, rows) for stack in self.stacks]
        masks = [valid for _, valid in found if valid is not None]
        valid = np.logical_and.reduce(masks) if masks else None
        return np.stack([values for values, _ in found], axis=-1), valid


def as_channels(stacks: list[Stack]) -> Stack:
    """Make one stack of several, their frames as channels; a frame is used where it is in all.

    Raises
    ------
    ValueError
        For frames that have channels already.
    """
    first = stacks[0]
    if first.ndim != 3:
        raise UserError(
            "the frames have channels of a pixel already, which are always measured together: "
            "leave out measure_at"
        )
    used = np.logical_and.reduce([stack.used for stack in stacks])
    return Stack(ChannelStack(tuple(stacks)), used=used, axes=first.axes)


@dataclass(frozen=True, eq=False)
class Projected(CombinedSource):
    """Frames of stacks of one shape, projected on one another; invalid pixels do not count.

    Parameters
    ----------
    stacks : tuple of Stack
    way : {"mean", "maximum"}
    """

    way: Projection

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        """Read the working values; a pixel is valid where it is in any frame that is used."""
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
            raise UserError(
                f"{operator} measures at one place of {name!r}, not at {at!r}: give its number"
            )


def places_to_json(places: Mapping[str, Place]) -> dict[str, Place]:
    """Return places as JSON types: texts, and numbers that are not NumPy's."""
    return {name: at if isinstance(at, str) else int(at) for name, at in places.items()}
