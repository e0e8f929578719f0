"""`NumberInput`: a number, with range and step."""

from math import ceil, log10
from typing import Any

from magicgui.widgets import FloatSpinBox, SpinBox
from psygnal import Signal

from napari_stack.core.options import Bounds, Option

#: Digits behind the point that a spin box shows at most.
_MOST_DECIMALS = 10

#: Pixels of a spin box: its two buttons and four digits.
_NARROWEST = 96


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
