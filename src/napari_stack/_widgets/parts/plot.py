"""`Plot`: numbers over the frames, one panel below the other, in the colours of napari's theme."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from qtpy.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPalette, QPen, QPixmap, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_stack._widgets.parts.plot_scales import Panel, Scale, ticks
from napari_stack.core.errors import UserError

#: Pixels left of a panel for its numbers, and at the other sides.
_LEFT, _RIGHT, _ABOVE, _BELOW = 52, 10, 18, 8
#: Pixels below the last panel for the numbers of the frames.
_FOOT = 18
#: Pixels of a line of text.
_LINE = 13

#: Colours of channels: of the colour-blind safe set of Okabe and Ito (2008).
_COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7")
_CROSS = "#d55e00"


class Plot(QWidget):
    """Draws panels; a click chooses a frame.

    Parameters
    ----------
    height : int
        Of one panel, in pixels.
    """

    clicked = Signal(int)

    def __init__(self, height: int = 86) -> None:
        super().__init__()
        self._height = height
        self.panels: list[Panel] = []
        self.current: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(200)

    def show_panels(self, panels: Sequence[Panel]) -> None:
        """Draw other panels."""
        self.panels = list(panels)
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    def show_current(self, frame: int | None) -> None:
        """Mark the frame in view."""
        if frame != self.current:
            self.current = frame
            self.update()

    def sizeHint(self) -> QSize:
        """As high as all panels."""
        return QSize(280, self._height * max(len(self.panels), 1) + _FOOT)

    def save(self, path: str | Path) -> None:
        """Write the plot as it is seen to a .png (twice as fine) or .svg.

        Raises
        ------
        OSError, ValueError
            When it cannot be written, or for another ending.
        """
        suffix = Path(path).suffix.lower()
        if suffix not in (".png", ".svg"):
            raise UserError(f"{path}: plots are written as .png or .svg")
        if suffix == ".svg":
            self._save_svg(Path(path))
            return
        picture = QPixmap(self.size() * 2)
        painter = QPainter(picture)
        painter.scale(2, 2)
        self.draw(painter, self.size())
        painter.end()
        if not picture.save(str(path), "PNG"):
            raise OSError(f"{path} cannot be written")

    def _save_svg(self, path: Path) -> None:
        from qtpy.QtSvg import QSvgGenerator

        path.touch()  # says why, where it cannot be written
        generator = QSvgGenerator()
        generator.setFileName(str(path))
        generator.setSize(self.size())
        generator.setViewBox(QRect(0, 0, self.width(), self.height()))
        painter = QPainter(generator)
        self.draw(painter, self.size())
        painter.end()

    # events

    def paintEvent(self, event: object) -> None:  # noqa: ARG002
        """Draw all panels."""
        painter = QPainter(self)
        self.draw(painter, self.size())
        painter.end()

    def mousePressEvent(self, event: object) -> None:
        """Choose the frame next to the click."""
        if self.panels and event.button() == Qt.MouseButton.LeftButton:
            scale = self._across(self.panels[0], self.width())
            self.clicked.emit(self.panels[0].nearest(scale.value(event.pos().x())))

    # drawing

    def place_of(self, frame: int) -> int:
        """Return where a frame lies, in pixels from the left."""
        return round(self._across(self.panels[0], self.width()).pixel(frame))

    def _across(self, panel: Panel, width: int) -> Scale:
        return Scale(-0.5, max(len(panel) - 0.5, 0.5), _LEFT, width - _RIGHT)

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Draw all panels into any painter."""
        palette = self.palette()
        text = palette.color(QPalette.ColorRole.WindowText)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(
            0, 0, size.width(), size.height(), palette.color(QPalette.ColorRole.Window)
        )
        font = painter.font()
        font.setPointSizeF(8.5)
        painter.setFont(font)
        for number, panel in enumerate(self.panels):
            top = number * self._height
            across = self._across(panel, size.width())
            low, high = panel.limits
            up = Scale(low, high, top + self._height - _BELOW, top + _ABOVE)
            self._draw_frame(painter, panel, across, up, text)
            for k in range(panel.lines.shape[1]):
                self._draw_line(painter, panel, k, across, up)
        if self.panels:
            self._draw_numbers(painter, self._across(self.panels[0], size.width()), text)

    def _draw_frame(
        self, painter: QPainter, panel: Panel, across: Scale, up: Scale, text: QColor
    ) -> None:
        pale = QColor(text)
        pale.setAlphaF(0.25)
        box = QRectF(QPointF(across.start, up.stop), QPointF(across.stop, up.start))
        painter.setPen(QPen(pale, 1))
        painter.drawRect(box)
        for tick in ticks(up.low, up.high, 3):
            y = up.pixel(tick)
            painter.setPen(QPen(pale, 1))
            painter.drawLine(QPointF(across.start, y), QPointF(across.stop, y))
            painter.setPen(text)
            where = QRectF(0, y - 8, _LEFT - 6, 16)
            painter.drawText(
                where, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{tick:g}"
            )
        painter.drawText(QPointF(across.start, up.stop - 5), panel.title)
        for k, name in enumerate(panel.names):
            painter.setPen(QColor(_COLOURS[k % len(_COLOURS)]))
            x = across.stop - 16 * (len(panel.names) - k)
            painter.drawText(QPointF(x, up.stop - 5), name)
        written: list[float] = []
        for name, level in panel.levels.items():
            if not np.isfinite(level):
                continue
            painter.setPen(QPen(text, 1, Qt.PenStyle.DashLine))
            y = up.pixel(level)
            painter.drawLine(QPointF(across.start, y), QPointF(across.stop, y))
            if any(abs(y - other) < _LINE for other in written):
                continue  # two names on each other nobody can read
            written.append(y)
            where = QRectF(across.start, y - _LINE, across.stop - across.start - 3, _LINE)
            painter.drawText(where, Qt.AlignmentFlag.AlignRight, name)
        if self.current is not None:
            painter.setPen(QPen(text, 1))
            x = across.pixel(self.current)
            painter.drawLine(QPointF(x, up.stop), QPointF(x, up.start))

    def _draw_line(
        self, painter: QPainter, panel: Panel, channel: int, across: Scale, up: Scale
    ) -> None:
        colour = QColor(_COLOURS[channel % len(_COLOURS)])
        points = [
            QPointF(across.pixel(frame), up.pixel(float(value))) if np.isfinite(value) else None
            for frame, value in enumerate(panel.lines[:, channel])
        ]
        joined = QColor(colour)
        joined.setAlphaF(0.5)
        painter.setPen(QPen(joined, 1))
        painter.drawPolyline(QPolygonF([point for point in points if point is not None]))
        few = len(points) <= 400
        for frame, point in enumerate(points):
            if point is None or not (few or panel.crossed[frame] or panel.faded[frame]):
                continue
            if panel.crossed[frame]:
                painter.setPen(QPen(QColor(_CROSS), 2))
                for slope in (1, -1):
                    reach = QPointF(3.5, 3.5 * slope)
                    painter.drawLine(point - reach, point + reach)
                continue
            painter.setPen(QPen(colour, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush if panel.faded[frame] else colour)
            painter.drawEllipse(point, 2.5, 2.5)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _draw_numbers(self, painter: QPainter, across: Scale, text: QColor) -> None:
        painter.setPen(text)
        below = len(self.panels) * self._height
        for tick in ticks(0, max(across.high - 0.5, 1), 6):
            if tick == int(tick):
                where = QRectF(across.pixel(tick) - 30, below - 4, 60, _FOOT)
                painter.drawText(where, Qt.AlignmentFlag.AlignHCenter, f"{tick:g}")
