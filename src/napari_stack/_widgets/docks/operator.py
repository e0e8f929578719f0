"""`OperatorDock`: the dock of an operator, made from its signature and docstring."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from napari.layers import Image, Labels, Shapes
from qtpy.compat import isalive

from napari_stack import layers
from napari_stack._widgets.parts.layout import align_labels, button, collapsible, fill, paragraph
from napari_stack._widgets.parts.operator_docks import open_titled
from napari_stack._widgets.parts.options.fields import may_be_a_mask
from napari_stack._widgets.parts.options.form import OptionsForm
from napari_stack._widgets.parts.options.inputs import Chosen
from napari_stack._widgets.parts.options.later_form import LaterForm
from napari_stack._widgets.parts.options.layer_choice import SourceChoice
from napari_stack._widgets.parts.options.measure_at import PlaceChoice
from napari_stack._widgets.parts.options.preferences import last_used, preferences, remember_options
from napari_stack._widgets.parts.preview import LivePreview
from napari_stack._widgets.parts.run.adding import add_in_parts, select
from napari_stack._widgets.parts.run.card import ResultCard
from napari_stack._widgets.parts.run.errors import errors_shown
from napari_stack._widgets.parts.run.forecast import ForecastText
from napari_stack._widgets.parts.run.precompile import warm_up
from napari_stack._widgets.parts.run.runner import Done, RunningDock
from napari_stack.core.errors import UserError
from napari_stack.core.options import check
from napari_stack.core.said import Said
from napari_stack.core.sources.combined_sources import Place
from napari_stack.layers.inspection.sensor_map import sensor_look, sensor_map
from napari_stack.layers.places.appearance import Appearance
from napari_stack.operators import CATALOGUE

#: Pixels: the title of a dock fits, with the name of the plugin behind it.
_NARROWEST = 300


class OperatorDock(RunningDock):
    """Layer, axis and options of an operator, its Run and Cancel buttons and its progress.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    #: Name in the catalogue.
    operator: ClassVar[str]
    #: Options that are always in view; the others are under "More options".
    main: ClassVar[tuple[str, ...]] = ()

    #: The chosen layer.
    layer = Chosen(lambda dock: dock.source.layer_box)
    #: Name of the axis to stack.
    axis = Chosen(lambda dock: dock.source.axis_box)

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # noqa: F821
        super().__init__(napari_viewer)
        entry = CATALOGUE[self.operator]
        function = entry.function
        self.source = SourceChoice(napari_viewer, self.operator, self._keeps_its_layer)
        rest = [name for name in entry.options if name not in self.main]
        self._keep: Callable[[Mapping[str, Any]], bool] | None = None
        self._forms: list[Any] = [OptionsForm(function, self._masks, self.main)]
        if rest:
            self._forms.append(LaterForm(function, self._masks, rest))
        shared = entry.shares_measure or entry.measures_apart
        self.place = PlaceChoice(shared=shared, only=entry.kind == "table")
        self.forecast = ForecastText(self)
        self.preview = LivePreview(self)
        self.card = ResultCard(partial(open_titled, napari_viewer))
        self._lay_out(entry.summary)
        self.preview.box.setVisible(entry.preview)
        self.set_options(preferences().options(function) | last_used(function))
        self._connect()
        self.source.follow()

    def _lay_out(self, text: str) -> None:
        first, *rest = self._forms
        parts = [paragraph(text), self.source, self.place, first.native]
        first.native.setVisible(bool(self.main))
        for form in rest:
            self.more = collapsible("More options", form.native)
            self.more.opening.connect(form.make)
            parts.append(self.more)
        parts += [self.forecast, self.preview.box]
        self.runner.add_button(
            button("Defaults", "Set all options back to what they were at first.", self.reset)
        )
        self._area = fill(self, *parts, pinned=(self.card, self.runner), narrowest=_NARROWEST)

    def _connect(self) -> None:
        source = self.source
        source.layers_changed.connect(self._layers_changed)
        source.layer_changed.connect(self.preview.off)
        source.data_changed.connect(self.preview.outdated)
        source.axes_found.connect(self._axes_found)
        source.axis_changed.connect(self._show_place)
        source.axis_changed.connect(self._axes_found)
        source.strip.resized.connect(self._fit)
        source.axis_changed.connect(self.forecast.soon)
        self.place.changed.connect(self._show_place)
        for form in self._forms:
            form.changed.connect(self._fit)
            form.changed.connect(self._share)
        self.runner.clicked.connect(self.run)
        self.viewer.dims.events.current_step.connect(self._show_place)
        self.runner.finished.connect(self._allow_run)
        self.forecast.updated.connect(self._allow_run)

    # what the user chooses

    def options(self) -> dict[str, Any]:
        """Return the options that are not at their default."""
        return {name: value for form in self._forms for name, value in form.values().items()}

    def set_options(self, options: Mapping[str, Any]) -> None:
        """Set some options.

        Raises
        ------
        ValueError
            For an unknown option or a value out of range; then nothing is set. The sentence is
            that of the operator itself.
        """
        kinds = Image | Labels | Shapes | layers.PointLayers
        function = CATALOGUE[self.operator].function
        check(function, {n: v for n, v in options.items() if not isinstance(v, kinds)})
        for form in self._forms:
            form.set_values({n: v for n, v in options.items() if n in form.options})
        self._fit()

    def shares_options(self, keep: Callable[[Mapping[str, Any]], bool] | None) -> None:
        """Hand on options as they are changed, until `keep` says that nobody takes them."""
        self._keep = keep

    def _share(self) -> None:
        if self._keep is not None:
            with errors_shown(self.runner.show_message):
                if not self._keep(self.options()):
                    self._keep = None

    def reset(self) -> None:
        """Set all options to their defaults, and to what the Preferences ask for."""
        for form in self._forms:
            form.reset()
        self.set_options(preferences().options(CATALOGUE[self.operator].function))

    def measure_at(self) -> dict[str, Place]:
        """Return where is measured on the axes that are not stacked."""
        loops = self._loops()
        at = self.source.position() if loops else {}
        return self.place.places({name: where for name, where in at.items() if name in loops})

    def _loops(self) -> dict[str, int]:
        """Lengths of the axes that are not stacked, where something is measured."""
        entry = CATALOGUE[self.operator]
        measures = entry.corrects or entry.shares_measure or entry.kind == "table"
        if self.layer is None or not measures or entry.kind == "volumes":  # measured as a whole
            return {}
        sizes = layers.leading_axes(self.layer)
        return {name: size for name, size in sizes.items() if name != self.axis}

    def position(self) -> dict[str, int]:
        """Return the position of the viewer's sliders on all axes; none without y and x in view."""
        dims = self.viewer.dims
        if self.layer is None or set(dims.displayed) != {dims.ndim - 2, dims.ndim - 1}:
            return {}
        return self.source.position()

    # what follows the viewer

    def _masks(self) -> list[Any]:
        return [la for la in self.viewer.layers if may_be_a_mask(la)]

    def _keeps_its_layer(self) -> bool:
        """Whether the layer stays although another becomes active.

        What a run adds becomes active, and the dock keeps its layer, so that it can be run again
        with other options.
        """
        return self.runner.running or LivePreview.changing

    def _layers_changed(self) -> None:
        for form in self._forms:
            form.reset_choices()

    def _axes_found(self) -> None:
        self._allow_run()
        self.forecast.soon()
        if not self.runner.running:
            self.runner.show_message(self._hint())
        self._show_place()

    def _hint(self) -> str:
        if not self.source.axes():
            return "Open an image with three axes or more."
        return "Choose the axis, or say above which it is." if self.source.missing else ""

    def _allow_run(self) -> None:
        if isalive(self):
            ready = bool(self.source.axes()) and not self.source.missing
            ready &= not self.forecast.futile
            self.runner.run_button.setEnabled(ready and not self.runner.running)

    def _show_place(self, event: Any = None) -> None:  # noqa: ARG002
        if not isalive(self):
            return
        self.preview.moved()
        self.place.show_axes(self._loops())
        self.place.show_places(self.measure_at())

    def _fit(self) -> None:
        """Show in each form what counts with what is chosen in all, and adapt the width."""
        chosen = {n: v for form in self._forms for n, v in form.all_values().items()}
        for form in self._forms:
            form.count_with(chosen)
        for form in self._forms[1:]:
            changed = len(form.values())
            self.more.set_title(f"More options ({changed} changed)" if changed else "More options")
        self._area.fit()
        self.forecast.soon()
        self.preview.request()

    # the run

    def job(self) -> layers.Job:
        """Prepare what is chosen.

        Raises
        ------
        ValueError
            From the operator: an option or the data does not fit.
        """
        for form in self._forms:
            form.refuse_incomplete()
        if self.source.missing:
            raise UserError(f"choose the axis: {self.source.missing}")
        return layers.prepare(
            self.operator, self.layer, axis=self.axis, measure_at=self.measure_at(),
            **self.options(),
        )  # fmt: skip

    def run(self) -> None:
        """Run the operator; its layers are added when it is done."""
        if self.layer is None or self.runner.running:
            return
        with errors_shown():
            job = self.job()
            self.preview.off()
            self.card.show_lines(())
            self.runner.start(job.compute, partial(self._ran, job, self._chosen()))

    def _chosen(self) -> dict[str, Any]:
        """Return the options that the next dock begins with."""
        function = CATALOGUE[self.operator].function
        preferred = preferences().options(function)
        chosen = {n: v for form in self._forms for n, v in form.all_values().items()}
        return {n: chosen[n] for n in preferred} | self.options()

    def _ran(self, job: layers.Job, chosen: dict[str, Any], computed: layers.Computed) -> Done:
        remember_options(CATALOGUE[self.operator].function, chosen)  # not of a run that failed
        return self._add(job, computed)

    def _add(self, job: layers.Job, computed: layers.Computed) -> Done:
        made = job.finish(computed, visible=False)
        yield from add_in_parts(self.viewer, made, made if computed.frames is not None else ())
        hides = made[0].visible and not isinstance(made[0], Labels)  # a mask lies on its image
        if hides and job.source is not None and (source := job.source.layer()) is not None:
            source.visible = False
        select(self.viewer, made[0])
        self.card.show_lines(computed.said, partial(self._mend, sensor_look(job)))
        said = [text for text in (job.remark(computed), job.note(computed)) if text]
        return ". ".join([f"Added {made[0].name!r}", *said]) + ("." if said else "")

    def _mend(self, look: Appearance, said: Said) -> None:
        """Show what a sentence of the card offers, or set it and run again."""
        if said.shows is not None:
            self.viewer.add_layer(sensor_map(look, *said.shows()))
            return
        self.set_options(said.options)
        self.run()

    def closing(self) -> None:
        """End the run, and take the preview away."""
        super().closing()
        self.preview.off()

    def showEvent(self, event: Any) -> None:
        """Give all labels one column, once napari's style determines their width."""
        super().showEvent(event)
        # What is always in view lies in one column; the rest, with longer names, in its own.
        first, *rest = self._forms
        labels = self.source.labels + self.place.labels + first.labels
        align_labels(labels, first.panel_labels())
        for form in rest:
            form.align()
        self._fit()
        warm_up(self.operator, self.layer)
