"""All planes of a clear scene in focus at once: the frames, each filtered, summed up."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.operators.focus.translucent.spectra import FREQUENCIES, radii

Array = NDArray[Any]

# Planes a frame at which things may lie.
FINE = 2
# Noise counts so much, for the sharpest frame shows less than all planes do (0.3 to 1 do equally
# well), and at most so many times the signal.
NOISE_SHARE, MOST_NOISE = 0.5, 10.0
# Signal below this share of the noise is not told from it.
LEAST_SIGNAL = 0.02
# Pixels by which images are mirrored beyond their borders.
PAD = 48


def filters(places: Array, growth: float, signal: Array, noise: float) -> Array:
    """Return the gain of each frame at each of `FREQUENCIES`, by which they are summed up.

    A frame is the sum of all planes, each blurred in proportion to its distance. The gains are
    those for which the sum of the frames shows every plane as if in focus, with the least expected
    error for this noise (Wiener 1949).

    Parameters
    ----------
    places : (n,) ndarray
        Where the frames lie.
    growth : float
        Standard deviation of the blur, in pixels a frame away.
    signal : (f,) ndarray
        Power of the sharpest frame at each frequency.
    noise : float
        Its standard deviation.

    Returns
    -------
    (f, n) ndarray
    """
    first, last = float(places.min()), float(places.max())
    planes = np.linspace(first, last, max(round((last - first) * FINE) + 1, 2))
    squares = (places[:, np.newaxis] - planes) ** 2
    power = noise**2
    share = NOISE_SHARE * power / np.maximum(signal - power, LEAST_SIGNAL * power + 1e-12)
    gains = []
    for frequency, weight in zip(FREQUENCIES, share, strict=True):
        seen = np.exp(-2 * (np.pi * frequency * growth) ** 2 * squares)
        both = seen @ seen.T / len(planes)
        both[np.diag_indices_from(both)] += max(min(weight, MOST_NOISE), 1e-6)
        gains.append(np.linalg.solve(both, seen.mean(axis=1)))
    found = np.array(gains)
    return found / found[0].sum()  # what is even stays as bright as it is


class FilteredSum:
    """The sum of filtered frames.

    Parameters
    ----------
    shape : (int, int, int)
        (y, x, channel).
    gains : (f, n) ndarray
        As `filters` returns them.
    """

    def __init__(self, shape: tuple[int, ...], gains: Array) -> None:
        self.shape, self.gains = shape, gains
        self.pad = tuple(min(PAD, side) for side in shape[:2])
        self.size = tuple(side + 2 * pad for side, pad in zip(shape[:2], self.pad, strict=True))
        self.radii = radii(*self.size)
        self.total = np.zeros((*self.radii.shape, shape[2]), np.complex64)

    def add(self, number: int, frame: Array) -> None:
        """Take in the frame with this number among them, (y, x, channel)."""
        from scipy import fft

        (down, across), gain = self.pad, np.interp(self.radii, FREQUENCIES, self.gains[:, number])
        padded = np.pad(frame, ((down, down), (across, across), (0, 0)), mode="symmetric")
        self.total += gain[..., np.newaxis].astype(np.float32) * fft.rfft2(padded, axes=(0, 1))

    @property
    def noise(self) -> float:
        """Standard deviation of the sum's noise, that of a frame being 1."""
        power = np.interp(self.radii, FREQUENCIES, np.sum(self.gains**2, axis=1))
        return float(np.sqrt(np.mean(power)))

    def image(self) -> Array:
        """Return the sum, (y, x, channel)."""
        from scipy import fft

        (down, across), (height, width, _) = self.pad, self.shape
        whole = fft.irfft2(self.total, s=self.size, axes=(0, 1))
        return np.ascontiguousarray(whole[down : down + height, across : across + width])
