"""Estimation of a smooth flat field from frames of many scenes."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.channels import colour_channels
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.run import Run
from napari_stack.operators.corrections.vignetting_measure import shrunk

#: Longer side of a reduced frame.
_SIDE = 192

#: Frames at most that the median is taken of.
_MOST_FRAMES = 512

_ROUNDS = 4

#: Residuals beyond this multiple of their median, 1.5 standard deviations, count less.
_OUTLYING = 1.5 * 1.4826

#: What keeps a division by a residual of 0 finite.
_TINY = 1e-9 / 1.4826


#: Smoothing that is tried, as parts of the longer side, and what is taken of a single frame.
_TRIED, _OF_ONE = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32), 0.02

#: Parts of a series that belong to one half and the other in turn, and what the mean square may be
#: of the least at which more smoothing is as good.
_PARTS, _AS_GOOD = 4, 1.06


def estimate(
    stack: Stack, dark: NDArray[Any] | None, smoothness: float | None, run: Run
) -> NDArray[np.float32]:
    """Estimate a flat field, 1 on average, from the used frames.

    Parameters
    ----------
    stack : Stack
    dark : ndarray or None
        Taken off first.
    smoothness : float or None
        Standard deviation of the smoothing, as a part of the longer side; None takes what suits.
    """
    from napari_stack.operators.combine.combine import require_used

    require_used(stack)
    numbers = np.flatnonzero(stack.used)
    count = min(len(numbers), _MOST_FRAMES)
    numbers = np.unique(numbers[np.linspace(0, len(numbers) - 1, count).astype(int)])
    small = partial(_reduced, dark=dark)
    frames = np.stack(run.each(small, stack, numbers, what="Estimating the flat field"))
    frames = _completed(frames)
    share = suited_smoothness(frames) if smoothness is None else smoothness
    flat = _common_shading(frames, share * max(frames.shape[1:3]))
    size = (stack.shape[2], stack.shape[1])
    planes = [cv2.resize(flat[..., k], size, interpolation=cv2.INTER_CUBIC)
              for k in range(flat.shape[2])]  # fmt: skip
    return np.stack(planes, axis=-1) if stack.ndim == 4 else planes[0]


def _reduced(stack: Stack, index: int, dark: NDArray[Any] | None) -> NDArray[np.float32]:
    """Reduce a frame, shape (y, x, channel); NaN where most pixels have no value."""
    values, valid = stack.read(index)
    values = colour_channels(values.astype(np.float32, copy=False), stack.alpha)
    if dark is not None:
        values = values - (dark if dark.ndim == 3 else dark[..., np.newaxis])
    if valid is None or valid.all():
        return shrunk(values, _SIDE)
    known = valid[..., np.newaxis]
    share = shrunk(known.astype(np.float32), _SIDE)
    small = shrunk(np.where(known, values, np.float32(0)), _SIDE)
    return np.where(share > 0.5, small / np.maximum(share, np.float32(0.5)), np.float32(np.nan))


def _completed(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill what frames (n, y, x, channel) do not show by what others have in common there.

    Where no frame shows anything what is nearest is taken; frames that show nothing are left out.
    """
    missing = np.isnan(frames)
    if not missing.any():
        return frames
    from scipy.ndimage import distance_transform_edt

    some = ~missing.all(axis=(1, 2, 3))
    if not some.any():
        return np.ones_like(frames)
    frames, missing = frames[some], missing[some]
    level = np.nanmedian(frames, axis=(1, 2), keepdims=True)
    level = np.where(level > 0, level, np.float32(1))
    never = np.asarray(missing.all(axis=0))
    common = np.nanmedian(np.where(never, np.float32(1), frames / level), axis=0)
    places = distance_transform_edt(never[..., 0], return_distances=False, return_indices=True)
    return np.where(missing, level * common[tuple(places)], frames)


def suited_smoothness(frames: NDArray[np.float32]) -> float:
    """Return how much to smooth, as a part of the longer side, so that scenes hardly show.

    Of frames (n, y, x, channel) the first and third quarters show other scenes than the others,
    under the same light: the shading of either half, smoothed, is to be as near to that of the
    other as can be. Of frames in turn both would show the same; half by half, what grows counts.
    """
    if len(frames) < 2:
        return _OF_ONE
    second = np.arange(len(frames)) * min(_PARTS, len(frames)) // len(frames) % 2 == 1
    pair = [_normal_median(frames[part]) for part in (~second, second)]
    apart = np.zeros(len(_TRIED))
    for k in range(frames.shape[3]):
        one, two = (np.ascontiguousarray(image[..., k], np.float32) for image in pair)
        for image, other in ((one, two), (two, one)):
            surface = _surface(image)
            for place, share in enumerate(_TRIED):
                rest = _blurred(image - surface, share * max(image.shape))
                apart[place] += float(((surface + rest - other) ** 2).mean())
    alike = np.flatnonzero(apart <= _AS_GOOD * apart.min())
    return _TRIED[int(alike[-1])]


def _normal_median(frames: NDArray[np.float32]) -> NDArray[Any]:
    """Median over the frames of each divided by its own median, by channel."""
    level = np.median(frames, axis=(1, 2), keepdims=True)
    return np.asarray(np.median(frames / np.where(level > 0, level, 1), axis=0))


def _common_shading(frames: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Shading that frames (n, y, x, channel) have in common, 1 on average, each channel alone."""
    flat: NDArray[Any] = np.ones(frames.shape[1:], np.float32)
    for _ in range(_ROUNDS):
        middle = _normal_median(frames / flat)
        for k in range(flat.shape[2]):
            smooth = _smoothed(np.ascontiguousarray(middle[..., k], np.float32), sigma)
            flat[..., k] *= np.clip(smooth, 0.2, 5)
        flat /= flat.mean(axis=(0, 1))
    return flat


def _smoothed(image: NDArray[Any], sigma: float) -> NDArray[np.float32]:
    """Smooth by a Gaussian that follows the slope at the border, where it sees one side only."""
    surface = _surface(image)
    result: NDArray[np.float32] = surface + _blurred(image - surface, sigma)
    return result


def _blurred(image: NDArray[Any], sigma: float) -> NDArray[np.float32]:
    result: NDArray[np.float32] = cv2.GaussianBlur(
        image, (0, 0), max(sigma, 0.5), borderType=cv2.BORDER_REFLECT
    )
    return result


def _surface(image: NDArray[Any]) -> NDArray[np.float32]:
    """Fit a polynomial of degree 4; what lies far from it counts little."""
    y = np.linspace(-1, 1, image.shape[0])[:, np.newaxis]
    x = np.linspace(-1, 1, image.shape[1])[np.newaxis]
    terms = np.stack([x**i * y**j for i in range(5) for j in range(5 - i)], axis=-1)
    columns = terms.reshape(-1, terms.shape[-1])
    target = image.ravel().astype(np.float64)
    found, weights = columns[0], np.ones(image.size)
    for _ in range(8):
        weighted = columns * weights[:, np.newaxis]
        found = np.linalg.lstsq(weighted.T @ columns, weighted.T @ target, rcond=None)[0]
        residual = np.abs(target - columns @ found)
        weights = 1 / np.maximum(residual / (np.median(residual) + _TINY), _OUTLYING)
    return np.asarray((columns @ found).reshape(image.shape), np.float32)
