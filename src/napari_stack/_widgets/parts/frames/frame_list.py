"""`FrameList`: a table with a line a frame, to tick off and to click on."""

from typing import Any

import numpy as np
from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from napari_stack._widgets.parts.layout import is_checked, set_checked, tooltip
from napari_stack.operators.inspection.frame_table import FrameTable


class FrameList(QTableWidget):
    """Shows a `FrameTable`; the first column is ticked for the frames that are used."""

    chosen = Signal(int)
    ticked = Signal(int, bool)

    def __init__(self) -> None:
        super().__init__()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.verticalHeader().setVisible(False)
        self.setMinimumHeight(150)
        self.setToolTip(
            tooltip(
                "Click on a line to see the frame. A frame that is not ticked keeps its place and "
                "is left out of what is made from the layer."
            )
        )
        self.itemChanged.connect(self._changed)
        self.currentCellChanged.connect(self._moved)

    def show_table(self, table: FrameTable) -> None:
        """Show other numbers."""
        with QSignalBlocker(self):
            scrolled = self.verticalScrollBar().value()
            row = self.currentRow()
            self.setColumnCount(2 + len(table.columns))
            self.setRowCount(len(table))
            self.setHorizontalHeaderLabels(["frame", "state", *table.columns])
            for i in range(len(table)):
                self._fill(i, table)
            self.resizeColumnsToContents()
            if 0 <= row < len(table):
                self.setCurrentCell(row, 0)
            self.verticalScrollBar().setValue(scrolled)

    def _fill(self, row: int, table: FrameTable) -> None:
        number = QTableWidgetItem(str(row))
        set_checked(number, bool(table.used[row]))
        if row in table.missing:
            number.setFlags(number.flags() & ~Qt.ItemFlag.ItemIsUserCheckable)
        number.setToolTip(tooltip(table.labels[row]))
        self.setItem(row, 0, number)
        self.setItem(row, 1, QTableWidgetItem(table.state(row)))
        for column, values in enumerate(table.columns.values(), 2):
            text = f"{values[row]:.4g}" if np.isfinite(values[row]) else ""
            item = QTableWidgetItem(text)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(row, column, item)

    def choose(self, row: int) -> None:
        """Move to a line without telling it."""
        if row != self.currentRow() and 0 <= row < self.rowCount():
            with QSignalBlocker(self):
                self.setCurrentCell(row, 0)

    def tick(self, row: int, used: bool) -> None:
        """Tick a frame on or off, as a click does; one that was never recorded stays off."""
        if self.item(row, 0).flags() & Qt.ItemFlag.ItemIsUserCheckable:
            set_checked(self.item(row, 0), used)

    def _changed(self, item: QTableWidgetItem) -> None:
        if item.column() == 0:
            self.ticked.emit(item.row(), is_checked(item))

    def _moved(self, row: int, _column: int, before: int, _before_column: int) -> Any:
        if row != before and row >= 0:
            self.chosen.emit(row)
