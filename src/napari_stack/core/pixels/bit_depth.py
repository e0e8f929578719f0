"""Bit depth: the value of full brightness of data that uses fewer bits than its type has."""

from typing import Any

import numpy as np


def bits_top(dtype: np.dtype[Any], greatest: float) -> float:
    """Value of full brightness: of the fewest usual bits that hold the data, or 1 for floats.

    Examples
    --------
    >>> import numpy as np
    >>> bits_top(np.dtype(np.uint16), 3900), bits_top(np.dtype(np.float32), 0.8)
    (4095.0, 1.0)
    """
    if dtype.kind == "f":
        return 1.0 if greatest <= 1 else float(greatest)
    limit = int(np.iinfo(dtype).max)
    bits = [2**b - 1 for b in (8, 10, 12, 14, 16) if 2**b - 1 < limit and dtype.itemsize > 1]
    return float(next((top for top in bits if top >= greatest), limit))
