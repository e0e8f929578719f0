"""A focus series as layers, each with its opacity and colours, found from the nearest on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.occlusion.defocus import blurred

Plane = NDArray[np.float32]
Labels = NDArray[np.uint8] | NDArray[np.uint16]

# Found on rendered scenes (benchmarks/focus_occlusion.py). Pixels around a depth edge within which
# it is decided what belongs to which side.
REACH = 8
# Frames apart whose difference is an edge: so many at least, and so many pixels of blur.
LEAST_GAP, GAP_BLUR = 2, 1.5
# What stands out from the blurred ground is measured over a window (sigma) and compared with the
# most around; shares of it from which a pixel belongs to the nearer thing, in part and wholly.
WINDOW, AROUND, NONE, WHOLE = 0.8, 4, 0.15, 0.4
# Grey levels of 255, and multiples of the noise, that stand out at least.
LEAST_CONTRAST, NOISE_MARGIN = 4.0, 2.0
# Sharp texture of the ground is measured over a window, and compared with that nearby.
TEXTURE_WINDOW, TEXTURE_AROUND = 1.5, 8
# A ground that is hidden more than this cannot be told from its veil.
LEAST_LIGHT = 0.3
# Weight of the softened image where no ground is seen around, and the share that has to be seen.
LITTLE, SEEN = 1e-4, 0.05


class Series(NamedTuple):
    """Rows of a focus series on the scale 0 to 255, from the farthest frame to the nearest."""

    frames: Any  # (n, y, x, channel), or a sequence of frames
    fused: Plane  # (y, x, channel)
    labels: Labels  # (y, x), the frame that is sharpest around each pixel
    places: Plane  # (n,), where the frames lie
    growth: float  # of the blur, in pixels from a frame to the next
    noise: float  # standard deviation

    def blur(self, one: int, other: int) -> float:
        """Return the blur in one frame of what is in focus in another."""
        return self.growth * abs(float(self.places[one] - self.places[other]))

    @property
    def gap(self) -> int:
        """Frames apart that make an edge."""
        return max(LEAST_GAP, int(np.ceil(GAP_BLUR / self.growth)))


@dataclass(frozen=True)
class Layers:
    """What is in focus in each frame: opacities that sum up to 1, and colours without veils."""

    opacities: list[Plane]
    colours: list[Plane]
    light: list[Plane]  # share of each layer's light that passes by those before it

    def composed(self) -> Plane:
        """Return all layers in focus."""
        return self.composed_of(self.colours)

    def composed_of(self, pictures: Sequence[Plane]) -> Plane:
        """Return pictures, one for each layer, as their opacities mix them."""
        whole = np.zeros_like(pictures[0])
        for opacity, colours in zip(self.opacities, pictures, strict=True):
            whole += opacity[..., np.newaxis] * colours
        return whole

    @property
    def top(self) -> Labels:
        """Number of the layer that counts most at each pixel."""
        return np.argmax(np.stack(self.opacities), axis=0).astype(np.uint16)


def disc(radius: int) -> NDArray[Any]:
    """Return a round structuring element."""
    side = 2 * radius + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def window_mean(plane: Plane, sigma: float) -> Plane:
    """Return the mean over a Gaussian window."""
    return cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


def squared(colours: Plane) -> Plane:
    """Return the mean over the channels of the squares."""
    return np.mean(colours * colours, axis=2, dtype=np.float32)


def opacity_of(labels: Labels, number: int) -> Plane:
    """Return 1 where a label is the number, else 0."""
    return (labels == number).astype(np.float32)


class Opacities(Sequence[Plane]):
    """Opacities of layers as labels tell them, each made when it is asked for.

    Parameters
    ----------
    labels : (y, x) ndarray
    count : int
        How many layers there are.
    """

    def __init__(self, labels: Labels, count: int) -> None:
        self.labels, self.layers = labels, count
        self.none = np.zeros(labels.shape, np.float32)
        self.there = frozenset(np.unique(labels).tolist())

    def __len__(self) -> int:
        return self.layers

    def __getitem__(self, number: Any) -> Any:
        return opacity_of(self.labels, number) if number in self.there else self.none


class Separation:
    """Finds the layers of a series, from the nearest frame to the farthest."""

    def __init__(self, series: Series) -> None:
        self.series = series
        labels = series.labels.astype(np.uint16)
        around = disc(REACH)
        self.nearest, self.farthest = cv2.dilate(labels, around), cv2.erode(labels, around)
        self.count = len(series.frames)
        self.first = Opacities(series.labels, self.count)
        self.soft = blurred(series.fused, REACH)
        self.left = np.ones(labels.shape, np.float32)
        self.opacities: dict[int, Plane] = {}
        self.colours: dict[int, Plane] = {}
        self.light: dict[int, Plane] = {}

    @property
    def at_edges(self) -> NDArray[np.bool_]:
        """Where labels that are far apart lie within reach."""
        return self.nearest.astype(np.int32) - self.farthest >= self.series.gap

    def layers(self, step: Callable[[], None]) -> Layers:
        """Return what was found; `step` is called after each frame."""
        ground = self._ground_texture()
        for number in reversed(range(self.count)):
            self._take(number, ground)
            step()
        for number in range(self.count):  # what no layer claims is the ground
            self.opacities[number] += self.left * (self.farthest == number)
        numbers = range(self.count)
        planes = (self.opacities, self.colours, self.light)
        return Layers(*([found[number] for number in numbers] for found in planes))

    def _take(self, number: int, ground: Plane) -> None:
        """Find the layer that is in focus in a frame; those before it are known."""
        veil, light = self._veil(number)
        frame = self.series.frames[number]
        clear = (frame - veil) / np.maximum(light, LEAST_LIGHT)[..., np.newaxis]
        clear[light < LEAST_LIGHT] = frame[light < LEAST_LIGHT]
        opacity = self._opacity(number, clear, ground)
        self.opacities[number] = opacity * self.left
        self.left = self.left - self.opacities[number]
        self.colours[number], self.light[number] = clear, light

    def _veil(self, number: int) -> tuple[Plane, Plane]:
        """Return what nearer layers lay over a frame, and the light that they let through."""
        veil = np.zeros_like(self.series.fused)
        light = np.ones(self.left.shape, np.float32)
        for nearer in range(self.count - 1, number + LEAST_GAP - 1, -1):
            opacity = self.opacities[nearer]
            if opacity.any():
                sigma = self.series.blur(nearer, number)
                lit = light[..., np.newaxis] * shown(opacity, self.colours[nearer], sigma)
                veil += lit
                light *= 1 - np.minimum(blurred(opacity, sigma), 1)
        return veil, light

    def _opacity(self, number: int, clear: Plane, ground: Plane) -> Plane:
        """Return how far a layer covers each pixel: at edges, where it stands out."""
        own = self.first[number]
        edge = (self.nearest >= number) & (self.farthest.astype(int) <= number - self.series.gap)
        edge &= cv2.dilate(own, disc(2)) > 0
        if not edge.any():
            return own
        behind, seen = self._behind(number)
        edge &= seen > SEEN
        contrast = window_mean(squared(clear - behind), WINDOW) - np.float32(self.series.noise**2)
        most = cv2.dilate(np.where(own > 0, contrast, 0), disc(AROUND))
        share = contrast / np.maximum(most, np.float32(1e-3))
        opacity = np.clip((share - NONE * ground) / ((WHOLE - NONE) * ground), 0, 1)
        opacity[most < LEAST_CONTRAST**2 + (NOISE_MARGIN * self.series.noise) ** 2] = 0
        return np.where(edge, opacity, own).astype(np.float32)

    def _behind(self, number: int) -> tuple[Plane, Plane]:
        """Return how a frame would show what lies farther, and how much of it was seen."""
        total = np.float32(LITTLE) * self.soft
        seen = np.full(self.left.shape, LITTLE, np.float32)
        for farther in range(number - self.series.gap + 1):
            if (opacity := self.first[farther]).any():
                sigma = self.series.blur(farther, number)
                total = total + shown(opacity, self.series.fused, sigma)
                seen += blurred(opacity, sigma)
        return total / seen[..., np.newaxis], seen

    def _ground_texture(self) -> Plane:
        """Return how sharp the ground is, as a share of that nearby: where not, it is covered."""
        texture = np.zeros(self.left.shape, np.float32)
        for number in np.unique(self.farthest).tolist():
            frame = self.series.frames[number]
            rough = squared(frame - blurred(frame, 1.5))
            here = self.farthest == number
            texture[here] = window_mean(rough, TEXTURE_WINDOW)[here]
        usual = cv2.dilate(np.where(self.at_edges, 0, texture), disc(TEXTURE_AROUND))
        share = np.clip(2 * texture / np.maximum(usual, np.float32(1e-3)), 0.05, 1)
        return np.where(usual > 0, share, 1).astype(np.float32)


def shown(opacity: Plane, colours: Plane, sigma: float) -> Plane:
    """Return what a blurred layer (y, x, channel) adds to an image."""
    return blurred(opacity[..., np.newaxis] * colours, sigma)


def misfit(
    series: Series, opacities: Sequence[Plane], colours: Sequence[Plane], tried: int
) -> NDArray[np.float32]:
    """Return how far frames are from what layers would show in them: mean squares around pixels.

    One plane (y, x) for each frame that is compared.

    Parameters
    ----------
    series : Series
    opacities, colours : sequence of ndarray
        Of the layers, from the farthest to the nearest.
    tried : int
        How many of the frames are compared.
    """
    numbers = np.unique(np.linspace(0, len(series.frames) - 1, tried).round().astype(int))
    total = []
    for number in numbers.tolist():
        image = np.zeros_like(series.fused)
        light = np.ones(series.labels.shape, np.float32)
        for layer in reversed(range(len(opacities))):
            if (opacity := opacities[layer]).any():
                sigma = series.blur(layer, number)
                image += light[..., np.newaxis] * shown(opacity, colours[layer], sigma)
                light *= 1 - np.minimum(blurred(opacity, sigma), 1)
        image /= np.maximum(1 - light, np.float32(1e-3))[..., np.newaxis]
        total.append(window_mean(squared(series.frames[number] - image), 2.0))
    return np.stack(total)
