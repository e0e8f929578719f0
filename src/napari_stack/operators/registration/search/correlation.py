"""Correlation of band-passed images by partly whitened spectra: where two frames match at all."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from napari_stack.core.system.jit import kernel
from napari_stack.engine.opencv import cv2

#: Zero padding, as a multiple of the image.
PADDING = 1.75
#: Shifts that leave less of the frame in common are not considered.
LEAST_OVERLAP = 0.15
#: Two peaks closer than this, in coarse pixels, are one.
EXCLUSION = 8
#: Fraction of each side that is faded out.
TAPER = 0.1

Image = NDArray[np.float32]
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Real-input spectrum of an image (y, x) that was zero-padded to `padded`.

    `cover` is that of the mask of its valid pixels; None where all are valid.
    """

    values: NDArray[np.complex64] = field(default_factory=lambda: np.zeros((0, 0), np.complex64))
    shape: tuple[int, int] = (0, 0)
    padded: tuple[int, int] = (0, 0)
    cover: NDArray[np.complex64] | None = None


@dataclass(frozen=True)
class Peak:
    """A local maximum of a correlation surface: shift in pixels (sub-pixel) and height."""

    x: float
    y: float
    height: float


def compressed(image: Image) -> Image:
    """Band-passed image in robust sigmas with strong structure compressed, 4 asinh(v / 4).

    So one bright spot does not rule.
    """
    size = np.abs(image)
    size *= np.float32(0.25)
    root = cv2.sqrt(1 + size * size)
    root += size
    result = np.copysign(np.float32(4) * cv2.log(root), image)
    result[np.isnan(image)] = np.nan  # OpenCV's logarithm, which is the quicker one, may lose it
    return result


def spectrum_of(image: Image, padding: float = PADDING) -> Spectrum:
    """Spectrum of a `compressed` image (y, x), or of several without NaN (..., y, x)."""
    rows, columns = image.shape[-2:]
    padded = (
        scipy.fft.next_fast_len(int(rows * padding), real=True),
        scipy.fft.next_fast_len(int(columns * padding), real=True),
    )
    window = np.outer(taper(rows), taper(columns))
    holes = np.isnan(image)
    if not holes.any():
        return Spectrum(scipy.fft.rfft2(window * image, s=padded), (rows, columns), padded)
    # A sharp edge would correlate with the like edge of another frame, and hold it in place.
    values = np.where(holes, np.float32(0), image) * (window * faded(~holes))
    cover = None
    if padded != (rows, columns):
        cover = scipy.fft.rfft2((~holes).astype(np.float32), s=padded)
    return Spectrum(scipy.fft.rfft2(values, s=padded), (rows, columns), padded, cover)


def faded(valid: NDArray[np.bool_]) -> Image:
    """Weights of valid pixels that fade out towards the others."""
    if valid.all():
        return np.ones(valid.shape, np.float32)
    width = max(TAPER * float(np.sqrt(np.count_nonzero(valid))), 3.0)
    distance = cv2.distanceTransform(valid.view(np.uint8), cv2.DIST_L2, 3)
    return 0.5 - 0.5 * np.cos(np.pi * np.minimum(distance / np.float32(width), np.float32(1)))


def correlate(reference: Spectrum, moving: Spectrum) -> NDArray[np.float32]:
    """Correlation surface; index (dy, dx), modulo its shape, is the shift of moving.

    The cross spectrum is divided by the root of its modulus: between plain correlation (broad,
    ruled by the strongest structure) and phase correlation (sharp, drowns in noise).
    Each value is divided by the root of the overlap, so that all shifts have the same noise.
    """
    cross = np.empty_like(moving.values)
    parts = (np.ravel(values).view(np.float32) for values in (reference.values, moving.values))
    _whitened(*parts, cross.ravel().view(np.float32))
    surface = scipy.fft.irfft2(cross, s=reference.padded, overwrite_x=True)
    if reference.padded == reference.shape:
        return surface
    if reference.cover is None and moving.cover is None:
        surface *= _fairness(reference.shape, reference.padded)
    else:
        surface *= _fairness_of_masks(reference, moving)
    return surface


def repeated(reference: Spectrum, moving: Spectrum, count: int, least: float) -> list[Peak]:
    """Highest maxima of the plain correlation away from zero, as shares of its value there.

    One at least; more of them where they have a `least` share.
    """
    surface = scipy.fft.irfft2(reference.values.conj() * moving.values, s=reference.padded)
    if not surface[0, 0] > 0:
        return [Peak(0.0, 0.0, 1.0)]
    found = peaks(surface, count + 1)
    away = [peak for peak in found if max(abs(peak.x), abs(peak.y)) > EXCLUSION / 2]
    zero = float(surface[0, 0])
    shares = [replace(peak, height=peak.height / zero) for peak in away[:count]]
    more = [peak for peak in shares[1:] if peak.height > least]
    return [*shares[:1], *more] or [Peak(0.0, 0.0, 0.0)]


@lru_cache(maxsize=4)
def _fairness(shape: tuple[int, int], padded: tuple[int, int]) -> Image:
    """One over the root of the overlap of two images at each shift; 0 where it is too little."""
    overlap = np.outer(_overlap(shape[0], padded[0]), _overlap(shape[1], padded[1]))
    enough = overlap >= LEAST_OVERLAP
    weights = np.where(enough, 1 / np.sqrt(np.maximum(overlap, LEAST_OVERLAP)), 0)
    weights.setflags(write=False)  # shared by threads
    return weights.astype(np.float32, copy=False)


