"""`FollowingDock`: a dock that shows something about the active layer, and follows it."""

from collections.abc import Sequence
from typing import Any

from napari.layers import Image, Layer
from qtpy.compat import isalive
from qtpy.QtWidgets import QWidget

from napari_stack._widgets.parts.layout import fill, paragraph
from napari_stack._widgets.parts.options.axes_strip import AxesStrip
from napari_stack._widgets.parts.run.runner import RunningDock
from napari_stack.layers.compat import follow_layers, weak_reference


class FollowingDock(RunningDock):
    """Follows the active layer, its name, its data, and its removal; it keeps no layer alive.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    text : str
        On the button that starts a run.
    """

    def __init__(self, napari_viewer: Any, text: str = "Run") -> None:
        super().__init__(napari_viewer, text)
        self._layer: Any = None
        self.title = paragraph()
        self.strip = AxesStrip(napari_viewer)

    def lay_out(self, first: Any, *parts: Any, pinned: Sequence[QWidget] = ()) -> None:
        """Put widgets and layouts one below the other, in an area that scrolls.

        Parameters
        ----------
        first : QWidget
            The axes of the layer come below it.
        *parts : QWidget or QLayout
        pinned : sequence of QWidget
            What stays in view below the area.
        """
        self.area = fill(self, first, self.strip, *parts, pinned=pinned, narrowest=300)
        self.strip.resized.connect(self.area.fit)

    def follow(self) -> None:
        """Begin to follow; to be called when the dock is laid out."""
        follow_layers(self.viewer, self._layers_changed)
        self.viewer.layers.selection.events.active.connect(self._active_changed)
        self._active_changed()
        if self._layer is None:
            self.layer_changed()

    # what a dock says for itself

    def suits(self, layer: Layer) -> bool:
        """Whether the dock has something to show about a layer."""
        return isinstance(layer, Image)

    def layer_changed(self) -> None:
        """Show another layer, or other data of the same one."""

    def layers_changed(self) -> None:
        """Follow what other layers there are, and their names."""

    # following

    @property
    def layer(self) -> Any:
        """The layer that is shown; None when there is none."""
        return None if self._layer is None else self._layer()

    @layer.setter
    def layer(self, layer: Any) -> None:
        before = self.layer
        if before is not None:
            before.events.data.disconnect(self._data_changed)
        self._layer = None if layer is None else weak_reference(layer)
        if layer is not None:
            self.layer.events.data.connect(self._data_changed)
        self.strip.show_layer(self.layer)
        self.layer_changed()

    def _active_changed(self, event: Any = None) -> None:  # noqa: ARG002
        if not isalive(self) or self.runner.running:
            return
        active = self.viewer.layers.selection.active
        if active is not None and active != self.layer and self.suits(active):
            self.layer = active

    def _data_changed(self, event: Any = None) -> None:  # noqa: ARG002
        if isalive(self):
            self.layer_changed()

    def _layers_changed(self, event: Any = None) -> None:  # noqa: ARG002
        if not isalive(self):
            return
        if self.layer is not None and self.layer not in self.viewer.layers:
            others = [layer for layer in self.viewer.layers if self.suits(layer)]
            self.layer = others[-1] if others else None
            self._active_changed()
        self.layers_changed()
