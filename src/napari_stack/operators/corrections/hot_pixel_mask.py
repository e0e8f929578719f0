"""Which pixels are defective, from how far they stand out of their neighbours in most frames."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.statistics import robust_sigma

#: Times the noise of a frame that a pixel must stand out in most frames. A defect of 3 sigma is
#: 2.7 here, as the median of the eight neighbours has noise of its own.
_LEAST = 2.4

#: Times its own noise that a median over frames must be: of normal noise one of 50 million is.
_SURE = 5.5

#: Share of those found that may be there by chance; times its noise that a median may well be, and
#: how many more than of normal noise may be so.
_CHANCE, _USUAL, _AS_NORMAL = 0.005, 3.0, 1.25

#: Times the local mean of others that it must be, so that a rich scene is not hot.
_LOCAL = 5.5

#: Times the error of the median, by the spread of the frames at that pixel, that it must be.
_STEADY = 3.5

#: Side of the square of that local mean.
_AROUND = 15

_ROUNDS = 3

#: Share of a point of the optics that reaches the pixels beside its middle, at least: 0.2 for a
#: width at half of its height of 1.4 px. Of a defect they get nothing.
_SPREAD = 0.12

#: A frame stands out where it does so by more than this: one of 30,000 by chance.
STANDS_OUT = 4.0

#: Share of the frames in which a pixel that blinks stands out, and their number, at least.
_BLINKS, _FEWEST = 0.1, 4

#: Times its own noise that the growth of the excess with the exposure must be.
_GROWS = 6.0

#: Times the spread between columns that a column must stand out, and the least of it.
_LINE, _LEAST_LINE = 6.0, 0.25

#: Pixels of a scene at least, and what of them two frames must share, to tell that it is still.
_SCENE, _SAME = 100, 0.4

#: Pairs of neighbours more than by chance that say the same where all points are sharp.
_PAIRS = 10


class Seen(NamedTuple):
    """What the frames say of each pixel of a channel, in units of the noise.

    Attributes
    ----------
    low, high : ndarray, shape (y, x)
        What at least half of the frames reach, and what at least half of them do not exceed.
    spread : ndarray, shape (y, x)
        Deviation of the frames.
    often : ndarray, shape (y, x), or None
        Share of the frames in which it stands out.
    growth : ndarray, shape (y, x), or None
        How its excess grows with the exposure, in units of its noise.
    """

    low: NDArray[Any]
    high: NDArray[Any]
    spread: NDArray[Any]
    often: NDArray[Any] | None = None
    growth: NDArray[Any] | None = None

    @property
    def middle(self) -> NDArray[Any]:
        """How far it stands out in most frames: 0 where half of them say so and half do not."""
        return np.maximum(self.low, 0) + np.minimum(self.high, 0)


def least_of(frames: int) -> float:
    """Return how many times the noise a pixel must stand out in most of so many frames."""
    # The median of n normal deviates has a deviation of 1.25 / sqrt(n); 1 for a single one.
    return max(_LEAST, _SURE * min(1.0, 1.2533 / np.sqrt(frames)))


def faintest(frames: int) -> float:
    """Return how many times the noise a pixel must stand out to be found as good as surely.

    Measured on even frames of 2 to 48: of such pixels 98 % and more are found.
    """
    return float(least_of(frames) + 4.0 / np.sqrt(frames))


def find(seen: Seen, least: Any, frames: int, rounding: float | None = None) -> NDArray[np.int8]:
    """Find pixels that stand out: 1 where they are too bright, -1 where too dark, else 0.

    Parameters
    ----------
    seen : Seen
    least : float
        How far they must stand out.
    frames : int
    rounding : float, optional
        Noise of the rounding to whole numbers, of which the median over the frames is one. Where it
        is given, more is asked for where the scene is rich: where others near by stand out too, or
        the frames differ.
    """
    middle = seen.middle
    size = np.abs(middle)
    found = size > least
    if rounding is not None:
        steady = _STEADY * 1.2533 / np.sqrt(frames) * seen.spread
        for _ in range(_ROUNDS):
            noise = np.hypot(_local_mean(size, found), rounding)
            before, found = found, size > np.maximum(np.maximum(least, steady), _LOCAL * noise)
            if (found == before).all():
                break
        apart = np.divide(size, noise, out=np.zeros_like(size), where=noise > 0)
        share = _sure_enough(apart) / _SURE
        fewer = max(_LEAST, least * share)
        found |= size > np.maximum(np.maximum(fewer, steady), share * _LOCAL * noise)
    return np.where(found, np.sign(middle), 0).astype(np.int8)


def _sure_enough(apart: NDArray[Any]) -> float:
    """Return how many times its noise a median must be so that hardly any is by chance.

    Of those found (Benjamini and Hochberg 1995): the more defects there are, the fewer times. As
    long as the others are as normal noise is; else as many as where there are none.
    """
    from scipy.special import erfc

    levels = np.array([_USUAL, *np.arange(4.0, _SURE, 0.25)])
    by_chance = apart.size * erfc(levels / np.sqrt(2))
    there = np.array([np.count_nonzero(apart > level) for level in levels])
    if there[0] - np.count_nonzero(apart > _SURE) > _AS_NORMAL * by_chance[0]:
        return _SURE
    enough = np.flatnonzero(by_chance[1:] <= _CHANCE * there[1:])
    return float(levels[1 + enough[0]]) if enough.size else _SURE


def _local_mean(size: NDArray[Any], found: NDArray[np.bool_]) -> NDArray[Any]:
    """Mean around each pixel of what does not stand out, as a deviation of normal noise."""
    from napari_stack.engine.opencv import cv2

    kept = np.where(found, 0, np.minimum(size, np.percentile(size, 99.9))).astype(np.float32)
    square = (_AROUND, _AROUND)
    share = cv2.blur((~found).astype(np.float32), square)
    # |d| of normal noise has the mean 0.80 sigma.
    return np.asarray(cv2.blur(kept, square) / np.maximum(share, 0.1) / 0.8)


def is_spread(middle: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which pixels share what stands out with those beside them, as points of the optics do.

    Of the four beside a pixel the second least counts: so one or two defects among them do not
    matter.
    """
    beside = np.pad(middle, 1, "reflect") if min(middle.shape) > 1 else np.pad(middle, 1)
    sides = [beside[1:-1, :-2], beside[1:-1, 2:], beside[:-2, 1:-1], beside[2:, 1:-1]]
    noise = float(robust_sigma(middle, 0.0))
    share = np.sort(np.stack(sides) * np.sign(middle), axis=0)[1]
    return np.asarray(share > np.maximum(_SPREAD * np.abs(middle), 2 * noise))


