"""The spectra of a series: how strong it is at each frequency, and how fast blur grows along it."""

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Radial frequencies, up to the corner of the spectrum, at which spectra and filters are known.
FREQUENCIES = np.linspace(0, 0.75, 96)
# Frequencies at which growth is measured, and those at which there is nothing but noise.
COARSEST, FINEST, EMPTY = 0.01, 0.4, 0.42
# Multiples of its standard error that count as signal, and growths that are tried.
SIGNAL, GROWTHS = 5.0, np.geomspace(0.1, 6, 400)
# Distances of frames that are compared with neighbours, and the least number of frequencies.
APART, LEAST = (2, 3), 6
# Factor between growths measured in two ways from which on frames do not behave as sums of blurred
# planes: it is at most 1.1 in renders of such, and 1.2 to 2.2 in confocal series, where light from
# out of focus is kept out.
DISAGREEMENT = 1.2


def radii(height: int, width: int) -> Array:
    """Return the radial frequency of every coefficient of a real spectrum."""
    return np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.rfftfreq(width))


def agree(*growths: float) -> bool:
    """Whether growths that were measured in several ways are of one lens."""
    return max(growths) <= DISAGREEMENT * min(growths)


class SeriesSpectra:
    """The mean cross-spectra of frames, next to each other and farther apart.

    Parameters
    ----------
    height, width : int
        Size of the images that will come.
    """

    def __init__(self, height: int, width: int) -> None:
        # A Hann window keeps the borders from counting as edges.
        window = np.hanning(height)[:, np.newaxis] * np.hanning(width)
        self.window = window / np.sqrt(np.sum(window**2))
        number = (radii(height, width) / FREQUENCIES[1]).round().astype(int)
        self.number = np.minimum(number, len(FREQUENCIES) - 1).ravel()
        self.pixels = np.bincount(self.number, minlength=len(FREQUENCIES))
        self.before: deque[Array] = deque(maxlen=1 + max(APART))
        self.strongest = np.zeros(len(FREQUENCIES))
        self.totals = np.zeros((1 + max(APART), len(FREQUENCIES)))
        self.pairs = np.zeros(1 + max(APART), int)

    def add(self, grey: Array) -> None:
        """Take in the next frame (y, x)."""
        spectrum = np.fft.rfft2((grey - grey.mean()) * self.window).astype(np.complex64)
        self.before.appendleft(spectrum)
        for apart, other in enumerate(self.before):
            self._add(apart, np.real(spectrum * np.conj(other)))

    def _add(self, apart: int, power: Array) -> None:
        total = np.bincount(self.number, power.ravel(), len(FREQUENCIES))
        found: Array = total / np.maximum(self.pixels, 1)
        self.totals[apart] += found
        self.pairs[apart] += 1
        if apart == 0:
            self.strongest = np.maximum(self.strongest, found)

    @property
    def power(self) -> Array:
        """Power of the strongest frame at `FREQUENCIES`, that of white noise being 1."""
        known = self.pixels > 0
        return np.interp(FREQUENCIES, FREQUENCIES[known], self.strongest[known])

    def growth(self) -> float | None:
        """Return the standard deviation of the blur, in pixels, that a frame away adds.

        Where planes of all depths add up, of Gaussian blurs, the cross-spectrum of frames that lie
        d apart is that of neighbours times exp(-(d^2 - 1) (pi f g)^2); noise is in neither.

        Returns
        -------
        float or None
            None where nothing tells, or distances disagree: the frames are no such sums.
        """
        means = self.totals / np.maximum(self.pairs, 1)[:, np.newaxis]
        found = []
        for apart in APART:
            if self.pairs[apart] and (usable := self._usable(means)).sum() >= LEAST:
                ratio = means[apart][usable] / means[1][usable]
                squares = (np.pi * FREQUENCIES[usable] * GROWTHS[:, np.newaxis]) ** 2
                wrong = (ratio - np.exp(-(apart**2 - 1) * squares)) ** 2
                best = int(np.argmin(wrong @ self.pixels[usable]))
                if 0 < best < len(GROWTHS) - 1:
                    found.append(float(GROWTHS[best]))
        return float(np.mean(found)) if found and agree(*found) else None

    def _usable(self, means: Array) -> Array:
        """Return at which frequencies neighbours have more in common than noise gives."""
        empty = (FREQUENCIES > EMPTY) & (FREQUENCIES < 0.5)
        noise = max(float(np.median((means[0] - means[1])[empty])), 0)
        error = noise / np.sqrt(np.maximum(self.pixels * self.pairs[1], 1))
        band = (FREQUENCIES > COARSEST) & (FREQUENCIES < FINEST)
        return band & (means[1] > SIGNAL * error) & (means[1] > 1e-9)
