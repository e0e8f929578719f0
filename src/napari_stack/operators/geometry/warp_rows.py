"""Rows of a warped frame, at exact positions (nothing is quantised), and what lies beyond it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.engine.opencv import cv2
from napari_stack.operators.geometry.deformation import seen_rows
from napari_stack.operators.geometry.place_kernels import find_places
from napari_stack.operators.geometry.scan_kernels import warp_scan
from napari_stack.operators.geometry.tap_kernels import BLOCK
from napari_stack.operators.geometry.warp_kernels import (
    EXTENDED,
    NAN,
    NEAREST,
    REFLECTED,
    warp_lines,
)

Array = NDArray[Any]

_TAPS = {"nearest": 1, "linear": 2, "cubic": 4, "lanczos": 6}

#: A position this far outside the outermost pixel centre still counts as inside: rounding.
_SLACK = 1e-6

#: Lines of a deformed frame whose places are found before they are read: they stay in the cache.
_LINES = 64

#: A Gaussian is nothing beyond so many sigmas.
BLUR_REACH = 3


@dataclass(frozen=True, eq=False)
class Deformed:
    """Deformation of one frame, as `Deformation` holds it for all.

    Parameters
    ----------
    grid : ndarray, shape (rows, columns, 2)
        Empty where there is none.
    place : ndarray, shape (3, 3)
        Takes a point of the result to its (column, row) among the control points.
    row_offsets : ndarray, shape (height, 2)
        Empty where there are none.
    """

    grid: Array
    place: Array
    row_offsets: Array

    def places(self, matrix: Array, first_row: int, out: Array) -> None:
        """Find x and y (2, lines, columns) of pixels in the frame; of scans x without offsets."""
        seen = seen_rows(self.row_offsets[:, 1]) if len(self.row_offsets) else np.empty(0)
        grid, line = np.ascontiguousarray(self.grid), np.empty(self.grid.shape[1])
        place = np.ascontiguousarray(self.place / self.place[2, 2])
        find_places(np.ascontiguousarray(matrix), grid, place, seen, first_row, line, out)


def warp_rows(
    source: Array,
    valid: NDArray[np.bool_] | None,
    first_source_row: int,
    height: int,
    matrix: NDArray[np.float64],
    rows: slice,
    columns: int,
    interpolation: str,
    reflect: bool = False,
) -> tuple[Array, NDArray[np.bool_]]:
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
    source: Array,
    valid: NDArray[np.bool_] | None,
    first_source_row: int,
    height: int,
    matrix: NDArray[np.float64],
    rows: slice,
    columns: int,
    interpolation: str,
    reflect: bool,
    rough: bool = False,
    deformed: Deformed | None = None,
) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_] | None]:
    """Like `warp_rows`, with what lies inside and what counts (None: all) apart.

    Where `rough`, what lies outside is only the nearest pixel, because it does not count. What is
    `deformed` moves beyond the matrix.
    """
    channels, shape = int(np.prod(source.shape[2:])), (rows.stop - rows.start, columns)
    kind = np.result_type(source.dtype, np.float32) if source.dtype.kind in "ui" else source.dtype
    values, inside = np.empty((*shape, *source.shape[2:]), kind), np.ones(shape, bool)
    whole = None if valid is None else np.ones(shape, bool)
    # floats alone: of each other type, the kernels would be compiled for seconds
    source = np.ascontiguousarray(source, kind)
    if deformed is not None:
        return _deformed_parts(
            source, valid, first_source_row, height, matrix, rows, interpolation, reflect,
            deformed, (values, inside, whole),
        )  # fmt: skip
    _warp(
        source, valid if valid is None else np.ascontiguousarray(valid),
        (first_source_row, first_source_row + len(source) - 1), matrix / matrix[2, 2], None,
        rows.start,
        np.arange(shape[0]), (0.0, source.shape[1] - 1.0, 0.0, height - 1.0, _SLACK),
        REFLECTED if reflect else NEAREST if rough else EXTENDED,
        _TAPS[interpolation], channels, values, inside, whole,
    )  # fmt: skip
    return values, inside, whole


def _deformed_parts(
    source: Array,
    valid: NDArray[np.bool_] | None,
    first_source_row: int,
    height: int,
    matrix: Array,
    rows: slice,
    interpolation: str,
    reflect: bool,
    deformed: Deformed,
    made: tuple[Array, Array, Array | None],
) -> tuple[Array, Array, Array | None]:
    """Fill `made`: values, what is inside, and what is whole; a few rows at a time."""
    values, inside, whole = made
    source = np.ascontiguousarray(source)
    valid = valid if valid is None else np.ascontiguousarray(valid).reshape(-1)
    matrix, given = matrix / matrix[2, 2], (first_source_row, first_source_row + len(source) - 1)
    taps, channels = _TAPS[interpolation], int(np.prod(source.shape[2:]))
    border = (0.0, source.shape[1] - 1.0, 0.0, height - 1.0, _SLACK)
    room = np.empty(2 * min(_LINES, len(values)) * values.shape[1])  # the same for all
    for start in range(0, len(values), _LINES):
        part = slice(start, min(start + _LINES, len(values)))
        lines, first = part.stop - start, rows.start + start
        places = room[: 2 * lines * values.shape[1]].reshape(2, lines, values.shape[1])
        deformed.places(matrix, first, places)
        some = None if whole is None else whole[part]
        if len(deformed.row_offsets):
            _scan(
                source, valid, given, places, deformed.row_offsets, reflect, taps, channels,
                values[part], inside[part], some,
            )  # fmt: skip
        else:
            _warp(
                source, valid, given, matrix, places, first, np.arange(lines), border,
                REFLECTED if reflect else EXTENDED, taps, channels, values[part], inside[part],
                some,
            )  # fmt: skip
    return made


def _scan(
    source: Array,
    valid: Array | None,
    given: tuple[int, int],
    places: Array,
    offsets: Array,
    reflect: bool,
    taps: int,
    channels: int,
    values: Array,
    inside: Array,
    whole: Array | None,
) -> None:
    pair = 2 * BLOCK
    warp_scan(
        source.reshape(-1), _flat(valid, bool), (given, (0, source.shape[1] - 1)), places,
        np.ascontiguousarray(offsets[:, 0]), _SLACK, reflect, (0,) * taps, (0,) * channels,
        np.zeros(pair), np.zeros(pair, np.int32), np.empty(taps * pair, values.dtype),
        values.reshape(-1), inside.reshape(-1), _flat(whole, bool),
    )  # fmt: skip


def resample(
    image: NDArray[np.float32], matrix: NDArray[np.float64], margin: int, lines: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Read some lines of an image at a matrix by cubic convolution; NaN outside or near NaN.

    `margin`, at least 1, is the number of pixels at the border that count as outside. The lines
    that are not asked for are not set.
    """
    height, width = image.shape
    warped, inside = np.empty_like(image), np.ones(image.shape, bool)
    right, bottom = (float(np.nextafter(side - 1 - margin, 0)) for side in (width, height))
    limits = (float(margin), right, float(margin), bottom, 0.0)
    _warp(image, None, (0, height - 1), matrix, None, 0, lines, limits, NAN, 4, 1, warped, inside)
    return warped


