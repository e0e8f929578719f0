"""What depends on the version of napari, on its wrappers, or on the library of an array."""

import weakref
from collections.abc import Callable
from typing import Any


def full_resolution(layer: Any) -> Any:
    """Return the data of a layer; of a multiscale one its finest level."""
    return layer.data[0] if layer.multiscale else layer.data


def frame_size(layer: Any) -> tuple[int, int]:
    """Return height and width of the images of a layer."""
    height, width = full_resolution(layer).shape[layer.ndim - 2 : layer.ndim]
    return int(height), int(width)


def is_dask(array: Any) -> bool:
    """Tell a dask array, without importing dask."""
    return hasattr(array, "dask")


def unwrapped(thing: Any) -> Any:
    """Take a layer or a part of the viewer out of the wrapper that plugins see it through."""
    return getattr(thing, "__wrapped__", thing)


def weak_reference(thing: Any) -> Callable[[], Any]:
    """Hold something weakly; what cannot be held so counts as gone."""
    try:
        return weakref.ref(unwrapped(thing))
    except TypeError:
        return lambda: None


def show_colour_bar(layer: Any, *, shown: bool = True) -> None:
    """Show a bar of its colours with a layer."""
    layer.colorbar.visible = shown


def shows_colour_bar(layer: Any) -> bool:
    """Whether a layer shows a bar of its colours."""
    return bool(layer.colorbar.visible)


def grid_of(viewer: Any) -> Any:
    """Return the grid of the canvas."""
    return viewer.canvas.grid


def text_overlay_of(viewer: Any) -> Any:
    """Return the text on the canvas."""
    return viewer.canvas.overlays.text


def follow_layers(viewer: Any, function: Callable[..., Any]) -> None:
    """Call a function whenever the viewer has other layers, in another order or by other names."""
    events = viewer.layers.events
    for event in (events.inserted, events.removed, events.reordered, events.renamed):
        event.connect(function)
