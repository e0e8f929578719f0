"""How far a depth from focus may be off, at every pixel."""

from typing import Any

import numpy as np

from napari_stack.engine.opencv import cv2

Array = np.ndarray[Any, Any]

# Parts of the variance of a depth, in squared frames, found by quantile regression (for 68 %) on
# rendered planes, spheres and steps with noise of 1 to 10 of 255 (benchmarks/focus_depth.py has
# others): of its roughness; of what filling in moved it by, times its deviation around; of the cube
# of the share of noise in the sharpness, anywhere, and where nothing around is clear.
# And the least.
ROUGH, MOVED, NOISE, ALONE, LEAST = 6.2, 0.477, 0.006, 0.133, 0.01
# Deviation, in frames, of a depth that is a whole one: its error is even over a frame.
WHOLE_FRAME = 0.29
# Mean clarity around at which a third of the last part is left.
CLEAR_AROUND = 0.05
# Windows (sigma), in pixels: of the roughness, and of what lies around.
FINE, AROUND = 3.0, 8.0
# The wide window is taken at a quarter of the size.
SHRINK = 4


def depth_deviation(
    depth: Array, own: Array, share: Array, clarity: Array, confidence: Array
) -> Array:
    """Return the standard deviation of a depth's error, in frames.

    Parameters
    ----------
    depth : (y, x) ndarray of float32
        As it is given.
    own : (y, x) ndarray of float32
        As it was measured at each pixel, before doubtful ones were filled in from around.
    share : (y, x) ndarray of float32
        Of noise in the sharpness of the sharpest frame, 0 to 1.
    clarity : (y, x) ndarray of float32
        How clearly a frame stands out, 0 to 1.
    confidence : (y, x) ndarray of float32

    Returns
    -------
    (y, x) ndarray of float32
        NaN at a confidence of 0, where the depth is filled in.
    """
    variance = np.abs(own - depth)
    variance *= np.float32(MOVED) * _deviation_around(depth)
    alone = np.exp(_small_mean(clarity) * np.float32(-1 / CLEAR_AROUND))
    alone = np.float32(ALONE) * _full(alone, depth.shape) + np.float32(NOISE)
    variance += alone * share * share * share
    # The mean of roots, squared: few pixels beside an edge of the depth count for little.
    rough = _mean(np.sqrt(np.abs(depth - _mean(depth, FINE))), FINE)
    rough *= rough
    variance += np.float32(ROUGH) * rough * rough
    variance += np.float32(LEAST**2)
    found = np.sqrt(variance, out=variance)
    found[confidence == 0] = np.nan
    return found


def _mean(plane: Array, sigma: float) -> Array:
    return cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


def _deviation_around(depth: Array) -> Array:
    """Return the standard deviation of a depth over the wide window."""
    centred = depth - depth.mean()
    mean, square = (_small_mean(plane) for plane in (centred, centred * centred))
    return _full(np.sqrt(np.maximum(square - mean * mean, 0)), depth.shape)


def _small_mean(plane: Array) -> Array:
    """Return the mean over the wide window, at a quarter of the size."""
    small = tuple(-(-side // SHRINK) for side in plane.shape)[::-1]
    return _mean(cv2.resize(plane, small, interpolation=cv2.INTER_AREA), AROUND / SHRINK)


def _full(plane: Array, shape: tuple[int, ...]) -> Array:
    return cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_LINEAR)
