"""The method "pyramid": at every level the strongest details; in one pass, or two in less memory.

What is known of the frames so far is a state. States of consecutive parts of a series can be made
apart, in other threads or on other machines, and merged; the image is the same, bit by bit, as
from one state for every frame.
"""

from functools import partial
from typing import Any, Self

import numpy as np

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.focus.depth import HALVINGS
from napari_stack.operators.focus.distance import uneven_places
from napari_stack.operators.focus.focus_measure import (
    Sharpness,
    noise_of,
    noise_response,
    noise_rows,
    sharpness,
)
from napari_stack.operators.focus.frame_statistics import (
    FLICKER,
    SeriesStatistics,
    SharpnessFold,
    limit_workers,
    series_gains,
)
from napari_stack.operators.focus.methods import Pyramid, WorkingResult
from napari_stack.operators.focus.pyramid_kernels import reduce
from napari_stack.operators.focus.pyramid_levels import (
    Splitter,
    level_count,
    level_sizes,
    reduced_plane,
    rows_at,
)
from napari_stack.operators.focus.pyramid_state import PyramidState
from napari_stack.operators.focus.screening.bad_frames import Sketched, screened
from napari_stack.operators.focus.screening.sketch import Sketch, sketch
from napari_stack.operators.focus.strip_fold import Strip, StripFold

Array = np.ndarray[Any, Any]

# Bytes a pixel that the state takes, and those of a frame in flight: for every channel, and beside.
STATE_BYTES = 8, 40
FRAME_BYTES = 6, 12
# Rows around a strip within reach of the sharpness, and of the details beside the window of their
# energy.
SHARPNESS_MARGIN, DETAIL_MARGIN = 12, 8
# No gains: frames that hardly differ in brightness are taken as they are.
AS_THEY_ARE = SeriesStatistics({}, 0.0, 0.0)


class _PartialFrame:
    """What is left of a frame whose strips are taken in: its next level, and its noise.

    Where the pyramid has no levels, its colours are of full size.
    """

    def __init__(self, size: tuple[int, ...], shape: tuple[int, ...], dtype: Any, noisy: int):
        self.colours = np.empty(shape, dtype)
        self.grey = np.empty(level_sizes(size, 1)[1], dtype)
        self.noise = np.empty((noisy, max(size[1] - 2, 0)), dtype)
        # Shares of valid pixels by the size of the level; none where all pixels are.
        self.shares: dict[tuple[int, ...], Array] = {}

    def share(self, shape: tuple[int, ...]) -> Array:
        """Return where the shares of valid pixels go; they are made for the first strip."""
        if (found := self.shares.get(shape)) is None:
            # Strips come at the same time: the first one's are taken.
            found = self.shares.setdefault(shape, np.ones(shape, self.grey.dtype))
        return found


