"""Stacks of scenes: cells that drift, cosmic rays, a focus series, a hyperstack."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.samples._scenes import Image, ReliefView, cells, relief, similarity

Truth = dict[str, NDArray[Any]]
PixelType = Literal["uint8", "uint16", "float32"]

#: Value of full brightness. Cameras mostly give 12 bits, which files hold in 16.
TOP = {"uint8": 255.0, "uint16": 4095.0, "float32": 1.0}


def drifting_cells(
    frames: int = 12,
    size: tuple[int, int] = (512, 512),
    seed: int = 0,
    *,
    shift: float = 12.0,
    rotation: float = 2.0,
    scale: float = 0.01,
    noise: float = 5 / 255,
    dtype: PixelType = "uint16",
) -> tuple[Stack, Truth]:
    """Make noisy frames of cells that drift, turn and grow slowly.

    Parameters
    ----------
    frames : int
        Number of frames; the middle one, ``frames // 2``, is the reference.
    size : tuple of int
        (rows, columns) of a frame.
    seed : int
        The same seed gives the same pixels.
    shift, rotation, scale : float
        Largest shift in pixels, turn in degrees, and change of size (0.01 is 1 %), against the
        reference and about the centre of the frame.
    noise : float
        Standard deviation of the Gaussian noise, as a part of full brightness.
    dtype : {"uint8", "uint16", "float32"}
        Full brightness is 255, 4095 (12 bits) or 1.

    Returns
    -------
    stack : Stack, shape (frames, rows, columns)
    truth : dict
        ``matrices`` (frames, 3, 3): takes a point (x, y, 1) of the reference to the same object
        point in frame i; ``clean`` (rows, columns), float64: the reference without noise, in the
        units of the stack.

    Examples
    --------
    >>> stack, truth = drifting_cells(frames=3, size=(64, 80))
    >>> stack.shape, truth["matrices"].shape
    ((3, 64, 80), (3, 3, 3))
    """
    rng = np.random.default_rng(seed)
    scene = cells(rng, size)
    matrices = drift(rng, frames, size, shift, rotation, scale)
    data = np.empty((frames, *size), dtype)
    for target, matrix in zip(data, matrices, strict=True):
        target[...] = stored(scene(matrix, size) + rng.normal(0, noise, size), dtype)
    clean = scene(np.eye(3), size) * TOP[dtype]
    return Stack.wrap(data), {"matrices": matrices, "clean": clean}


def cosmic_rays(
    frames: int = 15,
    size: tuple[int, int] = (512, 512),
    seed: int = 0,
    *,
    rays: int = 60,
    shift: float = 0.0,
    rotation: float = 0.0,
    scale: float = 0.0,
    noise: float = 5 / 255,
    dtype: PixelType = "uint16",
) -> tuple[Stack, Truth]:
    """Make noisy frames of cells, each with other tracks of cosmic rays.

    Parameters
    ----------
    frames, size, seed, shift, rotation, scale, noise, dtype
        See `drifting_cells`; here the cells rest by default.
    rays : int
        Tracks a frame, of 1 to about 20 pixels and 0.3 to 1 of full brightness.

    Returns
    -------
    stack : Stack, shape (frames, rows, columns)
    truth : dict
        ``mask`` (frames, rows, columns), bool: pixels hit; ``clean`` and ``matrices`` as for
        `drifting_cells`.
    """
    still, truth = drifting_cells(
        frames, size, seed, shift=shift, rotation=rotation, scale=scale, noise=noise, dtype=dtype
    )
    rng = np.random.default_rng([seed, 1])
    light = np.zeros((frames, *size))
    for target in light:
        for row, column, bright in _tracks(rng, rays, size):
            target[row, column] += bright
    data = np.asarray(still) / TOP[dtype] + light
    return Stack.wrap(stored(data, dtype)), {"mask": light > 0, **truth}


def focus_series(
    frames: int = 9,
    size: tuple[int, int] = (512, 512),
    seed: int = 0,
    *,
    blur: float = 1.2,
    breathing: float = 0.0,
    noise: float = 1 / 255,
    dtype: PixelType = "uint8",
) -> tuple[Stack, Truth]:
    """Make a focus series of a textured, wavy ground with a disc and a bar above it.

    The ground is hidden behind what lies before it, and what is out of focus veils what lies
    behind it, as in a real lens.

    Parameters
    ----------
    frames, size, seed, noise, dtype
        See `drifting_cells`. Frame 0 focuses on the far end.
    blur : float
        Standard deviation of the Gaussian defocus, in pixels a frame away from focus.
    breathing : float
        Change of size from a frame to the next (0.002 is 0.2 %), none by default.

    Returns
    -------
    stack : Stack, shape (frames, rows, columns)
    truth : dict
        ``image`` (rows, columns), float64: all in focus, in the units of the stack; ``depth``
        (rows, columns), float64: number of the frame that is in focus, with its fraction;
        ``matrices`` as for `drifting_cells`. All are for the middle frame.
    """
    rng = np.random.default_rng(seed)
    scene = relief(rng, size, frames)
    steps = breathing * (np.arange(frames) - frames // 2)
    matrices = np.array([similarity(size, (0, 0), 0, 1 + step) for step in steps])
    data = np.empty((frames, *size), dtype)
    view = ReliefView(scene, matrices[0], size, blur * frames)
    for index, target in enumerate(data):
        if breathing and index:
            view = ReliefView(scene, matrices[index], size, blur * frames)
        target[...] = stored(view.focused(index, blur) + rng.normal(0, noise, size), dtype)
    image, depth = ReliefView(scene, np.eye(3), size, 0).truth()
    return Stack.wrap(data), {"image": image * TOP[dtype], "depth": depth, "matrices": matrices}


def hyperstack(
    times: int = 3, slices: int = 5, size: tuple[int, int] = (128, 160), seed: int = 0
) -> tuple[Hyperstack, Truth]:
    """Make a small (t, c, z, y, x) hyperstack: it drifts over t, and z is a focus series.

    Parameters
    ----------
    times, slices : int
        Lengths of t and z; there are two channels of the same relief with other textures.
    size, seed
        See `drifting_cells`.

    Returns
    -------
    hyperstack : Hyperstack, shape (times, 2, slices, rows, columns), uint16
        Pixels of 0.25 micrometer, slices of 2 micrometer, 30 seconds between times.
    truth : dict
        ``matrices`` (times, 3, 3): from the middle time to each; ``image`` (times, 2, rows,
        columns): all in focus; ``depth`` (times, rows, columns): number of the slice in focus.
    """
    scenes = [relief(np.random.default_rng([seed, c]), size, slices) for c in (0, 1)]
    rng = np.random.default_rng([seed, 2])
    matrices = drift(rng, times, size, 6.0, 1.0, 0.0)
    data = np.empty((times, 2, slices, *size), np.uint16)
    image, depth = np.empty((times, 2, *size)), np.empty((times, *size))
    for t, matrix in enumerate(matrices):
        for c, scene in enumerate(scenes):
            view = ReliefView(scene, matrix, size, 1.2 * slices)
            for z in range(slices):
                noisy = view.focused(z, 1.2) + rng.normal(0, 2 / 255, size)
                data[t, c, z] = stored(noisy, "uint16")
            image[t, c], depth[t] = ReliefView(scene, matrix, size, 0).truth()
    steps = {"t": (30.0, "second"), "c": (1.0, "pixel"), "z": (2.0, "micrometer")}
    pixels = {"y": (0.25, "micrometer"), "x": (0.25, "micrometer")}
    axes = [Axis(name, *step) for name, step in {**steps, **pixels}.items()]
    truth = {"matrices": matrices, "image": image * TOP["uint16"], "depth": depth}
    return Hyperstack.wrap(data, axes=axes, axis="z"), truth


def stored(values: Image, dtype: PixelType) -> NDArray[Any]:
    """Scale from 0..1 to full brightness; round and clip what becomes whole numbers."""
    scaled = values * TOP[dtype]
    if dtype != "float32":
        scaled = np.clip(np.rint(scaled), 0, TOP[dtype])
    return scaled.astype(dtype)


def drift(
    rng: Generator, frames: int, size: tuple[int, int], shift: float, degrees: float, scale: float
) -> Image:
    """Matrices of a slow drift that is nothing at the middle frame."""
    time, orders = np.linspace(0, np.pi, frames), np.arange(1, 4)[:, np.newaxis]
    height, phase = rng.normal(0, 1 / orders, (3, 4)), rng.uniform(0, np.pi, (3, 4))
    paths = np.array([(height * np.sin(orders * t + phase)).sum(0) + 0.8 * t for t in time])
    paths -= paths[frames // 2]
    farthest = np.abs(paths).max(0)
    farthest[:2] = np.hypot(paths[:, 0], paths[:, 1]).max()
    paths *= (shift, shift, degrees, scale) / np.where(farthest > 0, farthest, 1)
    return np.array([similarity(size, (x, y), turn, 1 + grow) for x, y, turn, grow in paths])


def _tracks(
    rng: Generator, count: int, size: tuple[int, int]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], float]]:
    """Rows, columns and brightness of the pixels of each straight track."""
    for _ in range(count):
        length, angle = min(rng.exponential(4), 20), rng.uniform(0, 2 * np.pi)
        along = np.arange(0, length + 0.5, 0.5)
        row = np.rint(rng.uniform(0, size[0] - 1) + along * np.sin(angle)).astype(np.intp)
        column = np.rint(rng.uniform(0, size[1] - 1) + along * np.cos(angle)).astype(np.intp)
        inside = (row >= 0) & (row < size[0]) & (column >= 0) & (column < size[1])
        yield row[inside], column[inside], rng.uniform(0.3, 1)
