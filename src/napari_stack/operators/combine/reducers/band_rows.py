"""Bands of frames as rows that kernels run along, and where any frame covers them."""

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


def covered_somewhere(valid: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    """Return at which pixels (rows, x) any frame is valid; None for all."""
    if valid is None:
        return None
    covered = np.asarray(valid.any(axis=0))
    return None if covered.all() else covered
