"""The band-pass of a level: a difference of Gaussians, in units of its own robust sigma."""

import numpy as np
from numpy.typing import NDArray

from napari_stack.engine.opencv import cv2
from napari_stack.operators.registration.band_pass_kernels import GRID, REACH, fine_less_wide
from napari_stack.operators.registration.defects import spread_of

#: Sigma of the fine blur, in pixels.
FINE_SIGMA = 1.0
#: Weights of the fine blur at the distances 0, 1, ..., as `GaussianBlur` takes them.
_TAPS = cv2.getGaussianKernel(2 * REACH + 1, FINE_SIGMA, cv2.CV_32F)[REACH:, 0].copy()
#: Regions may be as small as this, in pixels.
LEAST_AREA = 144
#: Structure below this fraction of the data's magnitude is rounding, not image.
ROUNDING = 1e-6

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


def band_pass(
    pixels: Image, valid: Mask | None, wide_sigma: float, most: int
) -> tuple[Image, int, bool]:
    """Difference of Gaussians in robust sigmas, NaN outside; its area; whether it has structure.

    The sigma is that of so many pixels at most.
    """
    if valid is None:
        band = _plain_band(pixels, wide_sigma)
        inside = band
    else:
        weight = valid.astype(np.float32)
        wide = _wide_blur(pixels, wide_sigma) / np.maximum(_wide_blur(weight, wide_sigma), 1e-3)
        band = _blur(np.where(valid, pixels - wide, 0).astype(np.float32))
        # Beyond the reach of the fine blur the filled-in zeros are not felt.
        valid = cv2.erode(valid.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        inside = band[valid]
        band[~valid] = np.nan
        if inside.size < LEAST_AREA:
            return np.full_like(band, np.nan), 0, False
    sigma = spread_of(inside, most)
    if sigma <= ROUNDING * cv2.norm(pixels, cv2.NORM_INF):
        band *= np.float32(0)  # NaN stays
        return band, inside.size, False
    band *= np.float32(1 / sigma)
    return band, inside.size, True


def _plain_band(pixels: Image, wide_sigma: float) -> Image:
    """Difference of Gaussians; in one loop where the wide one is known on a grid of a quarter."""
    rows, columns = pixels.shape
    if min(rows, columns) < 8 * wide_sigma or rows % GRID or columns % GRID:
        band = _blur(pixels)
        band -= _wide_blur(pixels, wide_sigma)
        return band
    # Whatever the order of the pixels in memory: that of the kernel is rows after rows.
    wide, band = _small_wide_blur(pixels, wide_sigma), np.empty(pixels.shape, np.float32)
    fine_less_wide(pixels.reshape(-1), pixels.shape, wide, _TAPS, band.reshape(-1))
    return band


def _blur(pixels: Image) -> Image:
    return cv2.GaussianBlur(pixels, (0, 0), FINE_SIGMA, borderType=cv2.BORDER_REFLECT_101)


def _wide_blur(pixels: Image, sigma: float) -> Image:
    """Wide Gaussian, computed on a quarter of the size where that is exact enough."""
    sigma = min(sigma, min(pixels.shape) / 8)
    if sigma < 8:
        return cv2.GaussianBlur(pixels, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    small = _small_wide_blur(pixels, sigma)
    return cv2.resize(small, pixels.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _small_wide_blur(pixels: Image, sigma: float) -> Image:
    """Wide Gaussian at the middles of blocks of GRID x GRID pixels."""
    rows, columns = pixels.shape
    small = quartered(pixels, (-(-columns // GRID), -(-rows // GRID)))
    return cv2.GaussianBlur(small, (0, 0), sigma / GRID, borderType=cv2.BORDER_REFLECT_101)


def quartered(image: Image, size: tuple[int, int]) -> Image:
    """Mean over blocks of an image, which has about `size` (columns, rows) of them, 4 x 4 each."""
    rows, columns = image.shape
    if rows % 4 or columns % 4:
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # The mean of means, in a third of the time.
    half = cv2.resize(image, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(half, (columns // 4, rows // 4), interpolation=cv2.INTER_AREA)
