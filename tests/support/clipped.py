"""Finds texts of a dock that are cut off."""

from qtpy.QtWidgets import QAbstractButton, QCheckBox, QLabel, QScrollArea, QWidget

#: Pixels that styles may round away.
_SLACK = 2


def clipped(dock):
    """Return the texts in view that do not fit their widgets, and areas that scroll sideways."""
    shown = [part for part in dock.findChildren(QWidget) if part.isVisibleTo(dock)]
    found = [text for part in shown if (text := _cut(part))]
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
