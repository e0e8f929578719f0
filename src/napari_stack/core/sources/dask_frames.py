"""`to_dask`: the frames of a stack as a lazy array for viewers."""

from typing import Any
from uuid import uuid4

import dask.array
import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack


def to_dask(stack: Stack) -> Any:
    """Return a lazy dask array of the frames as seen, one chunk a frame."""
    name = f"stack-{uuid4()}"
    rest = (0,) * (stack.ndim - 1)
    graph = {(name, i, *rest): (_block, stack, i) for i in range(len(stack))}
    chunks = ((1,) * len(stack), *((side,) for side in stack.shape[1:]))
    return dask.array.Array(graph, name, chunks, dtype=stack.dtype)


def _block(stack: Stack, index: int) -> NDArray[Any]:
    frame = stack[index]
    # Viewers cache what is shown: a view would hold the whole array that it is a part of.
    return (frame if frame.base is None else frame.copy())[np.newaxis]
