"""`mean_frame`: the mean of the used frames of a stack, in the working type."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.combine.combine import require_used


def mean_frame(stack: Stack, run: Run) -> NDArray[Any]:
    """Average the used frames, unrounded.

    Returns
    -------
    ndarray, shape (y, x) or (y, x, channel)
        0 where no frame is valid.
    """
    require_used(stack)
    from napari_stack.operators.combine.accumulators import Sum

    values, _ = run.fold(Sum(mean=True), stack, what="Averaging frames").result()
    return np.asarray(values, stack.working)
