"""Defects of the sensor, replaced by what lies beside them."""

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.statistics import robust_sigma
from napari_stack.engine.opencv import cv2

#: Isolated pixels and whole columns or rows further than this many robust sigmas are defects.
DEFECT_SIGMAS = 6.0
#: Rows or columns, or a quarter of them, that decide whether a column or row is a defect.
DEFECT_LINES = 128
#: Where most of a frame is flat, its robust sigma says nothing: this share of the rms is the least.
LEAST_OF_RMS = 0.05

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


def repair(pixels: Image) -> Image:
    """Replace defective columns and rows, then isolated pixels, by their neighbours."""
    if min(pixels.shape) < 8:
        return pixels
    step = [max(4, side // DEFECT_LINES) for side in pixels.shape]
    columns = _defective(np.ascontiguousarray(pixels[:: step[0]]))
    pixels = _interpolated(pixels, columns)
    rows = _defective(cv2.transpose(np.ascontiguousarray(pixels[:, :: step[1]])))
    pixels = np.ascontiguousarray(_interpolated(pixels.T, rows).T)
    smooth = cv2.medianBlur(pixels, 3)
    excess = pixels - smooth
    limit = DEFECT_SIGMAS * spread_of(excess)
    if limit > 0:
        from napari_stack.operators.registration.defect_kernels import replace_isolated

        flat = (image.reshape(-1) for image in (pixels, smooth, excess))
        replace_isolated(*flat, pixels.shape, np.float32(limit))
    return pixels


def _defective(sample: Image) -> Mask:
    """Tell the columns that differ from both sides over most of their length."""
    detail = sample - cv2.medianBlur(sample, 5)
    # Sorting lines that are contiguous is several times quicker than numpy's median of columns.
    ordered = np.sort(cv2.transpose(detail), axis=1)
    offset = ordered[:, (ordered.shape[1] - 1) // 2 : ordered.shape[1] // 2 + 1].mean(axis=1)
    # A column's median is known to about 1.25 sigma / sqrt(rows): less is no defect.
    noise = 1.25 * spread_of(detail) / np.sqrt(detail.shape[0])
    spread = max(robust_sigma(offset), noise)
    bad = np.abs(offset - np.median(offset)) > 1.5 * DEFECT_SIGMAS * spread
    return bad if bad.mean() <= 0.1 else np.zeros_like(bad)


def _interpolated(pixels: Image, bad: Mask) -> Image:
    """Replace columns by the mean of the good ones beside them."""
    if not bad.any():
        return pixels
    pixels = pixels.copy()
    good = np.flatnonzero(~bad)
    for column in np.flatnonzero(bad):
        right = np.searchsorted(good, column)
        sides = good[max(right - 1, 0) : right + 1]
        pixels[:, column] = pixels[:, sides].mean(axis=1)
    return pixels


def spread_of(values: Image, most: int = 16_384) -> float:
    """Robust standard deviation about zero of a sample; more where most values are next to zero."""
    sample = np.ascontiguousarray(values.ravel()[:: max(1, values.size // most)])
    # Four digits of `MAD_TO_SIGMA`: with more, matrices of "fourier" change by 1e-5 px.
    sigma = 1.4826 * median_of(np.abs(sample))
    rms = float(np.sqrt(float(sample @ sample) / max(sample.size, 1)))
    if rms > 0 or sample.size == values.size:
        return max(sigma, LEAST_OF_RMS * rms)
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def median_of(values: Image) -> float:
    """Median of numbers; numpy's takes twice as long for an answer about NaN."""
    middle = values.size // 2
    ordered = np.partition(values, (middle - 1, middle) if values.size % 2 == 0 else middle)
    return float(ordered[middle - 1 + values.size % 2 : middle + 1].mean())
