"""`RecipeDock`: what was done to the active layer, to be changed, run again, saved and applied."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

from napari.layers import Image, Labels, Layer
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_stack._widgets.parts.active_layer import FollowingDock
from napari_stack._widgets.parts.batch import BatchPanel
from napari_stack._widgets.parts.layout import Rows, beside, button, collapsible, tooltip
from napari_stack._widgets.parts.options.inputs import choice
from napari_stack._widgets.parts.run.adding import add_in_parts, select
from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack._widgets.parts.steps import StepsPanel
from napari_stack.core.errors import UserError
from napari_stack.layers.compat import unwrapped
from napari_stack.layers.jobs.recipe_job import (
    RecipeJob,
    done_to,
    origin_of,
    prepare_again,
    prepare_measured,
    prepare_recipe,
    recipe_behind,
)
from napari_stack.layers.provenance import source_files
from napari_stack.layers.stacks.read_layer import read_layer
from napari_stack.recipe import Recipe, Step
from napari_stack.recipe.describe import describe
from napari_stack.recipe.draft import Draft
from napari_stack.recipe.results import lacking

_AGAIN = "its original frames"
_ANEW, _MEASURED = "measured anew", "as measured here"


class RecipeDock(FollowingDock):
    """Steps with their options, the frames to run them on, and a panel for many series.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # noqa: F821
        super().__init__(napari_viewer)
        self.steps = StepsPanel(self._masks)
        self.target = choice(lambda _widget: self._targets())
        self.values = choice([_ANEW, _MEASURED])
        self.batch = BatchPanel(self.steps.recipe)
        self._lay_out()
        self.steps.resized.connect(self.area.fit)
        self.steps.refused.connect(self.runner.show_message)
        self.runner.clicked.connect(self.run)
        self.follow()

    def _lay_out(self) -> None:
        form = Rows()
        form.add("Run on", self.target.native, "Frames that the steps are done to.")
        form.add(
            "Values", self.values.native,
            "Drift, gains and all else are measured anew on those frames, or taken as they "
            "were measured for this layer: for another channel.",
        )  # fmt: skip
        files = beside(
            button("Load...", "Read a recipe from a .json file.", self._choose_load),
            button("Save...", "Write the recipe to a .json file.", self._choose_save),
            button("Copy script", "Copy a Python script that does the same.", self.copy_script),
        )
        self.runner.run_button.setToolTip(
            tooltip("Do the steps that are ticked; the results are new layers.")
        )
        self.more = collapsible("Many series (batch)", self.batch)
        self.lay_out(self.title, self.steps, form, files, self.more, pinned=(self.runner,))

    # following the viewer

    def suits(self, layer: Layer) -> bool:
        """Show Image layers that something was done to, and frames to run a recipe on."""
        return isinstance(layer, Image)

    def layer_changed(self) -> None:
        """Show the steps of the layer; without any, what was there stays to be applied to it."""
        recipe, source = None, ""
        with errors_shown(self.runner.show_message):
            if self.layer is not None:
                recipe, source = recipe_behind(self.layer)
        steps = () if recipe is None else tuple(recipe.steps)
        if recipe is not None:
            self.steps.show_draft(Draft(steps, before=tuple(recipe.before)))
            self.title.setText(_told(recipe, source, self.layer.name))
        elif not self.steps.draft.steps:
            self.title.setText("Choose a layer that something was done to, or load a recipe.")
        self.layers_changed()
        if steps and (origin := self._origin()) is not None:
            self.target.value = origin

    def layers_changed(self) -> None:
        """Follow the layers and their names."""
        self.target.reset_choices()
        self.steps.reset_choices()

    def _masks(self) -> list[Any]:
        return [la for la in self.viewer.layers if isinstance(la, Image | Labels) and la.ndim == 2]

    def _origin(self) -> Any:
        """Find what the steps began with: the frames, else a layer of that name, else any."""
        targets = [value for _, value in self._targets()]
        if _AGAIN in [t for t in targets if isinstance(t, str)]:
            return _AGAIN
        _, name = done_to(self.layer)
        alike = [t for t in targets if t.name == name] or targets
        return alike[0] if alike else None

    def _targets(self) -> list[tuple[str, Any]]:
        again = self.layer is not None and origin_of(self.layer) is not None
        frames = [la for la in self.viewer.layers if isinstance(la, Image) and la.ndim > 2]
        return [(_AGAIN, _AGAIN)] * again + [(layer.name, layer) for layer in frames]

    # running

    def run(self) -> None:
        """Run the steps; their layers are added when they are done."""
        if self.runner.running:
            return
        with errors_shown():
            job = self._job()
            if isinstance(job, Image):
                for _ in self._add([job]):
                    pass
                return
            self.runner.start(job.compute, lambda done: self._add(
                job.finish(done, visible=False), len(job.last_frames(done))
            ))  # fmt: skip

    def _job(self) -> RecipeJob | Image:
        recipe, target = self.steps.recipe(), self.target.value
        if target is None:
            raise UserError("choose a layer of frames to run the steps on")
        again = isinstance(target, str)
        if self.values.value == _MEASURED:
            if again:
                raise UserError("choose another layer to apply the measured values to")
            return prepare_measured(self.layer, target, self._rest())
        return prepare_again(recipe, self.layer) if again else prepare_recipe(recipe, target)

    def _rest(self) -> list[Any]:
        """Return the steps after the corrections, which need to be as they were."""
        if self.layer is None:
            raise UserError("choose the layer that the values were measured for")
        done, _ = done_to(self.layer)
        if any(not step.entry.gives_frames for step in done[:-1]):
            raise UserError(
                f"{self.layer.name!r} is made of images that were made of frames: its values fit "
                "no other frames; have them measured anew"
            )
        count = sum(step.entry.gives_frames for step in self.steps.draft.steps)
        same = map(_same, self.steps.draft.steps[:count], done[:count])
        if not all(same) or not all(self.steps.draft.on[:count]):
            raise UserError(
                "the corrections were changed, so nothing was measured with them yet: run them on "
                "this layer first"
            )
        pairs = zip(self.steps.draft.steps[count:], self.steps.draft.on[count:], strict=True)
        return [step for step, on in pairs if on]

    def _add(self, made: list[Image | Labels], lazy: int = 0) -> Generator[None, None, str]:
        yield from add_in_parts(self.viewer, made[::-1], made[:lazy])
        select(self.viewer, made[0])
        text = f"Added {made[0].name!r}"
        self.runner.show_message(text)
        return text

    # files

    def load(self, path: str | Path) -> None:
        """Read a recipe from a file, to be run on any layer.

        Raises
        ------
        OSError, ValueError
            When there is none, or one with an unknown step or option.
        """
        recipe = Recipe.load(path)
        self.steps.show_draft(Draft(tuple(recipe.steps), before=tuple(recipe.before)))
        self.title.setText(f"Recipe of {Path(path).name}")
        missing = lacking(recipe.steps)
        self.runner.show_message(missing[:1].upper() + missing[1:])
        self.values.value = _ANEW
        frames = [value for _, value in self._targets() if not isinstance(value, str)]
        active = [layer for layer in frames if unwrapped(layer) is self.layer] or frames
        if active:
            self.target.value = active[0]

    def save(self, path: str | Path) -> None:
        """Write the recipe to a file; one that is there is replaced (the dialog asks before)."""
        self.steps.recipe().save(path, overwrite=True)
        self.runner.show_message(f"Saved {Path(path).name}")

    def _choose_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Recipe", filter="Recipe (*.json)")
        if path:
            with errors_shown():
                self.load(path)

    def _choose_save(self) -> None:
        self.save_as("Recipe", "recipe.json", "Recipe (*.json)", self.save)

    def script(self) -> str:
        """Return a Python script that does the steps to the same frames."""
        recipe, target = self.steps.recipe(), self.target.value
        if isinstance(target, str):
            chain, look = origin_of(self.layer)
            named = [layer for layer in self.viewer.layers if layer.name == look.name]
            target, data = (named or [None])[0], chain.data
        else:
            data = None if target is None else read_layer(target).data
        path = None if target is None else target.source.path
        return recipe.to_script(source_files(data) or path or "frames/*.tif", data)

    def copy_script(self) -> None:
        """Put the script on the clipboard."""
        with errors_shown():
            QApplication.clipboard().setText(self.script())
            self.runner.show_message("Copied: a script that reads the frames and does the steps")


def _told(recipe: Recipe, source: str, name: str) -> str:
    """Say what the steps are, and what came before them."""
    before = "; ".join(map(describe, recipe.before))
    told = f"Done before, to each frame, and not part of these steps: {before}." if before else ""
    if not recipe.steps:
        return told
    return f"What was done to {source!r} to make {name!r}" + (f". {told}" if told else "")


def _same(step: Step, done: Step) -> bool:
    """Whether a step is as it was done; one with an image, whether it is the same object."""
    try:
        return step is done or step.to_json() == done.to_json()
    except UserError:
        return False
