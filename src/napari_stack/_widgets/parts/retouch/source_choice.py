"""`SourceBox`: what the brush takes its pixels from."""

from collections.abc import Callable

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_stack._widgets.parts.layout import Rows, below
from napari_stack._widgets.parts.options.inputs import NumberInput, choice
from napari_stack.core.options import Bounds, Option
from napari_stack.core.stroke import FUSED, Fusion, Slab, StrokeSource

_FRAME, _SLAB, _ERASE = "frame", "slab", "erase"

_AROUND = Option(
    "around", int, 1, "How many frames before and after it are fused with it.", Bounds(1, 500)
)
_RADIUS = Option(
    "radius", float, 20.0, "Of the brush; the keys [ and ] change it.",
    Bounds(0.5, 5000, step=1, unit="px"),
)  # fmt: skip


class SourceBox(QWidget):
    """A choice of the source, and the radius of the brush.

    Parameters
    ----------
    fusions : callable
        Gives other fusions of the same frames, by the names of their layers.
    """

    changed = Signal()
    resized = Signal()

    def __init__(self, fusions: Callable[[], dict[str, Fusion]]) -> None:
        super().__init__()
        self._fusions = fusions
        self.box = choice(lambda _widget: self._choices())
        self.around, self.radius = NumberInput(_AROUND), NumberInput(_RADIUS)
        rows = Rows()
        rows.add("Paint from", self.box.native, "Where the pixels under the brush come from.")
        self._around_label = rows.add("Frames around", self.around.native, _AROUND.text)
        rows.add("Radius (px)", self.radius.native, _RADIUS.text)
        self.setLayout(below(rows))
        self.box.changed.connect(self._update)
        self.around.changed.connect(lambda _value: self.changed.emit())
        self.radius.changed.connect(lambda _value: self.resized.emit())
        self._update()

    def _choices(self) -> list[tuple[str, str]]:
        frames = [("frame in view", _FRAME), ("frames around, fused", _SLAB)]
        others = [(name, f"fusion {name}") for name in self._fusions()]
        return [*frames, *others, ("nothing: erase", _ERASE)]

    def _update(self) -> None:
        slab = self.box.value == _SLAB
        self.around.native.setVisible(slab)
        self._around_label.setVisible(slab)
        self.changed.emit()

    def reset_choices(self) -> None:
        """Follow the layers of the viewer."""
        self.box.reset_choices()

    def take_frame(self) -> None:
        """Paint from the frame in view."""
        self.box.value = _FRAME

    def scale_radius(self, factor: float) -> None:
        """Make the brush larger or smaller."""
        bounds = _RADIUS.bounds
        assert bounds is not None
        radius = round(self.radius.value * factor, 1)
        self.radius.value = min(max(radius, bounds.min), bounds.max)

    def toggle_erasing(self) -> None:
        """Erase, or paint from the frame in view again."""
        self.box.value = _FRAME if self.box.value == _ERASE else _ERASE

    def source(self, frame: int, count: int) -> StrokeSource:
        """Return the source that is chosen.

        Parameters
        ----------
        frame : int
            That is in view.
        count : int
            How many there are.
        """
        chosen = self.box.value
        if chosen == _ERASE:
            return FUSED
        if chosen == _SLAB:
            around = int(self.around.value)
            return Slab(max(frame - around, 0), min(frame + around, count - 1))
        fusions = {f"fusion {name}": fusion for name, fusion in self._fusions().items()}
        return fusions.get(chosen, frame)
