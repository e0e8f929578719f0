"""The automatic way to focus-stack: depth first, then details from the frames it points to."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np

from napari_stack.core.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.focus.depth import DepthState
from napari_stack.operators.focus.frame_statistics import (
    Light,
    Measured,
    gain_of,
    measure_frame,
    reference_light,
)
from napari_stack.operators.focus.noise_averaging import AgreeingFold
from napari_stack.operators.focus.restricted_pyramid import (
    LEVELS,
    MARGIN,
    RestrictedFold,
    make_zones,
)
from napari_stack.operators.focus.value_range import Scales

Array = np.ndarray[Any, Any]

# Noise, as a share of the brightest pixel, from which on averaging frames is worth a pass.
NOISY = 0.004
# Bytes a pixel and channel that a frame in flight takes while it is measured.
FRAME_BYTES = 8
# Bytes a pixel and channel that a fold and the frames in flight take, in float32.
PIXEL_BYTES = 40


class SharpnessFold:
    """The first pass: depth, light and noise of the frames.

    Parameters
    ----------
    shape : (int, int)
    dtype : dtype
        Type of the frames as they are stored.
    channels : ChannelWeights
    reference : Light
        What the frames' light is compared with, see `reference_light`.
    even : bool
        Bring frames to one level of light.
    alone : bool
        As for `DepthState`.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        dtype: np.dtype[Any],
        channels: ChannelWeights,
        reference: Light,
        *,
        even: bool,
        alone: bool = False,
    ) -> None:
        self.channels, self.reference, self.even = channels, reference, even
        self.depth = DepthState(shape, dtype, alone=alone)
        self.gains: dict[int, float] = {}
        self.noises: list[float] = []
        self.top = -np.inf

    def prepare(self, stack: Stack, index: int) -> tuple[Measured, float]:
        """Measure a frame."""
        found = measure_frame(stack, index, self.channels)
        gain = gain_of(found.light, self.reference) if self.even else 1.0
        if gain != 1:
            for scale in found.sharpness:
                np.multiply(
                    scale.energy, np.float32(gain), out=scale.energy, where=scale.energy > 0
                )
        return found, gain

    def add(self, index: int, prepared: tuple[Measured, float]) -> None:
        """Take in a frame."""
        found, gain = prepared
        self.depth.add(index, found.sharpness)
        self.gains[index] = gain
        self.noises.append(found.noise * gain)
        self.top = max(self.top, found.top * gain)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        self.depth.merge(later.depth)
        self.gains |= later.gains
        self.noises += later.noises
        self.top = max(self.top, later.top)

    def scales(self) -> Scales:
        """Return gains towards the middle level of light, the noise and the brightest pixel."""
        middle = float(np.median(list(self.gains.values())))
        gains = {index: gain / middle for index, gain in self.gains.items()}
        return Scales(gains, float(np.median(self.noises)) / middle, self.top / middle)


def fuse(
    stack: Stack,
    run: Run,
    channels: ChannelWeights,
    *,
    reach: int,
    even_brightness: bool,
    average_noise: bool,
) -> tuple[Array, Array, Array, Array]:
    """Fuse a series in two or three passes.

    Parameters
    ----------
    stack : Stack
    run : Run
    channels : ChannelWeights
    reach : int
        Radius, in pixels, in which the sharpest frames may contribute to a pixel.
    even_brightness : bool
        Bring frames to one level of light first.
    average_noise : bool
        Average the frames that agree within the noise, where there is noise.

    Returns
    -------
    image, depth, confidence, covered
        As `PyramidState.finish`.
    """
    numbers = np.flatnonzero(stack.used)
    reference = reference_light(stack, channels)
    height, width = stack.shape[1:3]
    run = calmed(run, stack)
    alone = run.executor is None
    size = (height, width)
    first = SharpnessFold(size, stack.dtype, channels, reference, even=even_brightness, alone=alone)
    first = run.part(0, 2).fold(first, stack, what="Measuring sharpness")
    scales, shape = first.scales(), stack.shape[1:]
    depth, confidence, label = first.depth.maps(last=True)
    del first
    zones = make_zones(label, reach)
    del label
    noisy = average_noise and len(numbers) > 2 and scales.noise > NOISY * scales.top
    image = np.empty((*shape[:2], shape[2] if len(shape) == 3 else 1), stack.working)
    covered = np.empty(shape[:2], bool)
    bands = list(bands_of(shape, run.memory))
    for number, band in enumerate(bands):
        part = partial(run.part(1, 2).part(number, len(bands)).part, count=1 + noisy)
        wide = slice(max(band.start - MARGIN, 0), min(band.stop + MARGIN, shape[0]))
        fold = RestrictedFold(stack, channels, zones.rows(wide), scales, wide)
        fold = part(0).fold_rows(fold, stack, what="Fusing frames")
        fused = fold.fused()
        fold.range.clamp(fused)
        if noisy:
            agreeing = AgreeingFold(fused, channels, scales, wide)
            agreeing = part(1).fold_rows(agreeing, stack, what="Averaging what agrees")
            fused = agreeing.averaged(fused)
            fold.range.clamp(fused)
        inner = slice(band.start - wide.start, band.stop - wide.start)
        image[band], covered[band] = (part[inner] for part in fold.range.finished(fused))
    return image.reshape(shape), depth, confidence, covered


def calmed(run: Run, stack: Stack) -> Run:
    """Return a run with fewer frames in flight where several would not fit its memory."""
    frame = int(np.prod(stack.shape[1:])) * FRAME_BYTES
    fitting = max(1, run.memory // frame - 1)
    return replace(run, workers=fitting) if fitting < run.threads else run


def bands_of(shape: tuple[int, ...], memory: int) -> Iterator[slice]:
    """Give bands of rows that are fused together: few, and within the memory."""
    height = shape[0]
    row = int(np.prod(shape[1:])) * PIXEL_BYTES
    rows = max(memory // row, 4 * MARGIN)
    count = -(-height // rows)
    tall = -(-height // count)
    tall += -tall % 2**LEVELS
    for start in range(0, height, tall):
        yield slice(start, min(start + tall, height))
