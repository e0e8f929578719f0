"""Scenes that are formulas: cells, and a relief as a lens sees it; sampled at moved coordinates."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from napari_stack.core.matrices import about_centre, centre_of

Image = NDArray[np.float64]
Size = tuple[int, int]

#: Samples an object: takes the matrix of a frame, its size (rows, columns) and the pixel (row,
#: column) it starts at; gives its pixels.
Field = Callable[[Image, Size, Size], Image]


def grid(matrix: Image, size: Size, corner: Size = (0, 0)) -> tuple[Image, Image]:
    """Object coordinates y, x of the pixels of a frame, or of a part that starts at `corner`."""
    back = np.linalg.inv(matrix)
    y = np.arange(corner[0], corner[0] + size[0], dtype=float)[:, np.newaxis]
    x = np.arange(corner[1], corner[1] + size[1], dtype=float)
    return (
        back[1, 0] * x + back[1, 1] * y + back[1, 2],
        back[0, 0] * x + back[0, 1] * y + back[0, 2],
    )


def similarity(size: Size, shift: tuple[float, float], degrees: float, scale: float) -> Image:
    """Matrix that turns and scales about the centre of a frame, then shifts by (x, y)."""
    angle = np.deg2rad(degrees)
    return about_centre(size, scale * np.cos(angle), scale * np.sin(angle), shift)


def waves(rng: Generator, count: int, shortest: float, longest: float, strength: float) -> Field:
    """Plane waves of log-uniform wavelengths in pixels; `strength` is the standard deviation.

    Equal amplitudes then have the power spectrum 1 / f^2 of natural images (Field 1987).
    """
    frequency = 1 / np.exp(rng.uniform(np.log(shortest), np.log(longest), count))
    angle, phase = rng.uniform(0, np.pi, count), rng.uniform(0, 2 * np.pi, count)
    vectors = 2 * np.pi * frequency * np.array([np.cos(angle), np.sin(angle)])
    amplitude = strength * np.sqrt(2 / count)

    def field(matrix: Image, size: Size, corner: Size = (0, 0)) -> Image:
        back = np.linalg.inv(matrix)
        seen = back[:2, :2].T @ vectors  # the waves as functions of the pixel
        start = phase + back[:2, 2] @ vectors
        y = np.arange(corner[0], corner[0] + size[0])
        x = np.arange(corner[1], corner[1] + size[1])
        along_x = np.exp(1j * (np.outer(seen[0], x) + start[:, np.newaxis]))
        return amplitude * (np.exp(1j * np.outer(y, seen[1])) @ along_x).real

    return field


def cells(rng: Generator, size: Size) -> Callable[[Image, Size], Image]:
    """Soft ellipses with textured nuclei, about 40 pixels apart, over an uneven background."""
    pitch, margin = 40, max(size) // 8 + 40
    rows, columns = (np.arange(-margin, side + margin, pitch) for side in size)
    places = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2) + 0.0
    places += rng.uniform(-pitch / 3, pitch / 3, places.shape)
    drawn = [_Cell(place, rng) for place in places]
    background = waves(rng, 8, 60, 400, 0.015)

    def scene(matrix: Image, size: Size) -> Image:
        image = 0.1 + background(matrix, size, (0, 0))
        for cell in drawn:
            cell.add(image, matrix)
        return image

    return scene


class _Cell:
    """One cell; its light ends smoothly at its rim, so that it can be drawn in a box."""

    def __init__(self, place: Image, rng: Generator) -> None:
        self.place = place
        self.radii, self.turn = rng.uniform(10, 22, 2), rng.uniform(0, np.pi)
        self.bright = rng.uniform(0.1, 0.3)
        self.nucleus = rng.uniform(-0.25, 0.25, 2), rng.uniform(0.45, 0.65)
        self.texture = waves(rng, 6, 4, 10, 0.3)

    def add(self, image: Image, matrix: Image) -> None:
        x, y = matrix[:2, :2] @ self.place + matrix[:2, 2]
        reach = self.radii.max() * np.sqrt(abs(np.linalg.det(matrix[:2, :2])))
        left, top = max(int(x - reach), 0), max(int(y - reach), 0)
        box = image[top : max(int(y + reach) + 2, 0), left : max(int(x + reach) + 2, 0)]
        if box.size == 0:
            return
        object_y, object_x = grid(matrix, box.shape, (top, left))
        across, down = object_x - self.place[0], object_y - self.place[1]
        cosine, sine = np.cos(self.turn), np.sin(self.turn)
        u = (across * cosine + down * sine) / self.radii[0]
        v = (down * cosine - across * sine) / self.radii[1]
        (nucleus_u, nucleus_v), size = self.nucleus
        nucleus = _bump(((u - nucleus_u) ** 2 + (v - nucleus_v) ** 2) / size**2)
        grain = 1 + self.texture(matrix, box.shape, (top, left))
        box += self.bright * (_bump(u**2 + v**2) + 0.9 * nucleus * grain)


def _bump(squared: Image) -> Image:
    """Fall smoothly from 1 to 0 at a distance of 1."""
    return np.maximum(1 - squared, 0) ** 2


@dataclass(frozen=True)
class Surface:
    """An object of a relief: its picture, its depth as a frame number, and where it is."""

    picture: Field
    depth: Callable[[Image, Image], Image]
    #: Signed distance from its rim in pixels, negative inside; None: everywhere.
    rim: Callable[[Image, Image], Image] | None = None


def relief(rng: Generator, size: Size, frames: int) -> list[Surface]:
    """Wavy ground, a disc above it and a bar above both, the far one first."""
    (mid_x, mid_y), unit, last = centre_of(size), min(size), frames - 1
    turn = rng.uniform(0.3, 1.2)

    def ground(y: Image, x: Image) -> Image:
        ripple = np.sin(7 * (x - mid_x) / unit) * np.cos(5 * (y - mid_y) / unit)
        return last * (0.27 + 0.2 * (y - mid_y) / size[0] + 0.1 * ripple)

    def disc(y: Image, x: Image) -> Image:
        return last * (0.66 + 0.12 * (x - mid_x) / size[1] + 0.04 * (y - mid_y) / size[0])

    def disc_rim(y: Image, x: Image) -> Image:
        return np.hypot(y - mid_y - 0.12 * unit, x - mid_x + 0.16 * unit) - 0.24 * unit

    def along(y: Image, x: Image) -> Image:
        return (x - mid_x) * np.cos(turn) + (y - mid_y) * np.sin(turn)

    def bar(y: Image, x: Image) -> Image:
        return last * (0.85 + 0.15 * along(y, x) / unit)

    def bar_rim(y: Image, x: Image) -> Image:
        across = (y - mid_y) * np.cos(turn) - (x - mid_x) * np.sin(turn) + 0.1 * unit
        return np.maximum(abs(across) - 0.08 * unit, abs(along(y, x)) - 0.42 * unit)

    return [
        Surface(textured(rng, 0.42), ground),
        Surface(textured(rng, 0.55), disc, disc_rim),
        Surface(textured(rng, 0.48), bar, bar_rim),
    ]


def textured(rng: Generator, level: float, strength: float = 0.14) -> Field:
    """Waves about a mean brightness, bent where they would leave 0 to 1."""
    field, reach = waves(rng, 120, 4, 90, strength), min(0.36, level, 1 - level)

    def texture(matrix: Image, size: Size, corner: Size) -> Image:
        return level + reach * np.tanh(field(matrix, size, corner) / reach)

    return texture


class ReliefView:
    """A relief as one frame of a focus series sees it.

    Parameters
    ----------
    surfaces : list of Surface
    matrix : ndarray (3, 3)
        Takes a point of the object to the frame.
    size : tuple of int
        (rows, columns).
    blur : float
        Largest defocus that will be asked for, a standard deviation in pixels.
    """

    def __init__(self, surfaces: list[Surface], matrix: Image, size: Size, blur: float) -> None:
        pad = int(np.ceil(3 * blur))  # a lens gathers light from beyond the frame too
        wide, corner = (size[0] + 2 * pad, size[1] + 2 * pad), (-pad, -pad)
        inner = np.s_[pad : pad + size[0], pad : pad + size[1]]
        y, x = grid(matrix, wide, corner)
        self.depths = [surface.depth(y[inner], x[inner]) for surface in surfaces]
        self.pictures = [
            Blurred(surface.picture(matrix, wide, corner), blur, inner) for surface in surfaces
        ]
        self.covers = [
            Blurred(np.clip(0.5 - surface.rim(y, x), 0, 1), blur, inner) if surface.rim else None
            for surface in surfaces
        ]

    def focused(self, index: float, blur: float) -> Image:
        """Frame focused on depth `index`, with a defocus of `blur` pixels a frame."""
        defocus = [blur * abs(depth - index) for depth in self.depths]
        return self._painted(
            [p.at(d) for p, d in zip(self.pictures, defocus, strict=True)], defocus
        )

    def truth(self) -> tuple[Image, Image]:
        """Return the picture all in focus, and the depth."""
        nothing = [np.zeros_like(depth) for depth in self.depths]
        depth = self.depths[0]
        for cover, above in zip(self.covers[1:], self.depths[1:], strict=True):
            depth = np.where(cover.at(nothing[0]) > 0.5, above, depth) if cover else above
        return self._painted([picture.at(nothing[0]) for picture in self.pictures], nothing), depth

    def _painted(self, pictures: list[Image], defocus: list[Image]) -> Image:
        """Lay each surface over those behind it, as far as it covers them."""
        image = pictures[0]
        for picture, cover, sigma in zip(pictures[1:], self.covers[1:], defocus[1:], strict=True):
            image = image + (picture - image) * cover.at(sigma) if cover else picture
        return image


class Blurred:
    """An image under Gaussian blurs, another one for each pixel."""

    def __init__(self, image: Image, largest: float, inner: tuple[slice, slice]) -> None:
        self.image, self.inner = image, inner
        sigmas = [0.0, 0.5, 0.75, 1.0]
        while sigmas[-1] < largest:
            sigmas.append(sigmas[-1] * 1.25)
        self.variances = np.square(sigmas)
        self._levels: dict[int, Image] = {}

    def _level(self, number: int) -> Image:
        """Return the image under one of the blurs; it is made when first asked for."""
        from scipy.ndimage import gaussian_filter

        if number not in self._levels:
            sigma = np.sqrt(self.variances[number])
            blurred = gaussian_filter(self.image, sigma) if number else self.image
            self._levels[number] = blurred[self.inner]
        return self._levels[number]

    def at(self, sigma: Image) -> Image:
        """Blur each pixel with its own standard deviation; linear in the variance in between."""
        variance = np.minimum(sigma**2, self.variances[-1])
        upper = np.searchsorted(self.variances[1:-1], variance, "right") + 1
        result = np.empty_like(variance)
        for number in np.unique(upper):
            here = upper == number
            low, high = self.variances[number - 1 : number + 1]
            part = (variance[here] - low) / (high - low)
            sharp, soft = self._level(number - 1)[here], self._level(number)[here]
            result[here] = sharp + part * (soft - sharp)
        return result
