"""Pixel functions that resize rows of a frame, antialiased when shrinking."""

from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Reach of a kernel in pixels, on each side.
_REACH = {"nearest": 0.5, "linear": 1.0, "cubic": 2.0, "lanczos": 3.0}

#: A tap of less weight than this is as good as not there.
_FAINT = 1e-6


def source_span(start: int, stop: int, inside: int, outside: int, interpolation: str) -> slice:
    """Pixels along a side that some of the resized ones are made of.

    Parameters
    ----------
    start, stop : int
        Resized pixels wanted.
    inside, outside : int
        Length of the side before and after.
    interpolation : {"nearest", "linear", "cubic", "lanczos"}
    """
    ratio = inside / outside
    reach = _REACH[interpolation] * max(ratio, 1.0) + 1
    first = floor((start + 0.5) * ratio - 0.5 - reach)
    last = ceil((stop - 0.5) * ratio - 0.5 + reach)
    return slice(min(max(first, 0), inside - 1), max(min(last, inside - 1), 0) + 1)


def weights(start: int, stop: int, inside: int, outside: int, interpolation: str) -> Any:
    """Weights of a side's pixels in the resized ones, all rows of which sum to 1.

    Pixel edges meet pixel edges: resized pixel i lies at (i + 1/2) inside / outside - 1/2. When
    shrinking, the kernel is stretched to cover all pixels that fall together, so that nothing
    finer than the new pixels is left to alias.

    Returns
    -------
    scipy.sparse.csr_matrix, shape (stop - start, inside)
    """
    from scipy.sparse import csr_matrix

    ratio = inside / outside
    numbers = np.arange(start, stop)
    if interpolation == "nearest":
        taken = np.minimum(((numbers + 0.5) * ratio).astype(np.intp), inside - 1)
        return csr_matrix((np.ones(len(taken)), (numbers - start, taken)),
                          (len(numbers), inside))  # fmt: skip
    stretch = max(ratio, 1.0)
    centres = (numbers + 0.5) * ratio - 0.5
    taps = 2 * ceil(_REACH[interpolation] * stretch) + 2
    places = np.floor(centres).astype(np.intp)[:, np.newaxis] + np.arange(taps) - taps // 2 + 1
    found = _kernel(np.abs(places - centres[:, np.newaxis]) / stretch, interpolation)
    found[(places < 0) | (places >= inside)] = 0  # at a border those inside share the weight
    found /= found.sum(axis=1, keepdims=True)
    rows, columns = np.nonzero(np.abs(found) > _FAINT)
    return csr_matrix((found[rows, columns], (rows, places[rows, columns])), (len(numbers), inside))


def _kernel(distance: NDArray[np.float64], interpolation: str) -> NDArray[np.float64]:
    d = distance
    if interpolation == "linear":
        return np.maximum(1 - d, 0)
    if interpolation == "lanczos":  # three lobes, as of the warps
        return np.where(d < 3, np.sinc(d) * np.sinc(d / 3), 0.0)
    # Keys 1981 with a = -1/2.
    near, far = 1 + d * d * (1.5 * d - 2.5), 2 - d * (4 - d * (2.5 - 0.5 * d))
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))


def resize_rows(
    values: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    first_row: int,
    source_size: tuple[int, int],
    size: tuple[int, int],
    rows: slice,
    interpolation: str,
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Make some rows of a resized frame.

    Parameters
    ----------
    values : ndarray, shape (rows, x) or (rows, x, channel)
        Rows of the frame from `first_row` on.
    valid : ndarray of bool, shape (rows, x), or None
    first_row : int
    source_size, size : tuple of int
        Height and width of the frame before and after.
    rows : slice
        Rows wanted.
    interpolation : {"nearest", "linear", "cubic", "lanczos"}

    Returns
    -------
    values : ndarray, shape (rows, x) or (rows, x, channel)
    valid : ndarray of bool, or None
        False where any pixel that counts for nothing had a share.
    """
    (height, width), (new_height, new_width) = source_size, size
    part = slice(first_row, first_row + values.shape[0])
    down = weights(rows.start, rows.stop, height, new_height, interpolation)[:, part]
    across = weights(0, new_width, width, new_width, interpolation)
    down, across = down.astype(values.dtype), across.astype(values.dtype)
    resized = _along_both(down, across, values)
    if valid is None:
        return resized, None
    lost = _along_both(abs(down), abs(across), (~valid).astype(values.dtype))
    return resized, lost <= _FAINT


def _along_both(down: Any, across: Any, values: NDArray[Any]) -> NDArray[Any]:
    count, width = values.shape[:2]
    lower = down @ values.reshape(count, -1)
    lower = lower.reshape(down.shape[0], width, -1).swapaxes(0, 1)
    wide = across @ np.ascontiguousarray(lower).reshape(width, -1)
    wide = wide.reshape(across.shape[0], down.shape[0], -1).swapaxes(0, 1)
    return np.ascontiguousarray(wide).reshape(down.shape[0], across.shape[0], *values.shape[2:])
