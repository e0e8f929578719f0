"""How blurred things are out of focus: the blur itself, and how fast it grows along a series."""

from collections.abc import Iterable, Sequence

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


class Looks:
    """What is in focus at each frame, under many blurs: to be compared with what others show.

    Parameters
    ----------
    fused : (y, x) ndarray of float32
        All in focus.
    depth : (y, x) ndarray of float32
        As a number of these frames, from 0.
    sure : (y, x) ndarray of bool
        Where the depth is certain, and even around.
    places : (n,) ndarray of float32
        Where the frames lie, in mean steps.
    """

    def __init__(self, fused: Plane, depth: Plane, sure: NDArray[np.bool_], places: Plane) -> None:
        self.places = places
        focused = {n: sure & (np.abs(depth - n) < BESIDE) for n in range(len(places))}
        self.places_of = {
            n: np.flatnonzero(where)
            for n, where in focused.items()
            if np.count_nonzero(where) >= LEAST_PIXELS
        }
        self.seen: dict[int, list[Plane]] = {n: [] for n in self.places_of}
        for sigma in (0.0, *SIGMAS):
            look = blurred(fused, sigma).reshape(-1)
            for n, where in self.places_of.items():
                self.seen[n].append(look[where])

    def compare(self, other: int, frame: Plane) -> list[tuple[float, int]]:
        """Return by how much the blur in a frame grows, seen in others, and from how many pixels.

        Parameters
        ----------
        other : int
            Number of the frame.
        frame : (y, x) ndarray of float32
        """
        found, pixels = [], frame.reshape(-1)
        for n, where in self.places_of.items():
            if 0 < abs(other - n) <= FARTHEST:
                here = pixels[where]
                sigma = _best_sigma([float(np.mean((here - s) ** 2)) for s in self.seen[n]])
                if sigma is not None:
                    away = abs(float(self.places[other] - self.places[n]))
                    found.append((sigma / away, len(where)))
        return found


def blur_growth(compared: Iterable[list[tuple[float, int]]]) -> float | None:
    """Return the standard deviation, in pixels, by which blur grows a frame away from focus.

    Parameters
    ----------
    compared : iterable
        What `Looks.compare` found for every frame.

    Returns
    -------
    float or None
        None where nothing tells.
    """
    found = [pair for pairs in compared for pair in pairs]
    return _weighted_median(*zip(*found, strict=True)) if found else None


def _best_sigma(errors: list[float]) -> float | None:
    """Return the blur of the least error, between those tried; None at the ends."""
    best = int(np.argmin(errors))
    if not 1 < best < len(SIGMAS):
        return None
    before, here, after = errors[best - 1 : best + 2]
    bend = before - 2 * here + after
    ahead = 0.5 * (before - after) / bend if bend > 0 else 0.0
    return float(SIGMAS[best - 1] * (SIGMAS[1] / SIGMAS[0]) ** ahead)


def _weighted_median(values: Sequence[float], weights: Sequence[int]) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(np.array(weights)[order])
    return float(np.array(values)[order][np.searchsorted(total, total[-1] / 2)])
