"""How stiff a series is, and which of its frames deform: by the probability of what was seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Stiffness that is tried, and noise against what was taken for it.
_STIFFNESS = np.logspace(-3, 7, 41)
_NOISE = np.array([0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6])

#: A mode counts where the pixels tell this much of it, against the best.
_LEAST = 1e-10

#: Logarithm of the odds from which on a series deforms. Each of the numbers that were fitted may
#: make chance look like it.
_ODDS = 5.0


@dataclass(frozen=True, eq=False)
class Modes:
    """Modes of a deformation that the pixels and the stiffness see apart.

    Parameters
    ----------
    told : ndarray, shape (modes,)
        What the pixels tell of each, at a stiffness of 1.
    shapes : ndarray, shape (unknowns, modes)
    """

    told: Floats
    shapes: Floats

    @classmethod
    def of(cls, normal: Floats, stiffness: Floats) -> "Modes":
        """Find them: generalised eigenvectors of the normal matrix and the stiffness.

        Parameters
        ----------
        normal : ndarray, shape (2k, 2k)
        stiffness : ndarray, shape (k, k)
            Of one direction.
        """
        from scipy.linalg import cholesky, eigh, solve_triangular

        half = cholesky(stiffness, lower=True)
        count = len(stiffness)
        inner: Any = normal.copy()
        for part in (slice(0, count), slice(count, 2 * count)):
            inner[part] = solve_triangular(half, inner[part], lower=True)
        for part in (slice(0, count), slice(count, 2 * count)):
            inner[:, part] = solve_triangular(half, inner[:, part].T, lower=True).T
        told, vectors = eigh((inner + inner.T) / 2, driver="evd")
        for part in (slice(0, count), slice(count, 2 * count)):
            vectors[part] = solve_triangular(half, vectors[part], lower=True, trans="T")
        return cls(np.maximum(told, 0), vectors)

    def gains(self, heights: Floats, stiffness: float, noise: float) -> Floats:
        """Logarithm of the odds (n,) that frames deform by this stiffness, against not at all.

        Parameters
        ----------
        heights : ndarray, shape (n, modes)
            What each frame says of each mode: the normal equations' right side.
        stiffness, noise : float
        """
        seen = self.told > _LEAST * self.told.max()
        told, squares = self.told[seen], heights[:, seen] ** 2
        still = noise * told
        moved = still + told**2 / stiffness
        odds: Floats = (squares * (1 / still - 1 / moved) - np.log(moved / still)).sum(axis=1) / 2
        return odds

    def most_probable(self, heights: Floats, fixed: float | None) -> tuple[float, float]:
        """Return stiffness and noise that make what all frames say most probable."""
        seen = self.told > _LEAST * self.told.max()
        told, squares = self.told[seen], (heights[:, seen] ** 2).mean(axis=0)
        tried = _STIFFNESS if fixed is None else np.array([fixed])
        variances = _NOISE[:, None, None] * told + told**2 / tried[:, None]
        likelihood = -(squares / variances + np.log(variances)).sum(axis=-1)
        noise, stiff = np.unravel_index(int(likelihood.argmax()), likelihood.shape)
        return float(tried[stiff]), float(_NOISE[noise])

    def solved(self, heights: Floats, stiffness: float, noise: float) -> Floats:
        """Return the most probable displacements (unknowns,) of a frame."""
        result: Floats = self.shapes @ (heights / (self.told + stiffness * noise))
        return result


def deforms(odds: Floats) -> bool:
    """Whether a series deforms, by the odds of its frames."""
    return bool(odds.sum() > _ODDS)
