"""What one pass measures of the frames: sharpness, brightness, noise; and the fold of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np

from napari_stack.core.pixels.luminance import STRIP, ChannelWeights, brightness_of, strips_of
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.run import Run
from napari_stack.operators.focus.compressed import without_compression
from napari_stack.operators.focus.depth import HALVINGS, DepthState
from napari_stack.operators.focus.distance import uneven_places
from napari_stack.operators.focus.focus_measure import Sharpness, noise_sharpness, sharpness
from napari_stack.operators.focus.highlights import DarkPlaces, Light, light_around, weigh_by_light
from napari_stack.operators.focus.pyramid_levels import level_sizes, reduced_plane
from napari_stack.operators.focus.screening.sketch import Sketch, sketch

Array = np.ndarray[Any, Any]

# Rows around a strip within reach of its filters: the window's, and twice the pyramid's kernel.
MARGIN = 32
# Cells along the longer side of the thumbnail of a frame, by which brightness is compared.
CELLS = 16
# A frame that is darker or brighter by more than this is no flicker: it is left as it is, unless
# it is the other exposure of the same, up to the second: all of it is darker in proportion, with
# logarithms that differ by so little.
GREATEST_GAIN, GREATEST_EXPOSURE, IN_PROPORTION = 1.5, 8.0, 0.04
# Logarithm of a gain that is more than small differences of light between frames.
FLICKER = 0.02
# Bytes a pixel and channel that a frame in flight takes while it is measured.
FRAME_BYTES = 8


class Thumbnail(NamedTuple):
    """A small image of a frame: in each cell the sum of brightness and the number of pixels."""

    total: Array
    pixels: Array


class Reference(NamedTuple):
    """What the frames of a series are compared with: brightness and light of the middle ones."""

    thumbnail: Thumbnail
    light: Light


class FrameStatistics(NamedTuple):
    """What one pass measures of a frame, all but the gain at the brightness of the reference."""

    sharpness: tuple[Sharpness, ...]
    noise: float  # sharpness that its noise gives
    top: float  # largest brightness, or darkness of data below 0
    gain: float  # that brings the frame to the reference's brightness
    half: Array  # its light at half its size and the reference's brightness, infinite if invalid
    sketch: Sketch


@dataclass(frozen=True)
class SeriesStatistics:
    """What was measured of a series: gains of its frames, its noise, and its brightest pixel."""

    gains: dict[int, float]
    noise: float
    top: float

    def apply_gain(self, colours: Array, index: int) -> Array:
        """Return a frame's colours at the brightness that is common to the frames."""
        gain = self.gains.get(index, 1.0)
        return colours if gain == 1 else colours * colours.dtype.type(gain)

    def flickers(self, index: int) -> bool:
        """Whether a frame differs so much that its values are no limit for the fused image."""
        return abs(np.log(self.gains.get(index, 1.0))) > FLICKER


def measure_frame(
    grey: Array,
    valid: Array | None,
    reference: Reference | None = None,
    *,
    even: bool = True,
    by_light: bool = True,
) -> FrameStatistics:
    """Measure a frame's sharpness at two scales, its noise, and its gain to a reference.

    The gain is 1 unless the frames are to be brought to one brightness, `even`. Sharpness counts
    for less where there is more light than usual, unless not `by_light`.
    """
    height = len(grey)
    energy = np.empty(grey.shape, np.float32)
    for rows in strips_of(height, STRIP):
        wide = slice(max(rows.start - MARGIN, 0), min(rows.stop + MARGIN, height))
        energy[rows] = sharpness(grey[wide])[rows.start - wide.start : rows.stop - wide.start]
    if valid is not None:
        energy[~valid] = -1
    half, coarse, support = _smaller(grey, valid)
    sample = _sampled(grey)
    noise = noise_sharpness(sample)
    both = Sharpness(energy, noise), Sharpness.of(coarse, support)
    scales = without_compression(both, sample)
    gain = 1.0
    if reference is not None and even:
        gain = gain_to(reference.thumbnail, _thumbnail(coarse, support))
    if gain != 1:
        for plane, _ in scales:
            np.multiply(plane, np.float32(gain), out=plane, where=plane > 0)
    top = float(max(grey.max(), -grey.min()))
    if reference is not None and by_light:
        light = light_around(coarse, top).mean * np.float32(gain)
        weigh_by_light(energy, light, reference.light)
        if reference.light.has_highlights:  # their large discs are seen at the coarse scale
            weigh_by_light(scales[1].energy, light, reference.light, scales[1].noise * gain)
    half *= np.float32(gain)
    small = sketch(sample, coarse, support)
    return FrameStatistics(scales, noise * gain, top * gain, gain, half, small)


