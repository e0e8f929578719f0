"""Pixel work of `balance`: samples of frames, what lies between two, and its application."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.pixels.bit_depth import bits_top
from napari_stack.core.pixels.channels import colour_channels
from napari_stack.core.pixels.luminance import brightness
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.run import Run
from napari_stack.operators.corrections.pixelwise_kernels import bend, bend_power, scale
from napari_stack.operators.corrections.tone_curves import (
    Curve,
    gamma_between,
    matching_curve,
)

#: Part of the greatest value by which single precision may miss it.
_ROUNDING = 1e-4

#: Pixels that are sampled at least, where a frame has so many.
_LEAST_SAMPLE = 2**17

_SPACES = {
    "hsv": (cv2.COLOR_RGB2HSV, cv2.COLOR_HSV2RGB),
    "hls": (cv2.COLOR_RGB2HLS, cv2.COLOR_HLS2RGB),
    "lab": (cv2.COLOR_RGB2Lab, cv2.COLOR_Lab2RGB),
}


class Sampling(NamedTuple):
    """Which pixels are measured, and what of them."""

    channels: str
    mapping: str
    top: float
    mask_size: float
    intensity_min: float
    intensity_max: float
    subsample: int


class Sample(NamedTuple):
    """Measured quantities of a frame, each of shape (pixels,), and how many pixels one stands for.

    `inside` are those in the mask and the interval, `everywhere` those of the whole frame.
    """

    inside: list[NDArray[Any]]
    everywhere: NDArray[Any]
    weight: int


class Tones(NamedTuple):
    """What changes each balanced quantity of a frame: a gain or gamma, or a curve."""

    mapping: str
    gains: Sequence[float]
    curves: Sequence[Curve]

    def apply(self, part: NDArray[Any], k: int, top: float) -> None:
        """Change quantity `k`, shape (rows, x, channel), in place."""
        gain = self.gains[k]
        if self.curves:
            apply_curve(part, self.curves[k])
        elif self.mapping == "gamma" and gain != 1:
            bend_power(part, 1 / gain, top)
        elif self.mapping == "linear" and gain != 1:
            scale(part, np.array([gain], part.dtype), part.dtype.type(0))


class Balanced(NamedTuple):
    """What was found for a frame."""

    gains: list[float]
    clipped: int
    curves: list[Curve]


def find_top(stack: Stack, run: Run) -> float:
    """Value of full brightness of a stack's data; 12 bits in 16 are found from the pixels."""
    if stack.dtype == np.uint8:
        return 255.0
    greatest = max(run.each(_greatest, stack, what="Finding the range"))
    return bits_top(stack.dtype, greatest)


def _greatest(stack: Stack, index: int) -> float:
    values, _ = stack.values(index)
    return float(colour_channels(values, stack.alpha).max())


