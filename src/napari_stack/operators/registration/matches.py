"""`find_matches`: the points that `method="features"` matches in two frames."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.matrices import moved
from napari_stack.core.stack import Stack
from napari_stack.operators.registration.methods import Features


@dataclass(frozen=True, eq=False)
class Matches:
    """Points that match between two frames; `operators.plots.plot` draws them.

    Attributes
    ----------
    images : tuple of two ndarray (y, x), uint8
        The reference and the frame, as the detector saw them.
    reference, moving : ndarray, shape (n, 2)
        Points (x, y) in these images.
    agree : ndarray of bool, shape (n,)
        Whether a match agrees with the transform that most agree with.
    """

    images: tuple[NDArray[np.uint8], NDArray[np.uint8]]
    reference: NDArray[np.float64]
    moving: NDArray[np.float64]
    agree: NDArray[np.bool_]


def find_matches(
    stack: Stack,
    frame: int,
    *,
    reference: int | None = None,
    transform: Literal["translation", "rigid", "similarity", "affine", "homography"] = "similarity",
    method: Features | None = None,
    channel: int | Literal["all"] = "all",
    working_size: int = 2048,
) -> Matches:
    """Find the points that match between a frame and the reference.

    Parameters
    ----------
    stack : Stack
    frame, reference : int
        Numbers of the two frames; the reference is the middle one by default.
    transform : {"translation", "rigid", "similarity", "affine", "homography"}
    method : Features, optional
        Detector, descriptor, matcher and thresholds.
    channel : {"all"} or int
    working_size : int
        See `measure_transforms`.

    Returns
    -------
    Matches

    Raises
    ------
    ValueError
        When the installed OpenCV lacks the detector, or a frame is without structure.
    """
    from napari_stack.operators.registration.search import features
    from napari_stack.operators.registration.sequence.measure import MeasureOptions

    method = method or Features()
    features.require(method)
    view = MeasureOptions(channel, None, working_size)
    numbers = (len(stack) // 2 if reference is None else reference, frame)
    fixed, moving = (view(stack, number) for number in numbers)
    for number, prepared in zip(numbers, (fixed, moving), strict=True):
        if not prepared.levels:
            raise UserError(f"{stack.source.label(number)} holds no structure to match")
    first, second = fixed.levels[0], moving.levels[0]
    points, others = features.find_matches(first, second, method)
    threshold = method.threshold / fixed.factors[0]
    matrix = features.agreed(points, others, threshold, transform, method.estimator)
    agree = np.zeros(len(points), bool)
    if matrix is not None:
        distance = np.hypot(*(moved(matrix, points) - others).T)
        agree = distance < threshold
    images = features.picture(first), features.picture(second)
    return Matches(images, points, others, agree)
