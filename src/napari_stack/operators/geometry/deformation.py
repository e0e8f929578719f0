"""`Deformation`: what frames move beyond their matrices: smoothly, and row by row of a scan."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.matrices import moved
from napari_stack.operators.geometry import spline_grids

Floats = NDArray[np.float64]

#: Steps to the point that is taken to a place, and how near the last one has to be, in px.
_STEPS, _NEAR = 60, 1e-7

#: Points along a side at which the largest displacement is looked for.
_LATTICE = 65


@dataclass(frozen=True, eq=False)
class Deformation:
    """Motion of frames beyond one matrix each.

    A point p of the reference lies in frame i at ``M_i p + D_i(p)``; in a raster scan it is seen
    where the row that is being scanned has come to: at f with ``f - r_i(f_y) = M_i p + D_i(p)``.

    Parameters
    ----------
    grids : ndarray, shape (n, rows, columns, 2), optional
        Control points of D: (dx, dy) in px of the frame, cubic B-splines between them. The splines
        cover all but the outermost control points; beyond, their border goes on.
    places : ndarray, shape (n, 3, 3), optional
        Takes a point (x, y, 1) of the reference to its (column, row) among the control points.
    row_offsets : ndarray, shape (n, height, 2), optional
        r: (dx, dy) in px of every row of the frame; linear between rows.
    """

    grids: Floats | None = None
    places: Floats | None = None
    row_offsets: Floats | None = None

    def __post_init__(self) -> None:
        for name, ndim in (("grids", 4), ("places", 3), ("row_offsets", 3)):
            value = vars(self)[name]
            if value is not None:
                value = np.asarray(value, np.float64)
                if value.ndim != ndim or not np.isfinite(value).all():
                    raise UserError(f"{name} need {ndim} axes, all finite; got {value.shape}")
                object.__setattr__(self, name, value)
        if (self.grids is None) != (self.places is None):
            raise UserError("grids and their places go together: give both or neither")
        if self.grids is not None and self.places is not None:
            if min(self.grids.shape[1:3]) < spline_grids.LEAST or self.grids.shape[3] != 2:
                raise UserError(
                    "grids need the shape (n, rows, columns, 2) with 4 rows and columns at least; "
                    f"got {self.grids.shape}"
                )
            if self.places.shape != (len(self.grids), 3, 3):
                raise UserError(f"places need the shape ({len(self.grids)}, 3, 3)")
        if self.row_offsets is not None and self.row_offsets.shape[2] != 2:
            raise UserError(f"row_offsets need the shape (n, height, 2): {self.row_offsets.shape}")
        if len(set(map(len, self._arrays()))) != 1:
            raise UserError("grids or row_offsets are needed, with one entry for each frame")

    def _arrays(self) -> list[Floats]:
        every = (self.grids, self.places, self.row_offsets)
        return [array for array in every if array is not None]

    def __len__(self) -> int:
        return len(self._arrays()[0])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Deformation):
            return False
        mine, theirs = ((d.grids, d.places, d.row_offsets) for d in (self, other))
        return all(
            (a is None and b is None) or (a is not None and b is not None and np.array_equal(a, b))
            for a, b in zip(mine, theirs, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]

    def bounds(self, index: int) -> Floats:
        """Return the least and the greatest (dx, dy), shape (2, 2), that frame `index` may have."""
        low, high = np.zeros(2), np.zeros(2)
        for array in (self.grids, self.row_offsets):
            if array is not None:  # a spline lies within the hull of its control points
                each = array[index].reshape(-1, 2)
                low, high = low + each.min(axis=0), high + each.max(axis=0)
        return np.stack([low, high])

    def reach(self, frames: Any = slice(None)) -> float:
        """Return the largest displacement along an axis that some frames may have, in px."""
        numbers = np.arange(len(self))[frames]
        return max((float(np.abs(self.bounds(int(i))).max()) for i in numbers), default=0.0)

    def largest(self, matrices: Floats, size: tuple[int, int]) -> Floats:
        """Return how far at most each frame (n,) is bent within its border, in px.

        Smooth displacements are looked up at a lattice of points; where rows are offset besides,
        the largest of both are added.
        """
        lattice = (np.linspace(0, side - 1, min(side, _LATTICE)) for side in size[::-1])
        x, y = np.meshgrid(*lattice)
        places = np.column_stack([x.ravel(), y.ravel()])
        found = np.zeros(len(self))
        for index, matrix in enumerate(matrices):
            smooth = self._smooth(index, moved(np.linalg.inv(matrix), places))
            found[index] = np.hypot(*smooth.T).max()
        if self.row_offsets is not None:
            found += np.hypot(*np.moveaxis(self.row_offsets, -1, 0)).max(axis=1)
        return found

    def forward(self, index: int, matrix: Floats, points: Floats) -> Floats:
        """Return where points (m, 2) of the reference lie in frame `index`."""
        places = moved(matrix, points) + self._smooth(index, points)
        if self.row_offsets is None:
            return places
        offsets = self.row_offsets[index]
        row = rows_at(offsets[:, 1], places[:, 1])
        across = np.interp(row, np.arange(len(offsets)), offsets[:, 0])
        return np.column_stack([places[:, 0] + across, row])

    def back(self, index: int, matrix: Floats, places: Floats) -> Floats:
        """Return which points (m, 2) of the reference lie at places of frame `index`."""
        if self.row_offsets is not None:
            offsets = self.row_offsets[index]
            rows = np.arange(len(offsets))
            each = [np.interp(places[:, 1], rows, offset) for offset in offsets.T]
            places = places - np.stack(each, axis=1)
        inverse: Floats = np.linalg.inv(matrix).astype(np.float64)
        points = moved(inverse, places)
        for _ in range(_STEPS if self.grids is not None else 0):
            # Displacements change slowly against the matrix: each step is a contraction.
            closer = moved(inverse, places - self._smooth(index, points))
            apart = np.abs(closer - points)
            points = closer
            if not (apart[np.isfinite(apart)] > _NEAR).any():
                break
        return points

    def _smooth(self, index: int, points: Floats) -> Floats:
        if self.grids is None or self.places is None:
            return np.zeros(points.shape)
        at = moved(self.places[index], points)
        return spline_grids.read(self.grids[index], np.nan_to_num(at))

    def of_frame(self, index: int) -> tuple[Floats, Floats, Floats]:
        """Return grid, place and row offsets of a frame; empty arrays for what there is not."""
        if self.grids is None or self.places is None:
            grid, place = np.empty((0, 0, 2)), np.eye(3)
        else:
            grid, place = self.grids[index], self.places[index]
        rows = np.empty((0, 2)) if self.row_offsets is None else self.row_offsets[index]
        return grid, place, rows

    def select(self, frames: NDArray[np.intp]) -> Self:
        """Return those of some frames."""
        return type(self)(*(None if a is None else a[frames] for a in self._fields()))

    def _fields(self) -> tuple[Floats | None, Floats | None, Floats | None]:
        return self.grids, self.places, self.row_offsets

    def seen_from(self, later: Floats) -> Self:
        """Return these where the points come from matrices (n, 3, 3) of another reference."""
        places = None if self.places is None else self.places @ later
        return type(self)(self.grids, places, self.row_offsets)

    @classmethod
    def joined(cls, parts: Sequence["Deformation | None"], counts: Sequence[int]) -> Self | None:
        """Return those of frames that follow one another; None stands for frames without.

        Raises
        ------
        UserError
            When they have another number of control points, or rows of another number.
        """
        whole = [None if part is None else part._fields() for part in parts]
        found = [_filled([p and p[k] for p in whole], counts) for k in (0, 1, 2)]
        return None if all(array is None for array in found) else cls(*found)


def _filled(arrays: Sequence[Floats | None], counts: Sequence[int]) -> Floats | None:
    shapes = {array.shape[1:] for array in arrays if array is not None}
    if not shapes:
        return None
    if len(shapes) > 1:
        raise UserError(
            f"deformations of the shapes {', '.join(map(str, sorted(shapes)))} cannot be joined: "
            "measure the frames together, or with the same spacing"
        )
    shape = shapes.pop()
    rest = np.eye(3) if shape == (3, 3) else np.zeros(shape)
    return np.concatenate([
        np.broadcast_to(rest, (count, *shape)) if array is None else array
        for array, count in zip(arrays, counts, strict=True)
    ])  # fmt: skip


def rows_at(offsets: Floats, places: Floats) -> Floats:
    """Return the rows (a fraction of one, too) of a scan at which places along y are seen.

    Parameters
    ----------
    offsets : ndarray, shape (height,)
        dy of every row.
    places : ndarray
        y without them.
    """
    rows = np.arange(len(offsets), dtype=float)
    seen = seen_rows(offsets)
    inside = np.interp(places, seen, rows)
    below, above = places - seen[0], places - seen[-1]
    result: Floats = np.where(below < 0, below, np.where(above > 0, rows[-1] + above, inside))
    return result


def seen_rows(offsets: Floats) -> Floats:
    """Return the y that each row of a scan shows; of rows that run backwards the first counts."""
    result: Floats = np.maximum.accumulate(np.arange(len(offsets)) - offsets)
    return result
