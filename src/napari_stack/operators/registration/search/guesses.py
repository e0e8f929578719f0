"""Guesses by spectra where a frame lies, and whether they are better than those of chance."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from napari_stack.core.matrices import Matrix
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.gauss_newton import (
    Refined,
    first_level,
    likeness,
    overlap_of,
    refine,
)
from napari_stack.operators.registration.refinement.motion_models import Transform, nearest
from napari_stack.operators.registration.search.correlation import correlate, peaks
from napari_stack.operators.registration.search.determined import NOISE_AREA
from napari_stack.operators.registration.search.fourier_mellin import shifted, turned

#: Most peaks of a correlation that are tried.
PEAKS = 3
#: No value of the correlation of frames that have nothing in common reaches so many standard
#: deviations of it ...
PEAK_OF_CHANCE = 8.0
#: ... nor does their likeness, at the best of the guesses, so many of that of noise.
ALIKE_BY_CHANCE = 16.0
#: Steps by which a guess is improved.
STEPS = 4


@dataclass(eq=False)
class Guesses:
    """Where one frame may lie on another; all is computed when it is asked for, and once."""

    reference: Prepared
    moving: Prepared
    transform: Transform

    @cached_property
    def _plain(self) -> Image:
        return correlate(self.reference.spectrum, self.moving.spectrum)

    @cached_property
    def _even(self) -> Image:
        return correlate(self.reference.even_spectrum, self.moving.even_spectrum)

    def shifts(self) -> Iterator[Matrix]:
        """Give the likeliest shifts."""
        yield from shifts_of(self._plain, self.reference.coarse_factor)
        yield from shifts_of(self._even, self.reference.coarse_factor)

    @cached_property
    def turns(self) -> list[Matrix]:
        """Likely rotations and scales, where the transform has any."""
        if self.transform == "translation":
            return []
        found = turned(self.reference, self.moving)
        return [nearest(matrix, self.transform, self.reference.shape) for matrix in found]

    def promise(self, others: list[Matrix], *, brief: bool = False) -> bool:
        """Whether one of them, or of others, makes the frames more alike than chance does.

        Each is improved on the coarsest level, which takes little time; when `brief`, no shifts
        are, whose correlation does not stand out.
        """
        if _stands_out(self._plain) or _stands_out(self._even):
            return True
        if any(self._alike(matrix) for matrix in others):
            return True
        guessed = self.turns if brief else (*self.shifts(), *self.turns)
        return any(self._alike(self._improved(matrix)) for matrix in guessed)

    def _improved(self, matrix: Matrix) -> Matrix:
        factors = (first_level(self.reference),)
        how = Refined(matrix), self.transform, factors, STEPS
        return refine(self.reference, self.moving, *how).matrix

    def _alike(self, matrix: Matrix) -> bool:
        images = self.reference.even, self.moving.even
        fixed, warped = overlap_of(*images, matrix, self.reference.coarse_factor)
        count = int(np.count_nonzero(np.isfinite(fixed)))
        return bool(likeness(fixed, warped) * np.sqrt(count / NOISE_AREA) > ALIKE_BY_CHANCE)


def shifts_of(surface: Image, factor: int) -> Iterator[Matrix]:
    """Give the shifts of the highest peaks of a correlation of coarse images."""
    for peak in peaks(surface, PEAKS):
        yield shifted(peak.x * factor, peak.y * factor)


def _stands_out(surface: Image) -> bool:
    return float(surface.max()) > PEAK_OF_CHANCE * float(surface.std())
