"""The cast to the stored type: rounded, clipped and cast once, at the very end."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

#: Bytes of the rows that are rounded, clipped and cast before the next rows.
_CAST_BYTES = 2**19


def cast(values: NDArray[Any], dtype: DTypeLike, valid: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Round, clip and cast pixels once; invalid ones become 0, or NaN in a float type.

    Parameters
    ----------
    values : ndarray, shape (y, x) or (y, x, channel)
        Float pixels. Invalid ones may be changed.
    dtype : dtype
        Wanted type.
    valid : ndarray of bool, shape (y, x), or None
    """
    dtype = np.dtype(dtype)
    if dtype.kind in "fc":
        result = values.astype(dtype, copy=False)
        if valid is not None:
            result[~valid] = np.nan
        return result
    if valid is not None:
        values[~valid] = 0
    if dtype.kind == "b":
        return values > 0.5
    if values.dtype == np.float32 and dtype in (np.uint8, np.uint16) and values.flags.c_contiguous:
        from napari_stack.core.pixels.round_kernel import put_rounded

        result = np.empty(values.shape, dtype)
        put_rounded(values.reshape(-1), np.float32(np.iinfo(dtype).max), result.reshape(-1))
        return result
    limits = np.iinfo(dtype)
    # The greatest 64-bit integers have no float of their own: the next float would wrap around.
    top = float(limits.max)
    top = top if int(top) <= limits.max else float(np.nextafter(values.dtype.type(top), 0))
    result = np.empty(values.shape, dtype)
    step = max(1, _CAST_BYTES * len(values) // max(values.nbytes, 1))
    for start in range(0, len(values), step):  # so few rows that they stay in the cache
        part = np.rint(values[start : start + step])
        np.clip(part, float(limits.min), top, out=part)
        result[start : start + step] = part
    return result


def declared(
    values: NDArray[Any], dtype: np.dtype[Any], alpha: bool
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Find the pixels that the data itself calls invalid: not finite, or not opaque.

    Parameters
    ----------
    values : ndarray, shape (y, x) or (y, x, channel)
    dtype : dtype
        Of the pixels as they are stored.
    alpha : bool
        The last channel is declared as alpha.

    Returns
    -------
    values : ndarray
        With 0 in the place of what is not finite.
    valid : ndarray of bool, shape (y, x), or None
        None where all are valid.
    """
    valid = None
    if dtype.kind == "f":
        finite = np.isfinite(values)
        if not finite.all():
            values = np.where(finite, values, values.dtype.type(0))
            valid = finite.all(axis=2) if finite.ndim == 3 else finite
    if alpha:
        top = 1.0 if dtype.kind == "f" else np.iinfo(dtype).max
        opaque = values[..., -1] >= top
        valid = opaque if valid is None else valid & opaque
    return values, None if valid is None or valid.all() else valid
