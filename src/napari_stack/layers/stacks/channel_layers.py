"""`to_layers`: a layer for each channel, in its colours and display range."""

from dataclasses import replace
from math import prod

import numpy as np
from napari.layers import Image

from napari_stack.core.axis import Axis, usual_name
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.look import ramp
from napari_stack.core.sources.bands import bands_apart
from napari_stack.layers.stacks.read_layer import Data
from napari_stack.layers.stacks.to_layer import to_layer

#: Colours of channels of which none are known: of two, and of more, as napari shows them.
_TWO = ("magenta", "green")
_MORE = ("cyan", "magenta", "yellow", "red", "green", "blue")


def to_layers(data: Data, name: str = "frames") -> list[Image]:
    """Show a stack as lazy layers, one for each channel: named, and added in its colours.

    Bands of a pixel that are no colours are channels.

    Parameters
    ----------
    data : Stack or Hyperstack
    name : str
        The name of a channel, or its number, is added to it.

    Returns
    -------
    list of Image layer
        One as `to_layer` makes it where there is no axis of channels.
    """
    parts = channels_apart(data, name)
    made = [to_layer(one, called) for called, one in parts]
    for layer in made if len(made) > 1 else ():
        layer.blending = "additive"
    return made


def channels_apart(data: Data, name: str) -> list[tuple[str, Data]]:
    """Return the frames of each channel, with colours, and what its layer is called."""
    data = bands_apart(data)
    number = _channel_axis(data)
    if number is None:
        return [(name, data)]
    axis, count = data.leading[number], data.sizes[number]
    usual = ("gray",) if count == 1 else _TWO if count == 2 else _MORE
    parts = []
    for channel in range(count):
        one = _one_channel(data, number, channel)
        look = axis.look(channel)
        look = replace(look, colours=look.colours or ramp(usual[channel % len(usual)]))
        shown = one.with_frames(replace(one.frames, look=look))
        parts.append((f"{name} {look.name or channel}", shown))
    return parts


def _channel_axis(data: Data) -> int | None:
    names = [usual_name(axis.name) for axis in data.leading]
    return names.index("c") if "c" in names else None


def _one_channel(data: Data, number: int, channel: int) -> Data:
    """Return the frames of one channel, along the other axes."""
    leading = tuple(axis for i, axis in enumerate(data.leading) if i != number)
    sizes = tuple(size for i, size in enumerate(data.sizes) if i != number)
    numbers = np.arange(prod(data.sizes)).reshape(data.sizes).take(channel, axis=number)
    frames = data.frames.select(numbers.ravel())
    if len(leading) > 1:
        axis = data.axis if data.axis in [a.name for a in leading] else leading[0].name
        return Hyperstack(frames, leading, sizes, axis)
    first = leading[0] if leading else Axis("frame")
    return replace(frames, axes=(first, *frames.axes[1:]))
