"""Stacks as a camera spoils them: vignetting, shading, flicker, bleaching, defective pixels."""

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import centre_of
from napari_stack.core.stack import Stack
from napari_stack.samples._scenes import Image, grid
from napari_stack.samples._series import TOP, PixelType, Truth, drifting_cells, stored


def vignetted(
    frames: int = 8,
    size: tuple[int, int] = (512, 512),
    seed: int = 0,
    *,
    strength: float = 0.5,
    shift: float = 0.0,
    noise: float = 2 / 255,
    dtype: PixelType = "uint16",
) -> tuple[Stack, Truth]:
    """Make frames of cells that are darker towards the corners, as behind a simple lens.

    Parameters
    ----------
    frames, size, seed, shift, noise, dtype
        See `drifting_cells`. The noise is added after the light was lost.
    strength : float
        Part of the light that the corners lose, 0 to 1.

    Returns
    -------
    stack : Stack, shape (frames, rows, columns)
    truth : dict
        ``vignette`` (rows, columns), float64: part of the light that remains, 1 at the centre;
        ``clean`` (the reference without noise and vignette) and ``matrices`` as for
        `drifting_cells`.
    """
    still, truth = _lit(frames, size, seed, shift, 0.0, dtype)
    y, x = grid(np.eye(3), size)
    centre_x, centre_y = centre_of(size)
    # 1 in the corners; even powers alone, as the light of a lens falls off
    far = ((x - centre_x) ** 2 + (y - centre_y) ** 2) / max(centre_x**2 + centre_y**2, 1.0)
    vignette = 1 - strength * (0.6 * far + 0.4 * far**2)
    rng = np.random.default_rng([seed, 2])
    data = still * vignette + rng.normal(0, noise, (frames, *size))
    return Stack.wrap(stored(data, dtype)), {"vignette": vignette, **truth}


def shaded(
    frames: int = 24,
    size: tuple[int, int] = (512, 512),
    seed: int = 0,
    *,
    strength: float = 0.4,
    dark: float = 0.03,
    shift: float = 120.0,
    noise: float = 2 / 255,
    dtype: PixelType = "uint16",
) -> tuple[Stack, Truth]:
    """Make frames of a moving scene under uneven light, off a sensor that is not black.

    Parameters
    ----------
    frames, size, seed, shift, noise, dtype
        See `drifting_cells`. The noise is added after the light was lost.
    strength : float
        How much of the light the darkest place lacks, 0 to 1.
    dark : float
        Dark level in the middle, as a part of full brightness; it differs from column to column.

    Returns
    -------
    stack : Stack, shape (frames, rows, columns)
    truth : dict
        ``shading`` (rows, columns), float64: part of the light, 1 on average; ``flat`` and
        ``dark`` (rows, columns): recordings of an even surface and without light, without noise,
        in the units of the stack; ``clean`` and ``matrices`` as for `drifting_cells`.
    """
    still, truth = _lit(frames, size, seed, shift, 0.0, dtype)
    y, x = np.mgrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j]
    shading = 1 - strength * (0.5 * (x - 0.4) ** 2 + 0.4 * (y + 0.3) ** 2 + 0.1 * x) / 1.8
    shading /= shading.mean()
    rng = np.random.default_rng([seed, 3])
    black = dark * (1 + 0.3 * np.sin(np.arange(size[1]) / 5.0)) * np.ones((size[0], 1))
    data = still * shading * (1 - dark) + black + rng.normal(0, noise, (frames, *size))
    truth |= {
        "shading": shading,
        "flat": stored(0.6 * shading * (1 - dark) + black, dtype),
        "dark": stored(black, dtype),
    }
    return Stack.wrap(stored(data, dtype)), truth


