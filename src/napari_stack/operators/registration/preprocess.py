"""What is measured instead of the raw pixels: a band-passed, outlier-free pyramid of one frame."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.engine.opencv import cv2
from napari_stack.operators.registration.band_pass import band_pass
from napari_stack.operators.registration.defects import median_of, repair
from napari_stack.operators.registration.levels import Later, Levels
from napari_stack.operators.registration.search.correlation import Spectrum, compressed, spectrum_of

#: Coarse correlation runs on the finest level whose longest side is at most this.
COARSE_SIZE = 520
#: The pyramid ends at the last level whose shortest side is at least this; frames themselves may
#: be as small as `LEAST_SIDE`.
SMALLEST_SIZE, LEAST_SIDE = 48, 16
#: Sigmas of the wide blur, in pixels of each level.
WIDE_SIGMA, COARSE_WIDE_SIGMA = 8.0, 12.0
#: Sigma, in coarse pixels, of the surroundings that structure is brought to one strength in.
EVEN_SIGMA = 4.0
#: So many pixels tell the level of an image, which only the rounding depends on.
SAMPLE = 8192
#: A level up to this costs no digits that matter: where defects stay, it is not subtracted.
SMALL_LEVEL = 4096
#: So many tell the sigma of a level, or of one of a frame whose place is nearly known.
SAMPLES, FEW_SAMPLES = 16384, 4096
#: A level that is not wanted: its image, its area, and whether it has structure.
_NOTHING = np.zeros((0, 0), np.float32), 0, False


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
        nothing may be measured. Empty when the frame holds no structure. Those finer than
        `coarse` are made when they are asked for: frames of unlike sharpness need none.
    factors
        Pixels of the frame per pixel of each level, f. Pixel x of a level lies at
        f * x + (f - 1) / 2 in the frame.
    areas
        Number of pixels of each level where something may be measured.
    coarse, coarse_factor
        The like of a level for correlation: with a wider pass band, `compressed`, at most
        `COARSE_SIZE` long.
    spectrum
        Zero-padded spectrum of `coarse`. All are empty when `levels` is.
    """

    shape: tuple[int, int]
    levels: Levels = field(default_factory=Levels)
    factors: tuple[int, ...] = ()
    areas: tuple[int, ...] = ()
    coarse: Image = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    coarse_factor: int = 1
    spectrum: Spectrum = field(default_factory=Spectrum)

    @cached_property
    def even(self) -> Image:
        """`coarse` in units of its own strength around each place.

        Faint structure counts by its area, like strong one.
        """
        valid = np.isfinite(self.coarse)
        power = np.where(valid, self.coarse, np.float32(0)) ** 2
        cover = cv2.GaussianBlur(valid.astype(np.float32), (0, 0), EVEN_SIGMA)
        power = cv2.GaussianBlur(power, (0, 0), EVEN_SIGMA) / np.maximum(cover, np.float32(1e-3))
        return self.coarse / np.sqrt(power + np.float32(1))

    @cached_property
    def even_spectrum(self) -> Spectrum:
        """Zero-padded spectrum of `even`."""
        return spectrum_of(self.even)


def prepare(
    image: NDArray[np.floating],
    mask: Mask | None = None,
    working_size: int = 2048,
    *,
    brief: bool = False,
    wanted: Collection[int] = (),
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
    brief : bool
        Leave defects as they are, and make the levels alone: enough for a frame whose place is
        nearly known, against a reference `without_defects`.
    wanted : collection of int, optional
        Numbers of the levels to make, where not all are needed; the others are empty.

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
    pixels, valid = repaired(image, mask, brief=brief)
    factor = -(-max(image.shape) // working_size)
    shape = (image.shape[0], image.shape[1])
    levels: list[Image | Later] = []
    factors: list[int] = []
    areas: list[int] = []
    coarse, coarse_factor, structured = None, 1, False
    most = FEW_SAMPLES if brief else SAMPLES
    # How many levels there are depends on the shape alone, so that two frames have the same.
    while min(pixels.shape) // factor >= (SMALLEST_SIZE if levels else LEAST_SIDE):
        if wanted and len(levels) > max(wanted):
            break
        pixels, valid = _reduce(pixels, valid, factor)
        band: Image | Later
        if wanted and len(levels) not in wanted:
            band, area, found = _NOTHING
        elif valid is None and not brief and max(pixels.shape) > COARSE_SIZE:
            make = partial(_band, pixels, most)
            band, area, found = Later(pixels.shape, make), pixels.size, False
        else:
            band, area, found = band_pass(pixels, valid, WIDE_SIGMA, most)
        structured |= found
        levels.append(band)
        areas.append(area)
        factors.append(factor * (factors[-1] if factors else 1))
        factor = 2
        if coarse is None and not brief and max(pixels.shape) <= COARSE_SIZE:
            coarse, coarse_factor = (
                band_pass(pixels, valid, COARSE_WIDE_SIGMA, most)[0],
                factors[-1],
            )
    if not structured:
        structured = any(isinstance(band, Later) and band.image().any() for band in levels)
    if not structured or (coarse is None and not brief):
        return Prepared(shape)
    made = Prepared(shape, Levels(levels), tuple(factors), tuple(areas))
    if coarse is None:
        return made
    coarse = compressed(coarse)
    return replace(made, coarse=coarse, coarse_factor=coarse_factor, spectrum=spectrum_of(coarse))


def _band(pixels: Image, most: int) -> Image:
    return band_pass(pixels, None, WIDE_SIGMA, most)[0]


def repaired(
    image: NDArray[np.floating], mask: Mask | None, *, brief: bool = False
) -> tuple[Image, Mask | None]:
    """Float32 around zero without isolated defects; the mask is None where all is valid.

    When `brief`, defects are left.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        # A sum is finite where all pixels are: nearly always, and in a fraction of the time.
        flat = image.ravel()
        whole = mask is None and bool(np.isfinite(flat @ flat) or np.isfinite(flat.sum()))
    valid = np.ones((0, 0), bool) if whole else np.isfinite(image)
    if mask is not None:
        valid &= mask
    if not whole and not valid.any():
        return np.zeros(image.shape, np.float32), valid
    level = _level(image, None if whole else valid, SAMPLE // 8 if brief else SAMPLE)
    if brief and whole and abs(level) <= SMALL_LEVEL and image.dtype == np.float32:
        return image, None
    # Subtracted before the cast, so that a large offset costs no digits of the structure.
    with np.errstate(invalid="ignore", over="ignore"):
        pixels = (image - level).astype(np.float32, copy=False)
    whole = whole or bool(valid.all())
    if not whole:
        pixels[~valid] = 0
    return pixels if brief else repair(pixels), None if whole else valid


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


def without_defects(image: NDArray[np.floating], mask: Mask | None) -> Mask:
    """Mask of the pixels of a frame that are far enough from all that `repaired` replaces."""
    plain, valid = repaired(image, mask, brief=True)
    bad = (plain != repair(plain.copy())).astype(np.uint8)
    good = cv2.dilate(bad, np.ones((5, 5), np.uint8)) == 0
    return good if valid is None else good & valid


def _level(image: NDArray[np.floating], valid: Mask | None, most: int) -> np.floating:
    """Median of a sample of the valid pixels."""
    step = max(1, image.size // most)
    sample = image.ravel()[::step]
    if valid is not None:
        sample = sample[valid.ravel()[::step]]
        sample = sample if sample.size else image[valid]
    return image.dtype.type(median_of(np.ascontiguousarray(sample)))
