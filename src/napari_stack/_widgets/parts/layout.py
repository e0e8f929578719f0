"""Pieces of layout that the docks share."""

from typing import Any

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

#: Of the options of a method below the method, in pixels.
INDENT = 14
#: Inputs show about twelve letters at least.
_NARROWEST = 132


def rows() -> QFormLayout:
    """Make a layout of rows: a label, and a widget that takes the rest of the width."""
    layout = QFormLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
    return layout


def tooltip(text: str) -> str:
    """Let Qt break a long text into lines, which it does only where it sees mark-up."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<qt>{escaped}</qt>"


def frames_text(count: int) -> str:
    """Say how many frames."""
    return "1 frame" if count == 1 else f"{count} frames"


def paragraph(text: str = "", help_text: str = "") -> QLabel:
    """Make a text of as many lines as it needs."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setToolTip(tooltip(help_text) if help_text else "")
    return label


def labelled(layout: Any, text: str, widget: QWidget, help_text: str) -> QLabel:
    """Add a row of a label and an input widget with one tooltip."""
    label = QLabel(text)
    for part in (label, widget):
        part.setToolTip(tooltip(help_text))
    layout.addRow(label, widget)
    return label


def align(labels: list[QLabel], indented: list[QLabel]) -> None:
    """Give labels of several layouts one column; indented ones only widen their own."""
    for label in labels + indented:
        label.ensurePolished()
    width = max(label.sizeHint().width() for label in labels)
    for label in labels:
        label.setMinimumWidth(width)
    for label in indented:
        label.setMinimumWidth(width - INDENT)


class ColumnArea(QScrollArea):
    """Scrolls up and down, and asks for the width of what it shows.

    Parameters
    ----------
    content : QWidget
    """

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidget(content)
        self._wheel = _WheelScrolls(self)
        for kind in (QComboBox, QAbstractSpinBox):
            for box in content.findChildren(kind):
                box.setMinimumWidth(_NARROWEST)
                box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                box.installEventFilter(self._wheel)

    def fit(self) -> None:
        """Ask for the width of what is shown by now."""
        self.widget().layout().activate()
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        """As wide as the content needs."""
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self.widget().minimumSizeHint().width() + bar, 120)


def fill(dock: QWidget, *parts: Any, narrowest: int = 280) -> ColumnArea:
    """Put widgets and layouts one below the other into a dock, in an area that scrolls.

    Parameters
    ----------
    dock : QWidget
    *parts : QWidget or QLayout
    narrowest : int
        Pixels in which the title of the dock fits.
    """
    content = QWidget()
    column = QVBoxLayout(content)
    for part in parts:
        (column.addWidget if isinstance(part, QWidget) else column.addLayout)(part)
    column.addStretch(1)
    dock.setMinimumWidth(narrowest)
    area = ColumnArea(content)
    outer = QVBoxLayout(dock)
    outer.setContentsMargins(0, 0, 0, 0)
    outer.addWidget(area)
    return area


class _WheelScrolls(QObject):
    """Keeps the mouse wheel from inputs without focus: it scrolls what they lie in."""

    def eventFilter(self, box: Any, event: Any) -> bool:
        if event.type() == QEvent.Type.Wheel and not box.hasFocus():
            event.ignore()
            return True
        return False


def collapsible(title: str, widget: QWidget) -> QCollapsible:
    """Make a section that opens and closes at a click on its title."""
    whole = QCollapsible()
    whole.addWidget(widget)
    whole.setDuration(120)
    whole.layout().setContentsMargins(0, 0, 0, 0)
    whole.content().layout().setContentsMargins(0, 4, 0, 0)
    # A title, not one more button; its arrow is text, which follows napari's theme.
    whole.setExpandedIcon(QIcon())
    whole.setCollapsedIcon(QIcon())
    whole.toggleButton().setStyleSheet("background: transparent; text-align: left; padding: 2px 0;")

    def show_arrow(expanded: bool) -> None:
        arrow = "\N{BLACK DOWN-POINTING SMALL TRIANGLE}"
        if not expanded:
            arrow = "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}"
        whole.setText(f"{arrow} {title}")

    whole.toggled.connect(show_arrow)
    show_arrow(False)
    return whole
