"""Notices frames of a focus series that were not registered: neighbours that lie apart."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from napari_stack.core.notices import warn_caller
from napari_stack.engine.opencv import cv2
from napari_stack.operators.focus.screening.sketch import Sketch

Array = np.ndarray[Any, Any]

# Neighbours count as apart from so many pixels on, if that is also so many of their pictures, and
# if moving one brings them nearer by so much. Focus itself moves nothing, but noise and blur let a
# shift seem a few tenths of a pixel of the pictures.
LEAST_PIXELS, LEAST_SHIFT, BETTER = 2.0, 0.5, 0.7
# Mean squared difference, of pictures of deviation 1, up to which they show the same.
ALIKE = 1.0
# Pictures are compared without what is coarser than this, in their pixels.
HIGH_PASS = 6.0
SMALLEST = 32


def warn_of_misaligned(sketches: Mapping[int, Sketch]) -> None:
    """Warn of the two neighbours that lie farthest apart, if any do.

    Parameters
    ----------
    sketches : mapping of int to Sketch
        By the number of the frame, in order.
    """
    found = {(i, j): distance(sketches[i], sketches[j]) for i, j in pairwise(sketches)}
    apart = [pair for pair, pixels in found.items() if pixels]
    if not apart:
        return
    worst = max(apart, key=lambda pair: found[pair])
    others = f" ({len(apart)} pairs of neighbours do)" if len(apart) > 1 else ""
    warn_caller(
        f"frames {worst[0]} and {worst[1]} lie {found[worst]:.0f} px apart{others}: register first?"
    )


def distance(one: Sketch, other: Sketch) -> float:
    """Return how far two frames lie apart in pixels, at the farthest corner; 0 where unsure."""
    if min(one.picture.shape) < SMALLEST or not (one.valid & other.valid).all():
        return 0.0
    here, there = (_details(each.picture) for each in (one, other))
    if here is None or there is None:
        return 0.0
    matrix = _motion(here, there)
    if matrix is None:
        return 0.0
    height, width = here.shape
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], float)
    moved = float(np.linalg.norm(corners @ matrix.T - corners[:, :2], axis=1).max())
    if moved < max(LEAST_SHIFT, LEAST_PIXELS / one.scale):
        return 0.0
    inner = np.s_[height // 8 : -(height // 8), width // 8 : -(width // 8)]
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    nearer = cv2.warpAffine(there, matrix, (width, height), flags=how)
    # Interpolation smooths, which brings pictures nearer also without any motion.
    still = cv2.GaussianBlur(there, (3, 3), 0.5)
    apart, left = (float(np.mean((here - image)[inner] ** 2)) for image in (still, nearer))
    return moved * one.scale if left < min(BETTER * apart, ALIKE) else 0.0


def _details(picture: Array) -> Array | None:
    """Return a picture without its coarse parts, of deviation 1; None where nothing is left."""
    details = picture - cv2.GaussianBlur(picture, (0, 0), HIGH_PASS)
    details = cv2.GaussianBlur(details, (0, 0), 0.7)
    deviation = float(np.std(details, dtype=float))
    return details / np.float32(deviation) if deviation > 0 else None


def _motion(here: Array, there: Array) -> Array | None:
    """Return the shift and growth (2 x 3) that four parts of two pictures agree on, or None.

    A point of `here` lies there in `there`.
    """
    height, width = here.shape
    window = cv2.createHanningWindow((width // 2, height // 2), cv2.CV_32F)
    centres, shifts = [], []
    for top in (0, height - height // 2):
        for left in (0, width - width // 2):
            part = np.s_[top : top + height // 2, left : left + width // 2]
            shift, _ = cv2.phaseCorrelate(
                np.ascontiguousarray(here[part]), np.ascontiguousarray(there[part]), window
            )
            shifts.append(shift)
            centres.append((left + width / 4, top + height / 4))
    moved, places = np.array(shifts), np.array(centres)
    middle = places.mean(axis=0)
    spokes = places - middle
    growth = float(np.sum(spokes * (moved - moved.mean(axis=0))) / np.sum(spokes**2))
    shift = np.median(moved - growth * spokes, axis=0)
    apart = np.linalg.norm(moved - growth * spokes - shift, axis=1)
    if np.count_nonzero(apart < max(1.0, 0.2 * float(np.linalg.norm(shift)))) < len(moved):
        return None
    scale = 1 + growth
    offset = shift - growth * middle
    return np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
