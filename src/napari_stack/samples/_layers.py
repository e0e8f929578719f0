"""Focus series of scenes in which several things lie behind one pixel: hairs before a ground."""

import numpy as np
from numpy.random import Generator

from napari_stack.core.matrices import centre_of
from napari_stack.core.stack import Stack
from napari_stack.samples._scenes import Image, ReliefView, Size, Surface, textured
from napari_stack.samples._series import TOP, PixelType, Truth, stored


def occluded(
    frames: int = 9,
    size: tuple[int, int] = (256, 320),
    seed: int = 0,
    *,
    hairs: int = 8,
    blur: float = 1.2,
    noise: float = 1 / 255,
    dtype: PixelType = "uint8",
) -> tuple[Stack, Truth]:
    """Make a focus series of hairs and a leaf before a textured ground.

    Out of focus a hair veils the ground far around it, and the ground is sharp right through the
    veil: at such places two frames are sharp.

    Parameters
    ----------
    frames, size, seed, noise, dtype
        See `drifting_cells`. Frame 0 focuses on the far end.
    hairs : int
        How many there are, 2 to 7 pixels thick; they bend, and lie aslant in depth.
    blur : float
        Standard deviation of the Gaussian defocus, in pixels a frame away from focus.

    Returns
    -------
    stack : Stack, shape (frames, rows, columns)
    truth : dict
        ``image`` (rows, columns), float64: all in focus, in the units of the stack; ``depth``
        (rows, columns), float64: number of the frame that is in focus, with its fraction;
        ``behind`` (rows, columns), float64: the ground alone, in focus.
    """
    rng = np.random.default_rng([seed, 31])
    scene = _scene(rng, size, frames, hairs)
    view = ReliefView(scene, np.eye(3), size, blur * frames)
    data = np.empty((frames, *size), dtype)
    for index, target in enumerate(data):
        target[...] = stored(view.focused(index, blur) + rng.normal(0, noise, size), dtype)
    image, depth = view.truth()
    behind, _ = ReliefView(scene[:1], np.eye(3), size, 0).truth()
    truth = {"image": image * TOP[dtype], "depth": depth, "behind": behind * TOP[dtype]}
    return Stack.wrap(data), truth


def _scene(rng: Generator, size: Size, frames: int, hairs: int) -> list[Surface]:
    """Return the ground, a leaf half-way to the front, and hairs before both."""
    (mid_x, mid_y), unit, last = centre_of(size), min(size), frames - 1

    def ground(y: Image, x: Image) -> Image:
        return last * (0.12 + 0.1 * (x - mid_x) / size[1] + 0.0 * y)

    def leaf(y: Image, x: Image) -> Image:
        return last * (0.5 + 0.08 * (y - mid_y) / size[0] + 0.0 * x)

    def leaf_rim(y: Image, x: Image) -> Image:
        along, across = (x - mid_x - 0.3 * unit) / 0.42, (y - mid_y - 0.18 * unit) / 0.2
        return (np.hypot(along, across) - unit) * 0.2

    surfaces = [
        Surface(textured(rng, 0.5), ground),
        Surface(textured(rng, 0.42), leaf, leaf_rim),
    ]
    drawn = [_hair(rng, size, last) for _ in range(hairs)]
    return surfaces + sorted(drawn, key=lambda hair: float(hair.depth(mid_y, mid_x)))


def _hair(rng: Generator, size: Size, last: int) -> Surface:
    """Return a hair that bends, dark or bright, with a little texture."""
    (mid_x, mid_y), unit = centre_of(size), min(size)
    turn, middle = rng.uniform(0, np.pi), rng.uniform(-0.45, 0.45)
    bend, half = rng.uniform(-0.35, 0.35), rng.uniform(1.0, 3.5)
    place, slope = rng.uniform(0.8, 0.95), rng.uniform(-0.06, 0.06)

    def along(y: Image, x: Image) -> Image:
        return ((x - mid_x) * np.cos(turn) + (y - mid_y) * np.sin(turn)) / unit

    def depth(y: Image, x: Image) -> Image:
        return last * np.clip(place + slope * along(y, x), 0, 1)

    def rim(y: Image, x: Image) -> Image:
        across = (y - mid_y) * np.cos(turn) - (x - mid_x) * np.sin(turn)
        return abs(across - unit * (middle + bend * along(y, x) ** 2)) - half

    return Surface(textured(rng, float(rng.choice([0.12, 0.2, 0.8, 0.9])), 0.06), depth, rim)
