"""Pieces of layout that the docks share."""

from collections.abc import Sequence
from textwrap import fill as fill_text
from typing import Any

from qtpy.QtCore import QEvent, QObject, QSize, Qt, Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

#: Of the options of a method below the method, in pixels.
INDENT = 10
#: Letters of a label in one line: the longest choice fits beside it.
_LONGEST = 13
#: Inputs show about ten letters at least.
_NARROWEST = 120


class Rows(QWidget):
    """Rows of a label, and a widget that takes the rest of the width."""

    def __init__(self) -> None:
        super().__init__()
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)

    def add(self, text: str, widget: QWidget, help_text: str) -> QLabel:
        """Add a row; the label and the input widget have one tooltip."""
        label = QLabel(fill_text(text, _LONGEST))
        for part in (label, widget):
            part.setToolTip(tooltip(help_text))
        self.form.addRow(label, widget)
        return label


def beside(*parts: Any) -> QHBoxLayout:
    """Lay out widgets beside each other, without margins."""
    return _without_margins(QHBoxLayout(), parts)


def below(*parts: Any) -> QVBoxLayout:
    """Lay out widgets and layouts one below the other, without margins."""
    return _without_margins(QVBoxLayout(), parts)


def _without_margins(layout: Any, parts: Any) -> Any:
    layout.setContentsMargins(0, 0, 0, 0)
    return _with(layout, parts)


def _with(layout: Any, parts: Any) -> Any:
    for part in parts:
        (layout.addWidget if isinstance(part, QWidget) else layout.addLayout)(part)
    return layout


def holding(layout: Any) -> QWidget:
    """Make a widget of a layout."""
    widget = QWidget()
    widget.setLayout(layout)
    return widget


def button(text: str, help_text: str, clicked: Any, *, checkable: bool = False) -> QPushButton:
    """Make a button with a tooltip."""
    made = QPushButton(text)
    made.setToolTip(tooltip(help_text))
    made.setCheckable(checkable)
    (made.toggled if checkable else made.clicked).connect(clicked)
    return made


def set_checked(item: Any, on: bool) -> None:
    """Tick an item of a list or table, or take the tick away."""
    item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)


def is_checked(item: Any) -> bool:
    """Whether an item of a list or table is ticked."""
    return bool(item.checkState() == Qt.CheckState.Checked)


def tooltip(text: str) -> str:
    """Let Qt break a long text into lines, which it does only where it sees mark-up."""
    escaped = text.replace("``", "").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
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


def align_labels(labels: list[QLabel], indented: list[QLabel]) -> None:
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
        self._adopt()

    def _adopt(self) -> None:
        """Let inputs, those made later too, be wide enough, and not take the mouse wheel."""
        for kind in (QComboBox, QAbstractSpinBox):
            for box in self.widget().findChildren(kind):
                box.setMinimumWidth(_NARROWEST)
                box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                box.installEventFilter(self._wheel)  # once, however often it is told so

    def fit(self) -> None:
        """Ask for the width of what is shown by now."""
        self._adopt()
        self.widget().layout().activate()
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        """As wide as the content needs."""
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self.widget().minimumSizeHint().width() + bar, 120)


def fill(
    dock: QWidget, *parts: Any, pinned: Sequence[QWidget] = (), narrowest: int = 280
) -> ColumnArea:
    """Put widgets and layouts one below the other into a dock, in an area that scrolls.

    Parameters
    ----------
    dock : QWidget
    *parts : QWidget or QLayout
    pinned : sequence of QWidget
        What stays in view below the area.
    narrowest : int
        Pixels in which the title of the dock fits.
    """
    column = _with(QVBoxLayout(), parts)
    column.setContentsMargins(5, 9, 5, 9)
    column.addStretch(1)
    dock.setMinimumWidth(narrowest)
    area = ColumnArea(holding(column))
    column = below(area)
    if pinned:
        foot = _with(QVBoxLayout(), pinned)
        foot.setContentsMargins(5, 4, 5, 6)
        column.addLayout(foot)
    dock.setLayout(column)
    return area


class _WheelScrolls(QObject):
    """Keeps the mouse wheel from inputs without focus: it scrolls what they lie in."""

    def eventFilter(self, box: Any, event: Any) -> bool:
        if event.type() == QEvent.Type.Wheel and not box.hasFocus():
            event.ignore()
            return True
        return False


class Section(QCollapsible):
    """A section that opens and closes at a click on its title.

    Parameters
    ----------
    title : str
    widget : QWidget
        What is in it.
    """

    #: It is about to open.
    opening = Signal()

    def __init__(self, title: str, widget: QWidget) -> None:
        super().__init__()
        self._title = title
        self.addWidget(widget)
        self.setDuration(120)
        self.layout().setContentsMargins(0, 0, 0, 0)
        self.content().layout().setContentsMargins(0, 4, 0, 0)
        # A title, not one more button; its arrow is text, which follows napari's theme.
        self.setExpandedIcon(QIcon())
        self.setCollapsedIcon(QIcon())
        look = "background: transparent; text-align: left; padding: 2px 0;"
        self.toggleButton().setStyleSheet(look)
        self.toggled.connect(lambda _open: self.set_title(self._title))
        self.set_title(title)

    def expand(self, animate: bool = True) -> None:
        """Open the section."""
        self.opening.emit()
        super().expand(animate)

    def set_title(self, title: str) -> None:
        """Change the title."""
        self._title = title
        arrow = "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}"
        if self.isExpanded():
            arrow = "\N{BLACK DOWN-POINTING SMALL TRIANGLE}"
        self.setText(f"{arrow} {title}")


def collapsible(title: str, widget: QWidget) -> Section:
    """Make a section that opens and closes at a click on its title."""
    return Section(title, widget)
