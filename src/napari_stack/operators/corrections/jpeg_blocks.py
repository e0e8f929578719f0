"""Frames that were compressed as JPEG: told by their squares of 8 x 8 pixels, and what is one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack

#: Side of a square, of the middle of a frame that is looked at, and frames that are asked.
_SIDE, _VIEW, _FRAMES = 8, 256, 2

#: A coefficient that was 0 is less, once pixels are rounded to whole numbers.
_ZERO = 1.0

#: More of the fine coefficients that are 0 in the squares of the grid than in squares between them.
_MORE = 0.15

#: What of the strongest of a square another defect in it has at the least.
_SHARE = 0.5


def seems_compressed(stack: Stack) -> bool:
    """Tell whether frames of 8 bits were compressed as JPEG, so much that noise was lost.

    Their squares of 8 x 8 pixels hold few waves: squares half way between them hold more.

    Parameters
    ----------
    stack : Stack
        As it was recorded; the middle of two used frames is read.
    """
    if stack.dtype != np.uint8 or min(stack.shape[1:3]) < 3 * _SIDE:
        return False
    frames = np.flatnonzero(stack.used)
    chosen = np.unique(np.linspace(0, len(frames) - 1, _FRAMES).astype(int))
    return all(_holds_squares(_middle(stack, int(frames[k]))) for k in chosen)


def _middle(stack: Stack, index: int) -> NDArray[np.float64]:
    from napari_stack.operators.combine.measures.frame_measures import grey_of

    grey = grey_of(stack.read(index)[0], stack)
    top, left = (max(side - _VIEW, 0) // 2 // _SIDE * _SIDE for side in grey.shape)
    return np.asarray(grey[top : top + _VIEW, left : left + _VIEW], np.float64)


def _holds_squares(image: NDArray[np.float64]) -> bool:
    half = _SIDE // 2
    return _few_waves(image) > _few_waves(image[half:-half, half:-half]) + _MORE


def _few_waves(image: NDArray[np.float64]) -> float:
    """Share of the fine coefficients of its squares that are 0."""
    from scipy.fft import dctn

    rows, columns = (side // _SIDE for side in image.shape)
    squares = image[: rows * _SIDE, : columns * _SIDE].reshape(rows, _SIDE, columns, _SIDE)
    waves = dctn(squares.swapaxes(1, 2), axes=(2, 3), norm="ortho")
    fine = np.add.outer(np.arange(_SIDE), np.arange(_SIDE)) >= _SIDE // 2
    return float((np.abs(waves[..., fine]) < _ZERO).mean())


def strongest_of_squares(sign: NDArray[np.int8], middle: NDArray[Any]) -> NDArray[np.int8]:
    """Leave of the pixels found in a square those that stand out most: the others are its waves.

    Parameters
    ----------
    sign : ndarray of int8, shape (y, x)
        Not 0 at pixels that were found.
    middle : ndarray, shape (y, x)
        How far pixels stand out.
    """
    size = np.where(sign != 0, np.abs(middle), 0)
    edges = [np.arange(0, side, _SIDE) for side in size.shape]
    most = np.maximum.reduceat(np.maximum.reduceat(size, edges[0], axis=0), edges[1], axis=1)
    whole = most.repeat(_SIDE, axis=0).repeat(_SIDE, axis=1)[: size.shape[0], : size.shape[1]]
    return np.where(size >= _SHARE * whole, sign, 0).astype(np.int8)
