"""`FrameStrip`: a cell a frame, coloured by quality; a click jumps there, Space toggles a frame."""

from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_stack._widgets.parts.layout import tooltip
from napari_stack.operators.inspection.frame_table import FrameTable

_HEIGHT = 22
#: Colours that stay apart for most eyes: bad to good, without a number, failed, left out.
_BAD, _GOOD = QColor(213, 94, 0), QColor(0, 158, 115)
_PLAIN, _FAILED, _OUT = QColor(86, 130, 180), QColor(190, 30, 45), QColor(128, 128, 128)

#: Columns that say how good a frame is, and whether more of them is better.
_MEASURES = {"quality": True, "sharpness": True, "rejected fraction": False}

_HELP = (
    "A cell a frame, coloured by its quality: green is good. Red and crossed: failed. Grey: left "
    "out. Click on one to see it; Space leaves the frame in view out, or takes it in again."
)


class FrameStrip(QWidget):
    """Shows a `FrameTable` in one line.

    Parameters
    ----------
    picture_of : callable, optional
        Gives the picture of a frame as HTML; "" where there is none yet: see `show_picture`.
    """

    chosen = Signal(int)
    toggled = Signal(int, bool)

    def __init__(self, picture_of: Callable[[int], str] = lambda _frame: "") -> None:
        super().__init__()
        self._picture_of = picture_of
        self._told: tuple[int, Any] = (-1, None)  # the frame under the mouse, and where that is
        self.table: FrameTable | None = None
        self.current = 0
        self.colours: list[QColor] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Frames")
        self.setAccessibleDescription(_HELP)
        self.setToolTip(tooltip(_HELP))

    def sizeHint(self) -> QSize:
        """One line."""
        return QSize(120, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """However many frames there are."""
        return QSize(60, _HEIGHT)

    def show_table(self, table: FrameTable) -> None:
        """Show other frames, or other numbers on them."""
        self.table = table
        self.colours = colours_of(table)
        self.current = min(self.current, max(len(table) - 1, 0))
        self.update()

    def show_current(self, frame: int) -> None:
        """Mark the frame in view."""
        self.current = frame
        self.update()

    def frame_at(self, x: float) -> int:
        """Return the frame that lies at a place, in pixels from the left."""
        count = 0 if self.table is None else len(self.table)
        return min(max(int(x * count / max(self.width(), 1)), 0), count - 1)

    def _cell(self, frame: int) -> QRectF:
        wide = self.width() / max(len(self.colours), 1)
        gap = 1.0 if wide > 4 else 0.0
        return QRectF(frame * wide, 2.0, wide - gap, self.height() - 4.0)

    def paintEvent(self, event: Any) -> None:  # noqa: ARG002
        """Draw the cells, and a frame around the one in view."""
        painter = QPainter(self)
        for frame, colour in enumerate(self.colours):
            cell = self._cell(frame)
            painter.fillRect(cell, colour)
            if colour == _FAILED and cell.width() > 4:
                painter.setPen(QPen(Qt.GlobalColor.white, 1))
                painter.drawLine(cell.topLeft(), cell.bottomRight())
                painter.drawLine(cell.topRight(), cell.bottomLeft())
        if self.colours:
            painter.setPen(QPen(self.palette().text().color(), 2))
            painter.drawRect(self._cell(self.current).adjusted(-0.5, -1, 0.5, 1))

    def mousePressEvent(self, event: Any) -> None:
        """Go to the frame under the mouse."""
        if self.table is not None and len(self.table):
            self.chosen.emit(self.frame_at(event.position().x()))

    def mouseMoveEvent(self, event: Any) -> None:
        """Tell what is known of the frame under the mouse."""
        if self.table is not None and len(self.table):
            self._told = self.frame_at(event.position().x()), event.globalPosition().toPoint()
            self._tell()

    def event(self, event: QEvent) -> bool:
        """Go on telling of the frame under the mouse while it rests: Qt would show the help."""
        if event.type() == QEvent.Type.ToolTip and self._told[0] >= 0:
            self._tell()
            return True
        return super().event(event)

    def leaveEvent(self, event: Any) -> None:
        """Tell of no frame any more."""
        self._told = -1, None
        super().leaveEvent(event)

    def show_picture(self, frame: int) -> None:
        """Show the picture of a frame, which was made, if the mouse is still there."""
        if frame == self._told[0]:
            self._tell()

    def _tell(self) -> None:
        frame, where = self._told
        if self.table is not None and 0 <= frame < len(self.table):
            text = escape(described(self.table, frame)).replace("\n", "<br>")
            picture = self._picture_of(frame)
            QToolTip.showText(where, f"<qt>{picture}{'<br>' * bool(picture)}{text}</qt>", self)

    def keyPressEvent(self, event: Any) -> None:
        """Toggle the frame in view with Space; go to its neighbours with the arrows."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if self.table is None or not len(self.table):
            super().keyPressEvent(event)
        elif event.key() == Qt.Key.Key_Space:
            if self.current not in self.table.missing:
                self.toggled.emit(self.current, not self.table.used[self.current])
        elif event.key() in steps:
            self.chosen.emit(min(max(self.current + steps[event.key()], 0), len(self.table) - 1))
        else:
            super().keyPressEvent(event)


def described(table: FrameTable, frame: int) -> str:
    """Say what is known of a frame."""
    state = table.state(frame)
    head = f"{frame}: {table.labels[frame]}" + (f", {state}" if state else "")
    numbers = [
        f"{title}: {column[frame]:.4g}" for title, column in table.columns.items()
        if np.isfinite(column[frame])
    ]  # fmt: skip
    return "\n".join([head, *numbers])


def colours_of(table: FrameTable) -> list[QColor]:
    """Colour frames from bad to good by the first measure that there is of them."""
    known = next((name for name in _MEASURES if name in table.columns), None)
    shares = np.full(len(table), np.nan)
    if known is not None:
        shares = _shares(table.columns[known], known)
    return [_colour(table, frame, shares[frame]) for frame in range(len(table))]


def _shares(values: Any, name: str) -> Any:
    """Return 0 for bad to 1 for good; a quality is one by itself."""
    if name == "quality":
        return np.clip(values, 0, 1)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    share = (values - low) / (high - low) if high > low else np.where(np.isfinite(values), 1.0, 0)
    return share if _MEASURES[name] else 1 - share if high > low else share


def _colour(table: FrameTable, frame: int, share: float) -> QColor:
    if table.failed[frame]:
        return _FAILED
    if not table.used[frame]:
        return _OUT
    if not np.isfinite(share):
        return _PLAIN
    mixed = [
        round(bad + (good - bad) * share)
        for bad, good in zip(_BAD.getRgb()[:3], _GOOD.getRgb()[:3], strict=True)
    ]
    return QColor(*mixed)
