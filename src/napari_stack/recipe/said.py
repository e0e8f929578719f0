"""`said_of`: what the result of a step tells in plain words."""

from collections.abc import Mapping
from typing import Any

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.operator import resolve
from napari_stack.core.results import images_of, numbers_of
from napari_stack.core.said import Outcome, Said
from napari_stack.core.sources.combined_sources import Place
from napari_stack.core.stack import Stack
from napari_stack.recipe.measured_apart import axes_measured_apart
from napari_stack.recipe.step import Data, Step


def said_of_settled(asked: Step, step: Step) -> list[Said]:
    """Return sentences on the options that were left to the frames, and what they became."""
    return [
        Said(f"{name.replace('_', ' ').capitalize()}: {value}, as suits these frames")
        for name, value in step.options.items()
        if name in asked.options and asked.options[name] is not value
    ]


def said_of(step: Step, result: Any, data: Data | None = None) -> list[Said]:
    """Return sentences on what a step made.

    Parameters
    ----------
    step : Step
    result : object
        What `Step.apply` gave.
    data : Stack or Hyperstack, optional
        What it was made of.
    """
    if step.entry.says is None:
        return []
    if isinstance(result, Stack | Hyperstack):
        outcome = Outcome(step.measured_stack(result), {}, step.options)
    elif step.entry.kind == "table":
        outcome = Outcome(None, {"table": result}, step.options)
    else:
        found = images_of(result) | numbers_of(result)
        placed = None if data is None else step.with_stacked_axis(data)
        unit = "" if placed is None else placed.axes[placed.number].unit
        outcome = Outcome(None, found, step.options, _at_one_position(placed), unit)
    said = list(resolve(step.entry.says)(outcome))
    if said and (at := place_of_table(step, data)):
        said.append(Said(f"Measured at {at} only"))
    apart = axes_measured_apart(step, result) if isinstance(result, Hyperstack) else []
    if said and apart:
        first = ", ".join(f"{name} 0" for name in apart)
        said.append(Said(f"This is of {first}: others were measured for themselves"))
    return said


def place_of_table(step: Step, data: Data | None) -> str:
    """Return in words where a table was measured; "" where there is no other place."""
    if data is None or step.entry.kind != "table":
        return ""
    placed = step.with_stacked_axis(data)
    if isinstance(placed, Stack) or all(size == 1 for size in placed.loops.values()):
        return ""
    named = {placed.called(name): at for name, at in step.measure_at.items()}
    return places_in_words({**placed.centre(), **named})


def places_in_words(places: Mapping[str, Place]) -> str:
    """Say where on other axes something is measured.

    Examples
    --------
    >>> places_in_words({"c": 1, "z": "maximum"})
    'c = 1, maximum over z'
    """
    return ", ".join(
        f"{at} over {name}" if isinstance(at, str) else f"{name} = {at}"
        for name, at in places.items()
    )


def _at_one_position(placed: Data | None) -> Stack | None:
    if placed is None or isinstance(placed, Stack):
        return placed
    return placed.stack({}) if all(size == 1 for size in placed.loops.values()) else None
