"""Volumes of cells that sink, drift and bleach while they are watched, and a stack that shakes."""

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.samples._series import PixelType, Truth, stored

#: Pixels of a plane, and planes, that there is a spot for.
_AREA, _DEPTH = 220.0, 5.0


def sinking_volume(
    volumes: int = 8,
    planes: int = 12,
    size: tuple[int, int] = (128, 128),
    seed: int = 0,
    *,
    walk: float = 0.6,
    photons: float = 200.0,
    bleaching: float = 1.0,
    thickness: float = 1.5,
    dtype: PixelType = "uint16",
) -> tuple[Hyperstack, Truth]:
    """Make volumes of spots that wander along x, y and z, in the light of few photons.

    Parameters
    ----------
    volumes, planes : int
        Volumes over time, and the planes of each.
    size : tuple of int
        (rows, columns) of a plane.
    seed : int
        The same seed gives the same pixels.
    walk : float
        Standard deviation of a step along each axis from volume to volume, in px and in planes.
    photons : float
        At full brightness; their noise is that of Poisson.
    bleaching : float
        Part of the light that is left in the last volume.
    thickness : float
        Standard deviation of the spots along z, in planes.
    dtype : {"uint8", "uint16", "float32"}
        Full brightness is 255, 4095 (12 bits) or 1.

    Returns
    -------
    hyperstack : Hyperstack, axes t, z, y, x
    truth : dict
        ``shifts`` (volumes, 3): (dx, dy, dz) against the middle volume, ``volumes // 2``: what lies
        at plane z there lies at z + dz.
    """
    rng = np.random.default_rng([seed, 21])
    shifts = np.cumsum(rng.normal(0, walk, (volumes, 3)), axis=0)
    shifts -= shifts[volumes // 2]
    spots = _Spots(rng, planes, size, thickness)
    light = bleaching ** (np.arange(volumes) / max(volumes - 1, 1))
    data = np.empty((volumes, planes, *size), dtype)
    for target, shift, bright in zip(data, shifts, light, strict=True):
        seen = rng.poisson(spots.seen(shift) * bright * photons) / photons
        target[...] = stored(seen, dtype)
    axes = (Axis("t"), Axis("z"), Axis("y"), Axis("x"))
    return Hyperstack.wrap(data, axes=axes), {"shifts": shifts}


#: Radius and brightness of rods, and how far from the border they stay half-way through the stack.
_ROD, _ROD_LIGHT, _INNER = 3.0, 0.5, 0.25


def wobbling(
    planes: int = 24,
    size: tuple[int, int] = (128, 128),
    seed: int = 0,
    *,
    jitter: float = 1.0,
    slope: tuple[float, float] = (1.0, 0.4),
    rods: int = 4,
    photons: float = 200.0,
    dtype: PixelType = "uint16",
) -> tuple[Stack, Truth]:
    """Make a z-stack of spots and slanted rods, taken on a stage that shakes from plane to plane.

    Parameters
    ----------
    planes : int
    size : tuple of int
        (rows, columns) of a plane.
    seed : int
        The same seed gives the same pixels.
    jitter : float
        Standard deviation of the shift of a plane along x and y, in px.
    slope : tuple of float
        How far (x, y) the rods go on from one plane to the next, in px.
    rods : int
    photons : float
        At full brightness; their noise is that of Poisson.
    dtype : {"uint8", "uint16", "float32"}
        Full brightness is 255, 4095 (12 bits) or 1.

    Returns
    -------
    stack : Stack, shape (planes, rows, columns), axis z
    truth : dict
        ``jitter`` (planes, 2): (dx, dy) of each plane, of which mean and slope are none: these
        look like a place and a slant. ``rods`` (rods, planes, 2): where they lie without jitter.
    """
    rng = np.random.default_rng([seed, 22])
    shifts = rng.normal(0, jitter, (planes, 2))
    depth = np.vander(np.arange(planes), 2)
    shifts -= depth @ np.linalg.lstsq(depth, shifts, rcond=None)[0]
    spots = _Spots(rng, planes, size, thickness=2.0)
    middle = rng.uniform(_INNER, 1 - _INNER, (rods, 2)) * size[::-1]
    along = np.multiply.outer(np.arange(planes) - (planes - 1) / 2, np.array(slope))
    places = middle[:, None] + along
    data = np.empty((planes, *size), dtype)
    for number, shift in enumerate(shifts):
        seen = spots.plane(number, shift) + _rods(places[:, number] + shift, size)
        light = rng.poisson(np.minimum(seen, 1.0) * photons) / photons
        data[number] = stored(light, dtype)
    stack = Stack.wrap(data, axes=(Axis("z"), Axis("y"), Axis("x")))
    return stack, {"jitter": shifts, "rods": places}


def _rods(places: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Cross-sections of rods in a plane."""
    x, y = (
        np.exp(-0.5 * ((np.arange(side) - at[:, None]) / _ROD) ** 2)
        for side, at in zip(size[::-1], places.T, strict=True)
    )
    seen: NDArray[np.float64] = _ROD_LIGHT * y.T @ x
    return seen


class _Spots:
    """Gaussian spots of several sizes: a formula at any place."""

    def __init__(
        self, rng: np.random.Generator, planes: int, size: tuple[int, int], thickness: float
    ) -> None:
        self.shape = (planes, *size)
        wide = (planes + 16, size[0] + 40, size[1] + 40)
        count = int(np.prod(wide) / (_AREA * _DEPTH))
        self.places = rng.uniform(-0.5, 0.5, (count, 3)) * wide + np.array(self.shape) / 2
        radius = rng.uniform(1.6, 4.5, count)
        deep = thickness * rng.uniform(0.8, 1.6, count)
        self.radii = np.stack([deep, radius, radius], axis=1)
        self.bright = rng.uniform(0.1, 0.6, count)

    def seen(self, shift: NDArray[np.float64]) -> NDArray[np.float64]:
        """Volume in which all lies shifted by (dx, dy, dz)."""
        z, y, x = (
            np.exp(-0.5 * ((np.arange(side) - at[:, None] - move) / wide[:, None]) ** 2)
            for side, at, wide, move in zip(
                self.shape, self.places.T, self.radii.T, shift[::-1], strict=True
            )
        )
        volume = np.stack([(y * (self.bright * level)[:, None]).T @ x for level in z.T])
        result: NDArray[np.float64] = np.minimum(0.04 + volume, 1.0)
        return result

    def plane(self, number: int, shift: NDArray[np.float64]) -> NDArray[np.float64]:
        """One plane, which lies shifted by (dx, dy)."""
        height, width = self.shape[1:]
        y, x = (
            np.exp(-0.5 * ((np.arange(side) - at[:, None] - move) / wide[:, None]) ** 2)
            for side, at, move, wide in zip(
                (height, width), self.places.T[1:], shift[::-1], self.radii.T[1:], strict=True
            )
        )
        level = self.bright * np.exp(-0.5 * ((number - self.places[:, 0]) / self.radii[:, 0]) ** 2)
        seen: NDArray[np.float64] = 0.04 + (y * level[:, None]).T @ x
        return seen