def specks(middle: NDArray[Any], least: float) -> NDArray[np.bool_]:
    """Tell which pixels stand out alone, also by less than defects do: no part of a scene."""
    noise = float(robust_sigma(middle, 0.0))
    return (np.abs(middle) > min(least, 4 * noise)) & ~is_spread(middle)


def come_in_pairs(found: NDArray[np.bool_]) -> bool:
    """Tell whether pixels lie side by side oftener than by chance: points between two pixels do."""
    pairs = int((found[1:] & found[:-1]).sum() + (found[:, 1:] & found[:, :-1]).sum())
    expected = 2 * found.mean() * found.sum()
    return pairs > _PAIRS + 3 * expected


def blinks(often: NDArray[Any], frames: int) -> NDArray[np.bool_]:
    """Tell which pixels stand out in many frames, and far oftener than those around them.

    What moves through the frames crosses neighbours as often.
    """
    from napari_stack.engine.opencv import cv2

    around = cv2.blur(often.astype(np.float32), (5, 5)) - often / 25
    least = np.maximum(max(_BLINKS, _FEWEST / frames), 3 * around * 25 / 24)
    return np.asarray(often >= least)


def grows(growth: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell of which pixels the excess grows with the exposure."""
    noise = max(float(robust_sigma(growth, 0.0)), 1.0)
    return np.asarray(growth > _GROWS * noise)


def lines(middle: NDArray[Any], axis: int, least: float) -> NDArray[np.bool_]:
    """Find whole columns (axis 0) or rows (axis 1) that stand out of those beside them.

    Parameters
    ----------
    middle : ndarray, shape (y, x)
    axis : int
        Along which the lines run.
    least : float
        How far a pixel must stand out; a line is the surer the longer it is.
    """
    limited = np.clip(middle, -least, least)
    mean = limited.mean(axis=axis)
    noise = float(robust_sigma(mean))
    agree = (np.sign(limited) == np.sign(np.expand_dims(mean, axis))).mean(axis=axis)
    found = (np.abs(mean) > max(_LINE * noise, _LEAST_LINE * least)) & (agree > 0.6)
    return np.broadcast_to(np.expand_dims(found, axis), middle.shape)


def is_still(first: NDArray[Any], later: NDArray[Any], defects: NDArray[np.bool_]) -> bool | None:
    """Tell whether the scene of two frames lies at the same pixels; None where there is none.

    Parameters
    ----------
    first, later : ndarray, shape (y, x)
        How far the pixels of two frames stand out.
    defects : ndarray of bool, shape (y, x)
        Left out: they stay where they are in any case.
    """
    from napari_stack.engine.opencv import cv2

    good = cv2.dilate(defects.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    one, two = (
        cv2.GaussianBlur(np.where(good, np.clip(z, -20, 20), 0).astype(np.float32), (0, 0), 1.0)
        for z in (first, later)
    )
    rich = good & (np.abs(one) > 5 * max(float(robust_sigma(one, 0.0)), 1e-6))
    if rich.sum() < _SCENE:
        return None
    a, b = one[rich] - one[rich].mean(), two[rich] - two[rich].mean()
    return bool((a * b).sum() > _SAME * np.sqrt((a * a).sum() * (b * b).sum()))
