"""Combo boxes of layer names: what does not fit loses what all entries have, and keeps its end."""

from collections.abc import Callable, Sequence
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter

#: Between the parts of a name, which are left out as wholes.
_JOINT = " - "
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def distinguishing(text: str, others: Sequence[str], fits: Callable[[str], bool]) -> str:
    """Return a text, or as much of it as fits and tells it from the others.

    Parameters
    ----------
    text : str
    others : sequence of str
        The other entries.
    fits : callable
        Whether there is room for a text.

    Examples
    --------
    >>> names = ["cells - aligned", "cells - aligned - clipped"]
    >>> distinguishing(names[1], names, lambda text: len(text) < 20)
    '…aligned - clipped'
    """
    if fits(text):
        return text
    parts = text.split(_JOINT)
    for left in range(1, len(parts)):  # whole parts from the front, as few as need be
        shorter = _ELLIPSIS + _JOINT.join(parts[left:])
        alike = [o for o in others if o != text and o.endswith(shorter[1:])]
        if fits(shorter) and not alike:
            return shorter
    ends_alike = any(text[-1:] == o[-1:] and text[:1] != o[:1] for o in others)
    tails = range(1, len(text))
    if ends_alike:
        return next((c for i in reversed(tails) if fits(c := text[:i] + _ELLIPSIS)), _ELLIPSIS)
    return next((c for i in tails if fits(c := _ELLIPSIS + text[i:])), _ELLIPSIS)


class _Painter(QObject):
    """Paints the entry of a combo box that is chosen, shortened where it does not fit."""

    def eventFilter(self, box: Any, event: Any) -> bool:
        if event.type() != QEvent.Type.Paint or not isalive(box):
            return False
        option = QStyleOptionComboBox()
        option.initFrom(box)
        option.editable = False
        option.subControls = QStyle.SubControl.SC_All
        option.iconSize = box.iconSize()
        text = shown_text(box, option)
        if text == box.currentText():
            return False
        option.currentText = text
        painter = QStylePainter(box)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()
        return True


def shown_text(box: QComboBox, option: QStyleOptionComboBox) -> str:
    """Return what a combo box shows of the entry that is chosen."""
    field = box.style().subControlRect(
        QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, box
    )
    room, metrics = field.width() - 4, box.fontMetrics()
    entries = [box.itemText(number) for number in range(box.count())]
    return distinguishing(
        box.currentText(), entries, lambda text: metrics.horizontalAdvance(text) <= room
    )


def keep_ends(box: QComboBox) -> None:
    """Let a combo box show the end of names that do not fit, in its list as well."""
    box.installEventFilter(_Painter(box))
    box.view().setTextElideMode(Qt.TextElideMode.ElideLeft)
