"""What rows of all frames say of each pixel: `Seen`, in bands."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.operators.corrections.hot_pixel_mask import STANDS_OUT, Seen

#: Distance of the quartiles from the median of normal deviates.
_QUARTER = 0.6745

#: What a frame counts at most for the growth with the exposure: stars are far brighter.
_CLIPPED = 8.0


def band_of(
    values: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    *,
    often: bool,
    weights: NDArray[np.float64] | None,
) -> tuple[NDArray[Any], ...]:
    """Take both medians over the frames, their spread, how often pixels stand out and how it grows.

    Parameters
    ----------
    values : ndarray, shape (n, rows, x) or (n, rows, x, channel)
    valid : ndarray of bool, shape (n, rows, x), or None
    often : bool
        Count how often they do.
    weights : ndarray, shape (n,), or None
        What each frame counts for the growth.
    """
    from napari_stack.operators.combine.reducers.rank import rank_band

    dtype = np.dtype(np.float32)

    def at(share: float) -> NDArray[Any]:
        return np.nan_to_num(rank_band(values, valid, share=share, dtype=dtype)[0])

    frames = len(values)
    lower = ((frames - 1) // 2) / max(frames - 1, 1)
    low = at(lower)
    high = low if frames % 2 else at(1 - lower)
    # On the side of the noise: what passes through lies on the other.
    spread = np.where(low > 0, low - at(0.25), at(0.75) - high) / _QUARTER
    there = np.ones((1, 1, 1), bool) if valid is None else valid
    there = there if values.ndim == 3 else there[..., np.newaxis]
    images = [low, high, spread.astype(np.float32)]
    if often:
        images.append(((values > STANDS_OUT) & there).mean(axis=0, dtype=np.float32))
    if weights is not None:
        images.append(_growth(values, there, weights))
    return tuple(images)


def _growth(
    values: NDArray[Any], there: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float32]:
    total = np.zeros(values.shape[1:], np.float32)
    for k, weight in enumerate(weights):
        seen = np.where(there[k % len(there)], values[k], 0)
        total += np.clip(seen, -_CLIPPED, _CLIPPED) * np.float32(weight)
    return total


def seen_of(images: tuple[NDArray[Any], ...], growth: bool) -> list[Seen]:
    """Put together what was seen of each channel."""
    more = list(images[3:])
    grown = more.pop() if growth else None
    counted = more.pop() if more else None
    parts = (*images[:3], counted, grown)
    if images[0].ndim == 2:
        return [Seen(*parts)]  # type: ignore[arg-type]
    channels = range(images[0].shape[2])
    return [Seen(*(None if p is None else p[..., k] for p in parts)) for k in channels]  # type: ignore[arg-type]
