"""`Compare`: before and after - blinking, side by side in linked canvases, and the difference."""

from collections.abc import Callable
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_stack._widgets.parts.layout import beside, button
from napari_stack.layers.compat import grid_of, unwrapped, weak_reference
from napari_stack.layers.inspection.frame_inspection import before_of

#: Milliseconds between two sides while blinking: slow enough to look at both.
_BLINK = 500


class Compare(QWidget):
    """Buttons that compare a layer with the one that it was made from.

    Parameters
    ----------
    viewer : napari.Viewer
    layer : callable
        Gives the layer that is compared.
    say : callable
        Shows a text to the user.
    first : callable, optional
        Gives the layer to compare with; by default the last one that it was made from.
    """

    def __init__(
        self,
        viewer: Any,
        layer: Callable[[], Any],
        say: Callable[[str], Any],
        first: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__()
        self.viewer, self._layer, self._say, self._first = viewer, layer, say, first
        self._pair: tuple[Any, Any] | None = None
        self._before: list[tuple[Any, bool]] = []
        self._grid: tuple[bool, int] | None = None
        self.timer = QTimer(self)
        self.timer.setInterval(_BLINK)
        self.timer.timeout.connect(self.turn)
        self.blink = button(
            "Blink", "Show the frames before and after in turns.", self._blink, checkable=True
        )
        self.side = button(
            "Side by side", "Show before and after beside each other, moved and zoomed together.",
            self._side_by_side, checkable=True,
        )  # fmt: skip
        self.setLayout(beside(self.blink, self.side))

    def pair(self) -> tuple[Any, Any] | None:
        """Return the layers before and after; None where one is not in the viewer."""
        after = self._layer()
        if self._first is not None:
            before = self._first()
        else:
            before = None if after is None else before_of(after, self.viewer.layers)
        present = after is not None and after in self.viewer.layers
        return (before, after) if present and before is not None else None

    def stop(self) -> None:
        """End blinking and the view side by side."""
        self.blink.setChecked(False)
        self.side.setChecked(False)

    def _begin(self, checked: Any) -> bool:
        pair = self.pair()
        if pair is None:
            self._say("Nothing to compare with: the layer that this was made from is not here.")
            checked.setChecked(False)
            return False
        self._pair = weak_reference(pair[0]), weak_reference(pair[1])
        self._before = [(weak_reference(layer), layer.visible) for layer in self.viewer.layers]
        for layer in self.viewer.layers:
            layer.visible = any(unwrapped(layer) is one for one in pair)
        return True

    def _restore(self) -> None:
        for weak, visible in self._before:
            if (layer := weak()) is not None:
                layer.visible = visible
        self._before, self._pair = [], None

    def _blink(self, on: bool) -> None:
        if on:
            self.side.setChecked(False)
            if self._begin(self.blink):
                self.turn()
                self.timer.start()
        elif self.timer.isActive():
            self.timer.stop()
            self._restore()

    def turn(self) -> None:
        """Show the other of the two."""
        before, after = (weak() for weak in self._pair or (lambda: None, lambda: None))
        if before is None or after is None or not isalive(self):
            self.blink.setChecked(False)
            return
        seen = bool(after.visible)
        before.visible, after.visible = seen, not seen

    def _side_by_side(self, on: bool) -> None:
        grid = grid_of(self.viewer)
        if on:
            self.blink.setChecked(False)
            if self._begin(self.side):
                self._grid = bool(grid.enabled), int(grid.stride)
                places = [unwrapped(layer) for layer in self.viewer.layers]
                one, other = (next(i for i, la in enumerate(places) if la is weak())
                              for weak in self._pair)  # fmt: skip
                grid.stride = best_stride(one, other, len(places))
                grid.enabled = True
        elif self._grid is not None:
            grid.enabled, grid.stride = self._grid
            self._grid = None
            self._restore()


def best_stride(one: int, other: int, count: int) -> int:
    """Return layers a cell of the grid so that two of `count` layers are apart in few cells.

    A negative stride counts the layers from the other end, as napari does.

    Examples
    --------
    >>> best_stride(0, 1, 2), best_stride(2, 3, 4), best_stride(0, 1, 4)
    (1, 3, -3)
    """
    for stride in range(count - 1, 0, -1):
        if one // stride != other // stride:
            return stride
        if (count - 1 - one) // stride != (count - 1 - other) // stride:
            return -stride
    return 1
