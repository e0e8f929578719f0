"""`PyramidState`: the strongest details of the frames so far, level by level."""

from typing import Any

import numpy as np

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.operators.focus.depth import DepthState
from napari_stack.operators.focus.methods import Pyramid, WorkingResult
from napari_stack.operators.focus.pyramid_kernels import keep_larger
from napari_stack.operators.focus.pyramid_levels import (
    collapse,
    level_count,
    level_sizes,
    small_levels,
)
from napari_stack.operators.focus.value_range import RangeState

Array = np.ndarray[Any, Any]


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
    places : ndarray, optional
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
        places: Array | None = None,
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
        self.depth = None
        if measure:
            self.depth = DepthState((height, width), dtype, alone=alone, places=places)

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

    def glimpse(self) -> Array | None:
        """Return a small image of the frames that were closed so far."""
        if not self.indices:
            return None
        *levels, deviation, entropy = self.pixels
        pyramid = [*levels, (deviation + entropy) / 2]
        return collapse([level.copy() for level in pyramid[small_levels(pyramid)]], self.centre)

    def finish(self, *, uncertain: bool = False) -> WorkingResult:
        """Return the fused image, and the depth if it was measured; the state is used up."""
        levels, self.pixels, self.energies = self.pixels, [], []
        base = (levels.pop() + levels.pop()) / 2
        image = collapse([*levels, base], self.centre)
        del levels
        self.range.clamp(image)
        image, covered = self.range.finished(image)
        image = image.reshape(self.shape)
        found = WorkingResult(image, None, None, covered)
        return (
            found if self.depth is None else found.with_depth(self.depth.maps(uncertain=uncertain))
        )
