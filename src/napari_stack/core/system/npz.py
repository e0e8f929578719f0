"""`write_npz`: arrays by name to a compressed .npz file, never as pickles."""

from collections.abc import Mapping
from typing import IO, Any

import numpy as np


def write_npz(file: IO[bytes], values: Mapping[str, Any]) -> None:
    """Write arrays, numbers and texts by name.

    `numpy.savez_compressed` refuses pickles itself only from NumPy 2.1 on; older versions write its
    option ``allow_pickle`` as one more array.

    Raises
    ------
    TypeError
        For Python objects, which could be stored as a pickle only.
    """
    arrays = {name: np.asanyarray(value) for name, value in values.items()}
    if objects := [name for name, array in arrays.items() if array.dtype.hasobject]:
        raise TypeError(f"only arrays of plain values are written, unlike {', '.join(objects)}")
    np.savez_compressed(file, **arrays)
