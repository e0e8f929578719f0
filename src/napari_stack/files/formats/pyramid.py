"""Smaller copies of images: means of two by two pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.casting import cast


def halved(block: NDArray[Any]) -> NDArray[Any]:
    """Return means of two by two pixels along the last two axes; at an odd end of those there are.

    Of True and False a pixel is True where one of the four is.

    Examples
    --------
    >>> halved(np.array([[1, 3, 9], [1, 3, 9]], np.uint8))
    array([[2, 9]], dtype=uint8)
    """
    ends = [(0, 0)] * (block.ndim - 2) + [(0, side % 2) for side in block.shape[-2:]]
    even = np.pad(block, ends, mode="edge") if any(b for _, b in ends) else block
    parts = [even[..., y::2, x::2] for y in (0, 1) for x in (0, 1)]
    if block.dtype.kind == "b":
        return np.asarray(parts[0] | parts[1] | parts[2] | parts[3])
    wide = np.result_type(block.dtype, np.float32)
    mean = sum(part.astype(wide) for part in parts) / 4
    return cast(np.asarray(mean), block.dtype, None)


def halved_frame(frame: NDArray[Any]) -> NDArray[Any]:
    """Return the same of a frame, channels last."""
    if frame.ndim == 2:
        return halved(frame)
    return np.ascontiguousarray(np.moveaxis(halved(np.moveaxis(frame, -1, 0)), 0, -1))
