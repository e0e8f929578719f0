"""`quiver`: arrows that show how a frame moves, as napari's layers of vectors take them."""

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.matrices import moved
from napari_stack.operators.geometry.transforms import Transforms


def quiver(
    transforms: Transforms,
    index: int,
    size: tuple[int, int],
    *,
    along: int = 24,
    matrix: bool = False,
) -> NDArray[np.float64]:
    """Return arrows from points of the reference to where they lie in a frame.

    Parameters
    ----------
    transforms : Transforms
    index : int
        Of the frame.
    size : tuple of int
        Rows and columns of the reference.
    along : int
        Arrows along the longer side.
    matrix : bool
        With the motion of the whole frame by its matrix; else what it moves beyond.

    Returns
    -------
    ndarray, shape (arrows, 2, 2)
        (row, column) where each begins, and how far it reaches along these, in px.

    Raises
    ------
    ValueError
        When there is no such frame.
    """
    if not 0 <= index < len(transforms.matrices):
        raise UserError(f"frame {index} was asked for; there are {len(transforms.matrices)}")
    step = max(max(size) / along, 1.0)
    y, x = (np.arange(step / 2, side, step) - 0.5 for side in size)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    whole = moved(transforms.matrices[index], points)
    seen = whole
    if transforms.deformation is not None:
        seen = transforms.deformation.forward(index, transforms.matrices[index], points)
    arrows = seen - (points if matrix else whole)
    return np.stack([points[:, ::-1], arrows[:, ::-1]], axis=1)
