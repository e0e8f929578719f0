"""`BatchPanel`: a recipe on many series of files, each measured for itself."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QAbstractItemView, QFileDialog, QLineEdit, QListWidget, QWidget

from napari_stack._widgets.parts.layout import Rows, below, beside, button, holding, tooltip
from napari_stack._widgets.parts.run.errors import errors_shown, show_error
from napari_stack._widgets.parts.run.runner import Runner
from napari_stack.core.errors import UserError
from napari_stack.core.system.home import at_home
from napari_stack.engine.run import Run
from napari_stack.recipe import Recipe
from napari_stack.recipe.batch import Done, run_each, saving, series_names


class BatchPanel(QWidget):
    """Series, a folder for the results, and a run of its own.

    Parameters
    ----------
    recipe : callable
        Gives the recipe to run.
    """

    def __init__(self, recipe: Callable[[], Recipe]) -> None:
        super().__init__()
        self._recipe = recipe
        self.results: list[Done] = []
        self.runner = Runner("Run on all")
        self.runner.run_button.setToolTip(
            tooltip("Run the recipe on every series; the results are written to files.")
        )
        self.runner.cancel_button.setToolTip(tooltip("Stop; what is complete stays."))
        self.runner.clicked.connect(self.run)
        self.list = QListWidget()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setFixedHeight(90)
        self.list.setToolTip(tooltip("A folder or a file for each series of frames."))
        self.output = QLineEdit()
        self.output.setPlaceholderText("folder for the results")
        self.file = QLineEdit()
        self.file.setPlaceholderText("{image}.tif, or frames.tif")
        self._lay_out()

    def _lay_out(self) -> None:
        buttons = beside(
            button("Folder...", "Add a folder that holds the frames of a series.", self._folder),
            button("Files...", "Add files that hold a series each.", self._files),
            button("Remove", "Take the selected series off the list.", self._remove),
        )
        place = beside(
            self.output, button("...", "Choose the folder for the results.", self._choose)
        )
        place.setStretch(0, 3)
        place.setStretch(1, 1)
        form = Rows()
        form.add("Results in", holding(place), "Every series gets a folder of its name in it.")
        form.add(
            "File", self.file,
            "Name of the file, where the recipe names none: {image} stands for each image of the "
            "result.",
        )  # fmt: skip
        self.setLayout(below(self.list, buttons, form, self.runner))

    @property
    def series(self) -> list[str]:
        """The series, in order."""
        return [self.list.item(row).text() for row in range(self.list.count())]

    def add(self, series: Sequence[str | Path]) -> None:
        """Put series on the list that are not there."""
        wanted = dict.fromkeys(map(str, series))
        self.list.addItems([path for path in wanted if path not in self.series])

    def _folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Folder of frames"):
            self.add([folder])

    def _files(self) -> None:
        self.add(QFileDialog.getOpenFileNames(self, "A series each")[0])

    def _choose(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Folder for the results"):
            self.output.setText(folder)

    def _remove(self) -> None:
        for item in self.list.selectedItems():
            self.list.takeItem(self.list.row(item))

    def run(self) -> None:
        """Run the recipe on all series; what is written stays, whatever happens later."""
        if self.runner.running:
            return
        with errors_shown():
            recipe = saving(self._recipe(), self.file.text().strip())
            recipe.to_json()  # refuses arrays, which cannot be written to a file
            series = self.series
            series_names(series)
            if not self.output.text().strip():
                raise UserError("choose a folder for the results")
            folder = at_home(self.output.text().strip())

            def work(run: Run) -> list[Done]:
                return run_each(recipe, series, folder, run=run)

            self.runner.start(work, self._done)

    def _done(self, results: Any) -> str:
        self.results = results
        failed = [done for done in results if done.error is not None]
        for done in failed:
            show_error(done.error, ", ".join(done.inputs))
        return f"{len(results) - len(failed)} of {len(results)} series done"
