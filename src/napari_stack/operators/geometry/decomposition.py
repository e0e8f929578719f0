"""Matrices taken apart into shift, rotation, scale and shear, and put together again."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import about_centre

Floats = NDArray[np.float64]


class Decomposed(NamedTuple):
    """What every transform does to a frame, one entry a frame.

    Attributes
    ----------
    shift : ndarray, shape (n, 2)
        (x, y) that the centre of the frame moves by (the first pixel where the size is unknown),
        in `unit`.
    rotation : ndarray, shape (n,)
        Degrees, from the x axis to the y axis.
    scale : ndarray, shape (n, 2)
        Along x, and across it.
    shear : ndarray, shape (n,)
        Tangent of the angle by which the y axis leans along x.
    unit : str
        Unit of the shift: "pixel", or that of the axes.
    """

    shift: Floats
    rotation: Floats
    scale: Floats
    shear: Floats
    unit: str = "pixel"


def decompose(
    matrices: Floats,
    size: tuple[int, int] | None,
    pixel: tuple[float, float, str] = (1.0, 1.0, "pixel"),
) -> Decomposed:
    """Take matrices (n, 3, 3) apart: rotation after scale after shear, at the centre of a frame.

    A perspective is taken by its linear part at the centre.
    """
    height, width = size or (1, 1)
    centre = np.array([(width - 1) / 2, (height - 1) / 2, 1])
    moved = matrices @ centre
    point = moved[:, :2] / moved[:, 2:]
    # Derivative of (A p) / (g p) at the centre.
    linear = (matrices[:, :2, :2] - point[:, :, None] * matrices[:, 2:, :2]) / moved[
        :, 2, None, None
    ]
    step = np.array(pixel[:2])
    linear = linear * step[:, None] / step
    angle = np.arctan2(linear[:, 1, 0], linear[:, 0, 0])
    along = np.hypot(linear[:, 0, 0], linear[:, 1, 0])
    across = np.linalg.det(linear) / along
    lean = linear[:, 0, 0] * linear[:, 0, 1] + linear[:, 1, 0] * linear[:, 1, 1]
    shear = lean / (along * across)
    scale = np.stack([along, across], axis=1)
    return Decomposed((point - centre[:2]) * step, np.rad2deg(angle), scale, shear, pixel[2])


def composed_similarity(
    shift: Floats, rotation: Floats, scale: Floats, size: tuple[int, int]
) -> Floats:
    """Matrices (n, 3, 3) that turn (degrees) and scale about the centre, then shift (n, 2)."""
    angle = np.deg2rad(rotation)
    turns = zip(scale * np.cos(angle), scale * np.sin(angle), shift, strict=True)
    return np.array([about_centre(size, cosine, sine, move) for cosine, sine, move in turns])
