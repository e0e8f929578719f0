"""Plots of the steps that were run, as files: refused before the work, then drawn."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.operator import resolve
from napari_stack.core.results import is_tuple
from napari_stack.core.sources.combined_sources import Place
from napari_stack.core.stack import Stack
from napari_stack.core.system.atomic_write import refuse_existing
from napari_stack.operators.inspection.plots import Made, PlotFormat, new_figure, save_figure
from napari_stack.recipe.step import Data, Step


class Plots(NamedTuple):
    """Where plots go, and how.

    Attributes
    ----------
    folder : Path
    kind : {"png", "svg"}
    overwrite : bool
        Replace files that are there.
    """

    folder: Path
    kind: PlotFormat = "png"
    overwrite: bool = False

    def paths(
        self, name: str, step: Step, data: Data
    ) -> dict[Path, tuple[str, Mapping[str, Place]]]:
        """Files of a step's plots: the name of the plot, and the position that it is about.

        Parameters
        ----------
        name : str
            Of the step; names of files begin with it.
        step : Step
        data : Stack or Hyperstack
            What the step is applied to.
        """
        start = re.sub(r"[^\w.-]+", "_", name)
        return {
            self.folder / f"{start}-{plot}{_suffix(place, several)}.{self.kind}": (plot, place)
            for place, several in _positions(step, step.with_stacked_axis(data))
            for plot in step.entry.plots
        }

    def check(self, name: str, step: Step, data: Data) -> None:
        """Refuse before the work what `save` would refuse after it.

        Raises
        ------
        FileExistsError
            When a file is there and `overwrite` is False.
        ImportError
            When there is something to draw and matplotlib is not installed.
        """
        if step.entry.plots:
            new_figure()
        for path in self.paths(name, step, data):
            refuse_existing(path, self.overwrite)

    def save(self, name: str, step: Step, data: Data, result: Any) -> list[Path]:
        """Draw what a step made.

        Parameters
        ----------
        name, step, data
            As for `paths`.
        result : object
            What `Step.apply` gave.

        Returns
        -------
        list of Path
            The files that were written.
        """
        written = []
        for path, (plot, place) in self.paths(name, step, data).items():
            figure = new_figure()
            made = _made(step, step.with_stacked_axis(data), result, place)
            resolve(step.entry.plots[plot])(figure, made)
            if figure.axes:
                save_figure(figure, path, overwrite=self.overwrite)
                written.append(path)
        return written


def _positions(step: Step, data: Data) -> Iterator[tuple[Mapping[str, Place], bool]]:
    """Positions of the other axes where a step measured, and whether there are several."""
    if step.measure_each:
        yield from ((place, True) for place in data.positions())
    else:
        yield {**data.centre(), **step.measure_at}, False


def _suffix(place: Mapping[str, Place], several: bool) -> str:
    return "".join(f"-{name}{at}" for name, at in place.items()) if several else ""


def _made(step: Step, data: Data, result: Any, place: Mapping[str, Place]) -> Made:
    if isinstance(result, Stack | Hyperstack):
        # Every position has the corrections; a projection has none.
        numbers = {name: at for name, at in place.items() if not isinstance(at, str)}
        return Made(data.stack(place), result.stack(numbers), step.options)
    at = tuple(place[name] for name in data.loops)
    if not is_tuple(type(result)):
        return Made(data.stack(place), result[at], step.options)
    parts = (None if part is None else part[at] for part in result)
    return Made(data.stack(place), type(result)(*parts), step.options)
