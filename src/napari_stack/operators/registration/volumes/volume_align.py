"""A volume moved onto another: Gauss-Newton in the plane, along z, in gain and in offset."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import about_centre
from napari_stack.engine.opencv import cv2
from napari_stack.operators.geometry.warp_rows import warp_parts
from napari_stack.operators.registration.volumes.shifted_planes import plane_weights
from napari_stack.operators.registration.volumes.volume_start import Spectra, find_start, reduced

Volume = NDArray[np.float32]
Floats = NDArray[np.float64]
VolumeTransform = Literal["translation", "rigid", "similarity"]

#: Unknowns: dx, dy, dz, then the turn (rad) and the scale less 1.
_UNKNOWNS = {"translation": 3, "rigid": 4, "similarity": 5}

#: Reductions in the plane, steps on each, and what ends them, in px or planes.
_LEVELS, _STEPS, _ENOUGH = (4, 2, 1), (6, 4, 3), 2e-3

#: Sides of the smallest level at the least, pixels at the border that do not count.
_LEAST_SIDE, _BORDER = 24, 2

#: Standard deviation, in px, that planes are smoothed with.
_SMOOTH = 1.0

#: Part of the voxels that must be shared by both.
_SHARED = 0.1


@dataclass(frozen=True, eq=False)
class Fixed:
    """A volume that others are moved onto.

    Parameters
    ----------
    values : ndarray, shape (z, y, x)
        Smoothed, as `smoothed` does.
    transform : {"translation", "rigid", "similarity"}
        What moves within the planes.
    """

    values: Volume
    transform: VolumeTransform

    @cached_property
    def spectra(self) -> Spectra:
        """Spectra of its planes."""
        return Spectra.of(self.values)

    @cached_property
    def levels(self) -> list["_Level"]:
        """Reduced volumes, the coarsest first."""
        side = min(self.values.shape[1:])
        steps = [step for step in _LEVELS if step == 1 or side / step >= _LEAST_SIDE]
        count = _UNKNOWNS[self.transform]
        return [_Level.of(reduced(self.values, step), step, count) for step in steps]


@dataclass(frozen=True, eq=False)
class _Level:
    """A reduced volume, and how it changes with each unknown (unknowns, z, y, x)."""

    values: Volume
    slopes: NDArray[np.float32]
    step: int

    @classmethod
    def of(cls, values: Volume, step: int, unknowns: int) -> "_Level":
        dz = np.gradient(values, axis=0) if len(values) > 1 else np.zeros_like(values)
        dy, dx = (np.gradient(values, axis=axis) / step for axis in (1, 2))
        height, width = values.shape[1:]
        x, y = (np.arange(side, dtype=np.float32) for side in (width, height))
        across, down = (x - x.mean()) * step, ((y - y.mean()) * step)[:, None]
        slopes = [dx, dy, dz]
        if unknowns > 3:
            slopes.append(dy * across - dx * down)
        if unknowns > 4:
            slopes.append(dx * across + dy * down)
        return cls(values, np.stack(slopes).astype(np.float32), step)


@dataclass(frozen=True)
class Placed:
    """Where a volume lies: the unknowns, and how alike both are there.

    Parameters
    ----------
    unknowns : tuple of float
        dx, dy, dz, turn, scale less 1.
    correlation : float
    shared : float
        Part of the voxels that both have.
    """

    unknowns: tuple[float, ...]
    correlation: float
    shared: float

    def matrix(self, size: tuple[int, int]) -> Floats:
        """Take a point of the reference to the volume, in its plane."""
        return _matrix(np.array(self.unknowns), size)

    @property
    def z_shift(self) -> float:
        """In planes."""
        return self.unknowns[2]


def _matrix(unknowns: Floats, size: tuple[int, int]) -> Floats:
    dx, dy, _, turn, growth = unknowns
    scale = 1 + growth
    return about_centre(size, scale * np.cos(turn), scale * np.sin(turn), (dx, dy))


def smoothed(volume: Volume) -> Volume:
    """Smooth the planes of a volume, in place.

    The noise of the reference makes its gain seem less, and what is left of the object then pulls
    along z where the volume ends: by 0.02 planes in the light of 200 photons.
    """
    for plane in volume:
        cv2.GaussianBlur(plane, (0, 0), _SMOOTH, dst=plane, borderType=cv2.BORDER_REPLICATE)
    return volume


def align_volume(fixed: Fixed, moving: Volume) -> Placed:
    """Find where the object of one volume lies in another.

    Parameters
    ----------
    fixed : Fixed
    moving : ndarray, shape (z, y, x)
        Smoothed alike.
    """
    dx, dy, dz, correlation = find_start(fixed.spectra, Spectra.of(moving))
    unknowns, shared = np.array([dx, dy, dz, 0.0, 0.0]), 1.0
    for level in fixed.levels:
        small = reduced(moving, level.step)
        for _ in range(_STEPS[_LEVELS.index(level.step)]):
            change, correlation, shared = _step(level, small, unknowns)
            if shared < _SHARED:
                return Placed(tuple(unknowns.tolist()), 0.0, shared)
            unknowns = unknowns + change
            reach = max(fixed.values.shape[1:]) / 2
            if np.abs(change * [1, 1, 1, reach, reach]).max() < _ENOUGH * level.step:
                break
    return Placed(tuple(unknowns.tolist()), correlation, shared)


def _step(level: _Level, moving: Volume, unknowns: Floats) -> tuple[Floats, float, float]:
    """One step: the change of the unknowns, the correlation before it, the shared part."""
    planes, seen, inside = _seen(level, moving, unknowns)
    if not len(planes):
        return np.zeros(5), 0.0, 0.0
    fixed, slopes = level.values[planes], level.slopes[:, planes]
    weight = inside.astype(np.float32)
    edge = np.zeros(weight.shape[1:], np.float32)
    edge[_BORDER:-_BORDER, _BORDER:-_BORDER] = 1
    weight *= edge
    total = float(weight.sum())
    if total < 1:
        return np.zeros(5), 0.0, 0.0
    count = len(slopes)
    # dV/d(unknown) is the slope of the reference times the gain; offset and gain are free.
    base = np.concatenate([slopes, fixed[None], np.ones_like(fixed)[None]])
    flat = (base * weight).reshape(len(base), -1)
    normal = (flat @ base.reshape(len(base), -1).T).astype(np.float64)
    right = (flat @ seen.ravel()).astype(np.float64)
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-30))
    solved = np.linalg.lstsq(normal / np.outer(scale, scale), right / scale, rcond=1e-9)[0] / scale
    gain = solved[count]
    change = np.zeros(5)
    if abs(gain) > 1e-6:
        change[:count] = -solved[:count] / gain
    limits = np.array([2.0 * level.step, 2.0 * level.step, 1.0, 0.05, 0.05])
    change = np.clip(change, -limits, limits)
    return change, _correlation(fixed, seen, weight), total / level.values.size


def _correlation(one: Volume, two: Volume, weight: Volume) -> float:
    total = weight.sum(dtype=np.float64)
    a, b = (v - (v * weight).sum(dtype=np.float64) / total for v in (one, two))
    both = (a * b * weight).sum(dtype=np.float64)
    each = [(v * v * weight).sum(dtype=np.float64) for v in (a, b)]
    return float(both / max(np.sqrt(each[0] * each[1]), 1e-30))


def _seen(level: _Level, moving: Volume, unknowns: Floats) -> Any:
    """Planes of the reference that the volume has, these planes of it, and where they are."""
    count, dz = len(moving), float(unknowns[2])
    planes = [z for z in range(len(level.values)) if 0 <= z + dz <= count - 1]
    if not planes:
        return planes, np.empty(0), np.empty(0)
    mixing = np.zeros((len(planes), count), np.float32)
    for row, z in enumerate(planes):
        for number, weight in plane_weights(z + dz, count):
            mixing[row, number] = weight
    height, width = moving.shape[1:]
    mixed = (mixing @ moving.reshape(count, -1)).reshape(len(planes), height, width)
    local = _local(unknowns, (height, width), level.step)
    seen, inside = np.empty_like(mixed), np.empty(mixed.shape, bool)
    for row in range(len(planes)):
        seen[row], inside[row], _ = warp_parts(
            mixed[row], None, 0, height, local, slice(0, height), width, "cubic", False, True
        )
    return planes, seen, inside


def _local(unknowns: Floats, size: tuple[int, int], step: int) -> Floats:
    """Matrix on a reduced volume: about its own centre, its shift in its own pixels."""
    scaled = unknowns.copy()
    scaled[:2] /= step
    return _matrix(scaled, size)
