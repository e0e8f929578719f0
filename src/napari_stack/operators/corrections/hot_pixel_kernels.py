"""Pixel work on defective pixels: finding them in a mean frame, and repairing a frame."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.jit import kernel
from napari_stack.core.statistics import robust_sigma

#: Times the noise that a pixel must stand out where nothing is said; of a normal noise one pixel
#: of 500 million does.
_SIGMAS = 6.0

#: Times the local mean difference that a pixel must stand out, so that a rich scene is not hot.
_LOCAL = 6.0

#: Side of the square of that local mean.
_AROUND = 15

_ROUNDS = 3

#: Half a side of a square at most that is searched for good pixels.
_FARTHEST = 50

#: Good neighbours that are taken for a median at most: a square of 31 pixels.
_MOST = 1024


def find(mean: NDArray[Any], threshold: float | None, blur: int, kind: str) -> NDArray[np.bool_]:
    """Find pixels that stand out of a blur of their good neighbours.

    Parameters
    ----------
    mean : ndarray, shape (y, x)
    threshold : float or None
        In units of the data; None finds it from the noise.
    blur : int
        Side of the Gaussian, odd.
    kind : {"both", "hot", "cold"}

    Returns
    -------
    ndarray of bool, shape (y, x)
    """
    from napari_stack.engine.opencv import cv2

    difference = np.abs(mean - cv2.GaussianBlur(mean, (blur, blur), 0))
    # A bright pixel lifts the blur of its neighbours: only peaks count at first.
    peaks = difference >= cv2.dilate(difference, np.ones((3, 3), np.uint8))
    hot = peaks & (difference > _threshold(difference, np.zeros(mean.shape, bool), threshold))
    for _ in range(_ROUNDS):
        signed = mean - _blur_of_good(mean, hot, blur)
        difference = np.abs(signed)
        found = difference > _threshold(difference, hot, threshold)
        if (found == hot).all():
            break
        hot = found
    return hot if kind == "both" else hot & (signed > 0 if kind == "hot" else signed < 0)


def _blur_of_good(mean: NDArray[Any], hot: NDArray[np.bool_], blur: int) -> NDArray[Any]:
    """Blur that leaves out hot pixels and the pixel itself."""
    from napari_stack.engine.opencv import cv2

    line = cv2.getGaussianKernel(blur, 0)
    kernel_ = line @ line.T
    kernel_[blur // 2, blur // 2] = 0
    good = (~hot).astype(mean.dtype)
    total = cv2.filter2D(mean * good, -1, kernel_)
    weight = cv2.filter2D(good, -1, kernel_)
    return np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), mean)


def _threshold(
    difference: NDArray[Any], hot: NDArray[np.bool_], threshold: float | None
) -> NDArray[Any] | float:
    from napari_stack.engine.opencv import cv2

    if threshold is not None:
        return threshold
    size = np.abs(difference)
    sigma = float(robust_sigma(difference, 0.0))
    # |d| of normal noise has the median 0.67 sigma and the mean 0.80 sigma.
    limited = np.where(hot, 0, np.minimum(size, np.percentile(size, 99.9)))
    local = cv2.blur(limited.astype(difference.dtype), (_AROUND, _AROUND)) / 0.8
    floor = float(np.finfo(difference.dtype).eps) * float(np.abs(difference).max()) * 16
    return np.maximum(np.maximum(_SIGMAS * sigma, _LOCAL * local), floor)


@kernel
def reaches(mask: NDArray[np.bool_], places: NDArray[np.int64], least: int) -> NDArray[np.int64]:
    """Half a side of the square around each defective pixel that holds a good one.

    Parameters
    ----------
    mask : ndarray of bool, shape (y, x, channel)
    places : ndarray of int, shape (n, 3)
    least : int
    """
    height, width, _ = mask.shape
    found = np.empty(len(places), np.int64)
    for n in range(len(places)):
        y, x, k = places[n]
        reach = least
        while reach < _FARTHEST:
            good = False
            for j in range(max(y - reach, 0), min(y + reach + 1, height)):
                for i in range(max(x - reach, 0), min(x + reach + 1, width)):
                    good = good or not mask[j, i, k]
            if good:
                break
            reach += 1
        found[n] = reach
    return found


@kernel
def repair(
    pixels: NDArray[Any],
    mask: NDArray[np.bool_],
    places: NDArray[np.int64],
    first: int,
    median: bool,
) -> None:
    """Replace defective pixels by what their good neighbours say, in place.

    Parameters
    ----------
    pixels : ndarray, shape (rows, x, channel)
        Rows of a frame, from row `first` on.
    mask : ndarray of bool, shape (y, x, 1 or channel)
        Of the whole frame; one channel counts for all.
    places : ndarray of int, shape (n, 4)
        Row in the frame, column, channel and reach of the pixels to repair.
    first : int
    median : bool
        Take the median, else the mean.
    """
    height = min(first + pixels.shape[0], mask.shape[0])
    width, every = pixels.shape[1], pixels.shape[2]
    joint = mask.shape[2] == 1
    found = np.empty(_MOST, pixels.dtype)
    for n in range(len(places)):
        y, x, channel, reach = places[n]
        for k in range(0 if joint else channel, every if joint else channel + 1):
            count = 0
            total = 0.0
            for j in range(max(y - reach, first), min(y + reach + 1, height)):
                for i in range(max(x - reach, 0), min(x + reach + 1, width)):
                    if not mask[j, i, channel] and count < _MOST:
                        found[count] = pixels[j - first, i, k]
                        total += found[count]
                        count += 1
            if count == 0:
                continue
            if median:
                pixels[y - first, x, k] = np.median(found[:count])
            else:
                pixels[y - first, x, k] = total / count
