"""`StackDock`: the place to start - frames in, steps that suit, one Run, one Save."""

from functools import partial
from typing import Any

from napari.layers import Image, Labels
from napari.utils.notifications import show_warning
from qtpy.compat import isalive
from qtpy.QtWidgets import QFileDialog

from napari_stack import layers
from napari_stack._widgets.parts.assistant.checklist import Checklist
from napari_stack._widgets.parts.assistant.frames import FramesChoice
from napari_stack._widgets.parts.assistant.keep import KeepPanel
from napari_stack._widgets.parts.assistant.opening import Opened, dropped_paths, opening
from napari_stack._widgets.parts.assistant.questions import Questions
from napari_stack._widgets.parts.assistant.remembered import (
    forget,
    remember,
    with_last_options,
)
from napari_stack._widgets.parts.compare import Compare
from napari_stack._widgets.parts.layout import button, collapsible, fill, paragraph
from napari_stack._widgets.parts.operator_docks import open_dock, open_titled
from napari_stack._widgets.parts.options.inputs import Chosen
from napari_stack._widgets.parts.run.adding import add_in_parts, select
from napari_stack._widgets.parts.run.card import ResultCard
from napari_stack._widgets.parts.run.errors import errors_shown, show_error
from napari_stack._widgets.parts.run.latest_worker import LatestWorker
from napari_stack._widgets.parts.run.runner import Done, RunningDock
from napari_stack.core.errors import UserError, format_error, is_mendable
from napari_stack.core.said import Said
from napari_stack.layers.compat import unwrapped, weak_reference
from napari_stack.layers.inspection.sensor_map import sensor_look, sensor_map
from napari_stack.layers.jobs.recipe_job import RecipeJob, prepare_recipe
from napari_stack.layers.stacks.read_layer import read_layer
from napari_stack.layers.stacks.save_layer import formats_for, prepare_save, usual_path, with_suffix
from napari_stack.recipe import Recipe
from napari_stack.recipe.draft import Draft
from napari_stack.recipe.planning import Facts, guess, look_at, plan_for

#: Milliseconds after which frames are looked at: one drop may change a layer several times.
_PAUSE = 50


