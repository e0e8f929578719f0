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
from napari_stack.operators.focus.depth import HALVINGS, DepthState
from napari_stack.operators.focus.focus_measure import (
    Sharpness,
    noise_of,
    noise_response,
    noise_rows,
    sharpness,
)
from napari_stack.operators.focus.frame_statistics import SharpnessFold, limit_workers
from napari_stack.operators.focus.methods import Pyramid, WorkingResult
from napari_stack.operators.focus.pyramid_kernels import keep_larger, reduce
from napari_stack.operators.focus.pyramid_levels import (
    Splitter,
    collapse,
    level_count,
    level_sizes,
    reduced_plane,
    rows_at,
)
from napari_stack.operators.focus.strip_fold import Strip, StripFold
from napari_stack.operators.focus.value_range import RangeState

Array = np.ndarray[Any, Any]

# Bytes a pixel that the state takes, and those of a frame in flight: for every channel, and beside.
STATE_BYTES = 8, 40
FRAME_BYTES = 6, 12
# Rows around a strip within reach of the sharpness, and of the details beside the window of their
# energy.
SHARPNESS_MARGIN, DETAIL_MARGIN = 12, 8


class PyramidState:
    """The strongest details so far, for a few frames' worth of memory.

    Parameters
    ----------
    shape : (int, int) or (int, int, int)
        Shape of a frame: (y, x) or (y, x, channel).
    dtype : dtype
        Type of the frames as they are stored.
    channels : ChannelWeights
    method : Pyramid
    measure : bool
        Measure the depth too.
    alone : bool
        As for `DepthState`.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        channels: ChannelWeights,
        method: Pyramid,
        *,
        measure: bool,
        alone: bool,
    ) -> None:
        height, width = shape[:2]
        working = np.result_type(dtype, np.float32)
        self.shape = shape
        self.centre = method.kernel_parameter
        self.range = RangeState(shape, dtype, channels, slice(0, height))
        sizes = level_sizes(shape, level_count(shape, method.min_size))
        sizes.append(sizes[-1])  # the base twice: by deviation and by entropy
        colours = self.range.low.shape[2]
        self.pixels = [np.zeros((*size, colours), working) for size in sizes]
        self.energies = [np.full(size, -2, working) for size in sizes]
        self.indices: list[int] = []
        self.depth = DepthState((height, width), dtype, alone=alone) if measure else None

    def take(self, rows: slice, energy: Array, detail: Array) -> None:
        """Take in rows of a frame's finest details; `close` takes the other levels."""
        keep_larger(self.energies[0][rows], self.pixels[0][rows], energy, detail)

    def close(self, indices: list[int], energies: list[Array], levels: list[Array]) -> None:
        """Take in the coarsest levels of frames, or all of them; frames come in order."""
        if self.indices and indices and indices[0] <= self.indices[-1]:
            raise ValueError(
                f"frame {indices[0]} comes after frame {self.indices[-1]}: add frames in order"
            )
        self.indices += indices
        for place in range(-len(levels), 0):
            keep_larger(self.energies[place], self.pixels[place], energies[place], levels[place])

    def merge(self, other: "PyramidState") -> None:
        """Take in the state of the frames that follow, as if they had been added one by one."""
        self.close(other.indices, other.energies, other.pixels)
        self.range.merge(other.range)
        if self.depth is not None and other.depth is not None:
            self.depth.merge(other.depth)

    def finish(self) -> WorkingResult:
        """Return the fused image, and the depth if it was measured; the state is used up."""
        levels, self.pixels, self.energies = self.pixels, [], []
        base = (levels.pop() + levels.pop()) / 2
        image = collapse([*levels, base], self.centre)
        del levels
        self.range.clamp(image)
        image, covered = self.range.finished(image)
        depth, confidence = self.depth.maps()[:2] if self.depth else (None, None)
        return WorkingResult(image.reshape(self.shape), depth, confidence, covered)


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
    """

    def __init__(
        self, stack: Stack, channels: ChannelWeights, method: Pyramid, *, measure: bool, alone: bool
    ) -> None:
        shape = stack.shape[1:]
        super().__init__(channels, slice(0, shape[0]))
        # Fewer rows where more is made of each.
        self.tall = 96 if measure else 192
        needed = max(SHARPNESS_MARGIN if measure else 0, DETAIL_MARGIN + method.kernel_size // 2)
        self.margin = -(-needed // 2) * 2  # strips begin at even rows
        self.levels = level_count(shape, method.min_size)
        weights = channels.weights(stack.channels, stack.working)
        self.centre = method.kernel_parameter
        self.splitter = Splitter(self.centre, weights, method.kernel_size)
        self.begin = partial(
            PyramidState, shape, stack.dtype, channels, method, measure=measure, alone=alone
        )
        numbers = np.flatnonzero(stack.used).tolist()
        self.previous = dict(zip(numbers[1:], numbers, strict=False))
        self.noisy = noise_rows(shape[0]) if min(shape[:2]) >= 3 else np.empty(0, int)
        self.partial: dict[int, _PartialFrame] = {}
        # On its way to another process a state of no frames is not sent along.
        self.state: Any = self.begin() if alone else None

    def add(self, index: int, prepared: Stack) -> None:
        """Take in a frame."""
        if self.state is None:
            self.state = self.begin()
        super().add(index, prepared)

    def take_in(self, index: int, strip: Strip) -> None:
        """Take in the finest level of a strip, and keep what the coarser ones need."""
        state, rows, inner, colours = self.state, strip.rows, strip.inner, strip.colours
        strip.widen(state.range)
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

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        if self.state is None:
            self.state = later.state
        elif later.state is not None:
            self.state.merge(later.state)


def fuse(
    stack: Stack, run: Run, channels: ChannelWeights, method: Pyramid, *, depth: bool
) -> WorkingResult:
    """Fuse a series.

    The depth is measured in a pass of its own where both together would not fit the run's memory.
    """
    fits, maps = _fits(stack, run), None
    if not fits:
        run = limit_workers(run, stack)
        if depth:
            apart = SharpnessFold(stack, channels, run, even=False)
            maps = run.part(0, 2).fold(apart, stack, what="Measuring sharpness").depth.maps()
            del apart
            run = run.part(1, 2)
    fold = PyramidFold(stack, channels, method, measure=depth and fits, alone=run.executor is None)
    found: WorkingResult = run.fold_rows(fold, stack, what="Fusing frames").state.finish()
    return found._replace(depth=maps.depth, confidence=maps.confidence) if maps else found


def _fits(stack: Stack, run: Run) -> bool:
    channels = stack.shape[3] if stack.ndim == 4 else 1
    state, frame = (each * channels + rest for each, rest in (STATE_BYTES, FRAME_BYTES))
    pixels = stack.shape[1] * stack.shape[2]
    return pixels * (state + (run.threads + 1) * frame) <= run.memory
