"""Input widgets for numbers and choices: each has `native`, `value` and `changed`."""

from collections.abc import Callable
from dataclasses import replace
from math import ceil, log10
from typing import Any

from magicgui.widgets import (
    ComboBox,
    FloatSpinBox,
    SpinBox,
)
from psygnal import Signal
from qtpy.QtWidgets import QComboBox

from napari_stack._widgets.parts.layout import below, frames_text, holding
from napari_stack._widgets.parts.options.elided import keep_ends
from napari_stack.core.options import Bounds, Option
from napari_stack.layers.stacks.read_layer import leading_axes

#: Digits behind the point that a spin box shows at most.
_MOST_DECIMALS = 10

#: Pixels of a spin box: its two buttons and four digits.
_NARROWEST = 96

#: Instead of a greatest number that limits nothing.
_UNLIMITED = "no limit"

#: In a choice between names and a number, the entry that asks for the number.
_NUMBER = "number"


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


class NumberInput:
    """A spin box with range and step; it shows every digit of a value set from a script."""

    changed = Signal(object)

    def __init__(self, option: Option, value: float | None = None) -> None:
        kind = SpinBox if option.kind is int else FloatSpinBox
        bounds = option.bounds or Bounds(-1e9, 1e9)
        start = option.default if value is None else value
        self._box = kind(value=start, min=bounds.min, max=bounds.max, step=bounds.step)
        self._box.changed.connect(self.changed.emit)
        self.native = self._box.native
        self.native.setMinimumWidth(_NARROWEST)  # else it is as wide as its greatest number
        if option.kind is float:
            self.native.setDecimals(max(1, ceil(-log10(bounds.step))))
        self.value = start

    @property
    def value(self) -> Any:
        return self._box.value

    @value.setter
    def value(self, value: Any) -> None:
        if isinstance(self._box, FloatSpinBox):
            digits = f"{value:.{_MOST_DECIMALS}f}".rstrip("0").partition(".")[2]
            self.native.setDecimals(max(self.native.decimals(), len(digits)))
        self._box.value = value


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
