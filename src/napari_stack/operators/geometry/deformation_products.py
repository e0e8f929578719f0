"""Deformations of frames that were moved twice, and of the way back.

A smooth field after a matrix, or before an affine one, stays exact. Two smooth fields, and the
inverse of one, are fitted by splines of a quarter of the finer spacing: exact to 0.02 px where
neighbouring control points differ by 1 px at random, and far nearer for smoother fields; but not
across the edge of a grid, where the field has a crease.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.matrices import moved
from napari_stack.operators.geometry.deformation import Deformation
from napari_stack.operators.geometry.spline_grids import fitted

Floats = NDArray[np.float64]

#: A fitted grid is so many times finer than those that it stands for.
_FINER = 4

#: No fitted grid has more control points than this along a side.
_MOST = 400


def of_product(
    first: Floats, of_first: Deformation | None, later: Floats, of_later: Deformation | None
) -> Deformation | None:
    """Deformation of frames that were warped by one motion and then by a later one.

    Parameters
    ----------
    first, later : ndarray, shape (n, 3, 3)
        Their matrices; the product is ``first @ later``.
    of_first, of_later : Deformation or None

    Raises
    ------
    UserError
        When the later one moves rows: those of a frame that was moved before are no rows of it.
    """
    if of_later is None or of_later.grids is None:
        if of_later is not None:
            raise UserError(
                "rows of a scan are moved first: a motion of rows cannot follow another one"
            )
        return None if of_first is None else of_first.seen_from(later)
    if of_later.row_offsets is not None:
        raise UserError("rows of a scan are moved first: measure them on the frames as recorded")
    rows = None if of_first is None else of_first.row_offsets
    if (of_first is None or of_first.grids is None) and not first[:, 2, :2].any():
        linear = first[:, :2, :2] / first[:, 2:, 2:]
        grids = np.einsum("nij,nrcj->nrci", linear, of_later.grids)
        return Deformation(grids, of_later.places, rows)
    one = None if of_first is None else Deformation(of_first.grids, of_first.places)

    def total(index: int, points: Floats) -> Floats:
        between = of_later.forward(index, later[index], points)
        if one is None:
            return moved(first[index], between)
        return one.forward(index, first[index], between)

    boxes = [_box(of_later, None, 0.0)]
    if one is not None:
        boxes.append(_box(one, _inverses(later), of_later.reach()))
    step = min(spacing(d) for d in (one, of_later) if d is not None) / _FINER
    return _fit(total, first @ later, boxes, step, rows)


def of_inverse(matrices: Floats, deformation: Deformation | None) -> Deformation | None:
    """Deformation from frames to the reference, for the inverse matrices.

    Raises
    ------
    UserError
        For rows of a scan: the way back from them is known for points only.
    """
    if deformation is None:
        return None
    if deformation.row_offsets is not None:
        raise UserError(
            "the motion of a scan's rows has no inverse of its own kind: points are taken back by "
            "Transforms.points_in_reference"
        )
    found = deformation

    def back(index: int, points: Floats) -> Floats:
        return found.back(index, matrices[index], points)

    inverse = _inverses(matrices)
    box = _box(deformation, matrices, deformation.reach())
    return _fit(back, inverse, [box], spacing(deformation) / _FINER, None)


def _inverses(matrices: Floats) -> Floats:
    return np.linalg.inv(matrices).astype(np.float64)


def spacing(deformation: Deformation) -> float:
    """Return the least distance of control points, in px of the reference."""
    if deformation.places is None:
        raise ValueError("no grids: no spacing")
    linear = deformation.places[:, :2, :2] / deformation.places[:, 2:, 2:]
    return float(1 / np.linalg.norm(linear, axis=(1, 2), ord=2).max())


def _box(deformation: Deformation, through: Floats | None, more: float) -> Floats:
    """Least and greatest (x, y) of what the splines cover, taken through matrices, and more."""
    if deformation.grids is None or deformation.places is None:
        raise ValueError("no grids: they cover nothing")
    rows, columns = deformation.grids.shape[1:3]
    corners = np.array([(x, y) for x in (1.0, columns - 2.0) for y in (1.0, rows - 2.0)])
    ways = _inverses(deformation.places)
    if through is not None:
        ways = through @ ways
    at = np.concatenate([moved(way, corners) for way in ways])
    return np.stack([at.min(axis=0) - more, at.max(axis=0) + more])


def _fit(
    total: Callable[[int, Floats], Floats],
    matrices: Floats,
    boxes: list[Floats],
    step: float,
    rows: Any,
) -> Deformation:
    """Fit splines to what `total` moves points by beyond matrices, within boxes."""
    low = np.min([box[0] for box in boxes], axis=0)
    high = np.max([box[1] for box in boxes], axis=0)
    step = max(step, float((high - low).max()) / _MOST)
    columns, lines = np.ceil((high - low) / step).astype(int) + 2
    y, x = np.mgrid[:lines, :columns] * step
    points = np.column_stack([x.ravel() + low[0], y.ravel() + low[1]])
    grids = [
        fitted((total(i, points) - moved(matrix, points)).reshape(lines, columns, 2))
        for i, matrix in enumerate(matrices)
    ]
    place = np.array(
        [[1 / step, 0, 1 - low[0] / step], [0, 1 / step, 1 - low[1] / step], [0, 0, 1]]
    )
    return Deformation(np.array(grids), np.tile(place, (len(matrices), 1, 1)), rows)