def sample(stack: Stack, index: int, sampling: Sampling) -> Sample:
    """Take the measured quantities of a frame.

    Raises
    ------
    ValueError
        When no pixel lies in the mask and the interval.
    """
    values, valid = stack.values(index)
    height, width = values.shape[:2]
    enough = int(np.sqrt(max(height * width / _LEAST_SAMPLE, 1)))
    step = min(sampling.subsample, enough)
    every = (slice(step // 2, None, step),) * 2
    values = values[every].astype(stack.working)
    values = colour_channels(values, stack.alpha)
    inside = _disc((height, width), sampling.mask_size)[every]
    if valid is not None:
        inside = inside & valid[every]
    quantities = _quantities(values, stack.rgb, sampling)
    parts = [_in_interval(q, b, inside, sampling) for q, b in quantities]
    if any(not len(part) for part in parts):
        raise UserError(
            f"{stack.source.label(index)} has no pixel in the mask and the intensity interval: "
            "widen them"
        )
    return Sample(parts, values.reshape(-1, values.shape[2]), step * step)


def _disc(size: tuple[int, int], mask_size: float) -> NDArray[np.bool_]:
    if not mask_size:
        return np.ones(size, bool)
    y, x = np.ogrid[: size[0], : size[1]]
    radius = mask_size * min(size) / 2
    disc: NDArray[np.bool_] = (y - (size[0] - 1) / 2) ** 2 + (x - (size[1] - 1) / 2) ** 2 <= (
        radius**2
    )
    return disc


def _quantities(
    values: NDArray[Any], rgb: bool, sampling: Sampling
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Pairs of a measured quantity and the intensity that the interval is about."""
    grey = brightness(values, rgb)
    if sampling.channels == "luminosity":
        return [(grey, grey)]
    if sampling.channels == "rgb":
        return [(values[..., k], values[..., k]) for k in range(values.shape[2])]
    _, colour, light = _split(values, sampling.channels, sampling.top)
    return [(colour, grey), (light, grey)]


def _in_interval(
    quantity: NDArray[Any], intensity: NDArray[Any], inside: NDArray[np.bool_], sampling: Sampling
) -> NDArray[Any]:
    if sampling.mapping == "match_histogram":
        return np.sort(quantity[inside])
    keep = inside
    if sampling.intensity_min > 0:
        keep = keep & (intensity >= sampling.intensity_min)
    if sampling.intensity_max >= 0:
        keep = keep & (intensity <= sampling.intensity_max)
    return quantity[keep]


def compare(stack: Stack, index: int, *, fixed: Sample, sampling: Sampling) -> Balanced:
    """Find what lies between a frame and the reference's sample."""
    moving = sample(stack, index, sampling)
    tops = _tops(sampling)
    gains, curves = [], []
    for k, (pixels, reference) in enumerate(zip(moving.inside, fixed.inside, strict=True)):
        if sampling.mapping == "gamma":
            target = float(np.clip(reference, 0, tops[k]).mean(dtype=np.float64))
            gains.append(gamma_between(pixels, target, tops[k]))
            continue
        gains.append(_ratio(pixels, reference))
        if sampling.mapping == "match_histogram":
            whole = stack.dtype.kind in "ui" and sampling.channels == "rgb"
            whole = whole or (sampling.channels == "luminosity" and _whole(pixels))
            curves.append(matching_curve(pixels, reference, whole))
    clipped = _count_clipped(stack, moving, gains, curves, sampling)
    return Balanced(gains, clipped, curves)


def _whole(pixels: NDArray[Any]) -> bool:
    return bool((pixels[:: max(1, len(pixels) // 1000)] % 1 == 0).all())


def _tops(sampling: Sampling) -> list[float]:
    if sampling.channels == "lab":
        return [100.0, 100.0]
    return [1.0, 1.0] if sampling.channels in ("hsv", "hls") else [sampling.top] * 10_000


def _ratio(pixels: NDArray[Any], reference: NDArray[Any]) -> float:
    mean = float(pixels.mean(dtype=np.float64))
    target = float(reference.mean(dtype=np.float64))
    return target / mean if mean > 0 and target > 0 else 1.0


def _count_clipped(
    stack: Stack, moving: Sample, gains: list[float], curves: list[Curve], sampling: Sampling
) -> int:
    """Pixels that are sent out of the range of the type, or of the colours, as sampled."""
    most = float(np.iinfo(stack.dtype).max) if stack.dtype.kind in "ui" else np.inf
    tones = Tones(sampling.mapping, gains, curves)
    before = moving.everywhere[np.newaxis]
    if sampling.channels in _SPACES:
        out = _beyond_colours(before, tones, sampling, most)
    else:
        after = before.copy()
        change(after, tones, sampling.channels, sampling.top)
        out = np.any((after >= most + 0.5) & (before < most), axis=2)
    return int(out.sum()) * moving.weight


def _beyond_colours(
    values: NDArray[Any], tones: Tones, sampling: Sampling, most: float
) -> NDArray[np.bool_]:
    """Pixels whose saturation or brightness is sent beyond what there is."""
    _, *parts = _split(values[..., :3], sampling.channels, sampling.top)
    full = 100.0 if sampling.channels == "lab" else 1.0
    # Chroma has no bound of its own, and value only that of the pixel type.
    bounds = {
        "hsv": (1.0, most / sampling.top), "hls": (1.0, 1.0), "lab": (np.inf, 100.0),
    }[sampling.channels]  # fmt: skip
    out: NDArray[np.bool_] = np.zeros(values.shape[:2], bool)
    for k, (part, bound) in enumerate(zip(parts, bounds, strict=True)):
        after = part[..., np.newaxis].copy()
        tones.apply(after, k, full)
        out = out | ((after[..., 0] > bound * (1 + _ROUNDING)) & (part < bound))
    return out


def change(block: NDArray[Any], tones: Tones, channels: str, top: float) -> None:
    """Change rows of a frame in place.

    Parameters
    ----------
    block : ndarray, shape (rows, x, channel)
    tones : Tones
    channels : str
        What is balanced.
    top : float
        Value of full brightness.
    """
    if channels == "luminosity":
        tones.apply(block, 0, top)
    elif channels == "rgb":
        for k in range(len(tones.gains)):
            tones.apply(block[..., k : k + 1], k, top)
    else:
        hue, colour, light = _split(block[..., :3], channels, top)
        limit = 100.0 if channels == "lab" else 1.0
        for k, part in enumerate((colour, light)):
            tones.apply(part[..., np.newaxis], k, limit)
        block[..., :3] = _joined(hue, colour, light, channels, top)


def _split(
    values: NDArray[Any], channels: str, top: float
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Hue, saturation or chroma, and brightness of colours; each of its own memory."""
    unit = np.clip(values / values.dtype.type(top), 0, 1).astype(np.float32)
    one, two, three = cv2.split(cv2.cvtColor(unit, _SPACES[channels][0]))
    if channels == "hsv":
        return one, two, three
    if channels == "hls":
        return one, three, two
    return np.arctan2(three, two), np.hypot(two, three), one


def _joined(
    hue: NDArray[Any], colour: NDArray[Any], light: NDArray[Any], channels: str, top: float
) -> NDArray[Any]:
    if channels == "lab":
        parts = [np.clip(light, 0, 100), colour * np.cos(hue), colour * np.sin(hue)]
    else:
        colour = np.clip(colour, 0, 1)
        light = np.maximum(light, 0) if channels == "hsv" else np.clip(light, 0, 1)
        parts = [hue, colour, light] if channels == "hsv" else [hue, light, colour]
    unit: NDArray[Any] = cv2.cvtColor(cv2.merge(parts), _SPACES[channels][1])
    return unit * np.float32(top)


def apply_curve(part: NDArray[Any], curve: Curve) -> None:
    """Send rows of a frame through a curve, in place."""
    kind = part.dtype.type
    bend(part, curve.nodes.astype(part.dtype, copy=False), kind(curve.start), kind(curve.step))
