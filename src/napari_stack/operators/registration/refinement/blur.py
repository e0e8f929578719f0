"""Frames and images blurred by a variance that changes from place to place."""

from dataclasses import replace
from functools import partial

import numpy as np

from napari_stack.core.matrices import Matrix
from napari_stack.engine.opencv import cv2
from napari_stack.operators.registration.preprocess import Image, Prepared
from napari_stack.operators.registration.refinement.gauss_newton import level_to_frame

#: Variances of the blurred copies that a level is put together of, in pixels of the level squared.
VARIANCES = np.array([0, 0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32])
#: A copy of this variance or more is blurred further for the next one; rows put together at once.
ADDING, BAND = 2.0, 32


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
    values = np.where(unknown, np.float32(0), image)
    result, part, done = np.zeros_like(values), values, 0.0
    first = int(np.searchsorted(VARIANCES, least, "right")) - 1
    last = min(int(np.searchsorted(VARIANCES, most)), len(VARIANCES) - 1)
    for step in range(first, last + 1):
        goal = VARIANCES[step]
        if done < ADDING:  # narrow Gaussians of few pixels do not add up to wider ones
            part, done = values, 0.0
        if goal:
            sigma = float(np.sqrt(goal - done))
            part = cv2.GaussianBlur(part, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
        for top in range(0, len(result), BAND):  # what lies in the processor's cache
            rows = slice(top, top + BAND)
            result[rows] += part[rows] * _share(variance[rows], step)
        done = goal
    result[unknown] = np.nan
    return result


def _share(variance: Image, step: int) -> Image:
    """Weight of the copy blurred by ``VARIANCES[step]``: 1 there, 0 at the variances beside it."""
    here, sides = VARIANCES[step], VARIANCES[max(step - 1, 0) : step + 2]
    weights = [
        (variance - np.float32(side)) * np.float32(1 / (here - side))
        for side in sides if side != here
    ]  # fmt: skip
    weight = np.minimum(weights[0], weights[-1], out=weights[0])
    return np.clip(weight, 0, 1, out=weight)
