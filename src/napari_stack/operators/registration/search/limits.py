"""`Limits`: what a transform may do at most to be believed."""

from dataclasses import dataclass

import numpy as np

from napari_stack.core.matrices import Matrix, centre_of
from napari_stack.operators.registration.refinement.motion_models import nearest


@dataclass(frozen=True)
class Limits:
    """What a transform may do at most: shift of the centre (px), rotation (degrees), scale.

    A scale of 1.1 allows 1 / 1.1 to 1.1.
    """

    shift: float = np.inf
    rotation: float = np.inf
    scale: float = np.inf

    def allow(self, matrix: Matrix, shape: tuple[int, int]) -> bool:
        """Whether a matrix keeps to them."""
        centre = centre_of(shape)
        moved = matrix @ [*centre, 1.0]
        if not moved[2] > 0:
            return False
        linear = nearest(matrix, "similarity", shape)[:2, 0]
        scale = max(float(np.hypot(*linear)), 1e-12)
        return bool(
            np.hypot(*(moved[:2] / moved[2] - centre)) <= self.shift
            and abs(np.rad2deg(np.arctan2(linear[1], linear[0]))) <= self.rotation
            and abs(np.log(scale)) <= np.log(self.scale)
        )


#: No limits.
ANY = Limits()
