"""Whether what two aligned frames differ by is a scene that moves: what they share is a pattern.

Of a pattern of the sensor and a scene that moves behind it, the stronger is found. What is left of
both frames is then the difference of the weaker one and itself moved: unlike itself, moved by that.
"""

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix
from napari_stack.engine.opencv import cv2
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.gauss_newton import (
    overlap_of,
)
from napari_stack.operators.registration.refinement.motion_models import Transform
from napari_stack.operators.registration.refinement.one_level import (
    ITERATIONS,
    corner_distance,
    refine_level,
)
from napari_stack.operators.registration.search.correlation import spectrum_of
from napari_stack.operators.registration.search.evidence import Evidence

#: Frames whose corners lie closer than this, in coarse pixels, on average, lie in one place.
NEXT_TO = 3.0
#: What is left moves further than this, in coarse pixels, and less than this part of the shorter
#: side; a refinement that moves the corners further than the last is not believed.
LEAST_MOVE, FARTHEST, LARGEST_TURN = 4.5, 4, 24.0
#: It is like itself, moved so, by minus this share of its power (0.5 without noise), ...
LEAST_SHARE = 0.08
#: ... and more than the first in more than this share of the tiles that match in place. Where
#: something moves before a ground that stays, it is so there, and not where the ground matches:
#: in 0.22 of these tiles at most, where a scene behind a pattern had 0.32 at least.
DIFFERS, SHARE_DIFFERING = 0.2, 0.3
#: Fewer tiles tell nothing.
LEAST_TILES = 8
#: Next to zero, in coarse pixels, what is left is always like itself.
NEAR_ZERO = 3.0
#: Sigma, in coarse pixels, of what makes up for a blur; share of the mean power that is taken for
#: noise in what explains the difference.
BLUR_SIGMA, RIDGE = 2.0, 1e-4


def scene_moves(
    reference: Prepared, moving: Prepared, matrix: Matrix, evidence: Evidence, transform: Transform
) -> bool:
    """Whether a scene moves behind what lies in one place in both frames."""
    factor = reference.coarse_factor
    good = evidence.clear & evidence.placed
    near = corner_distance(matrix, np.eye(3), reference.shape) < NEXT_TO * factor
    if not near or np.count_nonzero(good) < LEAST_TILES:
        return False
    first, second = overlap_of(reference.coarse, moving.coarse, matrix, factor)
    left = left_over(np.nan_to_num(first), np.nan_to_num(second), evidence.tile)
    move = _least_like_itself(left, transform)
    if move is None or corner_distance(move, np.eye(3), left.shape) < LEAST_MOVE:
        return False
    places = np.round((evidence.points[good] - (factor - 1) / 2) / factor).astype(int)
    inverse = np.asarray(np.linalg.inv(move), np.float64)
    there, back = (_alike(left, m, evidence.tile, places) for m in (move, inverse))
    return bool(np.mean(there + back < -2 * DIFFERS) > SHARE_DIFFERING)


def left_over(first: Image, second: Image, tile: int) -> Image:
    """Difference of two images without what a gain, a small shift, or a blur explain, by tiles."""
    mean = (first + second) / 2
    wide = cv2.Laplacian(cv2.GaussianBlur(mean, (0, 0), BLUR_SIGMA), cv2.CV_32F)
    slopes = np.gradient(mean)
    images = [first - second, mean, *slopes, cv2.Laplacian(mean, cv2.CV_32F), wide]
    images.append(np.ones_like(mean))
    across, down = (max(side // tile, 1) for side in mean.shape)
    height, width = mean.shape[0] // across, mean.shape[1] // down
    whole = np.stack([image[: across * height, : down * width] for image in images])
    tiles = whole.reshape(-1, across, height, down, width).transpose(1, 3, 0, 2, 4)
    tiles = tiles.reshape(across * down, len(images), -1).astype(np.float32)
    difference, explains = tiles[:, :1], tiles[:, 1:]
    normal = (explains @ explains.transpose(0, 2, 1)).astype(np.float64)
    noise = RIDGE * np.trace(normal, axis1=1, axis2=2) / len(images) + 1e-12
    normal += noise[:, None, None] * np.eye(len(images) - 1)
    shares = np.linalg.solve(normal, explains @ difference.transpose(0, 2, 1))
    rest = difference - shares.transpose(0, 2, 1).astype(np.float32) @ explains
    rest = rest.reshape(across, down, height, width).transpose(0, 2, 1, 3)
    left: Image = np.ascontiguousarray(rest.reshape(across * height, down * width))
    return left


def _least_like_itself(image: Image, transform: Transform) -> Matrix | None:
    """Matrix by which an image is least like itself, not next to zero; None where it hardly is."""
    spectrum = spectrum_of(image)
    surface = scipy.fft.irfft2(np.abs(spectrum.values) ** 2, s=spectrum.padded)
    y, x = (np.rint(np.fft.fftfreq(side, 1 / side)) for side in surface.shape)
    away, farthest = np.hypot(y[:, None], x), min(image.shape) / FARTHEST
    within = (np.abs(y)[:, None] < farthest) & (np.abs(x) < farthest) & (away > NEAR_ZERO)
    row, column = np.unravel_index(np.argmin(np.where(within, surface, np.inf)), surface.shape)
    if surface[row, column] > -LEAST_SHARE * surface[0, 0]:
        return None
    start = np.array([[1, 0, x[column]], [0, 1, y[row]], [0, 0, 1.0]])
    model: Transform = transform if transform in ("translation", "rigid") else "similarity"
    better = refine_level(image, -image, start, model, ITERATIONS, image.size)
    if better is None or corner_distance(start, better[0], image.shape) > LARGEST_TURN:
        return start
    return better[0]


def _alike(
    image: Image, matrix: Matrix, tile: int, places: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Correlation coefficients of an image with itself, moved, in tiles around some places."""
    _, other = overlap_of(image, image, matrix, 1)
    known = np.isfinite(other)
    one, two = np.where(known, image, np.float32(0)), np.nan_to_num(other)
    x, y = np.minimum(places, np.array(image.shape[::-1]) - 1).T
    both, first, second = (
        cv2.boxFilter(product, -1, (tile, tile))[y, x]
        for product in (one * two, one * one, two * two)
    )
    alike: NDArray[np.float64] = both / np.sqrt(np.maximum(first * second, 1e-9))
    return alike
