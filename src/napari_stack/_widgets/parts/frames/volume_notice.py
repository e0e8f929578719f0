"""A question before the 3-D view computes all frames of a lazy layer."""

from typing import Any
from weakref import WeakSet, WeakValueDictionary

from napari import Viewer
from napari.utils.notifications import show_info
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_stack import layers
from napari_stack.layers.compat import unwrapped

#: Dims of the viewers that are watched, and layers that were answered for.
_watched: WeakValueDictionary[int, Any] = WeakValueDictionary()
_told: WeakSet[Any] = WeakSet()
#: Questions that wait for an answer: Qt does not keep those without a parent.
_open: set[QMessageBox] = set()


def watch(viewer: Any) -> None:
    """Ask once for each layer when a viewer goes to 3-D; it does not matter how often told to."""
    dims = unwrapped(viewer.dims)
    if _watched.get(id(dims)) is dims:
        return
    _watched[id(dims)] = dims

    def say(event: Any) -> None:
        if event.value == 3 and (found := _computed_by(viewer)):
            _stop(viewer, found)

    dims.events.ndisplay.connect(say, position="first")  # before napari computes


def _computed_by(viewer: Any) -> list[Any]:
    """Return the layers whose frames the 3-D view would compute, as far as nobody knows it yet."""
    return [
        plain
        for layer in viewer.layers
        if (plain := unwrapped(layer)) not in _told
        and layer.visible
        and layer.ndim > 2
        and layers.is_made_here(layer)
    ]


def _stop(viewer: Any, found: list[Any]) -> None:
    """Stay in two dimensions, and ask; where nobody can be asked, say so."""
    names = ", ".join(repr(layer.name) for layer in found)
    sizes = "; ".join(layers.prepare_compute(layer).forecast()[0] for layer in found)
    text = f"The 3-D view computes all frames of {names} each time it changes ({sizes})."
    if not isinstance(unwrapped(viewer), Viewer):
        _told.update(found)
        show_info(f"{text} compute_now does it once.")
        return
    viewer.dims.ndisplay = 2
    Question(viewer, found, text).open()


class Question(QMessageBox):
    """Asks whether to compute frames first, or to show them as they are.

    Parameters
    ----------
    viewer : napari.Viewer
    found : list of Image layer
    text : str
    """

    def __init__(self, viewer: Any, found: list[Any], text: str) -> None:
        super().__init__(QApplication.activeWindow())
        self._viewer = viewer
        self._found: WeakSet[Any] = WeakSet(found)
        self.setWindowTitle("3-D view")
        self.setText(text)
        self.setInformativeText("Computed once into memory, they turn at once.")
        role = QMessageBox.ButtonRole
        self.first = self.addButton("Compute first", role.AcceptRole)
        self.anyway = self.addButton("Show anyway", role.DestructiveRole)
        self.addButton(QMessageBox.StandardButton.Cancel)
        self.setDefaultButton(self.first)
        self.buttonClicked.connect(self._answered)
        self.finished.connect(self._closed)
        _open.add(self)

    def _closed(self) -> None:
        _open.discard(self)
        self.deleteLater()

    def _answered(self, chosen: Any) -> None:
        if chosen is self.anyway:
            self._show()
        elif chosen is self.first:
            self._compute([layer for layer in self._found if layer in self._viewer.layers])

    def _show(self) -> None:
        _told.update(self._found)
        self._viewer.dims.ndisplay = 3

    def _compute(self, rest: list[Any]) -> None:
        """Compute the layers one after the other, then show what came out."""
        from napari_stack._widgets.parts.operator_docks import open_titled

        if not rest:
            self._viewer.dims.ndisplay = 3
            return
        layer, *later = rest
        dock = open_titled(self._viewer, "Compute Now")
        dock.compute(layer, lambda: self._compute(later))
