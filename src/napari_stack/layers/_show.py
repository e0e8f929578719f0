"""Stacks shown as layers: what the reader, the sample data and the "Open frames" dock add."""

from typing import Any

import numpy as np
from napari.layers import Image

from napari_stack.layers._chain import Chain, history, remember
from napari_stack.layers._source import Data
from napari_stack.stack import Stack


def to_layer(data: Data, name: str = "frames", *, limits: Any = None) -> Image:
    """Show a stack as a lazy layer: a frame is read and corrected when it is shown.

    What is done to the layer later continues the stack's chain of corrections.

    Parameters
    ----------
    data : Stack or Hyperstack
    name : str
    limits : tuple of float, optional
        Contrast limits; by default from one frame, see `show_limits`.

    Returns
    -------
    Image layer
        With the stack's axes: labels, scale and units.
    """
    array = data.to_dask()
    remember(array, Chain(data, (), name))
    axes = data.axes
    return Image(
        array,
        name=name,
        rgb=data.rgb,
        multiscale=False,
        contrast_limits=show_limits(data) if limits is None else limits,
        scale=[axis.step for axis in axes],
        units=[axis.unit for axis in axes],
        axis_labels=[axis.name for axis in axes],
        metadata=history((), name),
    )


def show_limits(data: Data) -> tuple[float, float]:
    """Return contrast limits: all of 8 bits, else the range of the middle frame."""
    if data.dtype in (np.uint8, bool):
        return (0, 255) if data.dtype == np.uint8 else (0, 1)
    frames = data if isinstance(data, Stack) else data.frames
    frame = frames[len(frames) // 2]
    values = frame[np.isfinite(frame)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    return low, max(high, low + 1e-9)
