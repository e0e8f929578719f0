"""`Axis`: the name of an axis of the data, and where its places lie."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.look import Look

#: What axes are called besides z and c, in any case of letters.
_ALIKE = {"depth": "z", "plane": "z", "slice": "z", "channel": "c", "channels": "c", "ch": "c"}


def usual_name(name: str) -> str:
    """Return the usual name of an axis: ``"z"`` for ``"Z"`` or ``"depth"``, and the like.

    Examples
    --------
    >>> usual_name("Depth"), usual_name("T")
    ('z', 't')
    """
    return _ALIKE.get(name.casefold(), name.casefold())


@dataclass(frozen=True)
class Axis:
    """An axis of the data: its name, the distance between neighbours, and the unit of that.

    Parameters
    ----------
    name : str
    step : float
        Distance between neighbouring places, in `unit`.
    unit : str
    labels : tuple of str
        Names of the places, as channels have.
    positions : tuple of float
        Where the places lie, in `unit`, for an axis whose places are unevenly spaced.
    start : float
        Where the first place lies in the world, in `unit`.
    looks : tuple of Look
        How the places are shown, as channels have; their names are `labels`.
    """

    name: str
    step: float = 1.0
    unit: str = "pixel"
    labels: tuple[str, ...] = ()
    positions: tuple[float, ...] = ()
    start: float = 0.0
    looks: tuple[Look, ...] = ()

    def position(self, number: int) -> float:
        """Return where a place lies, in `unit`."""
        return self.positions[number] if self.positions else self.start + self.step * number

    def taken(self, numbers: Sequence[int] | NDArray[np.intp]) -> "Axis":
        """Return the axis of some of its places: without a unit where they do not lie evenly."""
        last = max(numbers, default=-1)
        named = tuple(self.labels[i] for i in numbers) if len(self.labels) > last else ()
        shown = tuple(self.looks[i] for i in numbers) if len(self.looks) > last else ()
        kept = replace(self, labels=named, looks=shown)
        if len(self.positions) > last:
            return replace(kept, positions=tuple(self.positions[i] for i in numbers))
        if self.unit != "pixel":  # numbers of frames are no places
            kept = replace(kept, start=self.start + self.step * int(min(numbers, default=0)))
        gaps = np.diff(np.asarray(numbers))
        if not gaps.size:
            return kept
        if gaps[0] and (gaps == gaps[0]).all():
            return replace(kept, step=self.step * abs(int(gaps[0])))
        return replace(kept, step=1.0, unit="pixel", start=0.0)

    def begun(self, place: float) -> "Axis":
        """Return the axis of a part that begins at a place, which may lie between two."""
        if not place or self.unit == "pixel":
            return self
        return replace(self, start=self.start + self.step * place)

    def finer(self, pixels: float) -> "Axis":
        """Return the axis of pixels of which so many lie within each one, edge to edge."""
        if pixels == 1:
            return self
        begun = self.begun((1 / pixels - 1) / 2)
        return replace(begun, step=self.step / pixels, labels=(), positions=(), looks=())

    def look(self, number: int) -> Look:
        """Return how a place is shown, with its name."""
        look = self.looks[number] if len(self.looks) > number else Look()
        name = self.labels[number] if len(self.labels) > number else look.name
        return replace(look, name=name)
