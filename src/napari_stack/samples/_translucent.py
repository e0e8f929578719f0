"""Focus series of things that hide nothing: light that adds up, and light that is absorbed."""

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from napari_stack.core.stack import Stack
from napari_stack.samples._scenes import Image, Size
from napari_stack.samples._series import TOP, PixelType, Truth, stored

#: Layers a frame in which things lie.
_FINE = 2


def fluorescent(
    frames: int = 11,
    size: tuple[int, int] = (256, 320),
    seed: int = 0,
    *,
    blur: float = 1.4,
    photons: float = 300.0,
    dtype: PixelType = "uint16",
) -> tuple[Stack, Truth]:
    """Make a z-stack of glowing beads and filaments, in which the light of all planes adds up.

    Parameters
    ----------
    frames, size, seed, dtype
        See `drifting_cells`. Things lie at all depths; most pixels hold none.
    blur : float
        Standard deviation of the defocus, in pixels a frame away from focus; light is kept.
    photons : float
        At full brightness; their noise is that of Poisson.

    Returns
    -------
    stack : Stack, shape (frames, rows, columns)
    truth : dict
        ``image`` (rows, columns), float64: the light of all things, all in focus; ``depth`` (rows,
        columns), float64: number of the frame in which the brightest is in focus; ``things`` (rows,
        columns), bool: where there are any.
    """
    rng = np.random.default_rng([seed, 41])
    offset, layers = 0.03, _glowing(rng, size, frames)
    data = np.empty((frames, *size), dtype)
    for index, target in enumerate(data):
        light = sum(_softened(layer, blur * abs(z / _FINE - index)) for z, layer in layers.items())
        seen = rng.poisson(np.maximum(offset + light, 0) * photons) / photons
        target[...] = stored(seen, dtype)
    all_planes = np.stack(list(layers.values()))
    image = offset + all_planes.sum(axis=0)
    depth = np.array(list(layers))[all_planes.argmax(axis=0)] / _FINE
    things = all_planes.max(axis=0) > 0.02
    return Stack.wrap(data), {"image": image * TOP[dtype], "depth": depth, "things": things}


def transparent(
    frames: int = 9,
    size: tuple[int, int] = (256, 320),
    seed: int = 0,
    *,
    blur: float = 1.2,
    noise: float = 1 / 255,
    dtype: PixelType = "uint8",
) -> tuple[Stack, Truth]:
    """Make a bright-field z-stack of clear layers, each of which absorbs some of the light.

    Several layers lie behind each pixel, and each is sharp in another frame.

    Parameters
    ----------
    frames, size, seed, noise, dtype
        See `drifting_cells`.
    blur : float
        Standard deviation of the defocus, in pixels a frame away from focus.

    Returns
    -------
    stack : Stack, shape (frames, rows, columns)
    truth : dict
        ``image`` (rows, columns), float64: all layers in focus; ``depth`` (rows, columns), float64:
        number of the frame that shows the strongest in focus.
    """
    rng = np.random.default_rng([seed, 42])
    layers = _absorbing(rng, size, frames)
    data = np.empty((frames, *size), dtype)
    for index, target in enumerate(data):
        light = 0.85 * np.prod([_softened(t, blur * abs(z - index)) for z, t in layers], axis=0)
        target[...] = stored(light + rng.normal(0, noise, size), dtype)
    image = 0.85 * np.prod([layer for _, layer in layers], axis=0)
    dark = np.stack([1 - layer for _, layer in layers])
    depth = np.array([z for z, _ in layers])[dark.argmax(axis=0)]
    return Stack.wrap(data), {"image": image * TOP[dtype], "depth": depth}


def _glowing(rng: Generator, size: Size, frames: int) -> dict[int, Image]:
    """Return the light of each layer in which there is something."""
    layers: dict[int, Image] = {}
    count = max(size[0] * size[1] // 900, 4)
    for y, x, z, bright in zip(*_places(rng, count, size, frames), strict=True):
        spot = (float(y), float(x), rng.uniform(1.0, 2.5), bright * 0.5)
        _add_spot(layers.setdefault(z, np.zeros(size)), *spot)
    for _ in range(max(count // 12, 2)):
        z, bright = int(rng.integers(0, (frames - 1) * _FINE + 1)), rng.uniform(0.15, 0.4)
        for y, x in _path(rng, size):
            _add_spot(layers.setdefault(z, np.zeros(size)), y, x, 1.1, bright * 0.45)
    return {z: np.minimum(layer, 0.7) for z, layer in sorted(layers.items())}


def _places(rng: Generator, count: int, size: Size, frames: int) -> Iterator[list[float]]:
    yield rng.uniform(0, size[0], count).tolist()
    yield rng.uniform(0, size[1], count).tolist()
    yield rng.integers(0, (frames - 1) * _FINE + 1, count).tolist()
    yield rng.uniform(0.2, 1.0, count).tolist()


def _path(rng: Generator, size: Size) -> Iterator[tuple[float, float]]:
    """Give points along a filament that bends, a pixel apart."""
    y, x = rng.uniform(0, size[0]), rng.uniform(0, size[1])
    turn, bend = rng.uniform(0, 2 * np.pi), rng.uniform(-0.02, 0.02)
    for _ in range(int(rng.uniform(0.3, 0.7) * min(size))):
        y, x, turn = y + np.sin(turn), x + np.cos(turn), turn + bend
        yield float(y), float(x)


def _add_spot(image: Image, y: float, x: float, sigma: float, bright: float) -> None:
    reach = int(np.ceil(4 * sigma))
    top, left = max(int(y) - reach, 0), max(int(x) - reach, 0)
    box = image[top : max(int(y) + reach + 1, 0), left : max(int(x) + reach + 1, 0)]
    if box.size:
        rows, columns = np.ogrid[top : top + box.shape[0], left : left + box.shape[1]]
        box += bright * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma**2))


def _absorbing(rng: Generator, size: Size, frames: int) -> list[tuple[int, Image]]:
    """Return the frame that shows each layer in focus, and the share of light it lets through."""
    layers = []
    for z in np.unique(np.linspace(1, frames - 2, 4).round().astype(int)).tolist():
        layer = np.ones(size)
        rows, columns = np.ogrid[: size[0], : size[1]]
        for _ in range(max(size[0] * size[1] // 5000, 3)):
            y, x, radius = rng.uniform(0, size[0]), rng.uniform(0, size[1]), rng.uniform(5, 18)
            away = np.hypot(rows - y, columns - x)
            rim = np.exp(-(((away - radius) / 1.0) ** 2))
            inside = 0.5 - 0.5 * np.tanh(away - radius)
            grains = 0.12 * np.sin(columns / 1.5 + y) * np.sin(rows / 1.5 + x)
            layer *= 1 - rng.uniform(0.15, 0.45) * rim - inside * (0.06 + grains)
        layers.append((z, np.clip(layer, 0.25, 1)))
    return layers


def _softened(image: Image, sigma: float) -> Image:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(image, sigma, mode="nearest") if sigma else image
