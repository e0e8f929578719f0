"""Stacks shown as layers: what the reader, the sample data and the "Open frames" dock add."""

from math import prod
from typing import Any

import numpy as np
from napari.layers import Image

from napari_stack.core.sources.bands import bands_apart
from napari_stack.core.stack import Stack
from napari_stack.layers.provenance import Chain, history, remember, source_files
from napari_stack.layers.stacks.looks import layer_axes, shown, spread, value_range
from napari_stack.layers.stacks.read_layer import Data
from napari_stack.recipe.earlier import earlier_in

#: Values in the frames that are examined for contrast limits, at most.
_MOST_VALUES = 60_000_000

#: Of integers with more bytes the slider would show all pixels at its very end.
_WHOLE_RANGE_BYTES = 2


def to_layer(
    data: Data, name: str = "frames", *, limits: Any = None, visible: bool = True
) -> Image:
    """Show a stack as a lazy layer: a frame is read and corrected when it is shown.

    What is done to the layer later continues the stack's chain of corrections. Bands of a pixel
    that are no colours become an axis before y.

    Parameters
    ----------
    data : Stack or Hyperstack
    name : str
    limits : tuple of float, optional
        Contrast limits; by default from a few frames, see `show_limits`.
    visible : bool
        Whether it is shown at once, for which napari computes a frame when it is made.

    Returns
    -------
    Image layer
        With the stack's axes: labels, scale, translate and units. Names, colours and ranges of
        channels along an axis are kept in its metadata, and written with it again.
    """
    data = bands_apart(data)
    array = data.to_dask()
    chain = Chain(data, (), name, earlier=earlier_in(source_files(data)))
    remember(array, chain)
    layer = Image(
        array,
        name=name,
        rgb=data.rgb,
        multiscale=False,
        visible=visible,
        contrast_limits=show_limits(data) if limits is None else limits,
        **layer_axes(data.axes),
        **shown(data.frames.look),
        metadata=history(chain),
    )
    if data.dtype.kind in "iu" and data.dtype.itemsize <= _WHOLE_RANGE_BYTES:
        layer.reset_contrast_limits_range()  # the limits can be drawn to all that pixels can be
    return layer


def show_limits(data: Data) -> tuple[float, float]:
    """Return contrast limits: the display range of a file; all of 8 bits; the range of some frames.

    These are up to five from the first to the last, fewer where frames are large; where they are
    corrected first, which takes longer, the middle one alone.
    """
    known = [look.limits for axis in data.leading for look in axis.looks]
    known = known or [data.frames.look.limits]
    if given := [both for both in known if both]:
        return min(low for low, _ in given), max(high for _, high in given)
    if data.dtype in (np.uint8, bool):
        return (0, 255) if data.dtype == np.uint8 else (0, 1)
    frames = data.frames
    ranges = [value_range(frames[i], rgb=data.rgb) for i in _examined(frames)]
    found = [both for both in ranges if both is not None]
    if not found:
        return 0.0, 1.0
    return spread(min(low for low, _ in found), max(high for _, high in found))


def _examined(frames: Stack) -> list[int]:
    number = len(frames)
    affordable = 1 if frames.corrections else max(1, _MOST_VALUES // prod(frames.shape[1:]))
    places = [number // 2, 0, number - 1, number // 4, 3 * number // 4]
    return sorted(set(places[:affordable]))
