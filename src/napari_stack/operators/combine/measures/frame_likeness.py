"""How far a frame lies from a reference, and whether it is hardly new: pixel functions."""

from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Side of the square in the middle that is correlated, in px.
_SIDE = 512

#: Pixels that are kept of a frame, pixels that are summed up, and how many sums there are.
_FEW, _MANY, _SUMS = 256, 8192, 32

#: Deviations of the correlation that its peak must stand out: of noise alone it is some 5.
_CERTAIN = 8.0

#: Share of the differences that counts for what is usual: what moves has the greatest.
_COUNTS = 0.95

#: Of the noise, and of what three quarters of frames differ by, below which frames are the same.
_OF_NOISE, _OF_USUAL = 0.25, 0.3


class Reference(NamedTuple):
    """Fine details of a frame that the others are compared with, as its Fourier transform."""

    spectrum: NDArray[np.complex64]
    size: tuple[int, int]

    @classmethod
    def of(cls, details: NDArray[Any]) -> "Reference":
        """Take the middle of a frame's details."""
        size = min(details.shape[0], _SIDE), min(details.shape[1], _SIDE)
        return cls(_spectrum(details), size)

    def distance(self, details: NDArray[Any]) -> float:
        """Return how far details lie from those of the reference, in px; NaN where none can tell.

        The peak of the cross-correlation, between pixels by a parabola.
        """
        return self.apart(Reference.of(details))

    def apart(self, other: "Reference") -> float:
        """Return how far the details of another frame lie from those of this one."""
        if other.size != self.size:
            return float("nan")
        size = self.size
        surface = np.fft.irfft2(other.spectrum * self.spectrum.conj(), s=size)
        y, x = np.unravel_index(int(surface.argmax()), surface.shape)
        if not surface[y, x] > _CERTAIN * surface.std():
            return float("nan")
        dy = _signed(int(y), size[0]) + _between(surface[:, x], int(y))
        dx = _signed(int(x), size[1]) + _between(surface[y], int(x))
        return float(np.hypot(dy, dx))


def _spectrum(details: NDArray[Any]) -> NDArray[np.complex64]:
    height, width = (min(side, _SIDE) for side in details.shape)
    top, left = (details.shape[0] - height) // 2, (details.shape[1] - width) // 2
    part = details[top : top + height, left : left + width]
    window = np.hanning(height + 2)[1:-1, None] * np.hanning(width + 2)[1:-1]
    return np.asarray(np.fft.rfft2(part * window))


def _signed(place: int, size: int) -> int:
    return place if place < size / 2 else place - size


def _between(line: NDArray[Any], place: int) -> float:
    """Place of the top of a parabola through a greatest value and its neighbours."""
    before, top, after = (float(line[(place + step) % len(line)]) for step in (-1, 0, 1))
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


class Sample(NamedTuple):
    """What is kept of a frame to tell whether another one is nearly the same.

    Attributes
    ----------
    pixels : ndarray of float32
        Few pixels all over the frame.
    sums : ndarray of float64, shape (`_SUMS`,)
        Of many pixels with signs by chance: the distance of those of two frames is about the root
        of the mean square of their difference (Johnson and Lindenstrauss 1984).
    """

    pixels: NDArray[np.float32]
    sums: NDArray[np.float64]


def sample_of(grey: NDArray[Any]) -> Sample:
    """Take pixels all over a frame, the same of all frames."""
    many = _spread(grey, _MANY).astype(np.float64)
    return Sample(_spread(grey, _FEW), _signs(many.size) @ many)


def _spread(grey: NDArray[Any], count: int) -> NDArray[np.float32]:
    """Take so many pixels, or somewhat more."""
    flat = grey.ravel()
    # A step that shares no divisor with the width: so no column is left out.
    step = max(flat.size // count, 1)
    while step > 1 and np.gcd(step, grey.shape[1]) > 1:
        step -= 1
    return np.array(flat[::step], np.float32)  # a copy: a view would keep the frame


@lru_cache(4)
def _signs(count: int) -> NDArray[np.float64]:
    """Signs by chance, so large that distances of the sums are those of pixels."""
    signs = np.random.default_rng(0).integers(0, 2, (_SUMS, count)) * 2.0 - 1.0
    return np.asarray(signs / np.sqrt(_SUMS * count))


def repeats(samples: list[Sample], noise: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Find frames that differ from an earlier one by far less than by their noise.

    So do those that a video or a camera repeats and compresses again. Where details as fine as the
    noise are taken for it, the frames differ by less, too: so it is asked what is usual from one
    frame to the next, without what moves. What moves counts between those that may be the same.
    """
    from scipy.spatial import cKDTree

    again = np.zeros(len(samples), bool)
    if len(samples) < 2:
        return again
    steps = [_difference(one.pixels, other.pixels) for one, other in pairwise(samples)]
    limits = np.minimum(_OF_NOISE * np.sqrt(2) * noise, _OF_USUAL * float(np.percentile(steps, 75)))
    sums = np.nan_to_num([one.sums for one in samples])  # of huge values they are not finite
    tree = cKDTree(sums)
    for k in np.flatnonzero(limits > 0):
        near = np.array(tree.query_ball_point(sums[k], limits[k]), int)
        # Of those that stay: else what moves slowly would be a chain of repeats.
        again[k] = not again[near[near < k]].all()
    return again


def _difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    apart = np.abs(one - other)
    kept = int(np.ceil(_COUNTS * apart.size))
    return float(np.sqrt((np.partition(apart, kept - 1)[:kept] ** 2).mean()))
