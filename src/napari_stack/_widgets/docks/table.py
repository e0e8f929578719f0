"""`TableDock`: the dock of an operator that gives a table, told in words and saved as a file."""

from pathlib import Path
from typing import Any

from napari_stack import layers
from napari_stack._widgets.docks.operator import OperatorDock
from napari_stack._widgets.parts.layout import button
from napari_stack._widgets.parts.run.runner import Done
from napari_stack.layers.stacks.save_layer import file_name
from napari_stack.recipe.said import place_of_table


class TableDock(OperatorDock):
    """Layer, axis and options; what was measured in plain words, and the table to save.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # noqa: F821
        super().__init__(napari_viewer)
        self.table: Any = None
        self._measured = ""  # the name of the layer
        self.save_button = button(
            "Save table...", "Write what was measured for each frame to a .csv file.", self._choose
        )
        self.runner.add_button(self.save_button)
        self.save_button.setEnabled(False)
        source = self.source
        for signal in (source.layer_changed, source.data_changed, source.axis_changed):
            signal.connect(self._forget)

    def _forget(self) -> None:
        """Keep no table: it is of other frames."""
        self.table = None
        self.save_button.setEnabled(False)
        self.card.show_lines(())

    def run(self) -> None:
        """Measure; the table of the last time goes, even where this run fails."""
        if not self.runner.running:
            self._forget()
        super().run()

    def _add(self, job: layers.Job, computed: layers.Computed) -> Done:
        self.table, self._measured = computed.table, job.appearance.name
        self.save_button.setEnabled(True)
        self.card.show_lines(computed.said)
        at = place_of_table(computed.step, job.chain.data)
        return f"Measured {len(self.table)} frames" + (f" at {at}" if at else "")

    def save_table(self, path: str | Path) -> None:
        """Write the table to a .csv; one that is there is replaced (the dialog asks before)."""
        self.table.save(path, overwrite=True)
        self.runner.show_message(f"Saved {Path(path).name}")

    def _choose(self) -> None:
        name = f"{file_name(self._measured)} - {self.operator}.csv"
        self.save_as("Table", name, "Table (*.csv)", self.save_table)
