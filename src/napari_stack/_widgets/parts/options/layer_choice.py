"""`SourceChoice`: the layer that an operator takes, and the axis to stack."""

from collections.abc import Callable
from typing import Any

from napari.layers import Image
from qtpy.compat import isalive
from qtpy.QtCore import Signal

from napari_stack import layers
from napari_stack._widgets.parts.frames.sliders import place_in_view
from napari_stack._widgets.parts.layout import Rows
from napari_stack._widgets.parts.options.axes_strip import AxesStrip
from napari_stack._widgets.parts.options.inputs import Chosen, axis_choices, choice
from napari_stack.layers.axis_names import why_to_choose
from napari_stack.layers.compat import follow_layers


class SourceChoice(Rows):
    """Two rows: the image layer and its axis.

    Parameters
    ----------
    viewer : napari.Viewer
    operator : str
        Whose axis by default is taken.
    busy : callable
        Tells whether the layer is to stay, although another one becomes active.
    """

    #: There are other layers in the viewer.
    layers_changed = Signal()
    #: Another layer was chosen; its axes are found next.
    layer_changed = Signal()
    #: The layer chosen holds other data; its axes were found.
    data_changed = Signal()
    #: The axes were found.
    axes_found = Signal()
    #: Another axis was chosen.
    axis_changed = Signal()

    #: The chosen layer.
    layer = Chosen(lambda rows: rows.layer_box)
    #: Name of the axis to stack.
    axis = Chosen(lambda rows: rows.axis_box)

    def __init__(self, viewer: Any, operator: str, busy: Callable[[], bool]) -> None:
        super().__init__()
        self.viewer, self._operator, self._busy = viewer, operator, busy
        self._watched: Any = None
        self.layer_box = choice(lambda _widget: self._stackable())
        self.axis_box = choice(lambda _widget: self._axis_entries())
        self.strip = AxesStrip(viewer)
        layer, axis = self.layer_box.native, self.axis_box.native
        self.labels = [
            self.add("Image layer", layer, "Frames along an axis, then y and x."),
            self.add("Axis", axis, "The axis to stack; results keep the others."),
        ]
        self.form.insertRow(1, self.strip)

    def follow(self) -> None:
        """Begin to follow the viewer; to be called when the signals are connected."""
        self.layer_box.changed.connect(self._changed)
        self.axis_box.changed.connect(self.axis_changed.emit)
        follow_layers(self.viewer, self.reset_choices)
        self.viewer.layers.selection.events.active.connect(self._follow)
        self._follow()
        self._changed()

    # what is chosen

    def axes(self) -> list[tuple[str, str]]:
        """Return the axes that can be stacked: what is shown of each, and its name."""
        return axis_choices(self.layer)

    @property
    def missing(self) -> str:
        """Why an axis must be chosen first; "" when it is, or need not be."""
        if self.layer is None or self.axis:
            return ""
        return why_to_choose(self._operator, self.layer)

    def _axis_entries(self) -> list[tuple[str, str]]:
        axes = self.axes()
        asks = bool(axes) and bool(why_to_choose(self._operator, self.layer))
        return [("choose ...", "")] * asks + axes

    def position(self) -> dict[str, int]:
        """Return where the viewer's sliders stand on all axes of the layer but y and x."""
        return {} if self.layer is None else place_in_view(self.viewer, self.layer)

    # what follows the viewer

    def _stackable(self) -> list[Image]:
        return [la for la in self.viewer.layers if isinstance(la, Image) and la.ndim > 2]

    def reset_choices(self, event: Any = None) -> None:  # noqa: ARG002
        """Follow the layers of the viewer."""
        if not isalive(self):
            return
        self.layer_box.reset_choices()
        self.layers_changed.emit()
        if self.layer != self._watched:  # the viewer is a proxy, which wraps a layer each time
            self._changed()

    def _follow(self, event: Any = None) -> None:  # noqa: ARG002
        """Take the active layer of the viewer when it can be stacked."""
        if not isalive(self) or self._busy():
            return
        active = self.viewer.layers.selection.active
        if active in self._stackable() and active != self.layer:
            self.layer_box.reset_choices()
            self.layer = active

    def _changed(self) -> None:
        self.layer_changed.emit()
        if self._watched is not None:
            self._watched.events.axis_labels.disconnect(self._labels_changed)
            self._watched.events.data.disconnect(self._data_changed)
        self._watched = self.layer
        if self._watched is not None:
            self._watched.events.axis_labels.connect(self._labels_changed)
            self._watched.events.data.connect(self._data_changed)
        self._find_axes()

    def _find_axes(self) -> None:
        self.axis_box.reset_choices()
        self.strip.show_layer(self.layer)
        if self.axes():
            asks = why_to_choose(self._operator, self.layer)
            self.axis = "" if asks else layers.default_axis(self._operator, self.layer)
        self.axes_found.emit()

    def _labels_changed(self, event: Any = None) -> None:  # noqa: ARG002
        if isalive(self):
            self._find_axes()

    def _data_changed(self, event: Any = None) -> None:
        """Follow other data in the same layer, which may have other axes or none to stack."""
        chosen = self.axis
        self.reset_choices(event)
        if not isalive(self):
            return
        self._find_axes()
        if chosen in [name for _, name in self.axes()]:
            self.axis = chosen
        self.data_changed.emit()
