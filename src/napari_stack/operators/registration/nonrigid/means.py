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
        return self._smoothed(self.total / np.maximum(self.covered, 1))

    def others(self, own: Image, inside: Image) -> Image:
        """Return the mean of the other frames, which a frame is measured against; NaN where few.

        Its own noise in the mean would hold a frame where it is: of 40 frames with 4 photons a
        pixel, by half of what it moves.
        """
        rest = self.total - np.where(inside, own, 0)
        mean = self._smoothed(rest / np.maximum(self.covered - inside, 1))
        return np.where(self.counts, mean, np.nan)

    @property
    def share(self) -> float:
        """Part of the way to the mean of the others at which the mean of all is."""
        return (self.frames - 1) / self.frames

    def _smoothed(self, mean: Image) -> Image:
        mean = mean.astype(np.float32)
        if not self.blur:
            return mean
        return cv2.GaussianBlur(mean, (0, 0), self.blur, borderType=cv2.BORDER_REPLICATE)

    @cached_property
    def blur(self) -> float:
        """Gaussian, in px, that is nearest to the Wiener filter of the mean.

        What two halves of the series have in common is the object (van Heel and Schatz 2005): the
        rest is noise, whose slopes would be taken for those of the object.
        """
        if self.frames < 4:
            return 1.0
        one, two = (np.where(self.counts, t / np.maximum(c, 1), 0)
                    for t, c in zip(self.totals, self.covers, strict=True))  # fmt: skip
        common, power, ring = _spectra(one, two)
        object_power = np.maximum(common, 0)
        # The noise of the whole mean is half that of its halves.
        noise = np.maximum(power - object_power, 0) / 2
        # Slopes are what counts: the powers of these.
        weight = (object_power + noise) * ring**2
        wiener = object_power / np.maximum(object_power + noise, 1e-30)
        filters = np.exp(-2 * (np.pi * _BLURS[:, None] * ring) ** 2)
        apart = (weight * (filters - wiener) ** 2 * ring).sum(axis=1)
        return float(_BLURS[int(apart.argmin())])


def _spectra(one: Image, two: Image) -> tuple[Image, Image, Image]:
    """Cross power and mean power of two images in rings, and the frequency of each ring."""
    window = np.outer(*(np.hanning(side) for side in one.shape))
    a, b = (np.fft.rfft2((image - image.mean()) * window) for image in (one, two))
    y, x = np.fft.fftfreq(one.shape[0])[:, None], np.fft.rfftfreq(one.shape[1])
    number = np.minimum((np.hypot(y, x) * 2 * _RINGS).astype(int), _RINGS).ravel()
    pixels = np.maximum(np.bincount(number, minlength=_RINGS + 1), 1)
    common = np.bincount(number, (a * np.conj(b)).real.ravel(), _RINGS + 1) / pixels
    both = (np.abs(a) ** 2 + np.abs(b) ** 2).ravel() / 2
    power = np.bincount(number, both, _RINGS + 1) / pixels
    ring = (np.arange(_RINGS) + 0.5) / (2 * _RINGS)
    return common[:_RINGS], power[:_RINGS], ring
