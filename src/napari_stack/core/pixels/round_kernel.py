"""`put_rounded`: floats to the nearest whole numbers of a type, in one compiled pass."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.system.jit import kernel


@kernel
def put_rounded(values: NDArray[np.float32], most: np.float32, out: NDArray[Any]) -> None:
    """Round values, half to even, and bring them into the range 0 to `most`.

    Parameters
    ----------
    values : ndarray of float32, flat
    most : float32
        Greatest value of the type of `out`, which is unsigned and of 16 bits at most.
    out : ndarray, flat
    """
    for i in range(out.size):
        # The range of the type lies within that of int32, which is quicker to come to.
        out[i] = np.int32(min(max(np.rint(values[i]), np.float32(0)), most))
