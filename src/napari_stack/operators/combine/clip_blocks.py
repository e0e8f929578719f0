"""How kernels see a band: row after row, and in a row frame after frame."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_rows(values: NDArray[Any]) -> NDArray[Any]:
    """Return (n, rows, x[, channel]) as contiguous (rows, n, columns), without a copy of a band.

    Bands are stored like this, so that a row of all frames lies together and a kernel runs along
    neighbouring pixels.
    """
    rows = np.ascontiguousarray(values.swapaxes(0, 1))
    flat = rows.reshape(rows.shape[0], rows.shape[1], -1)
    return flat.view(np.uint8) if flat.dtype.kind == "b" else flat


def mask_rows(valid: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Return (n, rows, x) as contiguous (rows, n, x); something of that kind for None."""
    if valid is None:
        return np.empty((1, 1, 1), bool)
    return np.ascontiguousarray(valid.swapaxes(0, 1))


def complete(valid: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Tell at which pixels (rows, x) all frames are valid; something of that kind for None."""
    return np.empty((1, 1), bool) if valid is None else np.asarray(valid.all(axis=0))


def covered_somewhere(valid: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    """Tell at which pixels (rows, x) any frame is valid; None: at all."""
    if valid is None:
        return None
    covered = np.asarray(valid.any(axis=0))
    return None if covered.all() else covered
