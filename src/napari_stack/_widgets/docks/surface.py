"""`SurfaceDock`: a fused image on the surface of its depth, in three dimensions."""

import re
from collections.abc import Callable
from typing import Any
from weakref import ref

from napari.layers import Image
from qtpy.compat import isalive
from qtpy.QtCore import QTimer

from napari_stack import layers
from napari_stack._widgets.parts.layout import Rows, button, fill, paragraph
from napari_stack._widgets.parts.options.inputs import Chosen, NumberInput, choice
from napari_stack._widgets.parts.place import SharingPlace
from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack.core.options import options_of
from napari_stack.layers.compat import follow_layers, full_resolution, weak_reference
from napari_stack.layers.names import DEPTH_AXIS
from napari_stack.layers.provenance import KEY

#: Ends of the names of maps; napari counts layers of one name.
_MAP = re.compile(r" - (depth( \([^()]*\))?|confidence)( \[\d+\])?$")


class SurfaceDock(SharingPlace):
    """A fused image, its depth, and how much the depth is stretched.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    #: The chosen image.
    image = Chosen(lambda dock: dock._image_box)
    #: The chosen depth.
    depth = Chosen(lambda dock: dock._depth_box)

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # noqa: F821
        super().__init__()
        self.viewer = napari_viewer
        self._image_box = choice(lambda _widget: self._pictures())
        self._depth_box = choice(lambda _widget: self._depths())
        option = options_of(layers.depth_surface)["exaggeration"]
        self.exaggeration = NumberInput(option)
        self.exaggeration.native.setSpecialValueText("automatic")
        self.button = button(
            "Show", "Add the surface, and look at it in three dimensions.", self.run
        )
        self._told = paragraph()
        self._taken: Callable[[], Any] = lambda: None  # the depth that was new last
        self._back: list[Any] = []  # layers to show again in two dimensions, then the surface
        self._camera: tuple[Any, float] | None = None
        napari_viewer.dims.events.ndisplay.connect(self._turned)
        self._lay_out(option.help)
        follow_layers(self.viewer, self.reset_choices)
        self.reset_choices()

    def _lay_out(self, help_text: str) -> None:
        form = Rows()
        form.add("Depth", self._depth_box.native, "The depth that Focus Stack gave.")
        form.add("Image", self._image_box.native, "What is shown on it: the fused image.")
        form.add("Exaggeration", self.exaggeration.native, help_text)
        text = "Show how deep a focus-stacked image lies, as a surface with it on top."
        fill(self, paragraph(text), form, pinned=(self.button, self._told))

    def _depths(self) -> list[Any]:
        """Return what can be a depth: first what is known to be one, the newest before others."""
        grey = [la for la in self._images() if not la.rgb]
        return sorted(grey, key=lambda layer: not _is_depth(layer))

    def _pictures(self) -> list[Any]:
        return [la for la in self._images() if not _is_map(la)]

    def _images(self) -> list[Any]:
        return [la for la in reversed(self.viewer.layers) if isinstance(la, Image)]

    def reset_choices(self, event: Any = None) -> None:  # noqa: ARG002
        """Follow the layers of the viewer."""
        if not isalive(self):
            return
        for box in (self._image_box, self._depth_box):
            box.reset_choices()
        self._take_newest()
        ready = self.image is not None and any(map(_is_map, self._depths()))
        self.button.setEnabled(self.image is not None and self.depth is not None)
        self._told.setText("" if ready else "Focus-stack frames first: that gives their depth.")

    def _take_newest(self) -> None:
        """Take a depth that is new here, and the image that came with it."""
        newest = next((layer for layer in self._depths() if _is_depth(layer)), None)
        if newest is None or newest is self._taken():
            return
        self._taken = ref(newest)
        self.depth = newest
        alike = (la for la in self._pictures() if _size(la) == _size(newest))
        if (image := next(alike, None)) is not None:
            self.image = image

    def run(self) -> None:
        """Add the surface, and turn the view to three dimensions."""
        if self.image is None or self.depth is None:
            return
        point = self.depth.world_to_data(self.viewer.dims.point[-self.depth.ndim :])
        position = {axis: max(round(float(at)), 0) for axis, at in enumerate(point[:-2])}
        with errors_shown():
            made = layers.depth_surface(
                self.image, self.depth, exaggeration=self.exaggeration.value, position=position
            )
            self._show(made)

    def _show(self, made: Any) -> None:
        # They would cut through it, and frames would all be computed.
        flat = [self.image, self.depth, *filter(layers.is_made_here, self.viewer.layers)]
        self._back = [weak_reference(layer) for layer in flat if layer.visible]
        self.viewer.add_layer(made)
        self._back.append(weak_reference(made))
        self._camera = self.viewer.camera.center, self.viewer.camera.zoom
        for layer in flat:
            layer.visible = False
        self.viewer.dims.ndisplay = 3
        self.viewer.reset_view()
        # Seen from a corner, from above.
        self.viewer.camera.angles = (-20.0, 35.0, -50.0)
        self.viewer.camera.zoom *= 0.75
        stretch = made.metadata[KEY]["exaggeration"]
        true = f"{stretch:.3g}" == "1"
        how = "true to scale" if true else f"stretched {stretch:.3g} times"
        self._told.setText(f"Added {made.name!r}, its depth {how}.")

    def _turned(self, event: Any) -> None:
        """Show the image again, in the place of the surface, when the view is flat."""
        if not isalive(self) or event.value != 2 or not self._back:
            return
        *flat, surface = (found() for found in self._back)
        self._back = []
        if surface is None or not surface.visible:
            return  # it was taken away, or hidden by hand
        surface.visible = False
        for layer in flat:
            if layer is not None:
                layer.visible = True
        # napari sets the camera of its own when it turns; this one comes after.
        QTimer.singleShot(0, self._look_as_before)

    def _look_as_before(self) -> None:
        if isalive(self) and self._camera is not None:
            self.viewer.camera.center, self.viewer.camera.zoom = self._camera
            self._camera = None


def _size(layer: Any) -> tuple[int, ...]:
    """Return the number of axes, then rows and columns."""
    shape = full_resolution(layer).shape
    return (layer.ndim, *shape[layer.ndim - 2 : layer.ndim])


def _is_depth(layer: Any) -> bool:
    return DEPTH_AXIS in layer.metadata.get(KEY, {})


def _is_map(layer: Any) -> bool:
    """Tell what focus stacking measured from a picture."""
    return _is_depth(layer) or _MAP.search(layer.name) is not None
