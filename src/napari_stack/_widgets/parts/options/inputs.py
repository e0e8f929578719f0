"""One input widget for an option, whatever its kind: each has `native`, `value` and `changed`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from magicgui.widgets import (
    CheckBox,
    ComboBox,
    FileEdit,
    LineEdit,
)
from napari.layers import Layer, Points
from psygnal import Signal
from qtpy.QtWidgets import QComboBox

from napari_stack._widgets.parts.layout import below, frames_text, holding, tooltip
from napari_stack._widgets.parts.options.elided import keep_ends
from napari_stack._widgets.parts.options.number import NumberInput
from napari_stack.core.options import Bounds, Option
from napari_stack.core.point_pairs import PointPairs
from napari_stack.core.system.home import at_home
from napari_stack.layers.point_layers import PointLayers
from napari_stack.layers.read_layer import leading_axes

#: Instead of a greatest number that limits nothing.
_UNLIMITED = "no limit"
#: Options of this name are limits: at their greatest number they limit nothing.
_LIMIT = "largest_"

#: In a choice between names and a number, the entry that asks for the number.
_NUMBER = "number"

_NONE, _FILE, _GIVEN, _TWO = "none", "a file", "given", "two layers"

Layers = Callable[[], list[Any]]


def field_of(option: Option, layers: Layers) -> Any:
    """Make the input widget of an option.

    Parameters
    ----------
    option : Option
    layers : callable
        Gives the layers that can stand for an image.
    """
    if option.kind is np.ndarray:
        return ImageField(option, layers)
    if option.kind is PointPairs:
        return PairsField(option, layers)
    if option.choices and option.kind in (int, float):
        return ChoiceOrNumber(option)
    if option.choices:
        return choice(option.choices, option.default)
    if option.name.startswith(_LIMIT) and option.bounds and option.default == option.bounds.max:
        return LimitInput(option)
    if option.kind in (int, float):
        return NumberInput(option)
    return {bool: CheckBox, str: LineEdit}[option.kind](value=option.default)


def choice(choices: Any, value: Any = None) -> ComboBox:
    """Make a combo box that takes the width there is, however long its entries."""
    box = ComboBox(choices=choices) if value is None else ComboBox(choices=choices, value=value)
    box.native.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.native.setMinimumContentsLength(5)
    if callable(choices):  # of layers
        keep_ends(box.native)
    return box


def axis_choices(layer: Any) -> list[tuple[str, str]]:
    """Return the axes of a layer that can be stacked: what is shown of each, and its name."""
    sizes = {} if layer is None else leading_axes(layer)
    return [(f"{name} ({frames_text(size)})", name) for name, size in sizes.items()]


class Chosen:
    """An attribute that is the value of a box of its owner.

    Parameters
    ----------
    box : callable
        Gives the box of an owner.
    """

    def __init__(self, box: Callable[[Any], Any]) -> None:
        self._box = box

    def __get__(self, owner: Any, kind: type) -> Any:
        return self._box(owner).value

    def __set__(self, owner: Any, value: Any) -> None:
        self._box(owner).value = value


class ChoiceOrNumber:
    """A choice between names and, below it, a number."""

    changed = Signal(object)

    def __init__(self, option: Option, begin: float | None = None) -> None:
        named = option.default in option.choices
        lowest = option.bounds.min if option.bounds else 0
        first = lowest if begin is None else begin
        self._choice = choice([*option.choices, _NUMBER])
        self._number = NumberInput(option, first if named else option.default)
        # Beside each other they are wider than a dock.
        self.native = holding(below(self._choice.native, self._number.native))
        self._choice.changed.connect(self._update)
        self._number.changed.connect(lambda: self.changed.emit(self.value))
        self.value = option.default
        self._update()

    def _update(self) -> None:
        self._number.native.setVisible(self._choice.value == _NUMBER)
        self.changed.emit(self.value)

    @property
    def value(self) -> Any:
        named = self._choice.value
        return self._number.value if named == _NUMBER else named

    @value.setter
    def value(self, value: Any) -> None:
        if isinstance(value, str):
            self._choice.value = value
        else:
            self._number.value = value
            self._choice.value = _NUMBER


class LimitInput(ChoiceOrNumber):
    """A limit, or none: the greatest number that can be."""

    def __init__(self, option: Option) -> None:
        bounds = option.bounds or Bounds(0, option.default)
        self._most = option.default  # it is the greatest, and as it is given
        worth = replace(option, choices=(_UNLIMITED,), default=_UNLIMITED)
        super().__init__(worth, max(bounds.min, min(bounds.max / 10, 100.0)))

    @property
    def value(self) -> Any:
        chosen = super().value
        return self._most if chosen == _UNLIMITED else chosen

    @value.setter
    def value(self, value: Any) -> None:
        shown = _UNLIMITED if value == self._most else value
        ChoiceOrNumber.value.fset(self, shown)  # type: ignore[attr-defined]


class ImageField:
    """An image: a layer, a file, or none."""

    changed = Signal(object)

    def __init__(self, option: Option, layers: Layers) -> None:
        self._layers = layers
        self._given: Any = None
        self._path: Any = None
        #: What happens without an image, in words.
        self.without = _NONE
        self._choice = choice(lambda _widget: self._choices())
        self._file = FileEdit(mode="r")
        self.native = holding(below(self._choice.native, *self._more(), self._file.native))
        self._choice.changed.connect(self._update)
        self._file.changed.connect(lambda: self.changed.emit(self.value))
        self.value = option.default
        self._update()

    def _more(self) -> list[Any]:
        """Return inputs that stand between the choice and the file."""
        return []

    def _choices(self) -> list[tuple[str, Any]]:
        given = [("an array", _GIVEN)] if self._given is not None else []
        layers = [(la.name, la) for la in self._layers() if not isinstance(la, Points)]
        return [(self.without, _NONE), *layers, (_FILE, _FILE), *given]

    def reset_choices(self) -> None:
        """Follow the layers of the viewer."""
        self._choice.reset_choices()

    def _update(self) -> None:
        self._file.native.setVisible(self._chosen(_FILE))
        self.changed.emit(self.value)

    def _chosen(self, entry: str) -> bool:
        return isinstance(self._choice.value, str) and self._choice.value == entry

    @property
    def incomplete(self) -> bool:
        """Whether it shall be a file, but none was chosen."""
        return self._chosen(_FILE) and not self._file.line_edit.value.strip()

    @property
    def value(self) -> Any:
        if self.incomplete:
            return None
        if self._chosen(_FILE):
            shown = self._file.value
            # The box makes paths absolute; one that was given otherwise stays as it was given.
            return self._path if shown == _absolute(self._path) else shown
        if self._chosen(_GIVEN):
            return self._given
        return None if self._chosen(_NONE) else self._choice.value

    @value.setter
    def value(self, value: Any) -> None:
        given = not (value is None or isinstance(value, str | Path | Layer))
        self._given = value if given else None
        self._choice.reset_choices()
        self._path = value if isinstance(value, str | Path) else None
        if self._path is not None:
            self._file.value = value
            self._choice.value = _FILE
        elif self._given is not None:
            self._choice.value = _GIVEN
        else:
            self._choice.value = _NONE if value is None else value


class PairsField(ImageField):
    """Pairs of points: two layers of points, a file, or none."""

    def _more(self) -> list[Any]:
        self._both = [choice(lambda _widget: self._points()) for _ in range(2)]
        for box, what in zip(self._both, ("on the reference", "on the frames"), strict=True):
            box.native.setToolTip(tooltip(f"The points {what}; pairs are in the same order."))
            box.changed.connect(lambda: self.changed.emit(self.value))
        return [box.native for box in self._both]

    def _points(self) -> list[tuple[str, Any]]:
        return [(layer.name, layer) for layer in self._layers() if isinstance(layer, Points)]

    def _choices(self) -> list[tuple[str, Any]]:
        given = [("as given", _GIVEN)] if self._given is not None else []
        two = [("two layers of points", _TWO)] if len(self._points()) > 1 else []
        return [(_NONE, _NONE), *two, (_FILE, _FILE), *given]

    def reset_choices(self) -> None:
        """Follow the layers of the viewer."""
        for box in self._both:
            box.reset_choices()
        super().reset_choices()

    def _update(self) -> None:
        for box in self._both:
            box.native.setVisible(self._chosen(_TWO))
        super()._update()

    @property
    def value(self) -> Any:
        if self._chosen(_TWO):
            return PointLayers(*(box.value for box in self._both))
        return super().value

    @value.setter
    def value(self, value: Any) -> None:
        two = isinstance(value, PointLayers)
        ImageField.value.fset(self, None if two else value)  # type: ignore[attr-defined]
        if two:
            self.reset_choices()
            for box, layer in zip(self._both, (value.reference, value.frames), strict=True):
                box.value = layer
            self._choice.value = _TWO


def _absolute(path: Any) -> Path:
    return at_home(path or "").absolute()
