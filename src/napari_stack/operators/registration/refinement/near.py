"""Refinement on one level where rows of the two frames run nearly alike: compiled as a whole."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix
from napari_stack.operators.registration.preprocess import Image
from napari_stack.operators.registration.refinement.motion_models import Transform, affine_fields
from napari_stack.operators.registration.refinement.near_kernels import iterate

#: Weight of a pixel with gradient g and residual r, both in robust sigmas of the band-passed frame:
#: g^2 / (1 + g^2) / (1 + (0.3 g)^2 + (r / 2)^2). The first factor keeps noise in flat regions out,
#: the second bounds what strong edges (local displacements of 0.3 px) and outliers can do.
WEIGHTS = (1.0, 0.3**2, 0.5**2)
_WEIGHTS = tuple(map(np.float32, WEIGHTS))
#: Rows are read along lines that rise, and columns that lie further apart, by less than this.
NEAR = 1 / 16


def is_near(matrix: Matrix, transform: Transform) -> bool:
    """Whether rows run nearly alike under an affine matrix."""
    rise = max(abs(matrix[0, 0] - 1), abs(matrix[1, 0]))
    return transform != "homography" and rise < NEAR and not matrix[2, :2].any()


@dataclass(eq=False)
class Level:
    """Two images of a level, and where a refinement on them has come to.

    Attributes
    ----------
    reference, moving : ndarray (y, x), float32
    matrix : ndarray (3, 3)
    transform : str
    margin : int
        Pixels at the border that are left out.
    least : float
        Number of pixels that must overlap.
    """

    reference: Image
    moving: Image
    matrix: Matrix
    transform: Transform
    margin: int
    least: float
    #: As the kernel takes it.
    state: NDArray[np.float64] = field(
        default_factory=lambda: np.array([1.0, 0.0, np.inf, np.inf, 0.0, 1.0])
    )

    def __post_init__(self) -> None:
        self.matrix = np.array(self.matrix / self.matrix[2, 2])

    @property
    def error(self) -> float:
        """Expected error at the corners, in pixels of the level."""
        return float(self.state[2])

    @property
    def steps(self) -> int:
        """Steps that were made."""
        return int(self.state[4])

    def iterate(self, lines: NDArray[np.int64], rounds: int, converged: float) -> int:
        """Make steps on some rows: 1 when these end, 0 not yet, -1 where rows do not tell."""
        share = len(lines) / max(len(self.reference) - 2 * self.margin, 1)
        self.state[5] = share
        found: int = iterate(
            self.reference.reshape(-1), self.moving.reshape(-1), self.reference.shape, self.matrix,
            _fields(self.transform), self.transform == "rigid", self.margin, lines,
            _WEIGHTS, rounds, converged, self.least * share, self.state,
        )  # fmt: skip
        return found


@lru_cache(maxsize=8)
def _fields(transform: Transform) -> NDArray[np.float64]:
    return affine_fields(transform)
