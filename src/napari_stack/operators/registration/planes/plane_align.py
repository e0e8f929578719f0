"""A plane moved onto another: Gauss-Newton, free in gain and offset."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import about_centre
from napari_stack.engine.opencv import cv2
from napari_stack.operators.geometry.warp_rows import warp_parts
from napari_stack.operators.registration.defects import repair
from napari_stack.operators.registration.volumes.volume_start import Spectra, find_start, reduced

Image = NDArray[np.float32]
Floats = NDArray[np.float64]

#: Reductions, steps on each, what ends them in px, and sides of the smallest at the least.
_LEVELS, _STEPS, _ENOUGH, _LEAST_SIDE = (16, 8, 4, 2, 1), 8, 1e-3, 32

#: Sides of the largest at the most: a hundredth of a px is measured there, too.
_MOST_SIDE = 1024

#: Standard deviation, in px, that planes are smoothed with.
_SMOOTH = 1.0

#: Pixels at the border that do not count, and the part of all that two planes must share.
_BORDER, _SHARED = 2, 0.2


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane, and what is made of it once.

    Parameters
    ----------
    values : ndarray, shape (y, x)
        Smoothed, 0 where pixels do not count.
    counts : ndarray of bool, shape (y, x)
        Pixels that count.
    """

    values: Image
    counts: NDArray[np.bool_]

    @classmethod
    def of(cls, values: Image, counts: NDArray[np.bool_]) -> "Plane":
        """Smooth a plane without its defects; pixels that do not count have no part.

        Defects of the sensor stay where they are, and would hide that the planes jitter.
        """

        def blurred(image: Image) -> Image:
            found: Image = cv2.GaussianBlur(image, (0, 0), _SMOOTH, borderType=cv2.BORDER_REPLICATE)
            return found

        if counts.all():
            return cls(blurred(repair(values)), counts)
        if counts.any():
            values = repair(np.where(counts, values, np.median(values[counts])))
        share = blurred(counts.astype(np.float32))
        mixed = blurred(np.where(counts, values, np.float32(0))) / np.maximum(share, 1e-6)
        return cls(np.where(counts, mixed, np.float32(0)), counts)

    @cached_property
    def spectra(self) -> Spectra:
        """Spectrum of the reduced plane."""
        level = self.values[self.counts].mean() if self.counts.any() else np.float32(0)
        return Spectra.of(np.where(self.counts, self.values, level)[None])

    @cached_property
    def levels(self) -> dict[int, tuple[Image, NDArray[np.bool_]]]:
        """Reduced planes by reduction, the coarsest first."""
        least, most = min(self.values.shape), max(self.values.shape)
        steps = [s for s in _LEVELS if s == 1 or least / s >= _LEAST_SIDE]
        steps = [s for s in steps if most / s <= _MOST_SIDE] or steps[:1]
        return {
            step: (
                reduced(self.values[None], step)[0],
                reduced(self.counts[None].astype(np.float32), step)[0] > 0.99,
            )
            for step in steps
        }


@dataclass(frozen=True)
class Apart:
    """How far apart two planes lie.

    Parameters
    ----------
    shift : ndarray, shape (2,)
        (dx, dy): point p of the first lies at p + shift in the second.
    information : ndarray, shape (2, 2)
        Of the shift, at a variance of 1 a pixel of what the two differ by.
    variance : float
        Of what they differ by.
    correlation : float
    """

    shift: Floats
    information: Floats
    variance: float
    correlation: float


NOWHERE = Apart(np.zeros(2), np.zeros((2, 2)), 1.0, 0.0)


def align_planes(fixed: Plane, moving: Plane) -> Apart:
    """Find how far apart two planes of the same size lie."""
    dx, dy, _, _ = find_start(fixed.spectra, moving.spectra)
    shift, found = np.array([dx, dy]), NOWHERE
    for step in fixed.levels:
        for _ in range(_STEPS):
            change, found = _step(fixed.levels[step], moving.levels[step], shift, step)
            shift = shift + change
            if np.abs(change).max() < _ENOUGH * step:
                break
    return Apart(shift, found.information, found.variance, found.correlation)


def _step(fixed: Any, moving: Any, shift: Floats, step: int) -> tuple[Floats, Apart]:
    """One step on reduced planes: the change of the shift, and what both say there."""
    seen, counts = shifted(moving[0], moving[1], shift / step)
    counts = counts & fixed[1]
    counts[:_BORDER] = counts[-_BORDER:] = False
    counts[:, :_BORDER] = counts[:, -_BORDER:] = False
    if counts.sum() < _SHARED * fixed[1].sum():
        return np.zeros(2), NOWHERE
    one, two = (image[counts].astype(np.float64) for image in (fixed[0], seen))
    one, two = one - one.mean(), two - two.mean()
    both, power = _sum(one, two), (_sum(one, one), _sum(two, two))
    correlation = both / max(np.sqrt(power[0] * power[1]), 1e-30)
    if correlation <= 0:
        return np.zeros(2), NOWHERE
    gain = np.sqrt(power[1] / power[0])
    # Slopes of both: of one alone the noise would make it seem steeper than the other has it.
    middle = (gain * fixed[0] + seen) / 2
    across, down = (np.gradient(middle, axis=k)[counts].astype(np.float64) for k in (1, 0))
    apart = two - gain * one
    mixed = _sum(across, down)
    normal = np.array([[_sum(across, across), mixed], [mixed, _sum(down, down)]])
    right = np.array([_sum(across, apart), _sum(down, apart)])
    change = -np.linalg.lstsq(normal, right, rcond=1e-6)[0]
    limited = np.clip(change, -2, 2) * step
    return limited, Apart(shift, normal / step**2, float((apart**2).mean()), correlation)


def _sum(one: Floats, two: Floats) -> float:
    """Sum of products; not by BLAS, whose threads cost more than they give here."""
    return float(np.einsum("i,i->", one, two))


def shifted(values: Image, counts: NDArray[np.bool_], shift: Floats) -> tuple[Image, Any]:
    """Read a plane at a shift; where it counts."""
    height, width = values.shape
    matrix = about_centre((height, width), 1.0, 0.0, (float(shift[0]), float(shift[1])))
    seen, inside, whole = warp_parts(
        values, None if counts.all() else counts, 0, height, matrix, slice(0, height), width,
        "cubic", False, True,
    )  # fmt: skip
    return seen, inside if whole is None else inside & whole
