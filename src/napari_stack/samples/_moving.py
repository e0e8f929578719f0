"""Series of cells that no matrix moves: tissue that deforms, scans whose rows wander."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.samples._scenes import Image, cells
from napari_stack.samples._series import TOP, PixelType, Truth, stored

#: The picture of the cells is drawn so many times finer than the frames that are read from it.
_FINER = 2

#: Pixels beyond the frames that are drawn, too.
_MARGIN = 24

#: Steps to the place of an object point, and the spacing of the points whose motion is told.
_STEPS, _SPACING = 60, 8


def deforming(
    frames: int = 24,
    size: tuple[int, int] = (256, 256),
    seed: int = 0,
    *,
    strength: float = 1.6,
    period: float = 150.0,
    shift: float = 4.0,
    photons: float = 400.0,
    dtype: PixelType = "uint16",
) -> tuple[Stack, Truth]:
    """Make frames of cells in tissue that deforms smoothly, in the light of few photons.

    Parameters
    ----------
    frames, size, seed, dtype
        See `drifting_cells`.
    strength : float
        Largest displacement in px that each of four waves adds.
    period : float
        The shortest of the waves, in px.
    shift : float
        Largest shift of all, in px.
    photons : float
        At full brightness; their noise is that of Poisson.

    Returns
    -------
    stack : Stack, shape (frames, rows, columns)
    truth : dict
        ``points`` (points, 2): (x, y) of object points; ``displacements`` (frames, points, 2):
        where they lie in each frame, minus themselves; ``clean`` (rows, columns): the object
        without noise, in the units of the stack.
    """
    rng = np.random.default_rng([seed, 11])
    drift = _wandering(rng, frames, shift)
    angle, phase = rng.uniform(0, 2 * np.pi, (2, 4))
    length = period * rng.uniform(1.0, 2.2, 4)
    waves = np.stack([np.cos(angle), np.sin(angle)]) * 2 * np.pi / length
    towards = rng.uniform(0, 2 * np.pi, 4)
    pushes = strength * np.stack([np.cos(towards), np.sin(towards)])
    beats = _wandering(rng, frames, 1.0, 4)

    def moved(index: int, x: Image, y: Image) -> tuple[Image, Image]:
        heights = beats[index] * np.sin(
            np.multiply.outer(x, waves[0]) + np.multiply.outer(y, waves[1]) + phase
        )
        return drift[index, 0] + heights @ pushes[0], drift[index, 1] + heights @ pushes[1]

    return _series(rng, moved, frames, size, seed, photons, dtype)


def scanned(
    frames: int = 24,
    size: tuple[int, int] = (256, 256),
    seed: int = 0,
    *,
    wander: float = 0.5,
    shift: float = 4.0,
    back: float = 0.0,
    photons: float = 400.0,
    dtype: PixelType = "uint16",
) -> tuple[Stack, Truth]:
    """Make raster scans of cells that move while a frame is scanned, row by row.

    Parameters
    ----------
    frames, size, seed, dtype
        See `drifting_cells`.
    wander : float
        Standard deviation in px of the rows' offsets within a frame.
    shift : float
        Largest offset of a frame, in px.
    back : float
        Offset along x, in px, of every other row, from the second on: those scanned backwards.
    photons : float
        See `deforming`.

    Returns
    -------
    stack : Stack, shape (frames, rows, columns)
    truth : dict
        ``row_offsets`` (frames, rows, 2): (dx, dy) of every row; and as for `deforming`.
    """
    rng = np.random.default_rng([seed, 12])
    steps = rng.normal(0, 1, (frames, size[0], 2))
    rows = np.cumsum(steps, axis=1)
    smooth = np.exp(-0.5 * (np.arange(-12, 13) / 4.0) ** 2)  # what moves has mass
    rows = np.apply_along_axis(
        lambda r: np.convolve(np.pad(r, 12, "edge"), smooth, "valid"), 1, rows
    )
    rows -= rows.mean(axis=1, keepdims=True)
    rows *= wander / np.maximum(rows.std(axis=1, keepdims=True), 1e-12)
    rows += _wandering(rng, frames, shift)[:, np.newaxis]
    rows[:, 1::2, 0] += back
    lines = np.arange(size[0])

    def moved(index: int, x: Image, y: Image) -> tuple[Image, Image]:  # noqa: ARG001
        across, down = (np.interp(y, lines, offsets) for offsets in rows[index].T)
        return across, down

    stack, truth = _series(rng, moved, frames, size, seed, photons, dtype)
    return stack, {**truth, "row_offsets": rows}


#: How far a place (x, y) of frame i has moved from where the object point is.
Moved = Callable[[int, Image, Image], tuple[Image, Image]]


def _series(
    rng: Generator,
    moved: Moved,
    frames: int,
    size: tuple[int, int],
    seed: int,
    photons: float,
    dtype: PixelType,
) -> tuple[Stack, Truth]:
    picture = Picture(np.random.default_rng(seed), size)
    y, x = np.mgrid[: size[0], : size[1]].astype(float)
    data = np.empty((frames, *size), dtype)
    for index, target in enumerate(data):
        dx, dy = moved(index, x, y)
        light = rng.poisson(np.maximum(picture(x - dx, y - dy), 0) * photons) / photons
        target[...] = stored(np.clip(light, 0, 1), dtype)
    points = np.stack([x, y], -1)[_SPACING::_SPACING, _SPACING::_SPACING].reshape(-1, 2)
    truth = {
        "points": points,
        "displacements": np.stack([_displaced(moved, i, points) for i in range(frames)]),
        "clean": picture(x, y) * TOP[dtype],
    }
    return Stack.wrap(data), truth


class Picture:
    """Cells drawn finer than they are read: splines of the fifth order between the pixels.

    Parameters
    ----------
    rng : Generator
    size : tuple of int
        Height and width of the frames.
    """

    def __init__(self, rng: Generator, size: tuple[int, int]) -> None:
        from scipy.ndimage import spline_filter

        fine = np.diag([_FINER, _FINER, 1.0])
        fine[:2, 2] = _FINER * _MARGIN
        wide = (_FINER * (size[0] + 2 * _MARGIN), _FINER * (size[1] + 2 * _MARGIN))
        self.splines = spline_filter(cells(rng, size)(fine, wide), order=5, mode="nearest")

    def __call__(self, x: Image, y: Image) -> Image:
        """Read the object at places in px of the frames."""
        from scipy.ndimage import map_coordinates

        at = [_FINER * (np.asarray(axis) + _MARGIN) for axis in (y, x)]
        seen: Image = map_coordinates(self.splines, at, order=5, prefilter=False, mode="nearest")
        return seen


def _displaced(moved: Moved, index: int, points: Image) -> Image:
    x, y = points.T
    dx, dy = np.zeros_like(x), np.zeros_like(y)
    for _ in range(_STEPS):
        dx, dy = moved(index, x + dx, y + dy)
    return np.stack([dx, dy], axis=1)


def _wandering(rng: Generator, frames: int, largest: float, count: int = 2) -> NDArray[np.float64]:
    """Paths (frames, count) that wander slowly, and reach `largest`."""
    time = np.arange(frames)[:, np.newaxis, np.newaxis] / max(frames, 12)
    turns, phase = rng.uniform(0.5, 3.0, (3, count)), rng.uniform(0, 2 * np.pi, (3, count))
    paths: NDArray[np.float64] = np.sin(2 * np.pi * time * turns + phase).sum(axis=1)
    reach = float(np.abs(paths).max()) if frames else 0.0
    return paths * (largest / max(reach, 1e-12))
