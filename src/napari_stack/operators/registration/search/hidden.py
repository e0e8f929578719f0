"""Parts of a frame that are left out where they move otherwise."""

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix
from napari_stack.engine.opencv import cv2
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.gauss_newton import (
    level_to_frame,
    warp_coarsely,
)


def without(reference: Prepared, hidden: NDArray[np.bool_]) -> Prepared:
    """Return a frame that is not measured in a part of it, which the coarse image's pixels tell."""
    return replace(reference, levels=reference.levels.changed(partial(_hidden, hidden)))


def _hidden(hidden: NDArray[np.bool_], number: int, level: Image) -> Image:  # noqa: ARG001
    size = level.shape[::-1]
    away = cv2.resize(hidden.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    return np.where(away, np.float32(np.nan), level)


def weights_of_moving(weights: Image, matrix: Matrix, factor: int) -> Image:
    """Weights of the coarse reference as the moving frame's pixels have them; 1 outside."""
    to_frame = level_to_frame(factor)
    to_coarse = np.linalg.inv(to_frame)
    back = np.asarray(np.linalg.inv(to_coarse @ matrix @ to_frame), np.float64)
    return np.nan_to_num(warp_coarsely(weights, back), nan=1.0)
