"""`Summed`: the sum of a series as it is registered so far, and means of it that leave one out."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.engine.opencv import cv2

Image = NDArray[Any]

#: Share of the frames that must cover a pixel of the mean for it to count.
_COVERED = 0.5

#: Gaussians that a mean may be smoothed with, in px, and the rings that spectra are compared in.
_BLURS, _RINGS = np.arange(0.0, 4.01, 0.25), 32

#: A Gaussian of the largest has hardly anything so far from its middle.
_WIDE = 12


@dataclass(frozen=True, eq=False)
class Summed:
    """Sum of registered frames.

    Parameters
    ----------
    totals, covers : ndarray, shape (2, y, x)
        Sums, and how many frames cover each pixel: of every other frame, and of those between.
    frames : int
    """

    totals: Image
    covers: Image
    frames: int

    @classmethod
    def of(cls, warped: Iterable[tuple[Image, Image]]) -> "Summed":
        """Sum frames, as they come, where they lie inside."""
        number, totals, covers = 0, [np.zeros(()), np.zeros(())], [np.zeros(()), np.zeros(())]
        for seen, inside in warped:
            half = number % 2
            totals[half] = totals[half] + np.where(inside, seen, 0)
            covers[half] = covers[half] + inside
            number += 1
        shape = np.broadcast_shapes(*(total.shape for total in totals))
        whole = [np.stack([np.broadcast_to(half, shape) for half in p]) for p in (totals, covers)]
        return cls(whole[0], whole[1], number)

    @cached_property
    def total(self) -> Image:
        """Sum of all."""
        return self.totals.sum(axis=0)

    @cached_property
    def covered(self) -> Image:
        """How many frames cover each pixel."""
        return self.covers.sum(axis=0)

    @cached_property
    def counts(self) -> Image:
        """Pixels that enough frames cover for the mean to count."""
        return self.covered >= max(_COVERED * self.frames, 2)

    @property
    def mean(self) -> Image:
        """The mean, smoothed; 0 where no frame is."""
        return self._smoothed(self.total / np.maximum(self.covered, 1), self.covered > 0)

    def others(self, own: Image, inside: Image) -> Image:
        """Return the mean of the other frames, which a frame is measured against; NaN where few.

        Its own noise in the mean would hold a frame where it is: of 40 frames with 4 photons a
        pixel, by half of what it moves.
        """
        return np.where(self.counts, self._smoothed(*self._rest(own, inside)), np.nan)

    def others_both(self, own: Image, inside: Image) -> tuple[Image, Image]:
        """Return the mean of the other frames as it is, and smoothed; NaN where few."""
        rest, seen = self._rest(own, inside)
        both = rest.astype(np.float32), self._smoothed(rest, seen)
        sharp, smooth = (np.where(self.counts, mean, np.float32(np.nan)) for mean in both)
        return sharp, smooth

    def _rest(self, own: Image, inside: Image) -> tuple[Image, Image]:
        """Mean of the others, and where any of them is."""
        rest: Image = self.total - np.where(inside, own, 0)
        count = self.covered - inside
        return rest / np.maximum(count, 1), count > 0

    @property
    def share(self) -> float:
        """Part of the way to the mean of the others at which the mean of all is."""
        return (self.frames - 1) / self.frames

    def _smoothed(self, mean: Image, seen: Image) -> Image:
        mean = mean.astype(np.float32)
        if not self.blur:
            return mean
        if seen.all():
            return smoothed(mean, self.blur)
        # What lies beyond has no part: an edge to it would look like a slope of the object.
        share = smoothed(seen.astype(np.float32), self.blur)
        return smoothed(np.where(seen, mean, np.float32(0)), self.blur) / np.maximum(share, 1e-6)

    @cached_property
    def slope_noise(self) -> float:
        """Variance of a slope of the smoothed mean of all but one, for one of a pixel of a frame.

        That is of noise that neighbours do not share; frames that were interpolated have less.
        """
        point = np.zeros((4 * _WIDE + 1, 4 * _WIDE + 1), np.float32)
        point[2 * _WIDE, 2 * _WIDE] = 1
        blurred = smoothed(point, self.blur) if self.blur else point
        _, slope = np.gradient(blurred)
        return float((slope**2).sum()) / max(self.frames - 1, 1)

    @cached_property
    def blur(self) -> float:
        """Gaussian, in px, that is nearest to the Wiener filter of the mean.

        What two halves of the series have in common is the object (van Heel and Schatz 2005): the
        rest is noise, whose slopes would be taken for those of the object.
        """
        one, two = (np.where(self.counts, t / np.maximum(c, 1), 0)
                    for t, c in zip(self.totals, self.covers, strict=True))  # fmt: skip
        first = (self.frames + 1) // 2
        shares = np.array([first, self.frames - first]) / max(self.frames - 1, 1)
        common, power, ring = _spectra(one, two, shares / 2)
        object_power = np.maximum(common, 0)
        # Noise of a half against that of the mean of all frames but one.
        noise = np.maximum(power - object_power * shares.mean(), 0)
        # Slopes are what counts: the powers of these.
        weight = (object_power + noise) * ring**2
        wiener = object_power / np.maximum(object_power + noise, 1e-30)
        filters = np.exp(-2 * (np.pi * _BLURS[:, None] * ring) ** 2)
        apart = (weight * (filters - wiener) ** 2 * ring).sum(axis=1)
        return float(_BLURS[int(apart.argmin())])


def smoothed(image: Image, sigma: float) -> Image:
    """Convolve with a Gaussian; beyond the border its nearest pixels go on."""
    result: Image = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return result


def _spectra(one: Image, two: Image, shares: Image) -> tuple[Image, Image, Image]:
    """Cross power and summed power of two images in rings, and the frequency of each ring."""
    window = np.outer(*(np.hanning(side) for side in one.shape))
    a, b = (np.fft.rfft2((image - image.mean()) * window) for image in (one, two))
    y, x = np.fft.fftfreq(one.shape[0])[:, None], np.fft.rfftfreq(one.shape[1])
    number = np.minimum((np.hypot(y, x) * 2 * _RINGS).astype(int), _RINGS).ravel()
    pixels = np.maximum(np.bincount(number, minlength=_RINGS + 1), 1)
    common = np.bincount(number, (a * np.conj(b)).real.ravel(), _RINGS + 1) / pixels
    both = (shares[0] * np.abs(a) ** 2 + shares[1] * np.abs(b) ** 2).ravel()
    power = np.bincount(number, both, _RINGS + 1) / pixels
    ring = (np.arange(_RINGS) + 0.5) / (2 * _RINGS)
    return common[:_RINGS], power[:_RINGS], ring
