"""`Brush`: the mouse, the keys and the round cursor while a layer is painted on."""

import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from qtpy.compat import isalive


class Brush:
    """Takes drags in the canvas and keys of a layer, from `hold` until `release`.

    Parameters
    ----------
    owner : QWidget
        Has the methods ``pressed(world)``, which tells whether a stroke begins,
        ``dragged(world)`` and ``lifted()``; it is held weakly.
    viewer : napari.Viewer
    keys : mapping of str to callable
        What keys do while the layer is active.
    """

    def __init__(self, owner: Any, viewer: Any, keys: Mapping[str, Callable[[], Any]]) -> None:
        self._callbacks = viewer.mouse_drag_callbacks
        self._keys = keys
        self._layer: Any = None
        weak = weakref.ref(owner)

        def drag(viewer: Any, event: Any) -> Iterator[None]:  # noqa: ARG001
            dock = weak()
            plain = event.button == 1 and not tuple(event.modifiers)
            if dock is None or not isalive(dock) or not plain or not dock.pressed(event.position):
                return
            yield
            while event.type == "mouse_move":
                dock.dragged(event.position)
                yield
            dock.lifted()

        self._drag = drag

    @property
    def held(self) -> bool:
        """Whether it takes drags."""
        return self._layer is not None

    def hold(self, layer: Any, diameter: float) -> None:
        """Take drags and keys; the cursor becomes a circle."""
        self.release()
        self._layer = layer
        self._callbacks.append(self._drag)
        layer.mouse_pan = False
        for key, do in self._keys.items():
            layer.bind_key(key, lambda _layer, do=do: do(), overwrite=True)
        layer.cursor = "circle"
        self.resize(diameter)

    def resize(self, diameter: float) -> None:
        """Show another size, in pixels of the layer."""
        if self._layer is not None:
            scale = abs(float(self._layer.scale[-1]))
            self._layer.cursor_size = max(1, diameter * scale)

    def release(self) -> None:
        """Give the mouse, the keys and the cursor back."""
        layer, self._layer = self._layer, None
        if self._drag in self._callbacks:
            self._callbacks.remove(self._drag)
        if layer is None:
            return
        for key in self._keys:
            layer.bind_key(key, None)
        layer.mouse_pan = True
        layer.cursor = "standard"
