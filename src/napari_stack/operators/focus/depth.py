"""Depth from focus as a fold: where in the series a pixel is sharpest, and how surely."""

from typing import Any, NamedTuple

import numpy as np

from napari_stack.core.system.jit import kernel
from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.focus_measure import FocusCurve, Sharpness, rounding_sharpness
from napari_stack.operators.focus.pyramid_kernels import (
    add_expanded,
    flat,
    reduce,
)
from napari_stack.operators.focus.pyramid_levels import level_sizes
from napari_stack.operators.focus.uncertainty import WHOLE_FRAME, depth_deviation
from napari_stack.operators.focus.unfocused import untextured

Array = np.ndarray[Any, Any]

# Halvings between the two scales: a quarter of the size has a quarter of the noise, and shows the
# texture of images that are larger than they are sharp.
HALVINGS = 2
# Frames by which the depth may vary in a neighbourhood (a Gaussian window) of so many pixels, and
# at most so much of what it varies by where frames are picked at random.
TOLERANCE = 1.5
RANDOM_SHARE = 0.5
NEIGHBOURHOOD = 4.0
# The clarity between which a pixel's weight in the depth map rises from 0 to 1: where the depth is
# even around it, and in any case. The coarse scale shows less contrast between frames.
FINE = (0.1, 0.4)
FINE_ALONE = (0.2, 0.4)
COARSE = (0.0, 0.1)
COARSE_ALONE = (0.05, 0.15)
# Weights below this count as 0.
TINY = np.float32(1e-12)
# From this clarity on a pixel takes its own sharpest frame, below it that of its surroundings.
CLEAR = 0.25


class DepthMaps(NamedTuple):
    """The depth of every pixel after the last frame, (y, x) each."""

    depth: Array  # float32, frame index; 0 where no frame is valid
    confidence: Array  # float32, 0 to 1
    label: Array  # uint16, the frame that is sharpest around the pixel
    clarity: Array  # float32, how clearly a frame stands out at the pixel, 0 to 1
    untextured: Array  # float32, how surely nothing is to be seen around the pixel, 0 to 1
    beyond: tuple[float, float]  # shares that would be in focus before and behind the series
    deviation: Array | None = None  # float32, of the depth's error in frames, where asked for


