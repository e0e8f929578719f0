"""Focus stacking by a Laplacian pyramid: in one pass, or in two where memory is short."""

from functools import partial
from typing import Any, Self

import numpy as np

from napari_stack.core.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.focus.auto import SharpnessFold, calmed
from napari_stack.operators.focus.depth import HALVINGS, sharpness_rows, sharpness_where
from napari_stack.operators.focus.focus_measure import noise_of, noise_response, noise_rows
from napari_stack.operators.focus.frame_statistics import Light
from napari_stack.operators.focus.pyramid import PyramidState
from napari_stack.operators.focus.pyramid_kernels import reduce
from napari_stack.operators.focus.pyramid_levels import (
    levels_of,
    reduced_plane,
    split_finest,
    take_apart,
)
from napari_stack.operators.focus.strip_fold import Strip, StripFold

Array = np.ndarray[Any, Any]

# Bytes a pixel that the state takes, and those of a frame in flight: for every channel, and beside.
STATE_BYTES = 8, 40
FRAME_BYTES = 6, 12
# Rows around a strip that the sharpness sees, and the details beside the window of their energy.
SHARPNESS_MARGIN, DETAIL_MARGIN = 12, 8


class _Coarse:
    """What is left of a frame when its strips were taken in: half its size, and its noise.

    Where the pyramid has no levels, its colours are of full size.
    """

    def __init__(self, size: tuple[int, int], shape: tuple[int, ...], dtype: Any, noisy: int):
        half = ((size[0] + 1) // 2, (size[1] + 1) // 2)
        self.colours = np.empty(shape, dtype)
        self.grey = np.empty(half, dtype)
        self.noise = np.empty((noisy, max(size[1] - 2, 0)), dtype)
        # Shares of valid pixels by the size of the picture; none where all pixels are.
        self.shares: dict[tuple[int, ...], Array] = {}

    def share(self, shape: tuple[int, ...]) -> Array:
        """Return where the shares of valid pixels go; they are made for the first strip."""
        found = self.shares.get(shape)
        if found is None:  # strips come at the same time: the first one's are taken
            found = self.shares.setdefault(shape, np.ones(shape, self.grey.dtype))
        return found


class PyramidFold(StripFold):
    """The fold: the finest level in strips, the others when a frame is closed.

    Parameters
    ----------
    stack : Stack
        The frames that will come.
    channels : ChannelWeights
    min_size, kernel_size, kernel_parameter
        As for `Pyramid`.
    measure : bool
        Measure the depth too.
    alone : bool
        No state comes before this one.
    """

    def __init__(
        self,
        stack: Stack,
        channels: ChannelWeights,
        *,
        min_size: int,
        kernel_size: int,
        kernel_parameter: float,
        measure: bool,
        alone: bool,
    ) -> None:
        super().__init__(channels, slice(0, stack.shape[1]))
        self.size = kernel_size
        # Fewer rows where more is made of each.
        self.tall = 96 if measure else 192
        needed = max(SHARPNESS_MARGIN if measure else 0, DETAIL_MARGIN + self.size // 2)
        self.margin = -(-needed // 2) * 2  # strips begin at even rows
        self.levels = levels_of(stack.shape[1:], min_size)
        self.begin = partial(
            PyramidState,
            stack.shape[1:],
            stack.dtype,
            channels,
            min_size=min_size,
            kernel_parameter=kernel_parameter,
            measure=measure,
            alone=alone,
        )
        numbers = np.flatnonzero(stack.used).tolist()
        self.previous = dict(zip(numbers[1:], numbers, strict=False))
        height = stack.shape[1]
        self.noisy = noise_rows(height) if min(stack.shape[1:3]) >= 3 else np.empty(0, int)
        self.coarse: dict[int, _Coarse] = {}
        # On its way to another process a state that has seen nothing is not sent along.
        self.state: Any = self.begin() if alone else None

    def add(self, index: int, prepared: Stack) -> None:
        """Take in a frame."""
        if self.state is None:
            self.state = self.begin()
        super().add(index, prepared)
        self.close(index)

    def take_in(self, index: int, strip: Strip) -> None:
        """Take in the finest level of a strip, and keep what the coarser ones need."""
        state, rows, inner = self.state, strip.rows, strip.inner
        colours = strip.colours
        parts = (None if p is None else p[inner] for p in (strip.valid, strip.opacity))
        state.range.take(rows, colours[inner], *parts)
        taps, weights = state.taps, self.channels.weights(colours.shape[2], colours.dtype)
        share = None if strip.valid is None else strip.valid.astype(taps.dtype)
        coarser, coarser_share = colours, share
        if self.levels:
            coarser = reduce(colours, taps)
            coarser_share = None if share is None else reduced_plane(share, taps)
            found = split_finest(colours, coarser, share, taps, weights, self.size)
            state.take(rows, *(plane[inner] for plane in found))
        coarse = self._coarse(index)
        here, there = self._coarse_rows(rows), self._coarse_rows(inner)
        coarse.colours[here] = coarser[there]
        if coarser_share is not None:
            coarse.share(coarse.colours.shape[:2])[here] = coarser_share[there]
        if state.depth is not None:
            self._measure(index, strip, coarse)

    def _coarse_rows(self, rows: slice) -> slice:
        return _halved(rows) if self.levels else rows

    def _coarse(self, index: int) -> _Coarse:
        found = self.coarse.get(index)
        if found is None:
            pixels = self.state.pixels[min(self.levels, 1)]
            size = self.state.shape[:2]
            made = _Coarse(size, pixels.shape, pixels.dtype, len(self.noisy))
            found = self.coarse.setdefault(index, made)  # strips come at the same time
        return found

    def _measure(self, index: int, strip: Strip, coarse: _Coarse) -> None:
        """Measure how sharp a strip is, and what tells the noise."""
        grey, rows, wide = self.channels.grey(strip.colours), strip.rows, strip.wide
        curve = self.state.depth.curves[0]
        energy = sharpness_rows(grey, strip.valid)[strip.inner]
        begin = index not in self.previous or not self.state.indices
        curve.take(index, self.previous.get(index, -2), rows, energy, begin=begin)
        taps = self.state.taps
        coarse.grey[_halved(rows)] = reduced_plane(grey, taps)[_halved(strip.inner)]
        if strip.valid is not None and not self.levels:
            share = strip.valid.astype(taps.dtype)
            coarse.share(coarse.grey.shape)[_halved(rows)] = reduced_plane(share, taps)[
                _halved(strip.inner)
            ]
        first, last = np.searchsorted(self.noisy, (rows.start, rows.stop))
        coarse.noise[first:last] = noise_response(grey, self.noisy[first:last] - wide.start)

    def close(self, index: int) -> None:
        """Take in the coarser levels of a frame."""
        coarse, state = self.coarse.pop(index), self.state
        weights = self.channels.weights(coarse.colours.shape[2], coarse.colours.dtype)
        taps = state.taps
        if state.depth is not None:
            noise = noise_of(coarse.noise) if coarse.noise.size else 0.0
            state.depth.curves[0].close(index, noise)
            grey, share = coarse.grey, coarse.shares.get(coarse.grey.shape)
            for _ in range(HALVINGS - 1):
                grey = reduced_plane(grey, taps)
                share = None if share is None else reduced_plane(share, taps)
            support = None if share is None else share > 1 - 1e-4
            state.depth.curves[1].add(index, *sharpness_where(grey, support))
        share = coarse.shares.get(coarse.colours.shape[:2])
        rest = take_apart(coarse.colours, share, self.levels, taps, weights, self.size)
        state.close(index, rest)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        if self.state is None:
            self.state = later.state
        elif later.state is not None:
            self.state.merge(later.state)


def _halved(rows: slice) -> slice:
    return slice(rows.start // 2, (rows.stop + 1) // 2)


def fuse(stack: Stack, run: Run, channels: ChannelWeights, *, depth: bool, **options: Any) -> Any:
    """Fuse a series; returns what `PyramidState.finish` does, None for a depth not asked for.

    The depth is measured in a pass of its own where both together would not fit the run's memory.
    """
    together = _fits(stack, run)
    maps: tuple[Array | None, Array | None] = (None, None)
    if not together:
        run = calmed(run, stack)
        if depth:
            maps = _depth_alone(stack, run.part(0, 2), channels)
            run = run.part(1, 2)
    measure = depth and together
    fold = PyramidFold(stack, channels, measure=measure, alone=run.executor is None, **options)
    state = run.fold_rows(fold, stack, what="Fusing frames").state
    if measure:
        return state.finish()
    image, covered = state.fused()
    return image, *maps, covered


def _depth_alone(stack: Stack, run: Run, channels: ChannelWeights) -> tuple[Array, Array]:
    nothing = Light(np.zeros((1, 1)), np.zeros((1, 1)))
    height, width = stack.shape[1:3]
    alone, size = run.executor is None, (height, width)
    fold = SharpnessFold(size, stack.dtype, channels, nothing, even=False, alone=alone)
    fold = run.fold(fold, stack, what="Measuring sharpness")
    maps = fold.depth.maps(last=True)
    return maps.depth, maps.confidence


def _fits(stack: Stack, run: Run) -> bool:
    channels = stack.shape[3] if stack.ndim == 4 else 1
    state, frame = (each * channels + rest for each, rest in (STATE_BYTES, FRAME_BYTES))
    pixels = stack.shape[1] * stack.shape[2]
    return pixels * (state + (run.threads + 1) * frame) <= run.memory
