"""The method "auto": depth first, then details from the frames that are sharp around each pixel."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.focus.frame_statistics import (
    SeriesStatistics,
    SharpnessFold,
    limit_workers,
)
from napari_stack.operators.focus.highlights import Veils
from napari_stack.operators.focus.methods import Auto, WorkingResult
from napari_stack.operators.focus.noise_averaging import NoiseAveragingFold
from napari_stack.operators.focus.restricted_pyramid import (
    LEVELS,
    MARGIN,
    RestrictedFold,
    frame_limits,
)
from napari_stack.operators.focus.screening.bad_frames import screened
from napari_stack.operators.focus.true_colours import nearest_colours
from napari_stack.operators.focus.unfocused import LEAST_SHARE

Array = np.ndarray[Any, Any]

# Noise, as a share of the brightest pixel, from which on averaging frames is worth a pass.
NOISY = 0.004
# Bytes a pixel and channel that a fold and the frames in flight take, in float32.
PIXEL_BYTES = 40


def fuse(
    stack: Stack, run: Run, channels: ChannelWeights, method: Auto, *, uncertain: bool = False
) -> WorkingResult:
    """Fuse a series in two passes, or in three where noise is averaged."""
    run = limit_workers(run, stack)
    stack, first = screened(
        stack,
        lambda kept: run.part(0, 2).fold(
            SharpnessFold(kept, channels, run, even=method.even_brightness),
            kept,
            what="Measuring sharpness",
        ),
    )
    statistics, shape = first.statistics(), stack.shape[1:]
    maps = first.depth.maps(uncertain=uncertain)
    depth, confidence, label, without = maps.depth, maps.confidence, maps.label, maps.untextured
    told = maps.beyond, maps.deviation
    if np.mean(without) < LEAST_SHARE:
        without[:] = 0
    veils = Veils(first.least_light(), label)
    del first, maps
    limits = frame_limits(label, method.reach)
    worth = statistics.noise > NOISY * statistics.top and np.count_nonzero(stack.used) > 2
    noisy = method.average_noise and bool(worth)
    image = np.empty((*shape[:2], shape[2] if len(shape) == 3 else 1), stack.working)
    covered = np.empty(shape[:2], bool)
    bands = list(bands_of(shape, run.memory))
    for number, band in enumerate(bands):
        part = run.part(1, 2).part(number, len(bands))
        wide = slice(max(band.start - MARGIN, 0), min(band.stop + MARGIN, shape[0]))
        filled = depth[wide], without[wide]
        own = limits.rows(wide), statistics, wide, filled, veils.rows(wide)
        fold = RestrictedFold(stack, channels, *own)
        found = _fused(fold, stack, part, averaged=noisy)
        inner = slice(band.start - wide.start, band.stop - wide.start)
        image[band], covered[band] = (plane[inner] for plane in found)
    image = image.reshape(shape)
    if method.pairs_as_recorded and _is_even_pair(stack, statistics):
        image = nearest_colours(stack, run, channels, image)
    return WorkingResult(image, depth, confidence, covered, *told)


def _fused(fold: RestrictedFold, stack: Stack, run: Run, *, averaged: bool) -> tuple[Array, Array]:
    """Return the fused rows of a fold, and where a frame is valid."""
    part = partial(run.part, count=1 + averaged)
    fold = part(0).fold_rows(fold, stack, what="Fusing frames")
    fused = fold.sums.collapse()
    fold.range.clamp(fused)
    if averaged:
        averaging = NoiseAveragingFold(fused, fold.channels, fold.statistics, fold.rows)
        averaging = part(1).fold_rows(averaging, stack, what="Averaging what agrees")
        fused = averaging.averaged(fused)
        fold.range.clamp(fused)
    fold.calm(fused)
    return fold.range.finished(fused)


def _is_even_pair(stack: Stack, statistics: SeriesStatistics) -> bool:
    """Whether any pixel is right in one of two frames: of one brightness and little noise."""
    numbers = np.flatnonzero(stack.used).tolist()
    even = not any(statistics.flickers(i) for i in numbers)
    return len(numbers) == 2 and even and statistics.noise <= NOISY * statistics.top


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