class DepthState:
    """The fold behind a depth map: the focus curves of every pixel at two scales.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of a frame.
    dtype : dtype
        Type of the frames as they are stored.
    alone : bool
        No state comes before this one: what only merging needs is left out.
    places : ndarray, optional
        As for `FocusCurve`.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        dtype: np.dtype[Any],
        *,
        alone: bool = False,
        places: Array | None = None,
    ) -> None:
        small = level_sizes(shape, HALVINGS)[-1]
        least = rounding_sharpness(dtype)
        self.curves = (
            FocusCurve(shape, least, alone=alone, places=places),
            FocusCurve(small, alone=alone, places=places),
        )

    def add(self, index: int, measured: tuple[Sharpness, ...]) -> None:
        """Take in the sharpness of the frame `index` at both scales."""
        for curve, scale in zip(self.curves, measured, strict=True):
            curve.add(index, scale.energy, scale.noise)

    def merge(self, other: "DepthState") -> None:
        """Take in the state of the frames that follow, as if they had been added one by one."""
        for mine, theirs in zip(self.curves, other.curves, strict=True):
            mine.merge(theirs)

    def maps(self, *, uncertain: bool = False) -> DepthMaps:
        """Return depth and confidence, and the sharpest frame around every pixel.

        With `uncertain`, also the standard deviation of the depth's error.

        The state is used up, so that its memory is let go as soon as it can be.

        The confidence is the product of two numbers from 0 to 1:

        - how clearly the sharpest frame stands out, (b - o - m n) / (b + n): b is its sharpness,
          o the mean sharpness of the other frames, m = 0.5, n the sharpness of noise (the median
          over the frames of what `noise_sharpness` finds, or what rounding gives where that is
          more, and a small share of the strongest sharpness);
        - how even the depth is around the pixel, exp(-v/t^2): v is its variance over a Gaussian
          window of 4 pixels, t = 1.5 frames, or half the deviation of frames picked at random
          where that is less.

        It is 0 with a single frame and where there is no texture, and low where depths meet.
        Where the first number is low, and more so where the second is too, the depth comes from
        the surroundings and from the same measure at a quarter of the size, and so does the label.
        """
        indices = np.array(self.curves[0].indices)
        share = self.curves[0].noise_share() if uncertain else None
        depth, clarity, beyond = self.curves[0].finish()
        coarse, coarse_clarity, _ = self.curves[1].finish()
        tolerance = min(TOLERANCE, RANDOM_SHARE * float(np.std(indices)))
        invalid, coarsely = (curve.label < 0 for curve in self.curves)
        confidence = evenness(depth, tolerance, invalid)
        weight = _weight(clarity, confidence, FINE, FINE_ALONE)
        coarse_weight = _weight(
            coarse_clarity, evenness(coarse, tolerance, coarsely), COARSE, COARSE_ALONE
        )
        without = untextured(weight, coarse_weight)
        own, depth = depth, fill_unsure(depth, weight, coarse, coarse_weight)
        confidence *= clarity
        np.clip(depth, indices[0], indices[-1], out=depth)
        label = nearest_frame(depth, indices)
        sharpest = np.maximum(self.curves[0].label, indices[0]).astype(np.uint16)
        np.copyto(label, cv2.medianBlur(sharpest, 5), where=clarity > CLEAR)
        confidence[beyond] = 0
        before, behind = (
            float(np.mean(beyond & (self.curves[0].label == indices[end]))) for end in (0, -1)
        )
        confidence[invalid] = 0
        confidence *= without < 0.99
        deviation = None
        if share is not None:
            deviation = depth_deviation(depth, own, share, clarity, confidence)
            if self.curves[0].width is None:
                _doubt_ends(deviation, self.curves[0].label, indices)
        depth[invalid] = 0  # not before: what lies beside would seem rough
        ends = before, behind
        return DepthMaps(depth, confidence, label, clarity, without, ends, deviation)


def _doubt_ends(deviation: Array, label: Array, indices: Array) -> None:
    """Make the depth of the first and the last frame as unsure as a whole frame is.

    Where no peak lies within a series, nothing tells how far one lies from either end.
    """
    for end, beside in ((0, 1), (-1, -2)):
        gap = abs(int(indices[end] - indices[beside])) if len(indices) > 1 else 1
        least = np.maximum(deviation, np.float32(WHOLE_FRAME * gap))
        np.copyto(deviation, least, where=label == indices[end])


def _weight(
    clarity: Array, even: Array, usual: tuple[float, float], alone: tuple[float, float]
) -> Array:
    """Return the weights of depths, 0 to 1: clear ones also where they are uneven."""
    weight = _ramp(clarity, *usual)
    weight *= even
    return np.maximum(weight, _ramp(clarity, *alone), out=weight)


def _ramp(clarity: Array, none: float, full: float) -> Array:
    """Return 0 up to a clarity of `none`, 1 from `full` on, and a straight line between them."""
    weight = clarity - np.float32(none)
    weight *= np.float32(1 / (full - none))
    return np.clip(weight, 0, 1, out=weight)


def evenness(depth: Array, tolerance: float, invalid: Array | None = None) -> Array:
    """Return how even a depth map is around every pixel, 0 to 1: noise and edges are not.

    What is `invalid` has no part in it.
    """
    centred, share = depth - depth.mean(), None
    if invalid is not None and invalid.any():
        centred[invalid] = 0
        share = np.maximum(_window_mean((~invalid).astype(np.float32)), TINY)
    mean = _window_mean(centred)
    centred *= centred
    square = _window_mean(centred)
    del centred
    if share is not None:
        mean /= share
        square /= share
    mean *= mean
    square -= mean
    np.maximum(square, 0, out=square)
    square *= np.float32(-1 / max(tolerance, 0.1) ** 2)  # that of a single frame is 0
    return np.exp(square, out=square)


def _window_mean(plane: Array) -> Array:
    return cv2.GaussianBlur(plane, (0, 0), NEIGHBOURHOOD, borderType=cv2.BORDER_REPLICATE)


def fill_unsure(depth: Array, weight: Array, coarse: Array, coarse_weight: Array) -> Array:
    """Fill a map smoothly where its weight is small, from a coarser map and the pixels around.

    Weighted means go down a pyramid ("pull") and fill what is missing on the way back ("push").

    Parameters
    ----------
    depth, weight : (y, x) ndarray of float32
        The map and its weights, 0 to 1.
    coarse, coarse_weight : (Y, X) ndarray of float32
        The same at a quarter of the size, which counts as far as weights of the map are below 1.

    Returns
    -------
    (y, x) ndarray of float32
        `depth` where the weight is 1; where no pixel has any weight, `depth` as it is.
    """
    if not (weight.any() or coarse_weight.any()):
        return depth.copy()
    sums = [np.stack([depth * weight, weight], axis=-1)]
    while max(sums[-1].shape[:2]) > 1 or len(sums) <= HALVINGS:
        sums.append(reduce(sums[-1]))
        if len(sums) == HALVINGS + 1:
            missing = coarse_weight * (1 - np.clip(sums[-1][..., 1], 0, 1))
            sums[-1] += np.stack([coarse * missing, missing], axis=-1)
    total, weight = sums[-1][..., 0], sums[-1][..., 1]
    filled = (total / np.maximum(weight, TINY))[..., np.newaxis]
    for level in reversed(sums[:-1]):
        larger = np.zeros((*level.shape[:2], 1), np.float32)
        add_expanded(larger, filled, 1, larger)
        _blend_means(flat(level), flat(larger))
        filled = larger
    return filled[..., 0]


@kernel
def _blend_means(sums: Array, filled: Array) -> None:
    """Blend means, each a sum beside its weight, into what was filled, by their weight."""
    one = np.float32(1)
    for i in range(filled.size):
        total, weight = sums[2 * i], sums[2 * i + 1]
        share = min(max(weight, np.float32(0)), one)
        filled[i] = share * (total / max(weight, TINY)) + (one - share) * filled[i]


def nearest_frame(depth: Array, indices: Array) -> Array:
    """Return the frame, of those with ascending `indices`, that is nearest to each depth.

    Parameters
    ----------
    depth : ndarray of float
    indices : (n,) ndarray of int

    Returns
    -------
    ndarray of uint16
    """
    between = np.append((indices[1:] + indices[:-1]) / 2, np.inf).astype(np.float32)
    # The last frame that is not behind each whole depth.
    whole = np.arange(indices[0], indices[-1] + 1)
    places = np.searchsorted(indices, whole, side="right") - 1
    label = np.empty(depth.shape, np.uint16)
    _put_nearest(depth.reshape(-1), places, between, indices, flat(label))
    return label


@kernel
def _put_nearest(depth: Array, places: Array, between: Array, indices: Array, out: Array) -> None:
    for i in range(depth.size):
        place = places[min(max(int(depth[i]) - indices[0], 0), places.size - 1)]
        out[i] = indices[place + (depth[i] > between[place])]
