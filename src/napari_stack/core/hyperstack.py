"""`Hyperstack`: stacks along one axis of data with more axes, such as (time, channel, z, y, x)."""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_stack.core.axis import Axis, usual_name
from napari_stack.core.catalogue import entry_of
from napari_stack.core.errors import UserError
from napari_stack.core.look import Look
from napari_stack.core.source import as_array
from napari_stack.core.sources.combined_sources import (
    PROJECTIONS,
    Place,
    is_place,
    projected,
)
from napari_stack.core.stack import Stack


@dataclass(frozen=True, eq=False)
class Hyperstack:
    """Frames along several axes; one is stacked, the others are loops.

    Parameters
    ----------
    frames : Stack
        All frames, in C order over the leading axes. Corrections live here, one entry a frame,
        so that they stay when another axis is chosen.
    leading : tuple of Axis
        Axes before y and x.
    sizes : tuple of int
        Their lengths.
    axis : str
        Name of the one to stack.
    chosen : bool
        That axis was asked for: no operator takes another that it prefers.

    Examples
    --------
    >>> import numpy as np
    >>> data = np.zeros((3, 2, 7, 20, 30), np.uint8)
    >>> hyper = Hyperstack.wrap(data, axes="tczyx", axis="z")
    >>> hyper.loops, hyper.stack({"t": 1, "c": 0}).shape
    ({'t': 3, 'c': 2}, (7, 20, 30))
    """

    frames: Stack
    leading: tuple[Axis, ...]
    sizes: tuple[int, ...]
    axis: str
    chosen: bool = False

    def __post_init__(self) -> None:
        names = [axis.name for axis in self.leading]
        if len(set(names)) != len(names):
            raise UserError(f"axes need different names, got {', '.join(names)}")
        if self.axis not in names:
            raise UserError(f"there is no axis {self.axis!r}; the axes are {', '.join(names)}")
        if prod(self.sizes) != len(self.frames):
            raise UserError(f"{len(self.frames)} frames do not fill the axes {self.sizes}")

    @classmethod
    def wrap(
        cls, data: Any, *, axes: Any, axis: str | int | None = None, rgb: bool | None = None
    ) -> "Hyperstack":
        """Make a hyperstack of an array of any number of axes.

        Parameters
        ----------
        data : array
            (..., y, x), or (..., y, x, channel) when `axes` names one axis less than it has.
        axes : sequence of Axis or of str
            Names of the axes, y and x last; channels of a pixel are not named.
        axis : str or int, optional
            The one to stack, by name or number; by default the first, or what an operator prefers.
        rgb : bool, optional
            See `Stack.wrap`.
        """
        data = as_array(data)
        named = tuple(a if isinstance(a, Axis) else Axis(a) for a in axes)
        count = len(named) - 2
        if count < 1 or len(data.shape) - len(named) not in (0, 1):
            raise UserError(
                f"the axes {', '.join(a.name for a in named)} do not fit the shape {data.shape}: "
                "name every axis but the channels of a pixel, y and x last"
            )
        sizes = tuple(int(size) for size in data.shape[:count])
        frames = Stack.wrap(data, rgb=rgb, axes=(Axis("frame"), *named[-2:]), leading=sizes)
        hyperstack = cls(frames, named[:count], sizes, named[0].name)
        return hyperstack if axis is None else hyperstack.along(axis)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """All axes, y and x last (channels of a pixel are not among them)."""
        return (*self.leading, *self.frames.axes[1:])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as seen."""
        return (*self.sizes, *self.frames.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels."""
        return self.frames.dtype

    @property
    def rgb(self) -> bool:
        """The channels of a pixel are colours."""
        return self.frames.rgb

    @property
    def transforms(self) -> Any:
        """Measured `Transforms` along the stacked axis, at the first place of all loops, or None.

        Of volumes that `register_volumes` moved, with their `z_shifts`.
        """
        found = self.frames.transforms
        return found and found.select(self.numbers(dict.fromkeys(self.loops, 0)))

    def with_frames(self, frames: Stack) -> "Hyperstack":
        """Return these data with other frames in the place of its own."""
        return replace(self, frames=frames)

    @property
    def number(self) -> int:
        """Number of the axis that is stacked."""
        return [axis.name for axis in self.leading].index(self.axis)

    @property
    def loops(self) -> dict[str, int]:
        """Lengths of the leading axes that are not stacked, by name."""
        named = zip(self.leading, self.sizes, strict=True)
        return {axis.name: size for axis, size in named if axis.name != self.axis}

    @property
    def loop_axes(self) -> tuple[Axis, ...]:
        """Axes of a result that has one image for each position: the loops, y and x."""
        return tuple(axis for axis in self.axes if axis.name != self.axis)

    def along(self, axis: str | int) -> "Hyperstack":
        """Choose the axis to stack, by name or number."""
        if not isinstance(axis, str) and not -len(self.leading) <= axis < len(self.leading):
            raise UserError(f"there is no axis {axis}; there are {len(self.leading)}, from 0")
        name = self.called(axis) if isinstance(axis, str) else self.leading[axis].name
        return replace(self, axis=name, chosen=True)

    def called(self, name: str) -> str:
        """Find an axis by its name, or by napari's number for it: "-3" stands before y and x."""
        names = [axis.name for axis in self.leading]
        if name not in names and re.fullmatch(r"-\d+", name) and 2 < -int(name) < len(names) + 3:
            return names[int(name) + 2]
        return name

    def with_stacked_axis(self, operator: Callable[..., Any]) -> "Hyperstack":
        """Turn to the axis that an operator prefers, unless one was chosen."""
        preferred = entry_of(operator).preferred_axis
        found = [axis.name for axis in self.leading if usual_name(axis.name) == preferred]
        if self.chosen or not found or self.axis == found[0]:
            return self
        return replace(self, axis=found[0])

    def positions(self) -> Iterator[dict[str, int]]:
        """Go through all positions of the loops, the last one fastest."""
        for place in itertools.product(*map(range, self.loops.values())):
            yield dict(zip(self.loops, place, strict=True))

    def stack(self, position: Mapping[str, Place] | None = None) -> Stack:
        """Return the stack at a position; a loop that is not named is taken at its `centre`.

        In place of a number, "mean" or "maximum" gives the projection along a loop.
        """
        place = {self.called(name): at for name, at in (position or {}).items()}
        if unknown := set(place) - set(self.loops):
            raise UserError(
                f"there is no loop {sorted(unknown)[0]!r}; the loops are "
                f"{', '.join(self.loops) or 'none'}"
            )
        numbers: dict[str, int] = {}
        for name, at in place.items():
            if not is_place(at):
                raise UserError(f"{name}={at!r} must be a number, or {' or '.join(PROJECTIONS)}")
            if isinstance(at, str):
                along = range(self.loops[name])
                return projected([self.stack({**place, name: k}) for k in along], at)
            numbers[name] = int(at)
        chosen = self.frames.select(self.numbers(numbers))
        return self._along(replace(chosen, look=self._look({**self.centre(), **numbers})))

    def _look(self, place: Mapping[str, int]) -> Look:
        """Return how the frames at a position are shown: as their channel is."""
        for axis in self.leading:
            if axis.name in place and (axis.labels or axis.looks):
                return axis.look(place[axis.name] % self.loops[axis.name])
        return self.frames.look

    def numbers(self, position: Mapping[str, int]) -> NDArray[np.intp]:
        """Return the numbers of the frames at a position."""
        place = {**self.centre(), **position}
        for name, index in place.items():
            if not -self.loops[name] <= index < self.loops[name]:
                raise UserError(f"{name}={index} is outside its {self.loops[name]} positions")
        at = tuple(place.get(axis.name, slice(None)) for axis in self.leading)
        return np.arange(len(self.frames)).reshape(self.sizes)[at]

    def _along(self, frames: Stack) -> Stack:
        return replace(frames, axes=(self.leading[self.number], *self.frames.axes[1:]))

    def centre(self) -> dict[str, int]:
        """Where to measure by default: the first channel, the middle of the other loops."""
        return {n: 0 if usual_name(n) == "c" else size // 2 for n, size in self.loops.items()}

    def map(
        self,
        operator: Callable[..., Any],
        *,
        measure_at: Mapping[str, Place] | None = None,
        measure_each: bool = False,
        run: Any = None,
        **options: Any,
    ) -> Any:
        """Apply an operator along the chosen axis at every position of the loops.

        Parameters
        ----------
        operator : callable
            An operator of a stack.
        measure_at : mapping of str to int, "mean" or "maximum", optional
            For an operator that corrects frames: the position at which it measures, or the
            projection along an axis, such as ``{"c": 1, "z": "maximum"}``; the result is applied
            to all positions. Default: `centre`. For focus stacking: the place on one axis,
            such as ``{"c": 1}``, whose depth is taken for all along it. Default: each its own.
        measure_each : bool
            Measure every position for itself.
        run : Run, optional
        **options
            Options of the operator.

        Returns
        -------
        Hyperstack, array, or NamedTuple of arrays
            Frames for an operator that gives frames; for one that gives images, these with
            the loops in front: (loops..., y, x[, channel]).
        """
        from napari_stack.core.hyperstack_map import map_operator

        placed = self.with_stacked_axis(operator)
        return map_operator(placed, operator, measure_at or {}, measure_each, run, options)

    def to_dask(self) -> Any:
        """Return a lazy dask array of the frames as seen, one chunk a frame, for viewers."""
        return self.frames.to_dask().reshape(self.shape)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return self.frames.__array__(dtype, copy).reshape(self.shape)
