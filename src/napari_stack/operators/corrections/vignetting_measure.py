"""Frames as `measure_vignetting` sees them: reduced, averaged, or laid on each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.notices import warn_caller
from napari_stack.core.pixels.channels import colour_channels
from napari_stack.core.pixels.luminance import brightness
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.run import Run
from napari_stack.operators.corrections.radial_falloff import (
    Fit,
    Pairs,
    fit_falloff,
    places,
    scene_pairs,
)
from napari_stack.operators.geometry.transforms import Transforms

#: Longer side of a reduced frame.
_SIDE = 256

#: Frames at most that are laid on the reference.
_MOST_FRAMES = 24

#: A fall-off found in a still scene is doubtful below this multiple of its own error.
_DOUBTFUL = 8.0


class Reduction(NamedTuple):
    """What of a frame is measured: its black level, its channels, its size (height, width)."""

    black_level: float
    each_channel: bool
    size: Any


class Reduced(NamedTuple):
    """A reduced frame, shape (y, x, k), and its pixels made of valid and unsaturated ones alone."""

    image: NDArray[np.float32]
    seen: NDArray[np.bool_]


def reduced(stack: Stack, index: int, view: Reduction) -> Reduced:
    """Reduce a frame to a small one, by the mean of the pixels that make one."""
    values, valid = stack.values(index)
    values = colour_channels(values, stack.alpha)
    good = np.ones(values.shape[:2], bool) if valid is None else valid
    if stack.dtype.kind in "ui":
        good = good & (values < np.iinfo(stack.dtype).max).all(axis=2)
    values = values.astype(np.float32, copy=False)
    if not view.each_channel:
        values = brightness(values, stack.rgb)[..., np.newaxis]
    seen = shrunk(good[..., np.newaxis].astype(np.float32), _SIDE)[..., 0]
    return Reduced(shrunk(values, _SIDE) - np.float32(view.black_level), seen > 0.999)


def shrunk(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Reduce pixels (y, x, channel) so that the longer side is no longer than `side`."""
    height, width = values.shape[:2]
    factor = min(1.0, side / max(height, width))
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    planes = [cv2.resize(np.ascontiguousarray(values[..., k]), size, interpolation=cv2.INTER_AREA)
              for k in range(values.shape[2])]  # fmt: skip
    return np.stack(planes, axis=-1)


@dataclass
class _Mean:
    """Running mean of reduced frames."""

    view: Reduction
    total: Any = field(default=None)
    count: Any = field(default=None)

    def prepare(self, stack: Stack, index: int) -> Reduced:
        return reduced(stack, index, self.view)

    def add(self, index: int, prepared: Reduced) -> None:  # noqa: ARG002
        if self.total is None:
            self.total = np.zeros(prepared.image.shape)
            self.count = np.zeros(prepared.seen.shape, np.int64)
        self.total += np.where(prepared.seen[..., np.newaxis], prepared.image, 0)
        self.count += prepared.seen

    def merge(self, later: Self) -> None:
        if later.total is None:
            return
        if self.total is None:
            self.total, self.count = later.total, later.count
            return
        self.total += later.total
        self.count += later.count


def fit_mean(stack: Stack, view: Reduction, free_centre: bool, run: Run) -> list[Fit]:
    """Fit the mean of all used frames, one fit a channel."""
    state = run.fold(_Mean(view), stack, what="Measuring vignetting")
    image = state.total / np.maximum(state.count, 1)[..., np.newaxis]
    # Where few frames are seen, their brightness is not that of the others.
    return _fits(Reduced(image, state.count > state.count.max() / 2), free_centre)


def _fits(small: Reduced, free_centre: bool) -> list[Fit]:
    channels = range(small.image.shape[2])
    return [
        fit_falloff(scene_pairs(small.image[..., k], small.seen), free_centre) for k in channels
    ]


def fit_each(stack: Stack, view: Reduction, free_centre: bool, run: Run) -> list[list[Fit]]:
    """Fit every frame by itself."""
    return run.each(
        partial(_fit_one, view=view, free_centre=free_centre), stack, what="Measuring vignetting"
    )


