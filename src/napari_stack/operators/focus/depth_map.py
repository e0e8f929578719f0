"""The method "depth map": the frame of the largest energy, or frames weighted by it."""

from collections.abc import Callable
from functools import partial
from typing import Any, Self

import numpy as np

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.run import Run
from napari_stack.operators.focus.depth import CLEAR, nearest_frame
from napari_stack.operators.focus.frame_statistics import (
    FrameStatistics,
    SharpnessFold,
    limit_workers,
    measure_frame,
)
from napari_stack.operators.focus.methods import DepthMap, WorkingResult
from napari_stack.operators.focus.pyramid_blend import BlendingFold
from napari_stack.operators.focus.pyramid_kernels import keep_larger
from napari_stack.operators.focus.screening.bad_frames import screened
from napari_stack.operators.focus.screening.sketch import Sketch

Array = np.ndarray[Any, Any]

# Exponent of the energies as weights; low ones let blurred frames in.
POWER = 4
# Share of the largest energy that counts as nothing: flat regions weigh all frames alike.
FLAT_SHARE = 1e-3
# Steps of brightness, as a share of the brightest pixel, that edge-aware smoothing keeps.
EDGE = 0.02

# Rows that are smoothed along edges together.
TALL = 256


def energy_of(grey: Array, method: DepthMap) -> Array:
    """Return the energy (y, x) of a frame, float32 and never negative."""
    response = _RESPONSES[method.energy](grey.astype(np.float32, copy=False), method.kernel_size)
    size = (method.blur_size, method.blur_size)
    return cv2.GaussianBlur(response, size, 0, borderType=cv2.BORDER_REPLICATE)


def _laplacian(grey: Array, size: int) -> Array:
    filtered = cv2.Laplacian(grey, cv2.CV_32F, ksize=size, borderType=cv2.BORDER_REPLICATE)
    return np.abs(filtered)


def _sobel(grey: Array, size: int) -> Array:
    across, down = (
        cv2.Sobel(grey, cv2.CV_32F, dx, 1 - dx, ksize=size, borderType=cv2.BORDER_REPLICATE)
        for dx in (1, 0)
    )
    return np.abs(across) + np.abs(down)


def _modified_laplacian(grey: Array, size: int) -> Array:
    """Nayar and Nakagawa (1994), with smoothed second derivatives for larger kernels."""
    second, flat = cv2.getDerivKernels(2, 0, max(size, 3))
    flat = flat / flat.sum()
    across, down = (
        cv2.sepFilter2D(grey, cv2.CV_32F, x, y, borderType=cv2.BORDER_REPLICATE)
        for x, y in ((second, flat), (flat, second))
    )
    return np.abs(across) + np.abs(down)


def _variance(grey: Array, size: int) -> Array:
    centred = grey - grey.mean()
    mean, square = (
        cv2.blur(plane, (size, size), borderType=cv2.BORDER_REPLICATE)
        for plane in (centred, centred**2)
    )
    return np.maximum(square - mean**2, 0)


_RESPONSES = {
    "laplacian": _laplacian,
    "sobel": _sobel,
    "modified laplacian": _modified_laplacian,
    "variance": _variance,
}


class EnergyFold:
    """The first pass: the largest energy of every pixel, its frame, and that frame's brightness."""

    def __init__(self, measuring: SharpnessFold, method: DepthMap) -> None:
        self.measuring, self.method = measuring, method
        shape = measuring.depth.curves[0].best.shape
        self.best = np.full(shape, -1, np.float32)
        self.label = np.zeros(shape, np.uint16)
        self.grey = np.zeros(shape, np.float32)

    @property
    def sketches(self) -> dict[int, Sketch]:
        """Sketches of the frames, by their numbers."""
        return self.measuring.sketches

    def prepare(self, stack: Stack, index: int) -> tuple[FrameStatistics, Array, Array]:
        """Measure a frame: return its statistics, its energy and its brightness."""
        grey, valid = self.measuring.read(stack, index)
        statistics = measure_frame(grey, valid, self.measuring.reference)
        grey = grey * np.float32(statistics.gain)
        energy = energy_of(grey, self.method)
        if valid is not None:
            energy[~valid] = -1
        return statistics, energy, grey

    def add(self, index: int, prepared: tuple[FrameStatistics, Array, Array]) -> None:
        """Take in a frame."""
        statistics, energy, grey = prepared
        self.measuring.add(index, statistics)
        self._keep_larger(energy, index, grey)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        self.measuring.merge(later.measuring)
        self._keep_larger(later.best, later.label, later.grey)

    def _keep_larger(self, energy: Array, label: Array | int, grey: Array) -> None:
        np.copyto(self.label, label, where=energy > self.best)
        keep_larger(self.best, self.grey, energy, grey)