def _warp(
    pixels: Array,
    valid: Array | None,
    rows: tuple[int, int],
    matrix: Array,
    places: Array | None,
    first_row: int,
    lines: Array,
    limits: tuple[float, float, float, float, float],
    outside: int,
    taps: int,
    channels: int,
    values: Array,
    inside: Array,
    whole: Array | None = None,
) -> None:
    """Warp lines of a frame, in arrays that `warp_lines` takes."""
    pair = 2 * BLOCK
    weight = np.empty(taps * pair, values.dtype)
    weights = weight if channels == 1 else np.empty(channels * weight.size, values.dtype)
    warp_lines(
        pixels.reshape(-1), _flat(valid, bool), (rows, (0, pixels.shape[1] - 1)),
        np.ascontiguousarray(matrix, np.float64), _flat(places, float), first_row, lines, limits,
        outside,
        (0,) * taps, (0,) * channels, np.zeros(pair), np.zeros(pair, np.int32),
        np.empty(BLOCK, np.int64), weight, weights,
        values.reshape(-1), values.shape[1], inside.reshape(-1), _flat(whole, bool),
    )  # fmt: skip


def _flat(array: Array | None, kind: type) -> Array:
    """Return an array as kernels take it: flat, and empty where there is none."""
    return np.empty(0, kind) if array is None else array.reshape(-1)


def blur_outside(values: NDArray[Any], inside: NDArray[np.bool_], sigma: float) -> None:
    """Replace what lies outside by a Gaussian blur of everything (y, x[, channel]), in place."""
    if inside.all():
        return
    size = 2 * int(np.ceil(BLUR_REACH * sigma)) + 1
    blurred = cv2.GaussianBlur(values, (size, size), sigma, borderType=cv2.BORDER_REPLICATE)
    values[~inside] = blurred.reshape(values.shape)[~inside]
