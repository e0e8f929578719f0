"""Pixel kernel of sigma clipping."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.operators._jit import kernel
from napari_stack.sources import cast


@kernel
def _clip(
    values: NDArray[Any],
    valid: NDArray[np.bool_],
    masked: bool,
    channels: int,
    sigma: float,
    iterations: int,
    mean: NDArray[np.float64],
    rejected: NDArray[np.uint16],
    covered: NDArray[np.bool_],
) -> None:  # pragma: no cover
    frames, rows, columns = values.shape
    kept = np.empty(frames, np.float64)
    for row in range(rows):
        for column in range(columns):
            count = 0
            total = 0.0
            for frame in range(frames):
                if not masked or valid[frame, row, column // channels]:
                    value = float(values[frame, row, column])
                    kept[count] = value
                    total += value
                    count += 1
            covered[row, column] = count > 0
            present = count
            average = total / max(count, 1)
            for _ in range(iterations):
                if count < 3:
                    break
                squares = 0.0
                for i in range(count):
                    squares += (kept[i] - average) ** 2
                limit = sigma * np.sqrt(squares / count)
                left = 0
                total = 0.0
                for i in range(count):
                    if abs(kept[i] - average) <= limit:
                        kept[left] = kept[i]
                        total += kept[i]
                        left += 1
                # Below one sigma nothing may be left: then the last mean stands.
                if left == count or left == 0:
                    break
                count = left
                average = total / count
            mean[row, column] = average
            rejected[row, column] = present - count


def clip_band(
    values: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    *,
    sigma: float,
    iterations: int,
    dtype: np.dtype[Any],
) -> tuple[NDArray[Any], NDArray[np.uint16]]:
    """Clip and average rows of frames.

    Parameters
    ----------
    values : ndarray, shape (n, rows, x) or (n, rows, x, channel)
    valid : ndarray of bool, shape (n, rows, x), or None
        None when all are valid.
    sigma, iterations
        See `sigma_clip`.
    dtype : numpy.dtype
        Of the image.

    Returns
    -------
    image : ndarray of `dtype`, shape (rows, x) or (rows, x, channel)
    rejected : ndarray of uint16, same shape
    """
    shape = values.shape[1:]
    channels = shape[2] if len(shape) == 3 else 1
    flat = values.reshape(values.shape[0], shape[0], -1)
    if flat.dtype.kind == "b":
        flat = flat.view(np.uint8)
    mask = np.empty((1, 1, 1), bool) if valid is None else valid
    mean = np.empty(flat.shape[1:])
    rejected = np.empty(mean.shape, np.uint16)
    covered = np.empty(mean.shape, bool)
    _clip(flat, mask, valid is not None, channels, sigma, iterations, mean, rejected, covered)
    image = cast(mean, dtype, None if covered.all() else covered)
    return image.reshape(shape), rejected.reshape(shape)
