"""`Plot`: values over the frames, in panels below each other, in the colours of the theme."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPalette, QPen, QPixmap, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_stack._widgets.parts.plot.scales import Scale, limits, ticks
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

#: Radius of the mark of a value, in pixels.
_MARK = 2.5
#: Frames up to which every value has a mark.
_MOST_MARKS = 400


@dataclass(frozen=True, eq=False)
class Panel:
    """One plot of values over the frames.

    Parameters
    ----------
    title : str
    lines : ndarray, shape (n, k)
        One line for each of k channels.
    faded : ndarray of bool, shape (n,)
        Frames that are left out, drawn pale.
    crossed : ndarray of bool, shape (n,)
        Frames that failed or were clipped, drawn as crosses.
    levels : mapping of str to float
        Horizontal lines by their names.
    names : tuple of str
        Of the channels, where there are several.
    bars : ndarray, shape (n, k), optional
        Half the height of a bar about each value: its standard deviation. NaN draws none.
    """

    title: str
    lines: NDArray[Any]
    faded: NDArray[np.bool_]
    crossed: NDArray[np.bool_]
    levels: dict[str, float] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    bars: NDArray[Any] | None = None

    def across(self, width: int) -> Scale:
        """Return the horizontal scale, of frames, in a plot of some pixels."""
        return Scale(-0.5, max(len(self.lines) - 0.5, 0.5), _LEFT, width - _RIGHT)

    def up(self, top: int, height: int) -> Scale:
        """Return the vertical scale of a panel that begins at `top`."""
        reach = 0 if self.bars is None else np.nan_to_num(self.bars)
        ends = np.concatenate([self.lines - reach, self.lines + reach])
        values = limits(ends, *self.levels.values())
        return Scale(*values, top + height - _BELOW, top + _ABOVE)


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
        OSError, UserError
        """
        suffix = Path(path).suffix.lower()
        if suffix not in (".png", ".svg"):
            raise UserError(f"{path}: plots are written as .png or .svg")
        if suffix == ".svg":
            from qtpy.QtSvg import QSvgGenerator

            Path(path).touch()  # says why, where it cannot be written
            generator = QSvgGenerator()
            generator.setFileName(str(path))
            generator.setSize(self.size())
            generator.setViewBox(QRect(0, 0, self.width(), self.height()))
            self._draw_on(generator)
            return
        picture = QPixmap(self.size() * 2)
        self._draw_on(picture, 2)
        if not picture.save(str(path), "PNG"):
            raise OSError(f"{path} cannot be written")

    # events

    def paintEvent(self, event: object) -> None:  # noqa: ARG002
        """Draw all panels."""
        self._draw_on(self)

    def mousePressEvent(self, event: Any) -> None:
        """Choose the frame next to the click."""
        if self.panels and event.button() == Qt.MouseButton.LeftButton:
            panel = self.panels[0]
            frame = round(panel.across(self.width()).value(event.pos().x()))
            self.clicked.emit(min(max(frame, 0), max(len(panel.lines) - 1, 0)))

    # drawing

    def _draw_on(self, device: Any, factor: int = 1) -> None:
        painter = QPainter(device)
        painter.scale(factor, factor)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Window))
        font = painter.font()
        font.setPointSizeF(8.5)
        painter.setFont(font)
        for number, panel in enumerate(self.panels):
            across = panel.across(self.width())
            up = panel.up(number * self._height, self._height)
            self._draw_frame(painter, panel, across, up)
            self._draw_levels(painter, panel, across, up)
            if self.current is not None:
                painter.setPen(QPen(self._ink, 1))
                x = across.pixel(self.current)
                painter.drawLine(QPointF(x, up.stop), QPointF(x, up.start))
            for channel in range(panel.lines.shape[1]):
                self._draw_bars(painter, panel, channel, across, up)
                self._draw_line(painter, panel, channel, across, up)
        if self.panels:
            self._draw_numbers(painter, self.panels[0].across(self.width()))
        painter.end()

    @property
    def _ink(self) -> QColor:
        return self.palette().color(QPalette.ColorRole.WindowText)

    def _draw_frame(self, painter: QPainter, panel: Panel, across: Scale, up: Scale) -> None:
        pale = _faded(self._ink, 0.25)
        painter.setPen(pale)
        painter.drawRect(QRectF(QPointF(across.start, up.stop), QPointF(across.stop, up.start)))
        beside = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for tick in ticks(up.low, up.high, 3):
            y = up.pixel(tick)
            painter.setPen(pale)
            painter.drawLine(QPointF(across.start, y), QPointF(across.stop, y))
            painter.setPen(self._ink)
            painter.drawText(QRectF(0, y - 8, _LEFT - 6, 16), beside, f"{tick:g}")
        painter.drawText(QPointF(across.start, up.stop - 5), panel.title)
        for k, name in enumerate(panel.names):
            painter.setPen(QColor(_COLOURS[k % len(_COLOURS)]))
            x = across.stop - 16 * (len(panel.names) - k)
            painter.drawText(QPointF(x, up.stop - 5), name)

    def _draw_levels(self, painter: QPainter, panel: Panel, across: Scale, up: Scale) -> None:
        painter.setPen(QPen(self._ink, 1, Qt.PenStyle.DashLine))
        written: list[float] = []
        for name, level in panel.levels.items():
            if not np.isfinite(level):
                continue
            y = up.pixel(level)
            painter.drawLine(QPointF(across.start, y), QPointF(across.stop, y))
            if any(abs(y - other) < _LINE for other in written):
                continue  # two names on top of each other cannot be read
            written.append(y)
            where = QRectF(across.start, y - _LINE, across.stop - across.start - 3, _LINE)
            painter.drawText(where, Qt.AlignmentFlag.AlignRight, name)

    def _draw_bars(
        self, painter: QPainter, panel: Panel, channel: int, across: Scale, up: Scale
    ) -> None:
        if panel.bars is None:
            return
        painter.setPen(QPen(QColor(_COLOURS[channel % len(_COLOURS)]), 1))
        values, bars = panel.lines[:, channel], panel.bars[:, channel]
        for frame in np.flatnonzero(np.isfinite(values) & (bars > 0) & ~panel.crossed):
            # Beside one another, where there is room: x and y are often alike.
            x = across.pixel(int(frame)) + (2 * channel - 1 if len(values) <= _MOST_MARKS else 0)
            low, high = (up.pixel(float(values[frame] + s * bars[frame])) for s in (-1, 1))
            if abs(high - low) <= 2 * _MARK:
                continue  # the mark hides it
            painter.drawLine(QPointF(x, low), QPointF(x, high))
            for y in (low, high) if len(values) <= _MOST_MARKS else ():
                painter.drawLine(QPointF(x - 3, y), QPointF(x + 3, y))

    def _draw_line(
        self, painter: QPainter, panel: Panel, channel: int, across: Scale, up: Scale
    ) -> None:
        colour = QColor(_COLOURS[channel % len(_COLOURS)])
        values = panel.lines[:, channel]
        points = {
            int(frame): QPointF(across.pixel(int(frame)), up.pixel(float(values[frame])))
            for frame in np.flatnonzero(np.isfinite(values))
        }
        painter.setPen(_faded(colour, 0.5))
        painter.drawPolyline(QPolygonF(list(points.values())))
        for frame, point in points.items():
            faded = bool(panel.faded[frame])
            if panel.crossed[frame]:
                painter.setPen(QPen(QColor(_CROSS), 2))
                for slope in (1, -1):
                    reach = QPointF(3.5, 3.5 * slope)
                    painter.drawLine(point - reach, point + reach)
            elif faded or len(values) <= _MOST_MARKS:
                painter.setPen(QPen(colour, 1))
                painter.setBrush(Qt.BrushStyle.NoBrush if faded else colour)
                painter.drawEllipse(point, _MARK, _MARK)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _draw_numbers(self, painter: QPainter, across: Scale) -> None:
        painter.setPen(self._ink)
        below = len(self.panels) * self._height
        for tick in ticks(0, max(across.high - 0.5, 1), 6):
            if tick == int(tick):
                where = QRectF(across.pixel(tick) - 30, below - 4, 60, _FOOT)
                painter.drawText(where, Qt.AlignmentFlag.AlignHCenter, f"{tick:g}")


def _faded(colour: QColor, opacity: float) -> QColor:
    pale = QColor(colour)
    pale.setAlphaF(opacity)
    return pale
