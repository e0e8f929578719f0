"""Focus stacking by a Laplacian pyramid, as a fold: frames go in one by one, and parts merge."""

from copy import deepcopy
from typing import Any

import numpy as np

from napari_stack.operators._brightness import has_alpha
from napari_stack.operators._depth import DepthState
from napari_stack.operators._focus_range import limits
from napari_stack.operators._pyramid_frame import Levels, Prepared, levels_of, prepare
from napari_stack.operators._pyramid_kernels import (
    add_expanded,
    generating_weights,
    keep_larger,
    widen_range,
    widen_range_where,
)

Array = np.ndarray[Any, Any]


class PyramidState:
    """What a focus stack by Laplacian pyramid knows of the frames so far: a few frames of memory.

    States of consecutive parts of a series can be made apart, in other threads or on other
    machines, and merged; the image is the same, bit by bit, as from one state for every frame.

    Parameters
    ----------
    shape : (int, int) or (int, int, int)
        Shape of a frame: (y, x) or (y, x, channel).
    dtype_working : dtype
        The floating type of the frames' values.
    min_size, kernel_size, kernel_parameter, rgb, alpha, channel, stored, measure
        As for `prepare`, and the same for all frames of a series.
    alone
        As for `DepthState`.

    Examples
    --------
    >>> import numpy as np
    >>> frames = np.random.default_rng(0).random((3, 70, 80), np.float32)
    >>> state = PyramidState((70, 80), np.float32)
    >>> for index, frame in enumerate(frames):
    ...     state.add(index, state.prepare(frame))
    >>> image, depth, confidence, covered = state.result()
    >>> bool((image <= frames.max(axis=0)).all())
    True
    """

    prepare = staticmethod(prepare)

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype_working: Any,
        *,
        min_size: int = 32,
        kernel_size: int = 5,  # noqa: ARG002 - the same options as `prepare`
        kernel_parameter: float = 0.4,
        rgb: bool = False,
        alpha: bool = False,
        channel: int | str = "all",  # noqa: ARG002
        stored: np.dtype[Any] | None = None,
        measure: bool = True,
        alone: bool = False,
    ) -> None:
        height, width = shape[:2]
        channels = shape[2] if len(shape) == 3 else 1
        with_alpha = has_alpha(shape, rgb, alpha)
        dtype = np.dtype(dtype_working)
        self.shape = tuple(shape)
        self.taps = generating_weights(kernel_parameter, dtype)
        sizes = [(height, width)]
        for _ in range(levels_of(shape, min_size)):
            sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
        sizes.append(sizes[-1])  # the base twice: by deviation and by entropy
        colours = channels - with_alpha
        self.pixels = [np.zeros((*size, colours), dtype) for size in sizes]
        self.energies = [np.full(size, -2, dtype) for size in sizes]
        seen = stored or dtype
        least, most = limits(seen)
        self.low = np.full((height, width, colours), most, seen)
        self.high = np.full((height, width, colours), least, seen)
        self.alpha = np.full((height, width, 1), -np.inf, dtype) if with_alpha else None
        self.indices: list[int] = []
        self.depth = DepthState((height, width), alone=alone) if measure else None

    def add(self, index: int, prepared: Prepared) -> None:
        """Take in a frame.

        Parameters
        ----------
        index : int
            Its place in the series, above those of the frames before; the depth counts in it.
        prepared : Prepared
            What `prepare` made of it with the options of this state.

        Raises
        ------
        ValueError
            If the index does not increase.
        """
        everything = slice(0, self.shape[0])
        self.widen(everything, prepared.seen, prepared.alpha, prepared.valid)
        self.close(index, Levels(*prepared[3:8]))
        if self.depth is not None:
            self.depth.add(index, prepared.sharpness)

    def widen(self, rows: slice, seen: Array, alpha: Array | None, valid: Array | None) -> None:
        """Widen the range of some rows so that it holds those of a frame."""
        low, high = self.low[rows], self.high[rows]
        if valid is None:
            widen_range(low, high, seen, seen)
        else:
            widen_range_where(low, high, seen, valid)
        if self.alpha is not None and alpha is not None:
            where = True if valid is None else valid[..., np.newaxis]
            np.maximum(self.alpha[rows], alpha, out=self.alpha[rows], where=where)

    def take(self, rows: slice, detail: Array, energy: Array) -> None:
        """Take in rows of a frame's finest details; the first level that `close` takes follows."""
        keep_larger(self.energies[0][rows], self.pixels[0][rows], energy, detail)

    def close(self, index: int, rest: Levels) -> None:
        """Take in the levels of a frame that are left; frames come in order."""
        indices = self.indices
        if indices and index <= indices[-1]:
            raise ValueError(
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
            raise ValueError(
                f"the other state starts at frame {others[0]}, this one ends at frame {mine[-1]}: "
                "merge states in the order of their frames"
            )
        for best, pixels, energy, candidate in zip(
            self.energies, self.pixels, other.energies, other.pixels, strict=True
        ):
            keep_larger(best, pixels, energy, candidate)
        widen_range(self.low, self.high, other.low, other.high)
        if self.alpha is not None and other.alpha is not None:
            np.maximum(self.alpha, other.alpha, out=self.alpha)
        self.indices += other.indices
        if self.depth is not None and other.depth is not None:
            self.depth.merge(other.depth)

    def result(self) -> tuple[Array, Array, Array, Array]:
        """Return the fused image and the depth of every pixel.

        Returns
        -------
        image : (y, x) or (y, x, channel) ndarray of the working type
            Within the range of the frames' valid values at every pixel and channel; 0 where
            no frame is valid. Alpha is the largest of the frames'.
        depth : (y, x) ndarray of float32
            The frame index, with fractions, at which the pixel is sharpest; 0 where no frame
            is valid.
        confidence : (y, x) ndarray of float32
            0 (no texture) to 1 (sharp at one place of the series only); see `DepthState.result`.
        covered : (y, x) ndarray of bool
            Where at least one frame is valid.

        Raises
        ------
        ValueError
            If no frame was added.
        """
        return deepcopy(self).finish()

    def finish(self) -> tuple[Array, Array, Array, Array]:
        """Return `result` for the last time: the state is used up, which saves memory."""
        if self.depth is None:
            raise ValueError("this state does not measure the depth")
        image, covered = self.fused()
        maps = self.depth.maps(last=True)
        return image, maps.depth, maps.confidence, covered

    def fused(self) -> tuple[Array, Array]:
        """Return the image and where it is covered: two of `result`; the state is used up."""
        if not self.indices:
            raise ValueError("a focus stack of no frames: add one frame at least")
        self.energies = []
        image = self._assembled()
        covered = self.high[..., 0] >= self.low[..., 0]
        np.clip(image, self.low, self.high, out=image)
        if self.alpha is not None:
            image = np.concatenate([image, self.alpha], axis=2)
        if not covered.all():
            image[~covered] = 0
        return image.reshape(self.shape), covered

    def _assembled(self) -> Array:
        image: Array = (self.pixels.pop() + self.pixels.pop()) / 2
        while self.pixels:
            detail = self.pixels.pop()
            add_expanded(detail, image, self.taps, 1, detail)
            image = detail
        return image
