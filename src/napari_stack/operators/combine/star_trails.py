"""`star_trails`: the brightest of all frames, with the gaps between exposures filled."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.options import Bounds, check
from napari_stack.core.pixels.casting import cast
from napari_stack.core.pixels.statistics import robust_sigma
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.combine.combine import require_used

#: Directions that trails are looked for in.
_DIRECTIONS = 16

#: Gaussian that details are smoothed by before their direction is measured, and that it is taken
#: over, in px; and how much one direction must outweigh the other.
_SMOOTH, _AROUND, _COHERENT = 1.0, 8.0, 0.1

#: Times the noise of the image that a gap must be darker than the trail, to be filled.
_DARKER = 3.0


def star_trails(
    stack: Stack,
    *,
    fill: Annotated[int, Bounds(0, 51, unit="px")] = 5,
    run: Run = Run(),
) -> NDArray[Any]:
    """Draw star trails: the brightest of all frames at each pixel, gaps between exposures filled.

    Gaps are filled along the direction that the trails have around them, up to the brightness that
    they have on both sides. What is darker on one side, or has no direction, stays.

    Parameters
    ----------
    stack : Stack
        Frames of a camera that stood still, not registered.
    fill : int
        Longest gap, in px; 0 fills none.
    run : Run

    Returns
    -------
    ndarray, shape (y, x) or (y, x, channel)
        Of the type of the frames. Pixels that no frame covers are 0, or NaN in a float type.

    Raises
    ------
    ValueError
        When an option is out of range, or no frame is used.
    """
    check(star_trails, locals())
    require_used(stack)
    from napari_stack.operators.combine.reducers.accumulators import Extremes

    values, covered = run.fold(Extremes(method="maximum"), stack, what="Combining frames").result()
    if fill:
        pixels = np.asarray(values, stack.working)
        pixels = pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
        planes = pixels[..., : stack.channels]  # an alpha stays as it is
        planes = fill_gaps(np.where(np.isfinite(planes), planes, 0), fill)
        filled = np.concatenate([planes, pixels[..., stack.channels :]], axis=2)
        values = filled.reshape(np.shape(values))
    return cast(values, stack.dtype, covered)


def fill_gaps(pixels: NDArray[Any], length: int) -> NDArray[Any]:
    """Fill dark gaps of bright lines, along the lines: a closing by a line in their direction.

    Parameters
    ----------
    pixels : ndarray, shape (y, x, channel)
    length : int
        Of the longest gap, in px.

    Returns
    -------
    ndarray, shape of `pixels`
        Nowhere darker.
    """
    from napari_stack.engine.opencv import cv2

    planes = [np.ascontiguousarray(pixels[..., k], np.float32) for k in range(pixels.shape[2])]
    direction, coherent = directions(np.mean(planes, axis=0))
    results = [plane.copy() for plane in planes]
    for number in range(_DIRECTIONS):
        here = coherent & (direction == number)
        if not here.any():
            continue
        line = _line(np.pi * number / _DIRECTIONS, length + 2)
        for plane, result in zip(planes, results, strict=True):
            closed = cv2.morphologyEx(plane, cv2.MORPH_CLOSE, line)
            noise = float(robust_sigma(plane - cv2.GaussianBlur(plane, (0, 0), 2.0), 0.0))
            gap = here & (closed > plane + _DARKER * noise)
            result[gap] = closed[gap]
    return np.stack(results, axis=2).astype(pixels.dtype)


def directions(image: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the direction of lines around each pixel, by number, and where there is one."""
    from napari_stack.engine.opencv import cv2

    # The brightest stars would decide everywhere.
    image = np.asarray(image, np.float32)
    scale = max(float(robust_sigma(image)), 1e-6)
    smooth = cv2.GaussianBlur(np.arcsinh((image - np.median(image)) / scale), (0, 0), _SMOOTH)
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    xx, yy, xy = (cv2.GaussianBlur(part, (0, 0), _AROUND) for part in (dx * dx, dy * dy, dx * dy))
    # Across a line the gradient is greatest: the line runs at a right angle to it.
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    number = np.rint(angle / np.pi * _DIRECTIONS).astype(int) % _DIRECTIONS
    strength = np.hypot(xx - yy, 2 * xy) / np.maximum(xx + yy, 1e-12)
    return number, strength > _COHERENT


def _line(angle: float, length: int) -> NDArray[np.uint8]:
    """Draw a line through the middle of a square, as an element of a closing."""
    half = length / 2
    side = 2 * int(np.ceil(half)) + 1
    element = np.zeros((side, side), np.uint8)
    along = np.linspace(-half, half, 4 * side)
    middle = side // 2
    y = np.rint(middle + along * np.sin(angle)).astype(int).clip(0, side - 1)
    x = np.rint(middle + along * np.cos(angle)).astype(int).clip(0, side - 1)
    element[y, x] = 1
    return element
