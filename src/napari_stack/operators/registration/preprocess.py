"""What is measured instead of the raw pixels: a band-passed, outlier-free pyramid of one frame."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.statistics import robust_sigma
from napari_stack.engine.opencv import cv2
from napari_stack.operators.registration.correlation import Spectrum, compressed, spectrum_of

#: Coarse correlation runs on the finest level whose longest side is at most this.
COARSE_SIZE = 520
#: The pyramid ends at the last level whose shortest side is at least this.
SMALLEST_SIZE = 48
#: Sigmas of the band-pass, in pixels of each level.
FINE_SIGMA, WIDE_SIGMA, COARSE_WIDE_SIGMA = 1.0, 8.0, 12.0
#: Isolated pixels and whole columns or rows further than this many robust sigmas are defects.
DEFECT_SIGMAS = 6.0
#: Rows or columns, or a quarter of them, that decide whether a column or row is a defect.
DEFECT_LINES = 128
#: Structure below this fraction of the data's magnitude is rounding, not image.
ROUNDING = 1e-6

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What registration measures of one frame; made once a frame by `prepare`.

    Attributes
    ----------
    shape
        (rows, columns) of the frame as it was given.
    levels
        Band-passed float32 images in units of their own robust sigma, finest first; NaN where
        nothing may be measured. Empty when the frame holds no structure.
    factors
        Pixels of the frame per pixel of each level, f. Pixel x of a level lies at
        f * x + (f - 1) / 2 in the frame.
    coarse, coarse_factor
        The like of a level for correlation: with a wider pass band, `compressed`, at most
        `COARSE_SIZE` long.
    spectrum
        Zero-padded spectrum of `coarse`. All are empty when `levels` is.
    """

    shape: tuple[int, int]
    levels: tuple[Image, ...] = ()
    factors: tuple[int, ...] = ()
    coarse: Image = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    coarse_factor: int = 1
    spectrum: Spectrum = field(default_factory=Spectrum)


