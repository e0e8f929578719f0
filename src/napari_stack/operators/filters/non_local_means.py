"""Non-local means and unsharp masks of pixels, by OpenCV."""

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.engine.opencv import cv2

Array = NDArray[Any]

#: Sides of the windows that are compared, and of the place in which they are looked for.
_TEMPLATE, _SEARCH = 7, 21

#: Rows above and below that a denoised row depends on.
REACH = _TEMPLATE // 2 + _SEARCH // 2

#: Windows are compared on whole numbers of 16 bits.
_TOP = 65535

#: Colours as brightness and two differences of colour (ITU-R BT.601): noise is compared apart.
_TO_OPPONENT = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])


def non_local_means(
    values: Array, strength: float, limits: tuple[float, float], *, colours: bool, alpha: bool
) -> Array:
    """Denoise pixels.

    Parameters
    ----------
    values : ndarray of float, shape (y, x) or (y, x, channel)
    strength : float
        As a share of the range.
    limits : (float, float)
        Range of the data; what lies outside is compared as if it lay on it, and not clipped.
    colours : bool
        The channels are red, green and blue.
    alpha : bool
        The last channel is alpha and stays as it is.
    """
    if values.ndim == 2:
        return _smoothed(values, strength, limits)
    result = values.copy()
    count = values.shape[2] - alpha
    if colours:
        result[..., :3] = _smoothed_colours(values[..., :3], strength, limits)
    else:
        for channel in range(count):
            result[..., channel] = _smoothed(values[..., channel], strength, limits)
    return result


def _smoothed_colours(values: Array, strength: float, limits: tuple[float, float]) -> Array:
    matrix = _TO_OPPONENT.astype(values.dtype)
    opponent = values @ matrix.T
    low, high = limits
    half = (high - low) / 2
    brightness = _smoothed(opponent[..., 0], strength, limits)
    hue = _smoothed(opponent[..., 1:], strength, (-half, half))
    changed = np.dstack([brightness, hue]) - opponent
    return values + changed @ np.linalg.inv(_TO_OPPONENT).T.astype(values.dtype)


def _smoothed(values: Array, strength: float, limits: tuple[float, float]) -> Array:
    """Denoise one channel, or several that are compared together.

    Only the difference made on 16 bits is applied: what is left alone keeps all its digits.
    """
    low, high = limits
    scale = _TOP / (high - low)
    whole = np.clip((values - low) * scale, 0, _TOP)
    whole = np.ascontiguousarray(np.rint(whole).astype(np.uint16))
    channels = 1 if values.ndim == 2 else values.shape[2]
    sizes = (_TEMPLATE, _SEARCH)
    smooth = cv2.fastNlMeansDenoising(
        whole, [strength * _TOP] * channels, None, *sizes, cv2.NORM_L1
    )
    change = (smooth.astype(values.dtype) - whole) / values.dtype.type(scale)
    return values + change.reshape(values.shape)


def blur_reach(radius: float) -> int:
    """Rows above and below that a blurred row depends on."""
    return ceil(3 * radius)


def unsharp_mask(
    values: Array, valid: NDArray[np.bool_] | None, amount: float, radius: float, *, alpha: bool
) -> Array:
    """Add a share of the details, which a Gaussian blur takes away, to pixels.

    Parameters
    ----------
    values : ndarray of float, shape (y, x) or (y, x, channel)
    valid : ndarray of bool, shape (y, x), or None
        Others do not count in the blur.
    amount : float
    radius : float
        Standard deviation of the blur, in px.
    alpha : bool
        The last channel is alpha and stays as it is.
    """
    channels = values[..., :-1] if alpha else values
    blurred = _blurred(channels, valid, radius).reshape(channels.shape)
    sharp = channels + values.dtype.type(amount) * (channels - blurred)
    if valid is not None:
        sharp[~valid] = channels[~valid]
    return np.concatenate([sharp, values[..., -1:]], axis=2) if alpha else sharp


def _blurred(values: Array, valid: NDArray[np.bool_] | None, radius: float) -> Array:
    side = 2 * blur_reach(radius) + 1
    if valid is None:
        return _gaussian(values, side, radius)
    weight = valid.astype(values.dtype)
    over = weight.reshape(weight.shape + (1,) * (values.ndim - 2))
    total = _gaussian(values * over, side, radius).reshape(values.shape)
    return total / np.maximum(_gaussian(weight, side, radius), 1e-6).reshape(over.shape)


def _gaussian(values: Array, side: int, radius: float) -> Array:
    """Blur; OpenCV takes four channels at most at a time."""
    if values.ndim == 2 or values.shape[2] <= 4:
        return cv2.GaussianBlur(np.ascontiguousarray(values), (side, side), radius)
    channels = [values[..., i] for i in range(values.shape[2])]
    return np.dstack([cv2.GaussianBlur(np.ascontiguousarray(c), (side, side), radius)
                      for c in channels])  # fmt: skip
