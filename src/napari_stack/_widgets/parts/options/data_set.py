"""Inputs of what a data set offers: one of its images, and axes that names of files tell of."""

from collections.abc import Sequence

from psygnal import Signal
from qtpy.QtWidgets import QCheckBox, QLineEdit

from napari_stack._widgets.parts.layout import below, holding, paragraph
from napari_stack._widgets.parts.options.inputs import choice

_ALL = "all if alike"


class SeriesChoice:
    """One of the images of a file or set, of which `offer` tells."""

    changed = Signal(object)

    def __init__(self) -> None:
        self._offered: list[str] = []
        self._choice = choice([(_ALL, -1)], -1)
        self._choice.changed.connect(lambda _value: self.changed.emit(self.value))
        self.native = self._choice.native

    def offer(self, series: Sequence[str]) -> None:
        """List the images; the one that was chosen stays where there are as many."""
        if list(series) == self._offered:
            return
        chosen = self.value if len(series) == len(self._offered) else None
        self._offered = list(series)
        numbered = enumerate(series if len(series) > 1 else ())
        with self._choice.changed.blocked():
            self._choice.choices = [(_ALL, -1), *((text, number) for number, text in numbered)]
        self.value = chosen

    @property
    def value(self) -> int | None:
        return None if self._choice.value in (None, -1) else int(self._choice.value)

    @value.setter
    def value(self, value: int | None) -> None:
        wanted = -1 if value is None else value
        if value is not None and value not in self._choice.choices:  # asked for from a script
            self._choice.choices = [(_ALL, -1), *((str(n), n) for n in range(value + 1))]
        self._choice.value = wanted


class NamesInput:
    """Whether files are laid out by axes in their names, of which `offer` tells; or a pattern."""

    changed = Signal(object)

    def __init__(self) -> None:
        self.tick = QCheckBox("lay out by names")
        self.pattern = QLineEdit()
        self.pattern.setPlaceholderText("by words, or a pattern such as e_{t}_{z}_{c}")
        self.found = paragraph()
        self.native = holding(below(self.tick, self.found, self.pattern))
        self.tick.toggled.connect(self._update)
        self.pattern.textChanged.connect(lambda _text: self.changed.emit(self.value))
        self._update()

    def offer(self, axes: str) -> None:
        """Show the axes that the names tell of; empty for none."""
        self.found.setText(axes)
        self.found.setVisible(bool(axes))

    def _update(self, *_: object) -> None:
        self.found.setVisible(bool(self.found.text()))
        self.pattern.setVisible(self.tick.isChecked())
        self.changed.emit(self.value)

    @property
    def value(self) -> bool | str:
        return (self.pattern.text().strip() or True) if self.tick.isChecked() else False

    @value.setter
    def value(self, value: bool | str) -> None:
        self.pattern.setText(value if isinstance(value, str) else "")
        self.tick.setChecked(bool(value))