def middle_frames(stack: Stack) -> dict[int, Stack]:
    """Open the middle frame, or both, by their numbers."""
    numbers = np.flatnonzero(stack.used)
    middle = {int(numbers[(len(numbers) - 1) // 2]), int(numbers[len(numbers) // 2])}
    return {number: stack.opened(number) for number in sorted(middle)}


def reference_of(middle: Mapping[int, Stack], channels: ChannelWeights) -> Reference:
    """Return the middle frame's; of two in the middle the mean, whatever the order."""
    thumbnails, lights = [], []
    for frame in middle.values():
        grey, valid = read_grey(frame, 0, channels)
        _, coarse, support = _smaller(grey, valid)
        thumbnails.append(_thumbnail(coarse, support))
        lights.append(light_around(coarse, float(grey.max())))
    return Reference(Thumbnail(*_means(thumbnails)), Light(*_means(lights)))


def _means(values: Sequence[Iterable[Any]]) -> list[Any]:
    """Return the mean of the first of each, of the second of each, and so on."""
    return [sum(each) / len(values) for each in zip(*values, strict=True)]


def read_grey(stack: Stack, index: int, channels: ChannelWeights) -> tuple[Array, Array | None]:
    """Return the brightness of a frame, float32, and its valid pixels; None for all."""
    grey, valid = brightness_of(stack, channels).read(index)
    return grey.astype(np.float32, copy=False), valid


def _smaller(grey: Array, valid: Array | None) -> tuple[Array, Array, Array | None]:
    """Return a frame at half and a quarter of its size, and where all behind that is valid.

    The half is infinite where it is not valid; None stands for valid all over.
    """
    half, support = reduced_plane(grey), None
    coarse = reduced_plane(half, HALVINGS - 1)
    if valid is not None:
        share = reduced_plane(valid.astype(np.float32))
        support = reduced_plane(share, HALVINGS - 1) > 1 - 1e-4
        half[share <= 1 - 1e-4] = np.inf
    return half, coarse, support


def _sampled(grey: Array) -> Array:
    """Return triples of rows, one after another, of a tall frame: enough to measure its noise."""
    height = len(grey)
    if height <= 3 * 128:
        return grey
    first = np.linspace(0, height - 3, 128).astype(int)
    return grey[(first[:, np.newaxis] + np.arange(3)).ravel()]


def _thumbnail(coarse: Array, support: Array | None) -> Thumbnail:
    count = np.ones(coarse.shape, np.float32) if support is None else support.astype(np.float32)
    share = min(CELLS / max(coarse.shape), 1)
    size = tuple(max(1, round(side * share)) for side in coarse.shape[::-1])
    total, count = (
        cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (coarse * count, count)
    )
    return Thumbnail(total, count)


def gain_to(reference: Thumbnail, frame: Thumbnail) -> float:
    """Return the factor that brings a frame to the reference's brightness; 1 where unsure.

    It is the weighted median over the cells of thumbnails: the few cells into which a blurred
    bright edge spills have no influence.
    """
    known = (frame.pixels > 0.5) & (reference.pixels > 0.5)
    here, there = (image.total[known] / image.pixels[known] for image in (frame, reference))
    weight = np.maximum(here + there, 0)
    usable = (here > 0) & (there > 0)
    if not usable.any():
        return 1.0
    ratio, weight = (there[usable] / here[usable]).astype(float), weight[usable].astype(float)
    gain = _weighted_median(ratio, weight)
    spread = _weighted_median(np.abs(np.log(ratio / gain)), weight)
    greatest = GREATEST_EXPOSURE if spread < IN_PROPORTION else GREATEST_GAIN
    return gain if 1 / greatest < gain < greatest else 1.0


def _weighted_median(values: Array, weight: Array) -> float:
    order = np.argsort(values, kind="stable")
    place = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(place, place[-1] / 2)])


def series_gains(sketches: Mapping[int, Sketch]) -> dict[int, float]:
    """Return the factors that bring frames to their middle brightness, from their sketches."""
    numbers = sorted(sketches)
    small = {i: _thumbnail(sketches[i].picture, sketches[i].valid) for i in numbers}
    middle = {numbers[(len(numbers) - 1) // 2], numbers[len(numbers) // 2]}
    reference = Thumbnail(*_means([small[i] for i in sorted(middle)]))
    return _about_middle({i: gain_to(reference, small[i]) for i in numbers})


def _about_middle(gains: dict[int, float]) -> dict[int, float]:
    middle = float(np.median(list(gains.values())))
    return {index: gain / middle for index, gain in gains.items()}


class SharpnessFold:
    """The pass that measures the depth, the brightness and the noise of the frames.

    Parameters
    ----------
    stack : Stack
        The frames that will come.
    channels : ChannelWeights
    run : Run
        How they will come.
    even : bool
        Measure the gains that bring frames to one brightness.
    """

    def __init__(self, stack: Stack, channels: ChannelWeights, run: Run, *, even: bool) -> None:
        self.channels, self.even = channels, even
        middle = middle_frames(stack)
        self.reference = reference_of(middle, channels)
        # They are not decoded again, unless that is done elsewhere.
        self.opened = middle if run.executor is None else {}
        height, width = stack.shape[1:3]
        places = uneven_places(stack)
        alone = run.executor is None
        self.depth = DepthState((height, width), stack.dtype, alone=alone, places=places)
        self.gains: dict[int, float] = {}
        self.noises: list[float] = []
        self.sketches: dict[int, Sketch] = {}
        self.top = -np.inf
        self.dark = DarkPlaces(level_sizes((height, width), 1)[1])

    def prepare(self, stack: Stack, index: int) -> FrameStatistics:
        """Measure a frame."""
        return measure_frame(*self.read(stack, index), self.reference, even=self.even)

    def read(self, stack: Stack, index: int) -> tuple[Array, Array | None]:
        """Return the brightness of a frame, once."""
        if (frame := self.opened.pop(index, None)) is not None:
            return read_grey(frame, 0, self.channels)
        return read_grey(stack, index, self.channels)

    def add(self, index: int, prepared: FrameStatistics) -> None:
        """Take in a frame."""
        self.depth.add(index, prepared.sharpness)
        self.gains[index] = prepared.gain
        self.noises.append(prepared.noise)
        self.sketches[index] = prepared.sketch
        self.top = max(self.top, prepared.top)
        self.dark.add(prepared.half)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        self.depth.merge(later.depth)
        self.gains |= later.gains
        self.noises += later.noises
        self.sketches |= later.sketches
        self.top = max(self.top, later.top)
        self.dark.merge(later.dark)

    def statistics(self) -> SeriesStatistics:
        """Return gains towards the middle brightness, the noise and the brightest pixel."""
        gains, middle = _about_middle(self.gains), self._middle()
        return SeriesStatistics(gains, float(np.median(self.noises)) / middle, self.top / middle)

    def least_light(self) -> Array:
        """Return the least light beside bright things, at the middle brightness too."""
        return np.asarray(self.dark.least(self.top) / np.float32(self._middle()))

    def _middle(self) -> float:
        return float(np.median(list(self.gains.values())))


def limit_workers(run: Run, stack: Stack) -> Run:
    """Return a run with fewer frames in flight where several would not fit its memory."""
    frame = int(np.prod(stack.shape[1:])) * FRAME_BYTES
    fitting = max(1, run.memory // frame - 1)
    return replace(run, workers=fitting) if fitting < run.threads else run
