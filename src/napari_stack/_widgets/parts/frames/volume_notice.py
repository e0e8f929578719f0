"""A word before the 3-D view computes all frames of a lazy layer."""

from typing import Any
from weakref import WeakSet, WeakValueDictionary

from napari.utils.notifications import show_info
from qtpy.QtCore import QEventLoop
from qtpy.QtWidgets import QApplication

from napari_stack import layers
from napari_stack.layers.compat import unwrapped

#: Dims of the viewers that are watched, and layers that were told of.
_watched: WeakValueDictionary[int, Any] = WeakValueDictionary()
_told: WeakSet[Any] = WeakSet()


def watch(viewer: Any) -> None:
    """Say so once for each layer when a viewer goes to 3-D; it does not matter how often asked."""
    dims = unwrapped(viewer.dims)
    if _watched.get(id(dims)) is dims:
        return
    _watched[id(dims)] = dims

    def say(event: Any) -> None:
        if event.value == 3:
            _say(viewer)

    dims.events.ndisplay.connect(say, position="first")  # before napari computes


def _say(viewer: Any) -> None:
    for layer in viewer.layers:
        plain = unwrapped(layer)
        if plain in _told or not layer.visible or layer.ndim < 3 or not layers.is_made_here(layer):
            continue
        _told.add(plain)
        text = layers.prepare_compute(plain).forecast()[0]
        show_info(
            f"The 3-D view computes all frames of {layer.name!r} each time ({text}). "
            "Compute Now in the menu Layers > Data does it once, and can be cancelled."
        )
        if QApplication.instance() is not None:  # let it be seen before the view is busy
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
