"""`with_deformation`: what frames move beyond the matrices that were measured for them."""

from dataclasses import replace

import numpy as np

from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.geometry.transforms import Transforms
from napari_stack.operators.registration.nonrigid.options import Rows, Smooth
from napari_stack.operators.registration.nonrigid.roots import Roots
from napari_stack.operators.registration.nonrigid.rows import measure_rows
from napari_stack.operators.registration.nonrigid.smooth import measure_smooth
from napari_stack.operators.registration.sequence.measure import MeasureOptions

#: Frames have sides of this at the least, in px: less holds no deformation.
_LEAST_SIDE = 32


def with_deformation(
    stack: Stack, view: MeasureOptions, transforms: Transforms, options: Smooth | Rows, run: Run
) -> Transforms:
    """Add the deformations of frames to their transforms.

    Frames are compared with the mean of the others that were registered and are used, so that the
    mean of all motions is the geometry that they are brought to, not that of one frame. Frames that
    do not support a deformation have none, and where no frame does, a warning tells.

    Parameters
    ----------
    stack : Stack
    view : MeasureOptions
        What of the frames is compared.
    transforms : Transforms
    options : Smooth or Rows
    run : Run
    """
    if min(stack.shape[1:3]) < _LEAST_SIDE:
        raise UserError(
            f"deformations need frames of {_LEAST_SIDE} px and more; these are "
            f"{stack.shape[2]} x {stack.shape[1]}: choose nonrigid='off'"
        )
    frames = np.flatnonzero(~transforms.failed & stack.used)
    if len(frames) < 2:
        return transforms
    roots = Roots.of(stack, view, frames)
    common = (stack, roots, transforms.matrices, frames)
    if isinstance(options, Smooth):
        found, _ = measure_smooth(*common, options, run)
    else:
        found, _ = measure_rows(*common, options, run)
    if found is None:
        warn_caller(
            "the frames support no deformation beyond their transforms: none is applied "
            "(nonrigid='off' saves the time)"
        )
        return transforms
    return replace(transforms, deformation=found)