def _fit_one(stack: Stack, index: int, view: Reduction, free_centre: bool) -> list[Fit]:
    return _fits(reduced(stack, index, view), free_centre)


def reach(transforms: Transforms, size: tuple[int, int]) -> float:
    """Longest way that the middle of the frame moves between frames, in diagonals."""
    middle = np.array([[(size[1] - 1) / 2, (size[0] - 1) / 2]])
    ways = transforms.displacements(middle)[~transforms.failed, 0]
    return float(np.hypot(*np.ptp(ways, axis=0)) / np.hypot(*size)) if len(ways) else 0.0


def fit_moving(
    stack: Stack, transforms: Transforms, view: Reduction, free_centre: bool, run: Run
) -> list[Fit]:
    """Fit what is left between frames laid on each other, one fit a channel."""
    frames = np.flatnonzero(~transforms.failed & stack.used)
    frames = frames[np.linspace(0, len(frames) - 1, min(len(frames), _MOST_FRAMES)).astype(int)]
    frames = np.unique(frames)
    found = run.each(partial(reduced, view=view), stack, frames, what="Measuring vignetting")
    matrices = transforms.matrices[frames]
    far = len(frames) // 2
    couples = [(i, (i + far) % len(frames)) for i in range(len(frames)) if far]
    fits = []
    for k in range(found[0].image.shape[2]):
        pairs = [
            _laid(found[i], found[j], matrices[j] @ np.linalg.inv(matrices[i]), view.size, k)
            for i, j in couples
        ]
        pairs = [pair for pair in pairs if len(pair.difference) > 100]
        fits.append(fit_falloff(pairs, free_centre))
    return fits


def _laid(
    one: Reduced, other: Reduced, matrix: NDArray[np.float64], size: tuple[int, int], k: int
) -> Pairs:
    """Pair the pixels of a reduced frame with the same places of the object in another one."""
    small = one.image.shape[:2]
    factor = np.array([size[1] / small[1], size[0] / small[0]])
    y, x = np.indices(small, np.float64)
    x, y = (x + 0.5) * factor[0] - 0.5, (y + 0.5) * factor[1] - 0.5
    w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    there = ((matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / w,
             (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / w)  # fmt: skip
    column = ((there[0] + 0.5) / factor[0] - 0.5).astype(np.float32)
    row = ((there[1] + 0.5) / factor[1] - 0.5).astype(np.float32)
    seen = other.seen & (other.image[..., k] > 0)
    logs = np.log(np.where(seen, other.image[..., k], 1)).astype(np.float32)
    warped = cv2.remap(logs, column, row, cv2.INTER_LINEAR)
    inside = cv2.remap(seen.astype(np.float32), column, row, cv2.INTER_LINEAR) > 0.999
    both = inside & one.seen & (one.image[..., k] > 0)
    difference = (warped - np.log(np.where(both, one.image[..., k], 1)))[both].astype(np.float64)
    here, away = places(x, y, size), places(*there, size)
    return Pairs(difference, here[both], away[both], offset=True)


def brightest(stack: Stack) -> float:
    """Greatest value of the middle frame."""
    return float(stack.values(len(stack) // 2)[0].max())


def warn_of_doubt(fits: Sequence[Any]) -> None:
    """Warn where what was found in one still image may as well be the scene's."""
    found = [fit for fit in fits if fit.coefficients.any()]
    least = min(found, key=lambda fit: fit.sureness, default=None)
    if least is not None and least.sureness < _DOUBTFUL:
        lost = 1 - np.exp(least.coefficients.sum())
        warn_caller(
            f"the light seems to fall off by {lost:.0%} to the corners, but by only "
            f"{least.sureness:.0f} times the error of that: a scene that is brighter in its middle "
            "looks the same; look at the result, or measure on frames that move (scene='moving') "
            "or on a recorded flat field",
        )