def _fairness_of_masks(reference: Spectrum, moving: Spectrum) -> Image:
    """Like `_fairness`, of the valid pixels; their overlap as a share of the smaller mask."""
    covers = [
        scipy.fft.rfft2(np.ones(s.shape, np.float32), s=s.padded) if s.cover is None else s.cover
        for s in (reference, moving)
    ]
    least = max(min(float(cover[0, 0].real) for cover in covers), 1.0)
    overlap = scipy.fft.irfft2(covers[0].conj() * covers[1], s=reference.padded) / least
    weights = 1 / np.sqrt(np.maximum(overlap, LEAST_OVERLAP))
    weights[overlap < LEAST_OVERLAP] = 0
    return weights.astype(np.float32, copy=False)


@kernel
def _whitened(first: Floats, second: Floats, cross: Floats) -> None:
    """Write the cross spectrum, divided by a root of its modulus; real and imaginary in turn."""
    most = np.float32(0)
    for n in range(cross.size // 2):
        i = 2 * n
        a, b, c, d = first[i], first[i + 1], second[i], second[i + 1]
        real, imaginary = a * c + b * d, a * d - b * c
        power = real * real + imaginary * imaginary
        most = power if power > most else most
        cross[i], cross[i + 1] = real, imaginary
    least = np.float32(1e-6) * np.sqrt(most) + np.float32(1e-38)
    for n in range(cross.size // 2):
        i = 2 * n
        modulus = np.sqrt(cross[i] * cross[i] + cross[i + 1] * cross[i + 1])
        share = np.float32(1) / np.sqrt(modulus + least)
        cross[i] *= share
        cross[i + 1] *= share


def peaks(surface: NDArray[np.float32], count: int) -> list[Peak]:
    """Find the highest maxima of a periodic surface, no two closer than `EXCLUSION`, best first."""
    rows, columns = surface.shape
    # Maxima alone: the flank of a broad peak is no second peak.
    left = np.where(surface >= cv2.dilate(surface, np.ones((3, 3))), surface, -np.inf)
    reach = np.arange(-EXCLUSION, EXCLUSION + 1)
    found = []
    for _ in range(count):
        y, x = divmod(int(np.argmax(left)), columns)
        height = float(left[y, x])
        dy = _vertex(surface[y - 1, x], surface[y, x], surface[(y + 1) % rows, x])
        dx = _vertex(surface[y, x - 1], surface[y, x], surface[y, (x + 1) % columns])
        found.append(Peak(_signed(x, columns) + dx, _signed(y, rows) + dy, height))
        left[np.ix_((y + reach) % rows, (x + reach) % columns)] = -np.inf
    return found


def rotations_and_scales(
    reference: Image, moving: Image, count: int = 2
) -> list[tuple[float, float]]:
    """Likely (angle in radians, scale) of moving against reference, modulo half a turn.

    From the shift between the magnitude spectra in log-polar coordinates (Reddy & Chatterji
    1996), which do not depend on the translation.
    """
    size = scipy.fft.next_fast_len(max(reference.shape), real=True)
    polar = [_log_polar(image, size) for image in (reference, moving)]
    first, second = (Spectrum(scipy.fft.rfft2(p), p.shape, p.shape) for p in polar)
    surface = correlate(first, second)
    angles, radii = polar[0].shape
    step = np.log(_OUTER / _INNER) / (radii // 2)
    # Scales beyond about 1:2 leave too little common spectrum to differ from chance.
    far = np.abs(np.fft.fftfreq(radii, 1 / radii)) * step > np.log(2)
    surface[:, far] = 0
    return [
        (peak.y * np.pi / angles, float(np.exp(-peak.x * step))) for peak in peaks(surface, count)
    ]


#: Radii of the log-polar spectrum, in cycles per pixel.
_INNER, _OUTER = 0.02, 0.4


def _log_polar(image: Image, size: int) -> Image:
    """Log magnitude spectrum over (angle in half a turn, log radius), zero mean and padded."""
    rows, columns = image.shape
    values = np.nan_to_num(image, nan=0.0) * np.outer(np.hanning(rows), np.hanning(columns)).astype(
        np.float32
    )
    magnitude = np.abs(scipy.fft.rfft2(values, s=(size, size)))
    magnitude = np.fft.fftshift(np.log1p(magnitude).astype(np.float32), axes=0)
    angles, radii = size, size // 2
    angle = (np.arange(angles) * np.pi / angles - np.pi / 2)[:, None]
    radius = size * _INNER * (_OUTER / _INNER) ** (np.arange(radii) / radii)
    x = (radius * np.cos(angle)).astype(np.float32)
    y = (radius * np.sin(angle) + size // 2).astype(np.float32)
    polar = cv2.remap(magnitude, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # The fall of the spectrum with the radius is common to all images: it says nothing.
    polar -= polar.mean(axis=0)
    polar *= taper(radii)
    return np.pad(polar, ((0, 0), (0, radii)))


def taper(size: int) -> Image:
    """Cosine flanks over `TAPER` of each end."""
    width = max(int(size * TAPER), 1)
    flank = 0.5 - 0.5 * np.cos(np.pi * (np.arange(width) + 0.5) / width)
    window = np.ones(size, np.float32)
    window[:width] = flank
    window[size - width :] = flank[::-1]
    return window


def _overlap(size: int, padded: int) -> Image:
    """Fraction of the side that two images share, for each shift modulo `padded`."""
    shift = np.abs(np.fft.fftfreq(padded, 1 / padded))
    return np.maximum(1 - shift / size, 0).astype(np.float32)


def _signed(index: int, size: int) -> int:
    return index if index <= size // 2 else index - size


def _vertex(before: float, middle: float, after: float) -> float:
    """Position of the maximum of the parabola through three values, within half a step."""
    bend = float(before) - 2 * float(middle) + float(after)
    if bend >= 0:
        return 0.0
    return float(np.clip(0.5 * (float(before) - float(after)) / bend, -0.5, 0.5))
