"""The sliders of a viewer, in frames of a layer: which is in view, and how to show another."""

from typing import Any

from napari_stack.layers.stacks.read_layer import leading_axes, position_at


def place_in_view(viewer: Any, layer: Any) -> dict[str, int]:
    """Return where the sliders stand on the leading axes of a layer, in frames."""
    return position_at(layer, viewer.dims.point)


def frame_in_view(viewer: Any, layer: Any, axis: str) -> int:
    """Return the frame of a layer that is in view."""
    return place_in_view(viewer, layer).get(axis, 0)


def position_in_view(viewer: Any, layer: Any, axis: str) -> dict[str, int]:
    """Return where the sliders stand on the other axes than the one that is stacked."""
    return {name: at for name, at in place_in_view(viewer, layer).items() if name != axis}


def show_frame(viewer: Any, layer: Any, axis: str, frame: int) -> None:
    """Move the slider so that a frame of a layer is in view."""
    number = list(leading_axes(layer)).index(axis)
    point = list(layer.world_to_data(viewer.dims.point[-layer.ndim :]))
    point[number] = frame
    world = layer.data_to_world(point)
    viewer.dims.set_point(viewer.dims.ndim - layer.ndim + number, world[number])
