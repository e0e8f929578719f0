"""`SteadyPicture`: the mean of registered frames, small, as far as a registration has come."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.engine.glimpses import step_of
from napari_stack.engine.opencv import cv2
from napari_stack.engine.run import Run
from napari_stack.operators.registration.search.align import Alignment


class SteadyPicture:
    """Small pictures of frames, moved to where they were found, and averaged.

    Parameters
    ----------
    reference : int
        The frame that stays.
    step : int
        Pixels of a frame that become one of a picture, along a side.
    """

    def __init__(self, reference: int, step: int) -> None:
        self._reference = reference
        self._scale = np.diag([step, step, 1.0])
        #: Small pictures of frames that were read and not found yet, by number.
        self.seen: dict[int, NDArray[np.float32]] = {}
        self._total: Any = None
        self._count: Any = None

    def take(self, index: int, found: Alignment | tuple[Alignment, Any]) -> None:
        """Take in a frame that was found; one that was not is left out."""
        alignment = found[0] if isinstance(found, tuple) else found
        if self._total is None:
            first = self.seen.pop(self._reference)
            self._total, self._count = np.zeros_like(first), np.zeros_like(first)
            self._add(first, np.eye(3))
        picture = self.seen.pop(index, None)
        if picture is not None and alignment.verified:
            self._add(picture, alignment.matrix)

    def _add(self, picture: NDArray[np.float32], matrix: NDArray[np.float64]) -> None:
        known = np.isfinite(picture)
        onto = np.linalg.inv(self._scale) @ matrix @ self._scale
        how = {"flags": cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP}
        size = picture.shape[::-1]
        parts = (np.where(known, picture, 0), known.astype(np.float32))
        values, counts = (cv2.warpPerspective(part, onto, size, **how) for part in parts)
        self._total += values
        self._count += counts

    def glimpse(self) -> NDArray[np.float32] | None:
        """Return the mean so far, NaN where no frame lies."""
        if self._total is None:
            return None
        there = self._count > 0
        mean = np.full(self._total.shape, np.nan, np.float32)
        np.divide(self._total, self._count, out=mean, where=there)
        return mean


def picture_for(run: Run, stack: Stack, reference: int) -> SteadyPicture | None:
    """Begin a picture, where somebody watches the run."""
    return None if run.glimpses is None else SteadyPicture(reference, step_of(stack.shape[1:]))
