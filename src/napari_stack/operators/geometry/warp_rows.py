"""Rows of a warped frame, at exact positions (nothing is quantised), and what lies beyond it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.engine.opencv import cv2
from napari_stack.operators.geometry.warp_kernels import keep_whole, warp_blocks

_TAPS = {"nearest": 1, "linear": 2, "cubic": 4, "lanczos": 6}

#: So many channels of a pixel are warped together at most: colours with alpha.
_TOGETHER = 4

#: A Gaussian is nothing beyond so many sigmas.
BLUR_REACH = 3


def warp_rows(
    source: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    first_source_row: int,
    height: int,
    matrix: NDArray[np.float64],
    rows: slice,
    columns: int,
    interpolation: str,
    reflect: bool = False,
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Warp some rows of a frame; beyond its border the nearest pixel goes on.

    Parameters
    ----------
    source : ndarray, shape (rows, x) or (rows, x, channel)
        Rows of the frame from `first_source_row` on; whole numbers give floats.
    valid : ndarray of bool, shape (rows, x), or None
        Pixels of `source` that count; None for all.
    height : int
        Height of the whole frame.
    matrix : ndarray, shape (3, 3)
        Takes a point (x, y) of the result to the frame.
    rows : slice
        Rows of the result to make.
    columns : int
        Width of the result.
    interpolation : {"nearest", "linear", "cubic", "lanczos"}
        Cubic is that of Keys (1981), a = -1/2; Lanczos that of Duchon (1979), three lobes.
    reflect : bool
        Beyond its border the frame is mirrored instead.

    Returns
    -------
    values : ndarray, shape (rows, columns) or (rows, columns, channel)
    inside : ndarray of bool, shape (rows, columns)
        Whether the position lies between the outermost pixel centres of the frame, and every
        pixel that the value was made of counts.
    """
    values, inside, whole = warp_parts(
        source, valid, first_source_row, height, matrix, rows, columns, interpolation, reflect
    )
    return values, inside if whole is None else inside & whole


def warp_parts(
    source: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    first_source_row: int,
    height: int,
    matrix: NDArray[np.float64],
    rows: slice,
    columns: int,
    interpolation: str,
    reflect: bool,
    rough: bool = False,
) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.bool_] | None]:
    """Like `warp_rows`, with what lies inside and what counts (None: all) told apart.

    Where `rough`, what lies outside is only the nearest pixel: quicker, where it does not count.
    """
    shape = (rows.stop - rows.start, columns)
    pixels = np.ascontiguousarray(source).reshape(*source.shape[:2], -1)
    channels = pixels.shape[2]
    kind = np.result_type(source.dtype, np.float32) if source.dtype.kind in "ui" else source.dtype
    values = np.empty((*shape, channels), kind)
    inside = np.empty(shape, bool)
    matrix = np.ascontiguousarray(matrix / matrix[2, 2], np.float64)
    place = (first_source_row, height, matrix, rows.start)
    taps = _TAPS[interpolation]
    for start in range(0, channels, _TOGETHER):
        some = slice(start, min(start + _TOGETHER, channels))
        part = pixels if channels <= _TOGETHER else np.ascontiguousarray(pixels[..., some])
        out = values if part is pixels else np.empty((*shape, part.shape[2]), kind)
        each = (0,) * taps, (0,) * part.shape[2]
        warp_blocks(part, *place, *each, reflect, rough, out, inside)
        if out is not values:
            values[..., some] = out
    whole = None
    if valid is not None:
        whole = np.ones(shape, bool)
        keep_whole(np.ascontiguousarray(valid), *place, taps, reflect, whole)
    return values.reshape(*shape, *source.shape[2:]), inside, whole


def blur_outside(values: NDArray[Any], inside: NDArray[np.bool_], sigma: float) -> None:
    """Replace what lies outside by a Gaussian blur of everything (y, x[, channel]), in place."""
    if inside.all():
        return
    size = 2 * int(np.ceil(BLUR_REACH * sigma)) + 1
    blurred = cv2.GaussianBlur(values, (size, size), sigma, borderType=cv2.BORDER_REPLICATE)
    values[~inside] = blurred.reshape(values.shape)[~inside]
