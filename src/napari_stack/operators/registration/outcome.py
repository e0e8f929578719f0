"""What a registration found, as arrays of all frames, and what is told of it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.notices import warn_of_frames
from napari_stack.core.stack import Stack
from napari_stack.operators.registration.refinement.motion_models import Transform
from napari_stack.operators.registration.search.align import Alignment


def collected(count: int, found: Iterable[tuple[int, Alignment]]) -> tuple[NDArray[Any], ...]:
    """Matrices, quality, failed and covariances; what was not measured is the reference."""
    matrices, covariances = np.tile(np.eye(3), (count, 1, 1)), np.zeros((count, 8, 8))
    quality, failed = np.ones(count), np.zeros(count, bool)
    for i, alignment in found:
        matrices[i] = alignment.matrix if alignment.verified else np.eye(3)
        quality[i], failed[i] = alignment.quality, not alignment.verified
        covariances[i] = alignment.covariance
    return matrices, quality, failed, covariances


def warn_of_less(stack: Stack, found: dict[int, Alignment], transform: Transform) -> None:
    """Warn of frames that tell less than the transform that was asked for."""
    for less in dict.fromkeys(a.transform for a in found.values() if a.transform is not None):
        those = [i for i, a in found.items() if a.verified and a.transform == less]
        warn_of_frames(
            f"tell no more than a {less} transform, where {transform} was asked for",
            np.isin(np.arange(len(stack)), those),
            stack.source.label,
        )
