"""Registration by spectra alone: sub-pixel shifts, log-polar rotation and scale, imreg_dft."""

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix, about_centre
from napari_stack.operators.geometry.warp_rows import resample
from napari_stack.operators.registration.methods import Fourier, Imreg_dft
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.gauss_newton import (
    level_to_frame,
    overlapping,
    warp_coarsely,
)
from napari_stack.operators.registration.refinement.motion_models import Transform, nearest
from napari_stack.operators.registration.search.correlation import (
    Spectrum,
    compressed,
    correlate,
    peaks,
    rotations_and_scales,
    spectrum_of,
    taper,
)

#: A rotation or scale that is measured again may change by this much; more is a wrong peak.
LARGEST_REST = np.deg2rad(5), np.log(1.1)


def shifted(x: float, y: float) -> Matrix:
    """Matrix of a shift."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], dtype=np.float64)


def turned_about_centre(angle: float, scale: float, shape: tuple[int, ...]) -> Matrix:
    """Matrix of a rotation (radians) and scale about the centre of a frame."""
    return about_centre(shape, scale * np.cos(angle), scale * np.sin(angle))


def coarse_shift(reference: Prepared, moving: Prepared) -> Matrix:
    """Matrix of the likeliest shift, to about a pixel of the coarse images."""
    peak = peaks(correlate(reference.spectrum, moving.spectrum), 1)[0]
    return shifted(peak.x * reference.coarse_factor, peak.y * reference.coarse_factor)


def turned(reference: Prepared, moving: Prepared) -> list[Matrix]:
    """Similarities from the magnitude spectra, each with its best shift, the clearest first."""
    return turned_of(reference.coarse, moving.coarse, reference.spectrum, reference.coarse_factor)


def turned_of(fixed: Image, image: Image, spectrum: Spectrum, factor: int) -> list[Matrix]:
    """Similarities between two coarse images, each with its best shift, the clearest first."""
    to_frame = level_to_frame(factor)
    found = []
    for angle, scale in rotations_and_scales(fixed, image):
        for turn in (angle, angle + np.pi):
            linear = turned_about_centre(turn, scale, fixed.shape)
            first, second = peaks(correlate(spectrum, spectrum_of(warp_coarsely(image, linear))), 2)
            share = second.height / max(first.height, 1e-12)
            found.append((share, linear @ shifted(first.x, first.y)))
    found.sort(key=lambda pair: pair[0])
    return [to_frame @ matrix @ np.linalg.inv(to_frame) for _, matrix in found]


def fourier(
    reference: Prepared, moving: Prepared, transform: Transform, options: Fourier
) -> Matrix:
    """Matrix of shift, rotation and scale from log-polar spectra, measured again on the rest."""
    shape = reference.shape
    matrix = nearest(turned(reference, moving)[0], transform, shape)
    for _ in range(options.iterations):
        fixed, image = overlapping(reference, moving, matrix)
        angle, scale = rotations_and_scales(fixed, image, 1)[0]
        angle = (angle + np.pi / 2) % np.pi - np.pi / 2
        if abs(angle) > LARGEST_REST[0] or abs(np.log(scale)) > LARGEST_REST[1]:
            break
        matrix = nearest(matrix @ turned_about_centre(angle, scale, shape), transform, shape)
        matrix = fine_shift(reference, moving, matrix, 2)
    return fine_shift(reference, moving, matrix, options.upsampling)


def fine_shift(reference: Prepared, moving: Prepared, matrix: Matrix, upsampling: int) -> Matrix:
    """Matrix with the shift that is left, measured on the finest level in parts of a pixel."""
    to_frame = level_to_frame(reference.factors[0])
    to_level = np.linalg.inv(to_frame)
    for _ in range(2):  # the second time the frames have more in common
        image = moving.levels[0]
        warped = resample(image, to_level @ matrix @ to_frame, 1, np.arange(len(image)))
        x, y = _rest(reference.levels[0], warped, upsampling)
        matrix = matrix @ to_frame @ shifted(x, y) @ to_level
    return matrix


def _rest(fixed: Image, warped: Image, upsampling: int) -> tuple[float, float]:
    """Shift (x, y) of warped, by a matrix-multiplied transform around the correlation's peak."""
    outside = ~(np.isfinite(fixed) & np.isfinite(warped))
    images = [np.where(outside, np.float32(np.nan), compressed(image)) for image in (fixed, warped)]
    first, second = (spectrum_of(image, 1.0) for image in images)
    peak = peaks(correlate(first, second), 1)[0]
    cross = first.values.conj() * second.values
    cross /= np.sqrt(np.abs(cross)) + np.float32(1e-6) * np.sqrt(np.abs(cross).max() + 1e-30)
    # Real input: every column but the first (and the last of an even width) counts twice.
    cross[:, 1 : (first.padded[1] + 1) // 2] *= 2
    steps = np.arange(-upsampling, upsampling + 1) / upsampling
    centre = np.round([peak.y, peak.x])
    rows = _waves(centre[0] + steps, scipy.fft.fftfreq(first.padded[0]))
    columns = _waves(centre[1] + steps, scipy.fft.rfftfreq(first.padded[1]))
    surface = ((rows @ cross) @ columns.T).real
    y, x = np.unravel_index(int(np.argmax(surface)), surface.shape)
    return float(centre[1] + steps[x]), float(centre[0] + steps[y])


def _waves(places: NDArray[np.float64], frequencies: NDArray[np.float64]) -> NDArray[np.complex64]:
    return np.exp(2j * np.pi * np.outer(places, frequencies)).astype(np.complex64)


def imreg_dft(
    reference: Prepared, moving: Prepared, transform: Transform, options: Imreg_dft
) -> Matrix:
    """Matrix that the library imreg_dft finds on the band-passed frames."""
    import imreg_dft as library

    fixed, image = (_faded(p.levels[0]) for p in (reference, moving))
    constraints = _constraints(options, transform, reference.factors[0])
    if transform == "translation":
        found = library.translation(fixed, image, options.filter_pcorr, constraints=constraints)
        found["scale"] = 1.0
    else:
        found = library.similarity(
            fixed, image, options.numiter, options.order, constraints, options.filter_pcorr
        )
    # It turns about the centre, then shifts, and takes the moving frame to the reference.
    back = turned_about_centre(-np.deg2rad(found["angle"]), found["scale"], fixed.shape)
    back = shifted(found["tvec"][1], found["tvec"][0]) @ back
    to_frame = level_to_frame(reference.factors[0])
    return nearest(
        to_frame @ np.linalg.inv(back) @ np.linalg.inv(to_frame), transform, reference.shape
    )


def _faded(image: Image) -> NDArray[np.float64]:
    """Image that ends in zeros: the library takes it for periodic when it looks for shifts."""
    window = np.outer(taper(image.shape[0]), taper(image.shape[1]))
    return np.nan_to_num(image).astype(np.float64) * window


def _constraints(
    options: Imreg_dft, transform: Transform, factor: int
) -> dict[str, tuple[float, float | None]]:
    """Pairs (expected, standard deviation) as the library takes them: None leaves one free."""

    def free(spread: float, limit: float) -> float | None:
        return None if spread >= limit else spread

    spread = free(options.shift_spread / factor, 100_000 / factor)
    fixed_scale = transform in ("translation", "rigid")
    return {
        "angle": (
            options.angle,
            0.0 if transform == "translation" else free(options.angle_spread, 360),
        ),
        "scale": (1.0, 0.0) if fixed_scale else (options.scale, free(options.scale_spread, 10)),
        "tx": (options.shift_x / factor, spread),
        "ty": (options.shift_y / factor, spread),
    }
