"""`TableDock`: the dock of an operator that gives a table, told in words and saved as a file."""

from pathlib import Path
from typing import Any

from napari_stack import layers
from napari_stack._widgets.docks.operator import OperatorDock
from napari_stack._widgets.parts.layout import button


class TableDock(OperatorDock):
    """Layer, axis and options; what was measured in plain words, and the table to save.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # noqa: F821
        self.table: Any = None
        self.save_button = button(
            "Save table...", "Write what was measured for each frame to a .csv file.", self._choose
        )
        super().__init__(napari_viewer)
        self.runner.add_button(self.save_button)
        self.save_button.setEnabled(False)

    def _add(self, job: layers.Job, computed: layers.Computed) -> str:  # noqa: ARG002
        self.table = computed.table
        self.save_button.setEnabled(True)
        self.card.show_lines(computed.said)
        return f"Measured {len(self.table)} frames"

    def save_table(self, path: str | Path) -> None:
        """Write the table to a .csv; one that is there is replaced (the dialog asks before)."""
        self.table.save(path, overwrite=True)
        self.runner.show_message(f"Saved {Path(path).name}")

    def _choose(self) -> None:
        self.save_as("Table", f"{self.operator}.csv", "Table (*.csv)", self.save_table)
