"""The method "depth map": the frame of the largest energy, or frames weighted by it."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from napari_stack.core.luminance import ChannelWeights, brightness_of
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.run import Run
from napari_stack.operators.focus.depth import CLEAR, nearest_frame
from napari_stack.operators.focus.frame_statistics import (
    FrameStatistics,
    SharpnessFold,
    limit_workers,
)
from napari_stack.operators.focus.methods import DepthMap, WorkingResult
from napari_stack.operators.focus.pyramid_blend import BlendingFold

Array = np.ndarray[Any, Any]

# Exponent of the energies as weights; low ones let blurred frames in.
POWER = 4
# Share of the largest energy that counts as nothing: flat regions weigh all frames alike.
FLAT_SHARE = 1e-3
# Steps of brightness, as a share of the brightest pixel, that edge-aware smoothing keeps.
EDGE = 0.02


@dataclass(frozen=True)
class Energy:
    """How the energy of a frame is measured.

    Parameters
    ----------
    kind : str
        "modified laplacian", "laplacian", "sobel" or "variance".
    kernel_size, blur_size : int
        Sides of the filter and of the Gaussian window of its response, odd.
    """

    kind: str
    kernel_size: int
    blur_size: int

    def __call__(self, grey: Array) -> Array:
        """Return the energy (y, x), float32 and never negative."""
        grey = grey.astype(np.float32, copy=False)
        response = _RESPONSES[self.kind](grey, self.kernel_size)
        size = (self.blur_size, self.blur_size)
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


class _Frame(NamedTuple):
    measured: tuple[FrameStatistics, float]
    energy: Array
    grey: Array


class EnergyFold:
    """The first pass: the largest energy of every pixel, its frame, and that frame's brightness."""

    def __init__(self, measuring: SharpnessFold, energy: Energy) -> None:
        self.measuring, self.energy = measuring, energy
        shape = measuring.depth.curves[0].best.shape
        self.best = np.full(shape, -1, np.float32)
        self.label = np.zeros(shape, np.uint16)
        self.grey = np.zeros(shape, np.float32)

    def prepare(self, stack: Stack, index: int) -> _Frame:
        """Measure a frame."""
        measured = self.measuring.prepare(stack, index)
        grey, valid = brightness_of(stack, self.measuring.channels).read(index)
        grey = grey.astype(np.float32, copy=False) * np.float32(measured[1])
        energy = self.energy(grey)
        if valid is not None:
            energy[~valid] = -1
        return _Frame(measured, energy, grey)

    def add(self, index: int, prepared: _Frame) -> None:
        """Take in a frame."""
        self.measuring.add(index, prepared.measured)
        self._keep_larger(prepared.energy, index, prepared.grey)

    def merge(self, later: Self) -> None:
        """Take in the state of the frames that follow."""
        self.measuring.merge(later.measuring)
        self._keep_larger(later.best, later.label, later.grey)

    def _keep_larger(self, energy: Array, label: Array | int, grey: Array) -> None:
        larger = energy > self.best
        np.copyto(self.best, energy, where=larger)
        np.copyto(self.label, label, where=larger)
        np.copyto(self.grey, grey, where=larger)


def smooth_labels(label: Array, weight: Array, guide: Array, size: int, edge: float) -> Array:
    """Return labels smoothed along the edges of an image (He et al. 2013), weighted.

    Parameters
    ----------
    label : (y, x) ndarray
    weight : (y, x) ndarray of float32
        Weights of the labels, 0 to 1.
    guide : (y, x) ndarray of float32
        The image.
    size : int
        Side of the window in pixels.
    edge : float
        Steps of the image that are kept.
    """
    weight = weight + np.float32(1e-3)
    total = _box(weight, size)
    label = label.astype(np.float32)
    mean_guide, mean_label = (_box(weight * p, size) / total for p in (guide, label))
    both = _box(weight * guide * label, size) / total - mean_guide * mean_label
    spread = _box(weight * guide * guide, size) / total - mean_guide**2
    slope = both / (np.maximum(spread, 0) + np.float32(max(edge**2, 1e-30)))
    offset = mean_label - slope * mean_guide
    return _box(slope, size) * guide + _box(offset, size)


def _box(plane: Array, size: int) -> Array:
    return cv2.blur(plane, (size, size), borderType=cv2.BORDER_REPLICATE)


@dataclass(frozen=True)
class PickedWeights:
    """Weights of the choice "maximum": 1 where the frame was picked."""

    label: Array

    def __call__(self, grey: Array, index: int) -> Array:  # noqa: ARG002
        """Return 1 where the label is the frame's."""
        return (self.label == index).astype(np.float32)


@dataclass(frozen=True)
class EnergyWeights:
    """Weights of the choice "weighted average": energies against the largest, to a power."""

    energy: Energy
    best: Array
    guide: Array
    clear: Array
    size: int
    edge: float

    def __call__(self, grey: Array, index: int) -> Array:  # noqa: ARG002
        """Return (energy / largest)^POWER, smoothed along edges where no frame stands out."""
        floor = np.float32(FLAT_SHARE * float(self.best.max()) + np.finfo(np.float32).tiny)
        weight = ((self.energy(grey) + floor) / (self.best + floor)) ** POWER
        if self.size > 1:
            smooth = smooth_labels(weight, self.clear, self.guide, self.size, self.edge)
            weight = self.clear * weight + (1 - self.clear) * smooth
        return np.maximum(weight, np.float32(1e-6))


def fuse(stack: Stack, run: Run, channels: ChannelWeights, method: DepthMap) -> WorkingResult:
    """Fuse a series in two passes."""
    run = limit_workers(run, stack)
    energy = Energy(method.energy, method.kernel_size, method.blur_size)
    first = EnergyFold(SharpnessFold(stack, channels, run, even=True), energy)
    first = run.part(0, 2).fold(first, stack, what="Measuring energies")
    measuring, statistics = first.measuring, first.measuring.statistics()
    clarity = measuring.depth.clarity()
    depth, confidence, _ = measuring.depth.maps()
    weighting = _weighting(first, clarity, method, statistics.top, np.flatnonzero(stack.used))
    del first, measuring, clarity
    fold = BlendingFold(stack, channels, statistics, weighting)
    image, covered = run.part(1, 2).fold(fold, stack, what="Blending frames").result()
    return WorkingResult(image.reshape(stack.shape[1:]), depth, confidence, covered)


def _weighting(
    first: EnergyFold, clarity: Array, method: DepthMap, top: float, numbers: Array
) -> PickedWeights | EnergyWeights:
    # In shares of the brightest pixel: squares of any other unit might not be finite.
    guide = first.grey / np.float32(max(top, float(np.finfo(np.float32).tiny)))
    size = method.smooth_size
    if method.choice != "maximum":
        clear = np.minimum(clarity / np.float32(CLEAR), 1)
        return EnergyWeights(first.energy, first.best, guide, clear, size, EDGE)
    label = first.label
    if size > 1:
        smooth = smooth_labels(label, clarity, guide, size, EDGE)
        label = np.where(clarity > CLEAR, label, nearest_frame(smooth, numbers))
        label = cv2.medianBlur(label.astype(np.uint16), 5)
    return PickedWeights(label)
