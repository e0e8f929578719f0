"""`register_volumes`: volumes over time, moved in x, y and z to the place of one of them."""

from typing import Annotated, Literal

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.options import Bounds, check
from napari_stack.engine.run import Run
from napari_stack.operators.geometry.warp import Interpolation


def register_volumes(
    stack: Hyperstack,
    *,
    transform: Literal["translation", "rigid", "similarity"] = "translation",
    reference: Annotated[int, Bounds(0, 999_999)] | Literal["middle", "first", "last"] = "middle",
    channel: Annotated[int, Bounds(0, 9_999)] = 0,
    interpolation: Interpolation = "cubic",
    run: Run = Run(),
) -> Hyperstack:
    """Move volumes over time to the place of one of them, along x, y and z.

    Started by the correlation of all planes at every offset along z, refined on the intensities of
    all voxels that both volumes have, free in gain and offset. Shifts along z are fractions of
    planes, whatever the distance of planes is.

    Parameters
    ----------
    stack : Hyperstack
        Volumes over time: axes t and z, and others. What stands for time is the axis that is
        stacked; channels are moved alike, other positions each for itself.
    transform : {"translation", "rigid", "similarity"}
        What moves within the planes: shifts only; with rotation; with scale, too.
    reference : {"middle", "first", "last"} or int
        The volume that all others are moved to; a number counts from 0.
    channel : int
        Number along the axis of channels at which it is measured.
    interpolation : {"nearest", "linear", "cubic", "lanczos"}
        How pixels between pixels of a plane are made; between planes it is always cubic.
    run : Run

    Returns
    -------
    Hyperstack
        Planes beyond the first or last one of a volume do not count. `Hyperstack.transforms` has
        the matrices within the planes and `z_shifts`: plane z of the reference lies at
        z + z_shift in volume i. Volumes that were not found are left out, and told in a warning.

    Raises
    ------
    ValueError
        When there is no axis of planes, or an option is out of range or does not fit.
    """
    check(register_volumes, locals())
    # Not at the top: it brings compiled kernels, which menus and --help do without.
    from napari_stack.operators.registration.volumes.drift import moved_volumes

    return moved_volumes(stack, transform, reference, channel, interpolation, run)