def flickering(
    frames: int = 12,
    size: tuple[int, int] = (512, 512),
    seed: int = 0,
    *,
    strength: float = 0.3,
    noise: float = 2 / 255,
    dtype: PixelType = "uint16",
) -> tuple[Stack, Truth]:
    """Make frames of resting cells under light of changing brightness.

    Parameters
    ----------
    frames, size, seed, noise, dtype
        See `drifting_cells`.
    strength : float
        Largest change of brightness against the middle frame, as a part of its own.

    Returns
    -------
    stack : Stack, shape (frames, rows, columns)
    truth : dict
        ``brightness`` (frames,): against the middle frame, so that a gain is one by it; ``clean``
        and ``matrices`` as for `drifting_cells`.
    """
    rng = np.random.default_rng([seed, 4])
    change = rng.uniform(-1, 1, frames)
    change[frames // 2] = 0
    change *= strength / max(float(np.abs(change).max()), 1e-12)
    return _dimmed(1 + change, "brightness", size, seed, noise, dtype)


def bleaching(
    frames: int = 30,
    size: tuple[int, int] = (512, 512),
    seed: int = 0,
    *,
    left: float = 0.4,
    noise: float = 2 / 255,
    dtype: PixelType = "uint16",
) -> tuple[Stack, Truth]:
    """Make frames of resting cells whose light fades exponentially.

    Parameters
    ----------
    frames, size, seed, noise, dtype
        See `drifting_cells`.
    left : float
        Part of the light that is left in the last frame, 0 to 1.

    Returns
    -------
    stack : Stack, shape (frames, rows, columns)
    truth : dict
        ``decay`` (frames,): light against the first frame; ``clean`` (that of the first frame) and
        ``matrices`` as for `drifting_cells`.
    """
    decay = left ** (np.arange(frames) / max(frames - 1, 1))
    return _dimmed(decay, "decay", size, seed, noise, dtype)


def hot_pixels(
    frames: int = 12,
    size: tuple[int, int] = (512, 512),
    seed: int = 0,
    *,
    count: int = 200,
    shift: float = 40.0,
    noise: float = 3 / 255,
    dtype: PixelType = "uint16",
) -> tuple[Stack, Truth]:
    """Make frames of drifting cells off a sensor with pixels that are too bright, or dark.

    Parameters
    ----------
    frames, size, seed, shift, noise, dtype
        See `drifting_cells`.
    count : int
        Defective pixels, at most; of four, one is dark.

    Returns
    -------
    stack : Stack, shape (frames, rows, columns)
    truth : dict
        ``mask`` (rows, columns), bool: defective pixels; ``good`` (frames, rows, columns): the
        frames without defects, in the units of the stack; ``clean`` and ``matrices`` as for
        `drifting_cells`.
    """
    still, truth = _lit(frames, size, seed, shift, noise, dtype)
    rng = np.random.default_rng([seed, 5])
    places = rng.choice(size[0] * size[1], min(count, size[0] * size[1] // 9), replace=False)
    rows, columns = np.unravel_index(places, size)
    spoiled = still.copy()
    bright = rng.uniform(0.3, 0.8, len(places))
    cold = np.arange(len(places)) % 4 == 0
    found = spoiled[:, rows, columns]
    spoiled[:, rows, columns] = np.where(cold, 0.0, found + bright)
    mask = np.zeros(size, bool)
    mask[rows, columns] = True
    truth |= {"mask": mask, "good": stored(still, dtype)}
    return Stack.wrap(stored(spoiled, dtype)), truth


def _lit(
    frames: int, size: tuple[int, int], seed: int, shift: float, noise: float, dtype: PixelType
) -> tuple[Image, Truth]:
    """Make frames of cells with full brightness at 1, and their truth in units of a type."""
    options = {"shift": shift, "rotation": 0.0, "scale": 0.0, "noise": noise}
    stack, truth = drifting_cells(frames, size, seed, **options, dtype="float32")
    truth["clean"] = truth["clean"] * TOP[dtype]
    return np.asarray(stack, np.float64), truth


def _dimmed(
    light: NDArray[np.float64],
    name: str,
    size: tuple[int, int],
    seed: int,
    noise: float,
    dtype: PixelType,
) -> tuple[Stack, Truth]:
    """Make resting cells under light that changes from frame to frame, noise added after."""
    still, truth = _lit(1, size, seed, 0.0, 0.0, dtype)  # it rests: one is like all
    rng = np.random.default_rng([seed, 6])
    data = still * light[:, np.newaxis, np.newaxis] + rng.normal(0, noise, (len(light), *size))
    truth["matrices"] = np.repeat(truth["matrices"], len(light), axis=0)
    return Stack.wrap(stored(data, dtype)), {**truth, name: light}
