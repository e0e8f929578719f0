"""`KeepPanel`: the recipe of the "Stack" dock opened, saved, copied as a script, run on many."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget

from napari_stack._widgets.parts.batch import BatchPanel
from napari_stack._widgets.parts.layout import below, beside, button, collapsible
from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack.layers.provenance import source_files
from napari_stack.layers.stacks.read_layer import read_layer
from napari_stack.recipe import Recipe
from napari_stack.recipe.draft import Draft
from napari_stack.recipe.results import lacking

_KIND = "Recipe (*.json)"


class KeepPanel(QWidget):
    """Buttons for a recipe.

    Parameters
    ----------
    recipe : callable
        Gives the recipe.
    layer : callable
        Gives the layer of frames, or None.
    """

    opened = Signal(object, str)
    said = Signal(str)

    def __init__(self, recipe: Callable[[], Recipe], layer: Callable[[], Any]) -> None:
        super().__init__()
        self._recipe, self._layer = recipe, layer
        self.batch = BatchPanel(recipe)
        buttons = beside(
            button("Open...", "Show the steps of a recipe here.", self._choose_open),
            button("Save...", "Save the steps as a recipe.", self._choose_save),
            button("Copy script", "Copy a Python script that does the same.", self.copy_script),
        )
        self.more = collapsible("Many series (batch)", self.batch)
        self.setLayout(below(buttons, self.more))

    def open(self, path: str | Path) -> None:
        """Show the steps of a recipe.

        Raises
        ------
        OSError, ValueError
            When there is none, or one with an unknown step or option.
        """
        recipe = Recipe.load(path)
        draft = Draft(tuple(recipe.steps), before=tuple(recipe.before))
        self.opened.emit(draft, Path(path).name)
        if missing := lacking(recipe.steps):
            self.said.emit(missing[:1].upper() + missing[1:])

    def save(self, path: str | Path) -> None:
        """Save the recipe; one that is there is replaced (the dialog asks before)."""
        self._recipe().save(path, overwrite=True)
        self.said.emit(f"Saved {Path(path).name}")

    def script(self) -> str:
        """Return a Python script that does the steps to the same frames."""
        layer = self._layer()
        data = None if layer is None else read_layer(layer).data
        path = None if layer is None else layer.source.path
        return self._recipe().to_script(source_files(data) or path or "frames/*.tif", data)

    def copy_script(self) -> None:
        """Put the script on the clipboard."""
        with errors_shown(self.said.emit):
            QApplication.clipboard().setText(self.script())
            self.said.emit("Copied: a script that reads the frames and does the steps")

    def _choose_open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Recipe", filter=_KIND)
        if path:
            with errors_shown():
                self.open(path)

    def _choose_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Recipe", "recipe.json", _KIND)
        if path:
            with errors_shown():
                self.save(path)
