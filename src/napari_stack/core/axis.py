"""`Axis`: the name of an axis of the data, and where its places lie."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

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
    """

    name: str
    step: float = 1.0
    unit: str = "pixel"
    labels: tuple[str, ...] = ()
    positions: tuple[float, ...] = ()

    def position(self, number: int) -> float:
        """Return where a place lies, in `unit`, counted from the first unless `positions` say."""
        return self.positions[number] if self.positions else self.step * number

    def taken(self, numbers: Sequence[int] | NDArray[np.intp]) -> "Axis":
        """Return the axis of some of its places: without a unit where they do not lie evenly."""
        named = len(self.labels) > max(numbers, default=-1)
        labels = tuple(self.labels[i] for i in numbers) if named else ()
        if len(self.positions) > max(numbers, default=-1):
            places = tuple(self.positions[i] for i in numbers)
            return replace(self, labels=labels, positions=places)
        gaps = np.diff(np.asarray(numbers))
        if not gaps.size:
            return replace(self, labels=labels)
        if gaps[0] and (gaps == gaps[0]).all():
            return replace(self, step=self.step * abs(int(gaps[0])), labels=labels)
        return replace(self, step=1.0, unit="pixel", labels=labels)