def prepare(
    image: NDArray[np.floating], mask: Mask | None = None, working_size: int = 2048
) -> Prepared:
    """Make the pyramid on which a frame is registered.

    Parameters
    ----------
    image : ndarray (y, x), floating
        One frame in one channel. Pixels that are not finite are left out.
    mask : ndarray (y, x) of bool, optional
        True where pixels may be used.
    working_size : int
        Frames whose longest side is greater are reduced, by a whole factor, to at most this.

    Returns
    -------
    Prepared
        Without levels when the frame holds no structure (flat, saturated, all NaN, tiny).

    Raises
    ------
    ValueError
        For an image that is not two-dimensional or a mask of another shape.
    """
    image = np.asarray(image)
    if image.ndim != 2 or (mask is not None and mask.shape != image.shape):
        raise UserError(
            f"image of shape {image.shape} and mask of {'none' if mask is None else mask.shape}: "
            "give an image (y, x) and, if any, a mask of the same shape"
        )
    pixels, valid = repaired(image, mask)
    factor = -(-max(image.shape) // working_size)
    shape = (image.shape[0], image.shape[1])
    levels: list[Image] = []
    factors: list[int] = []
    coarse, coarse_factor = None, 1
    while min(pixels.shape) // factor >= SMALLEST_SIZE:
        pixels, valid = _reduce(pixels, valid, factor)
        band = _band_pass(pixels, valid, WIDE_SIGMA)
        if band is None:
            break
        levels.append(band)
        factors.append(factor * (factors[-1] if factors else 1))
        factor = 2
        if coarse is None and max(pixels.shape) <= COARSE_SIZE:
            coarse, coarse_factor = _band_pass(pixels, valid, COARSE_WIDE_SIGMA), factors[-1]
    if coarse is None:
        return Prepared(shape)
    coarse = compressed(coarse)
    spectrum = spectrum_of(coarse)
    return Prepared(shape, tuple(levels), tuple(factors), coarse, coarse_factor, spectrum)


def repaired(image: NDArray[np.floating], mask: Mask | None) -> tuple[Image, Mask | None]:
    """Float32 around zero without isolated defects; the mask is None where all is valid."""
    valid = np.isfinite(image)
    if mask is not None:
        valid &= mask
    if not valid.any():
        return np.zeros(image.shape, np.float32), valid
    level = _level(image, valid)
    # Subtracted before the cast, so that a large offset costs no digits of the structure.
    with np.errstate(invalid="ignore", over="ignore"):
        pixels = (image - level).astype(np.float32, copy=False)
    if valid.all():
        return _repair(pixels), None
    pixels[~valid] = 0
    return _repair(pixels), valid


def _level(image: NDArray[np.floating], valid: Mask) -> np.floating:
    """Median of a sample of the valid pixels."""
    step = max(1, image.size // 65536)
    sample = image.ravel()[::step][valid.ravel()[::step]]
    return np.median(sample if sample.size else image[valid])


def _repair(pixels: Image) -> Image:
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
    limit = DEFECT_SIGMAS * _sigma(excess)
    if limit > 0:
        _replace_isolated(pixels, smooth, excess, np.float32(limit))
    return pixels


def _defective(sample: Image) -> Mask:
    """Tell the columns that differ from both sides over most of their length."""
    detail = sample - cv2.medianBlur(sample, 5)
    # Sorting lines that are contiguous is several times quicker than numpy's median of columns.
    ordered = np.sort(cv2.transpose(detail), axis=1)
    offset = ordered[:, (ordered.shape[1] - 1) // 2 : ordered.shape[1] // 2 + 1].mean(axis=1)
    # A column's median is known to about 1.25 sigma / sqrt(rows): less is no defect.
    noise = 1.25 * _sigma(detail) / np.sqrt(detail.shape[0])
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


def _replace_isolated(pixels: Image, smooth: Image, excess: Image, limit: np.float32) -> None:
    """Put the median where at most one of eight neighbours shares half of a pixel's excess."""
    found = np.flatnonzero(np.abs(excess) > limit)
    around = cv2.copyMakeBorder(excess, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    row, column = np.divmod(found, pixels.shape[1])
    above = row * around.shape[1] + column
    middle = around.ravel()[above + around.shape[1] + 1]
    sign, half = np.where(middle > 0, np.float32(1), np.float32(-1)), np.float32(0.5) * abs(middle)
    sharing = np.zeros(found.shape, np.uint8)  # a pixel shares with itself
    for step in np.add.outer(np.arange(3) * around.shape[1], np.arange(3)).ravel():
        sharing += around.ravel()[above + step] * sign > half
    isolated = found[sharing <= 2]
    pixels.ravel()[isolated] = smooth.ravel()[isolated]


def _reduce(pixels: Image, valid: Mask | None, factor: int) -> tuple[Image, Mask | None]:
    """Mean over factor x factor pixels; rows and columns left over at the end are dropped."""
    if factor == 1:
        return pixels, valid
    rows, columns = (side // factor for side in pixels.shape)
    cut = (slice(rows * factor), slice(columns * factor))
    size = (columns, rows)
    if valid is None:
        return cv2.resize(pixels[cut], size, interpolation=cv2.INTER_AREA), None
    weight = cv2.resize(valid[cut].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    # Invalid pixels are zero, so their share only has to be divided out.
    reduced = cv2.resize(pixels[cut], size, interpolation=cv2.INTER_AREA)
    reduced /= np.maximum(weight, 0.1)
    kept = weight > 0.5
    reduced[~kept] = 0
    return reduced, kept


def _band_pass(pixels: Image, valid: Mask | None, wide_sigma: float) -> Image | None:
    """Difference of Gaussians in robust sigmas, NaN outside; None when there is no structure."""
    if valid is None:
        band = _blur(pixels)
        band -= _wide_blur(pixels, wide_sigma)
        inside = band
    else:
        weight = valid.astype(np.float32)
        wide = _wide_blur(pixels, wide_sigma) / np.maximum(_wide_blur(weight, wide_sigma), 1e-3)
        band = _blur(np.where(valid, pixels - wide, 0).astype(np.float32))
        # Beyond the reach of the fine blur the filled-in zeros are not felt.
        valid = cv2.erode(valid.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        inside = band[valid]
        band[~valid] = np.nan
        if inside.size < SMALLEST_SIZE**2 / 4:
            return None
    sigma = _sigma(inside)
    if sigma <= ROUNDING * cv2.norm(pixels, cv2.NORM_INF):
        return None
    band /= np.float32(sigma)
    return band


def _blur(pixels: Image) -> Image:
    return cv2.GaussianBlur(pixels, (0, 0), FINE_SIGMA, borderType=cv2.BORDER_REFLECT_101)


def _wide_blur(pixels: Image, sigma: float) -> Image:
    """Wide Gaussian, computed on a quarter of the size where that is exact enough."""
    sigma = min(sigma, min(pixels.shape) / 8)
    step = 4 if sigma >= 8 else 1
    rows, columns = pixels.shape
    if step == 1:
        return cv2.GaussianBlur(pixels, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    size = -(-columns // step), -(-rows // step)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step, borderType=cv2.BORDER_REFLECT_101)
    return cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR)


def _sigma(values: Image) -> float:
    """Robust standard deviation about zero of a sample; the rms where most values are zero."""
    # Four digits of `MAD_TO_SIGMA`: with more, matrices of "fourier" change by 1e-5 px.
    sigma = 1.4826 * float(np.median(np.abs(values.ravel()[:: max(1, values.size // 16384)])))
    return sigma if sigma > 0 else float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
