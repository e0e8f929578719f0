"""Frames and images blurred by a variance that changes from place to place."""

from dataclasses import replace
from functools import partial

import numpy as np

from napari_stack.core.matrices import Matrix
from napari_stack.engine.opencv import cv2
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.blur_kernels import add_share
from napari_stack.operators.registration.refinement.gauss_newton import level_to_frame

#: Variances of the blurred copies that a level is put together of, in pixels of the level squared.
VARIANCES = np.array([0, 0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32])
#: A copy of this variance or more is blurred further for the next one.
ADDING = 2.0
#: A variance that none comes near to.
FAR = 1e30


def blurred(frame: Prepared, variance: Image, matrix: Matrix | None) -> Prepared:
    """Levels blurred by a variance in px^2 of the frame, which is given where `matrix` leads."""
    how = partial(_level_blurred, frame.factors, variance, matrix)
    return replace(frame, levels=frame.levels.changed(how))


def _level_blurred(
    factors: tuple[int, ...], variance: Image, matrix: Matrix | None, number: int, level: Image
) -> Image:
    factor, (rows, columns) = factors[number], level.shape
    ratio = variance.shape[0] / rows
    there = np.diag([variance.shape[1] / columns, ratio, 1.0])
    if matrix is not None:
        to_frame = level_to_frame(factor)
        there = there @ np.linalg.inv(to_frame) @ matrix @ to_frame
    own = cv2.warpPerspective(
        variance, there, (columns, rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    own *= np.float32(1 / factor**2)
    return blur(level, own)


def blur(image: Image, variance: Image) -> Image:
    """Image blurred by a variance (y, x) in px^2; none where it is negative. NaN stay.

    Each pixel is interpolated between two blurred copies, linearly by the variance.
    """
    least, most = max(float(variance.min()), 0), float(variance.max())
    if most <= 0:
        return image
    unknown = np.isnan(image)
    some = bool(unknown.any())
    values = np.ascontiguousarray(np.where(unknown, np.float32(0), image) if some else image)
    result, part, done = np.zeros_like(values), values, 0.0
    flat = np.ascontiguousarray(variance).reshape(-1)
    first = int(np.searchsorted(VARIANCES, least, "right")) - 1
    last = min(int(np.searchsorted(VARIANCES, most)), len(VARIANCES) - 1)
    for step in range(first, last + 1):
        goal = VARIANCES[step]
        if done < ADDING:  # narrow Gaussians of few pixels do not add up to wider ones
            part, done = values, 0.0
        if goal:
            sigma = float(np.sqrt(goal - done))
            part = cv2.GaussianBlur(part, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
        add_share(result.reshape(-1), part.reshape(-1), flat, *_weights(step))
        done = goal
    if some:
        result[unknown] = np.nan
    return result


def _weights(step: int) -> tuple[tuple[np.float32, ...], tuple[np.float32, ...]]:
    """Variances beside ``VARIANCES[step]``, and how the weight of its copy changes to them.

    It is 1 all the way where there is none.
    """
    here = VARIANCES[step]
    below = VARIANCES[step - 1] if step else -FAR
    above = VARIANCES[step + 1] if step + 1 < len(VARIANCES) else FAR
    slopes = [1 / (here - below) if step else 1.0, 1 / (above - here) if above < FAR else 1.0]
    return (np.float32(below), np.float32(above)), (np.float32(slopes[0]), np.float32(slopes[1]))
