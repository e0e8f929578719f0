"""Focus stacking by a Laplacian pyramid: what is known of the frames so far; parts merge."""

from typing import Any

import numpy as np

from napari_stack.core.errors import UserError
from napari_stack.core.luminance import ChannelWeights
from napari_stack.operators.focus.depth import DepthState
from napari_stack.operators.focus.pyramid_kernels import (
    add_expanded,
    generating_weights,
    keep_larger,
)
from napari_stack.operators.focus.pyramid_levels import Levels, levels_of
from napari_stack.operators.focus.value_range import RangeState

Array = np.ndarray[Any, Any]


class PyramidState:
    """What a focus stack by Laplacian pyramid knows of the frames so far: a few frames of memory.

    States of consecutive parts of a series can be made apart, in other threads or on other
    machines, and merged; the image is the same, bit by bit, as from one state for every frame.

    Parameters
    ----------
    shape : (int, int) or (int, int, int)
        Shape of a frame: (y, x) or (y, x, channel).
    dtype : dtype
        Type of the frames as they are stored.
    channels : ChannelWeights
    min_size : int
        Shorter side, in pixels, that the coarsest level does not fall below.
    kernel_parameter : float
        Central weight of the generating kernel.
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
        *,
        min_size: int,
        kernel_parameter: float,
        measure: bool,
        alone: bool,
    ) -> None:
        height, width = shape[:2]
        working = np.result_type(dtype, np.float32)
        self.shape = shape
        self.taps = generating_weights(kernel_parameter, working)
        self.range = RangeState(shape, dtype, channels, slice(0, height))
        sizes = [(height, width)]
        for _ in range(levels_of(self.shape, min_size)):
            sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
        sizes.append(sizes[-1])  # the base twice: by deviation and by entropy
        colours = self.range.low.shape[2]
        self.pixels = [np.zeros((*size, colours), working) for size in sizes]
        self.energies = [np.full(size, -2, working) for size in sizes]
        self.indices: list[int] = []
        self.depth = DepthState((height, width), dtype, alone=alone) if measure else None

    def take(self, rows: slice, detail: Array, energy: Array) -> None:
        """Take in rows of a frame's finest details; the first level that `close` takes follows."""
        keep_larger(self.energies[0][rows], self.pixels[0][rows], energy, detail)

    def close(self, index: int, rest: Levels) -> None:
        """Take in the levels of a frame that are left; frames come in order."""
        indices = self.indices
        if indices and index <= indices[-1]:
            raise UserError(
                f"frame {index} comes after frame {indices[-1]}: add frames in increasing order"
            )
        energies = (*rest.energies, rest.deviation, rest.entropy)
        candidates = (*rest.details, rest.base, rest.base)
        first = len(self.pixels) - len(candidates)
        for place, (energy, candidate) in enumerate(
            zip(energies, candidates, strict=True), start=first
        ):
            keep_larger(self.energies[place], self.pixels[place], energy, candidate)
        self.indices.append(index)

    def merge(self, other: "PyramidState") -> None:
        """Take in the state of the frames that follow, as if they had been added one by one.

        Raises
        ------
        ValueError
            If the other state holds frames that do not all come later.
        """
        mine, others = self.indices, other.indices
        if mine and others and others[0] <= mine[-1]:
            raise UserError(
                f"the other state starts at frame {others[0]}, this one ends at frame {mine[-1]}: "
                "merge states in the order of their frames"
            )
        for best, pixels, energy, candidate in zip(
            self.energies, self.pixels, other.energies, other.pixels, strict=True
        ):
            keep_larger(best, pixels, energy, candidate)
        self.range.merge(other.range)
        self.indices += other.indices
        if self.depth is not None and other.depth is not None:
            self.depth.merge(other.depth)

    def finish(self) -> tuple[Array, Array, Array, Array]:
        """Return the fused image and the depth of every pixel; the state is used up.

        Returns
        -------
        image : (y, x) or (y, x, channel) ndarray of the working type
            Within the range of the frames' valid values at every pixel and channel; 0 where
            no frame is valid. Alpha is the largest of the frames'.
        depth : (y, x) ndarray of float32
            The frame index, with fractions, at which the pixel is sharpest; 0 where no frame
            is valid.
        confidence : (y, x) ndarray of float32
            0 (no texture) to 1 (sharp at one place of the series only); see `DepthState.maps`.
        covered : (y, x) ndarray of bool
            Where at least one frame is valid.

        Raises
        ------
        ValueError
            If no frame was added.
        """
        if self.depth is None:
            raise UserError("this state does not measure the depth")
        image, covered = self.fused()
        maps = self.depth.maps(last=True)
        return image, maps.depth, maps.confidence, covered

    def fused(self) -> tuple[Array, Array]:
        """Return the image and where it is covered: two of `finish`; the state is used up."""
        if not self.indices:
            raise UserError("a focus stack of no frames: add one frame at least")
        self.energies = []
        image = self._assembled()
        self.range.clamp(image)
        image, covered = self.range.finished(image)
        return image.reshape(self.shape), covered

    def _assembled(self) -> Array:
        image: Array = (self.pixels.pop() + self.pixels.pop()) / 2
        while self.pixels:
            detail = self.pixels.pop()
            add_expanded(detail, image, self.taps, 1, detail)
            image = detail
        return image
