"""What would be in focus before the first frame of a series, or behind the last one."""

from typing import Any, Protocol

import numpy as np

from napari_stack.engine.opencv import cv2

Array = np.ndarray[Any, Any]

# A pixel lies beyond the series when its peak is so many frames behind the last one, or before the
# first, by the width of peaks within the series that are so many times above noise.
BEYOND, CLEARLY = 0.5, 4.0
# Percentile of the bends of peaks. Many are flat: two depths meet there, or pixels are clipped.
UPPER = 80
# Share of the noise's sharpness that counts as nothing.
LEAST = 0.5
# Every so many rows and columns tell how wide peaks are; rows that are looked at together.
SAMPLE, STRIP = 4, 64


class Curve(Protocol):
    """The sharpness of every pixel in its sharpest frame and in the frames beside that."""

    indices: list[int]
    best: Array
    before: Array
    after: Array
    label: Array


def beyond_ends(curve: Curve, floor: float) -> Array:
    """Return where the sharpness still rises at an end of the series, as far from its peak.

    The logarithm of a Gaussian focus curve of deviation w rises by (2 d + 1) / (2 w^2) to a frame
    that lies d frames before the peak; w is that of the peaks within the series.

    Parameters
    ----------
    curve : FocusCurve
    floor : float
        A sharpness that is none.

    Returns
    -------
    (y, x) ndarray of bool
    """
    beyond = np.zeros(curve.best.shape, np.uint8)
    bend = usual_bend(curve, floor, UPPER) if len(curve.indices) > 2 else None
    if bend is None:
        return beyond > 0
    for start in range(0, len(beyond), STRIP):
        rows = slice(start, start + STRIP)
        best = _above(curve.best[rows], floor)
        for end, plane in ((curve.indices[0], curve.after), (curve.indices[-1], curve.before)):
            beside = _above(plane[rows], floor)
            rises = np.log(best / beside) > (BEYOND + 0.5) * bend
            rises &= (curve.label[rows] == end) & (plane[rows] >= 0)
            np.copyto(beyond[rows], 1, where=rises)
    return cv2.medianBlur(beyond, 5) > 0


def _above(energy: Array, floor: float) -> Array:
    """Return sharpness without that of noise, a part of which is left: logarithms are taken."""
    return np.maximum(energy - np.float32(floor), np.float32(LEAST * floor))


def usual_bend(curve: Curve, floor: float, percentile: float = 50) -> float | None:
    """Return a percentile of 1 / w^2 of clear peaks within the series; None if there are none."""
    few = np.s_[::SAMPLE, ::SAMPLE]
    inside = (curve.before[few] >= 0) & (curve.after[few] >= 0)
    inside &= curve.best[few] > CLEARLY * floor
    if not inside.any():
        return None
    best, before, after = (
        _above(plane[few][inside], floor) for plane in (curve.best, curve.before, curve.after)
    )
    return float(np.percentile(np.log(best / before) + np.log(best / after), percentile))