class StackDock(RunningDock):
    """Frames, what they are and what is wanted, the steps to it, Run and Save.

    It is a view of a `Recipe`: what it does can be saved, run on many series, copied as a script.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    #: The layer of frames.
    layer = Chosen(lambda dock: dock.frames.layer_box)

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # noqa: F821
        super().__init__(napari_viewer)
        self.facts: Facts | None = None
        self._results: list[Any] = []
        self._planned: Draft | None = None
        self.frames = FramesChoice(napari_viewer, self._keeps_its_layer)
        self.questions = Questions()
        self.remark = paragraph()
        self.usual = button(
            "Usual options", "Forget the options of the last time: take those that suit.",
            self._take_usual,
        )  # fmt: skip
        self.checklist = Checklist(self._masks)
        self.keep = KeepPanel(self.recipe, lambda: self.layer)
        say = self.runner.show_message
        self.compare = Compare(napari_viewer, lambda: self.result, say, lambda: self.layer)
        self.card = ResultCard(partial(open_titled, napari_viewer))
        self.looking = LatestWorker(self, _PAUSE)
        self.save_button = button("Save...", "Save the result to a file.", self.choose_save)
        self.runner.add_button(self.save_button)
        self._lay_out()
        self._connect()
        self.setAcceptDrops(True)
        self.frames.follow()

    def _lay_out(self) -> None:
        more = collapsible("Recipe: save, open, script, batch", self.keep)
        parts = (self.frames, self.questions, self.remark, self.usual, self.checklist, more)
        self.area = fill(self, *parts, pinned=(self.card, self.compare, self.runner))

    def _connect(self) -> None:
        self.frames.changed.connect(self._layer_changed)
        self.frames.layers_changed.connect(self._layers_changed)
        self.frames.wanted.connect(self.open)
        self.frames.strip.resized.connect(self.area.fit)
        self.questions.changed.connect(self._plan)
        self.checklist.changed.connect(self._allow)
        self.checklist.linked.connect(self._open_operator)
        self.checklist.refused.connect(self.runner.show_message)
        self.looking.returned.connect(self._looked)
        self.looking.errored.connect(self._look_failed)
        self.keep.opened.connect(self._show_recipe)
        self.keep.said.connect(self.runner.show_message)
        self.runner.clicked.connect(self.run)
        self.runner.finished.connect(self._allow)

    # frames in

    def dragEnterEvent(self, event: Any) -> None:
        """Take files and folders."""
        if dropped_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        """Open files and folders that are dropped as frames."""
        if paths := dropped_paths(event.mimeData()):
            event.acceptProposedAction()
            self.open(opening(paths))

    def open(self, work: Any) -> None:
        """Open frames in a thread; see `opening` and `gathering`."""
        if self.runner.running:
            show_warning("A run is under way: open the files again when it is done.")
            return
        self.runner.start(work, self._opened)
        self._allow()

    def _opened(self, found: Opened) -> Done:
        data, limits, name = found
        layer = layers.to_layer(data, name, limits=limits, visible=False)
        for single in self.frames.offered:
            single.visible = False  # they would lie below the frames, or over them
        yield from add_in_parts(self.viewer, [layer], [layer])
        if layer in self.viewer.layers:  # it may be removed before it is shown
            self.frames.layer_box.reset_choices()
            self.layer = layer
        return f"Opened {layer.name!r}"

    # what it is, and what to do

    def _keeps_its_layer(self, other: Any) -> bool:
        return any(ref() is unwrapped(other) for ref in self._results)

    def _masks(self) -> list[Any]:
        return [la for la in self.viewer.layers if isinstance(la, Image | Labels) and la.ndim == 2]

    def _layers_changed(self) -> None:
        self.checklist.reset_choices()
        self._allow()

    def _layer_changed(self) -> None:
        self.facts = None
        self.looking.drop()
        if self.layer is None:
            self.questions.forget()
            return
        with errors_shown(self.questions.forget):
            data = read_layer(self.layer).data
            self.questions.forget("Looking at the frames ...")
            self.looking.ask(lambda run: look_at(data, run))

    def _looked(self, facts: Facts) -> None:
        self.facts = facts
        self.questions.show_guess(guess(facts))

    def _look_failed(self, error: BaseException) -> None:
        self.questions.forget(format_error(error))
        if not is_mendable(error):
            show_error(error)

    def _plan(self) -> None:
        kind, goal = self.questions.kind, self.questions.goal
        if not kind or not goal:
            self._show(Draft(), (), "")
            return
        plan = plan_for(kind, goal, self.facts or Facts())
        draft, changed = with_last_options(kind, plan.draft)
        whys = [planned.why for planned in plan.steps]
        for number in changed:
            whys[number] = "; ".join(filter(None, [whys[number], f"options as last for {kind}"]))
        self._show(draft, whys, plan.remark)
        self._planned = plan.draft
        self.usual.setVisible(bool(changed))

    def _take_usual(self) -> None:
        forget(self.questions.kind)
        self._plan()

    def _show(self, draft: Draft, whys: Any, remark: str) -> None:
        self._planned = None
        self.usual.hide()
        self.remark.setText(remark)
        self.remark.setVisible(bool(remark))
        self.checklist.show_draft(draft, whys)
        self.area.fit()

    def _show_recipe(self, draft: Draft, name: str) -> None:
        self.looking.drop()
        self.questions.forget(f"The steps of {name}.")
        self._show(draft, (), "")

    def _open_operator(self, number: int) -> None:
        """Open the dock of a step; what is changed there is changed here too."""
        dock = open_dock(self.viewer, self.checklist.draft.steps[number], self.layer)
        if dock is not None:
            dock.shares_options(self.checklist.keeper(number))

    def recipe(self) -> Recipe:
        """Return the recipe of the steps that are ticked.

        Raises
        ------
        ValueError
            When there is none.
        """
        if not self.checklist.draft.steps:
            raise UserError("there are no steps yet: choose frames, and what they are")
        return self.checklist.draft.recipe()

    # run and save

    @property
    def result(self) -> Any:
        """The layer that the last run made; None where it is gone."""
        made = self._results[0]() if self._results else None
        return made if made is not None and made in self.viewer.layers else None

    def _allow(self) -> None:
        if isalive(self):
            idle = not self.runner.running
            ready = self.layer is not None and any(self.checklist.draft.on)
            self.runner.run_button.setEnabled(idle and ready)
            self.save_button.setEnabled(idle and self.result is not None)
            self.compare.setVisible(self.result is not None and self.layer is not None)

    def run(self) -> None:
        """Do the steps that are ticked; the result is added when it is done."""
        if self.layer is None or self.runner.running:
            return
        with errors_shown():
            job = prepare_recipe(self.recipe(), self.layer)
            chosen = self.questions.kind, self._planned, self.checklist.draft
            self.compare.stop()
            self.card.show_lines(())
            source = weak_reference(self.layer)
            self.runner.start(job.compute, partial(self._add, job, source, chosen))
            self._allow()

    def _add(self, job: RecipeJob, source: Any, chosen: Any, done: Any) -> Done:
        remember(*chosen)  # not of a run that failed
        made = job.finish(done, visible=False)
        self._results = [weak_reference(layer) for layer in made]
        yield from add_in_parts(self.viewer, made[::-1], made[: len(job.last_frames(done))])
        if made[0].visible and (frames := source()) is not None:
            frames.visible = False
        select(self.viewer, made[0])
        self._show_card(done)
        said = [text for one, computed in done.values()
                for text in (one.remark(computed), one.note(computed)) if text]  # fmt: skip
        return ". ".join([f"Made {made[0].name!r}", *said])

    def _show_card(self, done: Any) -> None:
        owner = {
            id(s): (sensor_look(job), c.step.operator) for job, c in done.values() for s in c.said
        }

        def mend(said: Said) -> None:
            look, operator = owner[id(said)]
            if said.shows is not None:
                self.viewer.add_layer(sensor_map(look, *said.shows()))
                return
            self.checklist.mend(operator, said.options)
            self.run()

        self.card.show_lines([said for _, c in done.values() for said in c.said], mend)

    def choose_save(self) -> None:
        """Ask where to save the result, the format that suits it first."""
        if self.result is None:
            return
        formats = formats_for(self.result)
        filters = ";;".join(one.filter for one in formats)
        path, chosen = QFileDialog.getSaveFileName(
            self, "Save", str(usual_path(self.result)), filters, formats[0].filter
        )
        if path:
            self.save_to(with_suffix(path, chosen, formats))

    def save_to(self, path: str) -> None:
        """Save the result in a thread; a file that is there is replaced (the dialog asks)."""
        if self.result is None or self.runner.running:
            return
        with errors_shown():
            save = prepare_save(self.result, path)
            self.runner.start(save, lambda target: f"Saved {target.name}")
            self._allow()

    def closing(self) -> None:
        """End what is under way when the dock is closed."""
        super().closing()
        self.looking.drop()
        self.compare.stop()
