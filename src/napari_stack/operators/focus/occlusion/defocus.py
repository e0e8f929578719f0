"""How blurred things are out of focus: the blur itself, and how fast it grows along a series."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_stack.engine.opencv import cv2

Plane = NDArray[np.float32]

# From this standard deviation on, a blur is made at a half of the size, or less.
LARGE = 4.0
# Blurs that are tried, in pixels.
SIGMAS = np.geomspace(0.4, 24, 30)
# Frames away from focus up to which blur is measured, pixels that are needed for it, and by how
# many frames their depth may lie beside a frame.
FARTHEST, LEAST_PIXELS, BESIDE = 6, 200, 0.35


def blurred(image: Plane, sigma: float) -> Plane:
    """Return an image (y, x[, channel]) under a Gaussian blur.

    A lens makes discs; Gaussians of the same variance serve as well here, and are quicker.
    """
    if sigma < 0.15:
        return image
    shape, size, factor = image.shape, image.shape[1::-1], 1
    while sigma >= LARGE * factor and min(image.shape[:2]) >= 16:
        half = tuple(-(-side // 2) for side in image.shape[1::-1])
        image, factor = cv2.resize(image, half, interpolation=cv2.INTER_AREA), 2 * factor
    if factor > 1:  # the mean of pixels, and linear interpolation, blur too
        sigma = np.sqrt(sigma**2 - (factor**2 - 1) / 12 - factor**2 / 6) / factor
    soft = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    if soft.shape[1::-1] != size:
        soft = cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR)
    return soft.reshape(shape)


def blur_growth(
    frames: Sequence[Plane], fused: Plane, depth: Plane, sure: NDArray[np.bool_], places: Plane
) -> float | None:
    """Return the standard deviation, in pixels, by which blur grows a frame away from focus.

    What is in focus at one frame is compared, under many blurs, with what the others show.

    Parameters
    ----------
    frames : sequence of (y, x) ndarray of float32
    fused : (y, x) ndarray of float32
        All in focus.
    depth : (y, x) ndarray of float32
        As a number of these frames, from 0.
    sure : (y, x) ndarray of bool
        Where the depth is certain, and even around.
    places : (n,) ndarray of float32
        Where the frames lie, in mean steps.

    Returns
    -------
    float or None
        None where nothing tells.
    """
    focused = [sure & (np.abs(depth - number) < BESIDE) for number in range(len(frames))]
    looks = [fused, *(blurred(fused, sigma) for sigma in SIGMAS)]
    ratios, counts = [], []
    for number, where in enumerate(focused):
        if np.count_nonzero(where) < LEAST_PIXELS:
            continue
        seen = [look[where] for look in looks]
        for other, frame in enumerate(frames):
            if 0 < abs(other - number) <= FARTHEST:
                sigma = _best_sigma([float(np.mean((frame[where] - s) ** 2)) for s in seen])
                if sigma is not None:
                    ratios.append(sigma / abs(float(places[other] - places[number])))
                    counts.append(int(np.count_nonzero(where)))
    return _weighted_median(ratios, counts) if ratios else None


def _best_sigma(errors: list[float]) -> float | None:
    """Return the blur of the least error, between those tried; None at the ends."""
    best = int(np.argmin(errors))
    if not 1 < best < len(SIGMAS):
        return None
    before, here, after = errors[best - 1 : best + 2]
    bend = before - 2 * here + after
    ahead = 0.5 * (before - after) / bend if bend > 0 else 0.0
    return float(SIGMAS[best - 1] * (SIGMAS[1] / SIGMAS[0]) ** ahead)


def _weighted_median(values: list[float], weights: list[int]) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(np.array(weights)[order])
    return float(np.array(values)[order][np.searchsorted(total, total[-1] / 2)])
