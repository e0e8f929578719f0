"""Means of a series on reduced pixels, frames warped to them, and what the two together say."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.operators.geometry.warp_rows import Deformed, warp_parts
from napari_stack.operators.registration.nonrigid.control_points import ControlPoints, normal_matrix
from napari_stack.operators.registration.nonrigid.means import Summed

Floats = NDArray[np.float64]
Image = NDArray[Any]

#: Pixels at the border that do not count.
_BORDER = 2


@dataclass(frozen=True, eq=False)
class Level:
    """A mean of all frames, reduced, and what its pixels tell of displacements.

    Parameters
    ----------
    template, counts : ndarray, shape (y, x)
    step : int
        Pixels of a frame along the side of one of these.
    points : ControlPoints
    slopes : tuple of ndarray
        Of the template, along x and y.
    bases : tuple of ndarray
        Weights of the control points, along y and x.
    summed : Summed
        What the template is the mean of.
    """

    template: Image
    counts: Image
    step: int
    points: ControlPoints
    slopes: tuple[Image, Image]
    bases: tuple[Floats, Floats]
    summed: Summed

    @classmethod
    def of(cls, summed: Summed, step: int, points: ControlPoints) -> "Level":
        """Make it of a sum of frames."""
        template, counts = summed.mean, summed.counts.astype(np.float32)
        for edge in (np.s_[:_BORDER], np.s_[-_BORDER:]):
            counts[edge] = counts[:, edge] = 0
        bases = points.bases(template.shape, step)
        return cls(template, counts, step, points, slopes(template, step), bases, summed)

    def normal(self) -> Floats:
        """Return the normal matrix of the control points."""
        return normal_matrix(self.slopes, self.counts, self.bases)

    def against(self, seen: Image, inside: Image) -> "Level":
        """Return the level that a frame, as seen so far, is measured against: without itself."""
        others = self.summed.others(seen, inside)
        counts = self.counts * np.isfinite(others)
        others = np.where(np.isfinite(others), others, self.template)
        found = slopes(others, self.step)
        return replace(self, template=others, counts=counts, slopes=found)

    def right(self, seen: Image, inside: Image) -> Floats:
        """Return the right side of the normal equations, at a variance of 1, for a frame so far.

        It is free in gain and offset.
        """
        weight = self.counts * inside
        t, total = self.template, max(float(weight.sum()), 1.0)
        mean, level = float((weight * t).sum()) / total, float((weight * seen).sum()) / total
        spread = float((weight * (t - mean) ** 2).sum())
        gain = float((weight * (t - mean) * (seen - level)).sum()) / max(spread, 1e-12)
        apart = weight * (seen - level - gain * (t - mean))
        down, across = self.gathered
        sides = [-(across @ (down @ (apart * slope)).T).T.ravel() for slope in self.slopes]
        return np.concatenate(sides)

    @cached_property
    def gathered(self) -> tuple[Any, Any]:
        """What gathers pixels at control points, along y and x: sparse, four weights a pixel.

        As dense matrices they would go to BLAS, whose threads stand in each other's way where
        frames are at work in threads already: ten times the time at 512 x 512, on two cores.
        """
        from scipy.sparse import csr_array

        down, across = (csr_array(basis.T) for basis in self.bases)
        return down, across


@dataclass(frozen=True, eq=False)
class Step:
    """Steps of Gauss-Newton on a level.

    Parameters
    ----------
    level : Level
    variance : float
        Of the noise of its pixels.
    normal : ndarray, shape (2k, 2k)
    inverse : ndarray, shape (2k, 2k)
        Of normal matrix and cost.
    cost : ndarray, shape (k, k)
        What displacements of one direction cost.
    steps : int
    """

    level: Level
    variance: float
    normal: Floats
    inverse: Floats
    cost: Floats
    steps: int

    @classmethod
    def of(cls, level: Level, variance: float, normal: Floats, cost: Floats, steps: int) -> "Step":
        """Invert what all frames share."""
        from scipy.linalg import inv

        both = normal.copy()
        count = len(cost)
        both[:count, :count] += cost
        both[count:, count:] += cost
        return cls(level, variance, normal, inv(both), cost, steps)


def times(matrix: Floats, vector: Floats) -> Floats:
    """Multiply a vector by a matrix, not by BLAS: see `Level.gathered`."""
    result: Floats = np.einsum("ij,j->i", matrix, vector)
    return result


def slopes(image: Image, step: int) -> tuple[Image, Image]:
    """Return slopes along x and y, a px of the full frame."""
    down, across = (np.gradient(image, axis=axis) / step for axis in (0, 1))
    return across, down


def reduced(values: Image, counts: Image, step: int) -> tuple[Image, Image]:
    """Means of blocks of pixels, and which of them count in full."""
    if step == 1:
        return values, counts
    rows, columns = (side // step for side in values.shape)
    shape = (rows, step, columns, step)
    part = np.s_[: rows * step, : columns * step]
    small = values[part].reshape(shape).mean(axis=(1, 3))
    whole: Image = np.asarray(counts[part].reshape(shape).all(axis=(1, 3)))
    return small, whole


def warped(
    values: Image, counts: Image, matrix: Floats, grid: Floats, points: ControlPoints, step: int
) -> tuple[Image, Image]:
    """Read a reduced frame at a matrix and at displacements in px of the reference."""
    to_full = np.array([[step, 0, (step - 1) / 2], [0, step, (step - 1) / 2], [0, 0, 1.0]])
    local = np.linalg.inv(to_full) @ matrix @ to_full
    moved = Deformed(
        grid @ linear(matrix).T / step, points.place @ to_full, np.empty((0, 2))
    )  # fmt: skip
    height, width = values.shape
    seen, inside, whole = warp_parts(
        values, None if counts.all() else counts, 0, height, local, slice(0, height), width,
        "cubic", False, True, moved,
    )  # fmt: skip
    if whole is not None:
        np.logical_and(inside, whole, out=inside)
    return seen, inside


def linear(matrix: Floats) -> Floats:
    """Return what a matrix does to small displacements, near its first pixel."""
    part: Floats = matrix[..., :2, :2] / matrix[..., 2:, 2:]
    return part
