"""What is known of a focus series before it is taken apart: labels, depth, the growth of blur."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.run import Run
from napari_stack.operators.focus.depth import DepthMaps
from napari_stack.operators.focus.distance import uneven_places
from napari_stack.operators.focus.focus_measure import noise_gain, sharpness
from napari_stack.operators.focus.frame_statistics import (
    FrameStatistics,
    SeriesStatistics,
    SharpnessFold,
    limit_workers,
    measure_frame,
)
from napari_stack.operators.focus.occlusion.defocus import Looks, blur_growth
from napari_stack.operators.focus.occlusion.layering import REACH, disc
from napari_stack.operators.focus.screening.bad_frames import bad_frames
from napari_stack.operators.focus.screening.sketch import Sketch

Array = NDArray[Any]

# The sharpest frame of each pixel is found over a window that is narrow as a hair, in pixels.
WINDOW = 1.5
# Multiples of the noise's sharpness, and share of the strongest, below which a pixel's label is
# that of its surroundings; so is one with a certain depth, and specks of fewer pixels than this.
NOISE_MARGIN, FLAT_SHARE, CERTAIN, SPECK = 1.6, 0.01, 0.2, 12
# Confidence from which a depth counts where the growth of blur is measured, and within how many
# rows and columns that is done.
CONFIDENT, SAMPLE = 0.3, 768


@dataclass(frozen=True)
class Measured:
    """What was measured; places count the frames used from the farthest to the nearest."""

    stack: Stack  # without frames that are no part of it
    channels: ChannelWeights
    statistics: SeriesStatistics
    numbers: Array  # of the frames, from the farthest to the nearest
    places: Array  # where they lie
    labels: Array  # (y, x), the frame that is sharpest at each pixel, as a place
    even: Array  # (y, x), that of its surroundings
    depth: Array  # (y, x)
    confidence: Array  # (y, x), of the depth
    sure: Array  # (y, x), whether it is certain, and the depth even around
    deviation: Array | None = None  # (y, x), of the depth's error in frames, where asked for

    @property
    def scale(self) -> float:
        """What brings brightness to 0 to 255."""
        return 255 / max(self.statistics.top, float(np.finfo(np.float32).tiny))

    @property
    def noise(self) -> float:
        """Standard deviation of the noise, on that scale."""
        return self.statistics.noise / noise_gain() * self.scale

    def frame(self, number: int, rows: slice) -> tuple[Array, Array | None]:
        """Return rows of a frame (y, x, channel) on that scale, and what is valid; None for all."""
        colours, _, valid = self.channels.split(*self.stack.read(number, rows))
        colours = self.statistics.apply_gain(colours, number)
        return (colours * self.scale).astype(np.float32, copy=False), valid

    def sampled(self) -> tuple[slice, slice]:
        """Return the rows and columns in which most of the depth is certain."""
        return _surest(self.sure)

    def growth(self, image: Array, run: Run) -> float | None:
        """Return by how many pixels blur grows from frame to frame, given the fused image."""
        rows, columns = self.sampled()
        fused, _, _ = self.channels.split(image[rows], None)
        seen = self.grey((fused * self.scale).astype(np.float32))[:, columns]
        looks = Looks(seen, self.depth[rows, columns], self.sure[rows, columns], self.places)
        place = {int(number): place for place, number in enumerate(self.numbers)}

        def compare(_stack: Stack, number: int) -> list[tuple[float, int]]:
            grey = self.grey(self.frame(number, rows)[0])[:, columns]
            return looks.compare(place[number], grey)

        here = replace(run, executor=None)  # what is compared stays in this process
        return blur_growth(here.each(compare, self.stack, place, what="Telling how blur grows"))

    def grey(self, colours: Array) -> Array:
        """Return the brightness (y, x) of colours."""
        grey: Array = self.channels.grey(colours)
        return grey


def measured(
    stack: Stack,
    run: Run,
    channels: ChannelWeights,
    *,
    near_last: bool,
    by_light: bool = True,
    uncertain: bool = False,
) -> Measured:
    """Measure a series, whose last frame is the nearest, or its first.

    Sharpness counts for less where there is more light than usual, `by_light`, or as it is. With
    `uncertain`, the deviation of the depth's error is given too.
    """
    run = limit_workers(run, stack)
    first = _fold(stack, run, channels, by_light=by_light)
    # Those who fused it have told already which frames are no part of the series.
    if bad := bad_frames(first.sketches, whole=stack.dtype.kind in "ui"):
        used = stack.used.copy()
        used[list(bad)] = False
        stack = replace(stack, used=used)
        first = _fold(stack, run, channels, by_light=by_light)
    maps = first.measuring.depth.maps(uncertain=uncertain)
    numbers = np.flatnonzero(stack.used)
    statistics = first.measuring.statistics()
    places = uneven_places(stack)
    places = np.arange(len(stack), dtype=np.float32) if places is None else places
    depth = np.interp(maps.depth, numbers, np.arange(len(numbers))).astype(np.float32)
    if not near_last:
        numbers, depth = numbers[::-1], len(numbers) - 1 - depth
    order = np.zeros(len(stack), np.uint16)
    order[numbers] = np.arange(len(numbers))
    even = order[maps.label]
    labels = _labels(first, order, even, maps, statistics)
    sure = _even_around(even) & (maps.confidence > CONFIDENT)
    own = stack, channels, statistics, numbers, places[numbers]
    return Measured(*own, labels, even, depth, maps.confidence, sure, maps.deviation)


class LabelFold:
    """The pass: what `SharpnessFold` measures, and the sharpest frame over narrow windows."""

    def __init__(self, measuring: SharpnessFold, *, by_light: bool) -> None:
        self.measuring, self.by_light = measuring, by_light
        shape = measuring.depth.curves[0].best.shape
        self.best, self.label = np.full(shape, -1, np.float32), np.zeros(shape, np.uint16)

    @property
    def sketches(self) -> dict[int, Sketch]:
        """Sketches of the frames, by their numbers."""
        return self.measuring.sketches

    def prepare(self, stack: Stack, index: int) -> tuple[FrameStatistics, Array]:
        """Measure a frame."""
        grey, valid = self.measuring.read(stack, index)
        reference = self.measuring.reference
        statistics = measure_frame(grey, valid, reference, by_light=self.by_light)
        energy = sharpness(grey * np.float32(statistics.gain), valid, WINDOW)
        return statistics, energy

    def add(self, index: int, prepared: tuple[FrameStatistics, Array]) -> None:
        """Take in a frame."""
        statistics, energy = prepared
        self.measuring.add(index, statistics)
        self._keep_larger(energy, index)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        self.measuring.merge(later.measuring)
        self._keep_larger(later.best, later.label)

    def _keep_larger(self, energy: Array, label: Array | int) -> None:
        larger = energy > self.best
        np.copyto(self.label, label, where=larger)
        np.copyto(self.best, energy, where=larger)


def _fold(stack: Stack, run: Run, channels: ChannelWeights, *, by_light: bool) -> LabelFold:
    measuring = SharpnessFold(stack, channels, run, even=True)
    return run.fold(LabelFold(measuring, by_light=by_light), stack, what="Measuring sharpness")


def _labels(
    first: LabelFold, order: Array, even: Array, maps: DepthMaps, statistics: SeriesStatistics
) -> Array:
    """Return each pixel's own sharpest frame where there is one, else that of its surroundings."""
    floor = NOISE_MARGIN * statistics.noise + FLAT_SHARE * float(np.percentile(first.best, 99.9))
    own = cv2.medianBlur(order[first.label], 5)
    labels = np.where((first.best > floor) & (maps.confidence < CERTAIN), own, even)
    odd = np.abs(labels.astype(np.int32) - even) > 1
    _, parts, found, _ = cv2.connectedComponentsWithStats(odd.astype(np.uint8), connectivity=8)
    small = found[:, cv2.CC_STAT_AREA] < SPECK
    small[0] = False
    return np.where(small[parts], even, labels)


def _even_around(labels: Array) -> Array:
    around = disc(REACH)
    return cv2.dilate(labels, around).astype(np.int32) - cv2.erode(labels, around) <= 1


def _surest(sure: Array) -> tuple[slice, slice]:
    """Return the window in which most pixels are sure."""
    height, width = (min(side, SAMPLE) for side in sure.shape)
    total = np.pad(sure.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows, columns = (
        np.unique([*range(0, whole - part + 1, 64), whole - part])
        for whole, part in zip(sure.shape, (height, width), strict=True)
    )
    down, across = rows[:, np.newaxis], columns[np.newaxis]
    inside = total[down + height, across + width] + total[down, across]
    inside -= total[down + height, across] + total[down, across + width]
    row, column = np.unravel_index(int(np.argmax(inside)), inside.shape)
    top, left = int(rows[row]), int(columns[column])
    return slice(top, top + height), slice(left, left + width)