def smooth_along_edges(plane: Array, weight: Array, guide: Array, size: int, edge: float) -> Array:
    """Return a plane smoothed along the edges of an image (He et al. 2013), weighted.

    Parameters
    ----------
    plane : (y, x) ndarray
        Labels, or weights of a frame.
    weight : (y, x) ndarray of float32
        How much each of its pixels counts, 0 to 1.
    guide : (y, x) ndarray of float32
        The image.
    size : int
        Side of the window in pixels.
    edge : float
        Steps of the image that are kept.
    """
    smooth = np.empty(plane.shape, np.float32)
    height, tall = len(plane), max(TALL, 4 * size)  # wide windows: half of the rows are read twice
    for start in range(0, height, tall):  # planes of intermediate results stay small
        stop = min(start + tall, height)
        wide = slice(max(start - 2 * size, 0), min(stop + 2 * size, height))
        found = _smooth_rows(plane[wide], weight[wide], guide[wide], size, edge)
        smooth[start:stop] = found[start - wide.start : stop - wide.start]
    return smooth


def _smooth_rows(plane: Array, weight: Array, guide: Array, size: int, edge: float) -> Array:
    weight = weight + np.float32(1e-3)
    total = _box(weight, size)
    plane = plane.astype(np.float32)
    mean_guide, mean = (_box(weight * p, size) / total for p in (guide, plane))
    both = _box(weight * guide * plane, size) / total - mean_guide * mean
    spread = _box(weight * guide * guide, size) / total - mean_guide**2
    slope = both / (np.maximum(spread, 0) + np.float32(max(edge**2, 1e-30)))
    offset = mean - slope * mean_guide
    return _box(slope, size) * guide + _box(offset, size)


def _box(plane: Array, size: int) -> Array:
    return cv2.blur(plane, (size, size), borderType=cv2.BORDER_REPLICATE)


def picked_weights(label: Array, grey: Array, index: int) -> Array:  # noqa: ARG001
    """Return the weights of the choice "maximum": 1 where the label is the frame's."""
    return (label == index).astype(np.float32)


def energy_weights(
    method: DepthMap, best: Array, guide: Array, clear: Array, grey: Array, index: int
) -> Array:
    """Return the weights of the choice "weighted average".

    That is (energy / largest)^POWER, smoothed along edges where no frame stands out.
    """
    del index
    floor = np.float32(FLAT_SHARE * float(best.max()) + np.finfo(np.float32).tiny)
    weight = ((energy_of(grey, method) + floor) / (best + floor)) ** POWER
    if method.smooth_size > 1:
        smooth = smooth_along_edges(weight, clear, guide, method.smooth_size, EDGE)
        weight = clear * weight + (1 - clear) * smooth
    return np.maximum(weight, np.float32(1e-6))


def fuse(
    stack: Stack,
    run: Run,
    channels: ChannelWeights,
    method: DepthMap,
    *,
    uncertain: bool = False,
) -> WorkingResult:
    """Fuse a series in two passes."""
    run = limit_workers(run, stack)
    stack, first = screened(
        stack,
        lambda kept: run.part(0, 2).fold(
            EnergyFold(SharpnessFold(kept, channels, run, even=True), method),
            kept,
            what="Measuring energies",
        ),
    )
    measuring, statistics = first.measuring, first.measuring.statistics()
    maps = measuring.depth.maps(uncertain=uncertain)
    clarity = maps.clarity
    weighting = _weighting(first, clarity, statistics.top, np.flatnonzero(stack.used))
    found = maps.depth, maps.confidence
    beyond = maps.beyond, maps.deviation
    del first, measuring, clarity, maps
    fold = BlendingFold(stack, channels, statistics, weighting)
    image, covered = run.part(1, 2).fold(fold, stack, what="Blending frames").result()
    return WorkingResult(image.reshape(stack.shape[1:]), *found, covered, *beyond)


def _weighting(
    first: EnergyFold, clarity: Array, top: float, numbers: Array
) -> Callable[[Array, int], Array]:
    method, label = first.method, first.label
    # In shares of the brightest pixel: squares of any other unit might not be finite.
    guide = first.grey / np.float32(max(top, float(np.finfo(np.float32).tiny)))
    if method.choice != "maximum":
        clear = np.minimum(clarity / np.float32(CLEAR), 1)
        return partial(energy_weights, method, first.best, guide, clear)
    if method.smooth_size > 1:
        smooth = smooth_along_edges(label, clarity, guide, method.smooth_size, EDGE)
        label = np.where(clarity > CLEAR, label, nearest_frame(smooth, numbers))
        label = cv2.medianBlur(label.astype(np.uint16), 5)
    return partial(picked_weights, label)
