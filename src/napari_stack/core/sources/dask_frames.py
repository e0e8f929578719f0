"""`to_dask`: the frames of a stack as a lazy array for viewers."""

from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

import dask.array
import numpy as np
from dask.base import get_scheduler
from numpy.typing import NDArray

from napari_stack.core.stack import Stack

# A frame of a stack that was computed before a viewer asks for it. The first one that is asked for
# takes it out, whichever it is: nothing is kept.
_ahead: WeakKeyDictionary[Stack, tuple[int, NDArray[Any]]] = WeakKeyDictionary()


def compute_ahead(stack: Stack, index: int) -> None:
    """Compute a frame that a viewer is about to show, in a thread, so that the viewer need not."""
    get_scheduler()  # where `distributed` is installed, dask imports it first: a quarter second
    _ahead[stack] = index, _frame(stack, index)


def to_dask(stack: Stack) -> Any:
    """Return a lazy dask array of the frames as seen, one chunk a frame."""
    name = f"stack-{uuid4()}"
    rest = (0,) * (stack.ndim - 1)
    graph = {(name, i, *rest): (_block, stack, i) for i in range(len(stack))}
    chunks = ((1,) * len(stack), *((side,) for side in stack.shape[1:]))
    return dask.array.Array(graph, name, chunks, dtype=stack.dtype)


def _block(stack: Stack, index: int) -> NDArray[Any]:
    number, frame = _ahead.pop(stack, (-1, None))
    return (_frame(stack, index) if frame is None or number != index else frame)[np.newaxis]


def _frame(stack: Stack, index: int) -> NDArray[Any]:
    frame = stack[index]
    # Viewers cache what is shown: a view would hold the whole array that it is a part of.
    return frame if frame.base is None else frame.copy()