class PyramidFold(StripFold):
    """The fold: the finest level in strips, the others when a frame is closed.

    Parameters
    ----------
    stack : Stack
        The frames that will come.
    channels : ChannelWeights
    method : Pyramid
    measure : bool
        Measure the depth too.
    alone : bool
        No state comes before this one.
    statistics : SeriesStatistics
        Gains of the frames.
    """

    def __init__(
        self,
        stack: Stack,
        channels: ChannelWeights,
        method: Pyramid,
        *,
        measure: bool,
        alone: bool,
        statistics: SeriesStatistics = AS_THEY_ARE,
    ) -> None:
        shape = stack.shape[1:]
        super().__init__(channels, slice(0, shape[0]))
        # Fewer rows where more is made of each.
        self.tall = 96 if measure else 192
        needed = max(SHARPNESS_MARGIN if measure else 0, DETAIL_MARGIN + method.kernel_size // 2)
        self.margin = -(-needed // 2) * 2  # strips begin at even rows
        self.levels = level_count(shape, method.min_size)
        self.statistics = statistics
        weights = channels.weights(stack.channels, stack.working)
        self.centre = method.kernel_parameter
        self.splitter = Splitter(self.centre, weights, method.kernel_size)
        self.begin = partial(
            PyramidState,
            shape,
            stack.dtype,
            channels,
            method,
            measure=measure,
            alone=alone,
            places=uneven_places(stack),
        )
        numbers = np.flatnonzero(stack.used).tolist()
        self.previous = dict(zip(numbers[1:], numbers, strict=False))
        self.noisy = noise_rows(shape[0]) if min(shape[:2]) >= 3 else np.empty(0, int)
        self.partial: dict[int, _PartialFrame] = {}
        self.sketches: dict[int, Sketch] = {}
        # On its way to another process a state of no frames is not sent along.
        self.state: Any = self.begin() if alone else None

    def add(self, index: int, prepared: Stack) -> None:
        """Take in a frame."""
        if self.state is None:
            self.state = self.begin()
        super().add(index, prepared)

    def take_in(self, index: int, strip: Strip) -> None:
        """Take in the finest level of a strip, and keep what the coarser ones need."""
        state = self.state
        strip = strip.levelled(self.statistics, index, state.range)
        rows, inner, colours = strip.rows, strip.inner, strip.colours
        share = None if strip.valid is None else strip.valid.astype(colours.dtype)
        coarser, coarser_share = colours, share
        if self.levels:
            coarser = reduce(colours, self.centre)
            coarser_share = share if share is None else reduced_plane(share, centre=self.centre)
            found = self.splitter.finest(colours, coarser, share)
            state.take(rows, *(plane[inner] for plane in found))
        frame = self._partial_frame(index)
        here, there = (rows_at(part, min(self.levels, 1)) for part in (rows, inner))
        frame.colours[here] = coarser[there]
        if coarser_share is not None:
            frame.share(frame.colours.shape[:2])[here] = coarser_share[there]
        if state.depth is not None:
            self._measure(index, strip, frame, share)

    def _partial_frame(self, index: int) -> _PartialFrame:
        if (found := self.partial.get(index)) is None:
            pixels = self.state.pixels[min(self.levels, 1)]
            made = _PartialFrame(self.state.shape, pixels.shape, pixels.dtype, len(self.noisy))
            found = self.partial.setdefault(index, made)  # strips come at the same time
        return found

    def _measure(self, index: int, strip: Strip, frame: _PartialFrame, share: Array | None) -> None:
        """Measure how sharp a strip is, and the response of the noise filter."""
        grey, rows = self.channels.grey(strip.colours), strip.rows
        curve = self.state.depth.curves[0]
        energy = sharpness(grey, strip.valid)[strip.inner]
        curve.take(index, self.previous.get(index, -2), rows, energy)
        here, there = rows_at(rows, 1), rows_at(strip.inner, 1)
        frame.grey[here] = reduced_plane(grey, centre=self.centre)[there]
        if share is not None and not self.levels:
            frame.share(frame.grey.shape)[here] = reduced_plane(share, centre=self.centre)[there]
        first, last = np.searchsorted(self.noisy, (rows.start, rows.stop))
        frame.noise[first:last] = noise_response(grey, self.noisy[first:last] - strip.wide.start)

    def close(self, index: int) -> None:
        """Take in the coarser levels of a frame."""
        frame, state = self.partial.pop(index), self.state
        self.sketches[index] = self._sketch(frame)
        if state.depth is not None:
            fine, coarse = state.depth.curves
            fine.close(index, noise_of(frame.noise) if frame.noise.size else 0.0)
            grey, share = frame.grey, frame.shares.get(frame.grey.shape)
            grey = reduced_plane(grey, HALVINGS - 1, self.centre)
            if share is not None:
                share = reduced_plane(share, HALVINGS - 1, self.centre) > 1 - 1e-4
            coarse.add(index, *Sharpness.of(grey, share))
        share = frame.shares.get(frame.colours.shape[:2])
        state.close([index], *self.splitter.coarser(frame.colours, share, self.levels))

    def _sketch(self, frame: _PartialFrame) -> Sketch:
        """Sketch a frame from its colours of half size (of full size without levels)."""
        grey = self.channels.grey(frame.colours)
        halvings = HALVINGS - min(self.levels, 1)
        share = frame.shares.get(grey.shape)
        coarse = reduced_plane(grey, halvings, self.centre)
        if share is not None:
            share = reduced_plane(share, halvings, self.centre) > 1 - 1e-4
        return sketch(grey[::8], coarse, share)

    def glimpse(self) -> Array | None:
        """Return a small image of the frames so far."""
        return None if self.state is None else self.state.glimpse()

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        self.sketches |= later.sketches
        if self.state is None:
            self.state = later.state
        elif later.state is not None:
            self.state.merge(later.state)


def fuse(
    stack: Stack,
    run: Run,
    channels: ChannelWeights,
    method: Pyramid,
    *,
    depth: bool,
    uncertain: bool = False,
) -> WorkingResult:
    """Fuse a series.

    The depth is measured in a pass of its own where both together would not fit the run's memory.
    """
    fits = _fits(stack, run)
    if not fits:
        run = limit_workers(run, stack)
        if depth:
            stack, apart = screened(
                stack,
                lambda kept: run.part(0, 2).fold(
                    SharpnessFold(kept, channels, run, even=False), kept, what="Measuring sharpness"
                ),
            )
            maps = apart.depth.maps(uncertain=uncertain)
            found = _folded(stack, run.part(1, 2), channels, method, _flicker(method, apart))
            image = found.state.finish()
            return image.with_depth(maps)
    stack, fold = screened(
        stack, lambda kept: _folded(kept, run, channels, method, measure=depth and fits)
    )
    if (levels := _flicker(method, fold)) is not AS_THEY_ARE:
        fold = _folded(stack, run, channels, method, levels, measure=depth and fits)
    result: WorkingResult = fold.state.finish(uncertain=uncertain)
    return result


def _folded(
    stack: Stack,
    run: Run,
    channels: ChannelWeights,
    method: Pyramid,
    statistics: SeriesStatistics = AS_THEY_ARE,
    *,
    measure: bool = False,
) -> PyramidFold:
    alone = run.executor is None
    fold = PyramidFold(stack, channels, method, measure=measure, alone=alone, statistics=statistics)
    return run.fold_rows(fold, stack, what="Fusing frames")


def _flicker(method: Pyramid, fold: Sketched) -> SeriesStatistics:
    """Return gains that bring the frames to one brightness; none where they hardly differ."""
    gains = series_gains(fold.sketches) if method.even_brightness else {}
    if all(abs(np.log(gain)) < FLICKER for gain in gains.values()):
        return AS_THEY_ARE
    return SeriesStatistics(gains, 0.0, 0.0)


def _fits(stack: Stack, run: Run) -> bool:
    channels = stack.shape[3] if stack.ndim == 4 else 1
    state, frame = (each * channels + rest for each, rest in (STATE_BYTES, FRAME_BYTES))
    pixels = stack.shape[1] * stack.shape[2]
    return pixels * (state + (run.threads + 1) * frame) <= run.memory
