"""An operator for napari-stack in a package of its own: bright becomes dark, and dark bright."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from napari_stack import Run, Stack
from napari_stack.core.correction import Correction
from napari_stack.core.options import Bounds, check
from napari_stack.operators import Operator


@dataclass(frozen=True)
class Inverted(Correction):
    """Frames whose values are subtracted from that of white."""

    white: float

    local: ClassVar[bool] = True

    def apply(self, values, valid, index, rows):  # noqa: ARG002
        """Invert rows of a frame."""
        return self.white - values, valid


def invert(
    stack: Stack, *, white: Annotated[float, Bounds(0, 1e9)] = 0.0, run: Run = Run()
) -> Stack:
    """Turn bright into dark, and dark into bright.

    Parameters
    ----------
    stack : Stack
    white : float
        Value that becomes 0; 0 stands for the greatest one of whole numbers, and for 1 of floats.
    run : Run
    """
    check(invert, locals())
    greatest = np.iinfo(stack.dtype).max if stack.dtype.kind in "ui" else 1.0
    return stack.corrected(Inverted(white or float(greatest)))


# The entry point may name the function itself; the entry adds what is special about it.
entry = Operator(invert, main=("white",), measures=False, preview=True)
