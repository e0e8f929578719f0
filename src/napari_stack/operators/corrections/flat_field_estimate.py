"""Estimation of a smooth flat field from frames of many scenes."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.channels import colour_channels
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.run import Run
from napari_stack.operators.corrections.vignetting_measure import shrunk

#: Longer side of a reduced frame.
_SIDE = 192

#: Frames at most that the median is taken of.
_MOST_FRAMES = 512

_ROUNDS = 4

#: Residuals beyond this multiple of their median, 1.5 standard deviations, count less.
_OUTLYING = 1.5 * 1.4826

#: What keeps a division by a residual of 0 finite.
_TINY = 1e-9 / 1.4826


def estimate(
    stack: Stack, dark: NDArray[Any] | None, smoothness: float, run: Run
) -> NDArray[np.float32]:
    """Estimate a flat field, 1 on average, from the used frames.

    Parameters
    ----------
    stack : Stack
    dark : ndarray or None
        Taken off first.
    smoothness : float
        Standard deviation of the smoothing, as a part of the longer side.
    """
    from napari_stack.operators.combine.combine import require_used

    require_used(stack)
    numbers = np.flatnonzero(stack.used)
    count = min(len(numbers), _MOST_FRAMES)
    numbers = np.unique(numbers[np.linspace(0, len(numbers) - 1, count).astype(int)])
    small = partial(_reduced, dark=dark)
    frames = np.stack(run.each(small, stack, numbers, what="Estimating the flat field"))
    flat = _common_shading(frames, smoothness * max(frames.shape[1:3]))
    size = (stack.shape[2], stack.shape[1])
    planes = [cv2.resize(flat[..., k], size, interpolation=cv2.INTER_CUBIC)
              for k in range(flat.shape[2])]  # fmt: skip
    return np.stack(planes, axis=-1) if stack.ndim == 4 else planes[0]


def _reduced(stack: Stack, index: int, dark: NDArray[Any] | None) -> NDArray[np.float32]:
    """Reduce a frame, shape (y, x, channel)."""
    values = stack.read(index)[0].astype(np.float32, copy=False)
    values = colour_channels(values, stack.alpha)
    if dark is not None:
        values = values - (dark if dark.ndim == 3 else dark[..., np.newaxis])
    return shrunk(values, _SIDE)


def _common_shading(frames: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Shading that frames (n, y, x, channel) have in common, 1 on average, each channel alone."""
    flat: NDArray[Any] = np.ones(frames.shape[1:], np.float32)
    for _ in range(_ROUNDS):
        left = frames / flat
        level = np.median(left, axis=(1, 2), keepdims=True)
        level = np.where(level > 0, level, 1)
        middle = np.median(left / level, axis=0)
        for k in range(flat.shape[2]):
            smooth = _smoothed(np.ascontiguousarray(middle[..., k], np.float32), sigma)
            flat[..., k] *= np.clip(smooth, 0.2, 5)
        flat /= flat.mean(axis=(0, 1))
    return flat


def _smoothed(image: NDArray[Any], sigma: float) -> NDArray[np.float32]:
    """Smooth by a Gaussian that follows the slope at the border, where it sees one side only."""
    y = np.linspace(-1, 1, image.shape[0])[:, np.newaxis]
    x = np.linspace(-1, 1, image.shape[1])[np.newaxis]
    terms = np.stack([x**i * y**j for i in range(5) for j in range(5 - i)], axis=-1)
    columns = terms.reshape(-1, terms.shape[-1])
    target = image.ravel().astype(np.float64)
    found, weights = columns[0], np.ones(image.size)
    for _ in range(8):
        weighted = columns * weights[:, np.newaxis]
        found = np.linalg.lstsq(weighted.T @ columns, weighted.T @ target, rcond=None)[0]
        residual = np.abs(target - columns @ found)
        weights = 1 / np.maximum(residual / (np.median(residual) + _TINY), _OUTLYING)
    surface = (columns @ found).reshape(image.shape).astype(np.float32)
    rest = cv2.GaussianBlur(image - surface, (0, 0), max(sigma, 0.5), borderType=cv2.BORDER_REFLECT)
    result: NDArray[np.float32] = surface + rest
    return result
