"""Layer functions: an operator's options and texts on a function of a layer."""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from textwrap import wrap
from typing import Any

from napari.layers import Image, Labels

from napari_stack.core.errors import UserError
from napari_stack.core.operator import Operator
from napari_stack.core.sources.combined_sources import Place
from napari_stack.engine.run import Run
from napari_stack.layers.jobs.job import prepare


@cache
def layer_function(operator: str, entry: Operator) -> Callable[..., Any]:
    """Make the function that runs an operator of the catalogue on an Image layer."""
    frames = entry.gives_frames

    def function(
        layer: Image,
        *,
        axis: str | int | None = None,
        measure_at: Mapping[str, Place] | None = None,
        run: Run = Run(),
        **options: Any,
    ) -> Any:
        if entry.kind == "table":
            raise UserError(
                f"{operator} gives a table, which is no layer: run it in its dock, in a recipe, in "
                "a script or on the command line"
            )
        job = prepare(operator, layer, axis=axis, measure_at=measure_at, **options)
        made = job.finish(job.compute(run))
        return made[0] if frames else made

    function.__name__ = function.__qualname__ = operator
    function.__module__ = "napari_stack.layers"
    function.__signature__ = _signature(function, entry)  # type: ignore[attr-defined]
    function.__doc__ = _text(operator, entry)
    return function


def _signature(function: Callable[..., Any], entry: Operator) -> inspect.Signature:
    own = inspect.signature(function).parameters
    theirs = inspect.signature(entry.function).parameters
    options = [theirs[name] for name in entry.options]
    measured = entry.gives_frames or entry.shares_measure
    place = [own["axis"], *([own["measure_at"]] if measured else [])]
    return inspect.Signature(
        [own["layer"], *place, *options, own["run"]],
        return_annotation=Image if entry.gives_frames else list[Image | Labels],
    )


def _text(operator: str, entry: Operator) -> str:
    preferred = entry.preferred_axis
    default = f"the one called {preferred}, else the first" if preferred else "the first"
    lines = [
        entry.summary, "",
        f"This is `napari_stack.{operator}` on a layer. Results keep its scale, units, axis",
        "labels, place and colours.", "",
        "Parameters", "----------",
        "layer : Image layer",
        "    Frames along an axis, then y and x; of a multiscale layer the finest level is taken.",
        "axis : str or int, optional",
        f"    Axis to stack, by label or number; by default {default}.",
    ]  # fmt: skip
    if entry.gives_frames:
        lines += [
            'measure_at : mapping of str to int, "mean" or "maximum", optional',
            "    With more axes: where on the others to measure, or on which projection along one,",
            "    as ``{'c': 1, 'z': 'maximum'}``; by default the first channel and the middle of",
            "    the rest. The result is applied everywhere.",
        ]
    elif entry.shares_measure:
        lines += [
            "measure_at : mapping of str to int, optional",
            "    With more axes: the place on one of them, as ``{'c': 1}``, that is measured for",
            "    all along it; by default each is measured for itself.",
        ]
    for name, option in entry.options.items():
        lines += [name, *wrap(option.help, 96, initial_indent="    ", subsequent_indent="    ")]
    lines += ["run : Run", "    How to run.", "", "Returns", "-------"]
    if entry.gives_frames:
        lines += ["Image layer", "    Lazy: a frame is computed when it is shown."]
    else:
        lines += ["list of Image layers", "    The image first; then what was measured with it."]
    return "\n".join(lines) + "\n"
