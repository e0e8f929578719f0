"""`ShiftedPlanes`: planes between those of volumes, interpolated along z when they are read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.source import Pixels
from napari_stack.core.sources.stack_source import StackSource

#: A plane so near to another is it; so little a weight does not count.
_ON_PLANE, _FAINT = 1e-6, 1e-6


@dataclass(frozen=True)
class ShiftedPlanes(StackSource):
    """Frames of volumes, each read at a place between planes.

    The planes are interpolated by cubic convolution (Keys 1981) before anything happens within
    them: a warp that follows makes it one interpolation in three dimensions.

    Parameters
    ----------
    stack : Stack
        All planes.
    volumes : ndarray of int, shape (volumes, planes)
        Numbers of the frames that each volume is made of, in order.
    shifts : ndarray, shape (volumes,)
        In planes: plane z is read at z + shift.
    """

    volumes: NDArray[np.intp]
    shifts: NDArray[np.float64]

    def __post_init__(self) -> None:
        place = np.empty((self.volumes.max() + 1, 2), np.intp)
        place[self.volumes.ravel()] = np.indices(self.volumes.shape).reshape(2, -1).T
        object.__setattr__(self, "_place", place)

    def taps(self, index: int) -> list[tuple[int, float]]:
        """Return the frames that one is made of, with their weights; none where it lies outside."""
        volume, plane = (int(k) for k in vars(self)["_place"][index])
        count, at = self.volumes.shape[1], plane + float(self.shifts[volume])
        near = round(at)
        if abs(at - near) < _ON_PLANE:
            at = float(near)
        if not 0 <= at <= count - 1:
            return []
        return [
            (int(self.volumes[volume, number]), weight)
            for number, weight in plane_weights(at, count)
        ]

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:  # noqa: D102
        taps = self.taps(index)
        if not taps:
            shape = self.shape[1:] if rows is None else (rows.stop - rows.start, *self.shape[2:])
            return np.zeros(shape, self.stack.working), np.zeros(shape[:2], bool)
        total: Any = None
        known: Any = None
        for number, weight in taps:
            values, valid = self.stack.read(number, rows)
            if valid is not None:
                values = np.where(valid if values.ndim == 2 else valid[..., None], values, 0)
                known = valid if known is None else known & valid
            total = values * values.dtype.type(weight) + (0 if total is None else total)
        return total, known


def plane_weights(at: float, count: int) -> list[tuple[int, float]]:
    """Return planes about a place and their weights; beyond the ends the last plane goes on."""
    first = min(int(at), max(count - 2, 0))
    t = at - first
    u = 1 - t
    four = (
        -0.5 * t * u * u, 1 + t * t * (1.5 * t - 2.5), 1 + u * u * (1.5 * u - 2.5),
        -0.5 * u * t * t,
    )  # fmt: skip
    found: dict[int, float] = {}
    for k, weight in enumerate(four):
        plane = min(max(first + k - 1, 0), count - 1)
        found[plane] = found.get(plane, 0.0) + weight
    return [(plane, weight) for plane, weight in found.items() if abs(weight) > _FAINT]
