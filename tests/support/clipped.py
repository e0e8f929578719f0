"""Finds texts of a dock that are cut off."""

from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QStyle,
    QStyleOptionComboBox,
    QWidget,
)

#: Pixels that styles may round away.
_SLACK = 2


def clipped(dock, names=()):
    """Return the texts in view that do not fit their widgets, and areas that scroll sideways.

    Of choices every entry must fit, but for names of layers, which may be of any length.
    """
    shown = [part for part in dock.findChildren(QWidget) if part.isVisibleTo(dock)]
    found = [text for part in shown if (text := _cut(part))]
    found += [text for part in shown for text in _cut_entries(part, names)]
    areas = [part for part in shown if isinstance(part, QScrollArea) and part.widget()]
    for area in areas:
        bar = area.verticalScrollBar().sizeHint().width()
        if area.widget().minimumSizeHint().width() > area.width() - bar:
            found.append(f"scrolls sideways: {area.widget().minimumSizeHint().width()} px")
    return found


def _cut(part):
    text = part.text() if isinstance(part, QLabel | QAbstractButton) else ""
    if not text:
        return ""
    if isinstance(part, QLabel) and part.wordWrap():
        return text if part.height() + _SLACK < part.heightForWidth(part.width()) else ""
    lines = text.replace("&", "").split("\n")
    needed = max(map(part.fontMetrics().horizontalAdvance, lines))
    if isinstance(part, QCheckBox):
        needed += part.sizeHint().height()  # its box, about
    high = len(lines) * part.fontMetrics().height()
    cut = part.width() + _SLACK < needed or part.height() + _SLACK < high
    return text if cut else ""


def _cut_entries(part, names):
    """Entries of a choice, values of a number, or what stands in an empty line, that do not fit."""
    wide = part.fontMetrics().horizontalAdvance
    if isinstance(part, QComboBox):
        option = QStyleOptionComboBox()
        option.initFrom(part)
        option.editable, option.subControls = False, QStyle.SubControl.SC_All
        kind, field = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = part.style().subControlRect(kind, option, field, part).width() - 4
        entries = [part.itemText(number) for number in range(part.count())]
        return [e for e in entries if wide(e) > room and not any(name in e for name in names)]
    if isinstance(part, QAbstractSpinBox):
        line = part.lineEdit()
        return [line.text()] * (wide(line.text()) > line.width())
    if isinstance(part, QLineEdit):
        return [part.placeholderText()] * (wide(part.placeholderText()) > part.width() - 4)
    return []
