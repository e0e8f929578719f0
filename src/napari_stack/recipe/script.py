"""`python_script`: steps written as a Python script that does the same."""

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.options import options_of
from napari_stack.core.options_json import options_to_json
from napari_stack.core.point_pairs import PointPairs
from napari_stack.core.results import is_tuple
from napari_stack.core.sources.combined_sources import places_to_json
from napari_stack.core.strokes import Strokes
from napari_stack.recipe.results import output_paths
from napari_stack.recipe.step import Data, Step

if TYPE_CHECKING:
    from napari_stack.recipe.recipe import Recipe

#: Names that a result must not take in the script.
_TAKEN = {"ns", "frames"}

#: Longest line of a call; longer ones get a line for each option.
_WIDTH = 96


def python_script(recipe: "Recipe", inputs: str | Sequence[str], data: Data | None = None) -> str:
    """Write a recipe as a script that reads frames, does the steps and saves what they save.

    Parameters
    ----------
    recipe : Recipe
    inputs : str or sequence of str
        What the script reads: a file, a folder, a glob or a list of these.
    data : Stack or Hyperstack, optional
        The frames that the steps are for. With several axes each step names the one that it
        stacks; without data, frames along one axis are assumed.

    Raises
    ------
    ValueError
        For an option that is an array, which a script cannot hold either.
    """
    named = recipe.named()
    variables = _variables(named)
    given = repr(inputs if isinstance(inputs, str) else list(inputs))
    body = [f"frames = ns.read({given})"]
    sources = {"": "frames", **variables}
    for name, step in named.items():
        options_to_json(step.function, step.options)  # refuses arrays
        source = sources[recipe.inputs(name)]
        body += _call(variables[name], source, step, data)
        body += _saves(variables, name, step, source, data)
    head = ['"""Written by napari-stack: what was done to some frames."""', ""]
    head += ["import napari_stack as ns"]
    if any(step.save and step.layers for step in named.values()):
        head.append("from napari_stack.files import named_layers")
    return "\n".join([*head, "", *body]) + "\n"


def _variables(named: Mapping[str, Step]) -> dict[str, str]:
    """Name the result of every step as Python can."""
    found: dict[str, str] = {}
    for name in named:
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or "result"
        plain = f"step_{plain}" if plain[0].isdigit() else plain
        word, number = plain, 2
        while word in {*_TAKEN, *found.values()} or keyword.iskeyword(word):
            word, number = f"{plain}_{number}", number + 1
        found[name] = word
    return found


def _call(variable: str, source: str, step: Step, data: Data | None) -> list[str]:
    options = [f"{name}={_written(value)}" for name, value in _changed(step).items()]
    if not isinstance(data, Hyperstack):
        return _lines(f"{variable} = ns.{step.operator}(", [source, *options], ")")
    if step.measure_at:
        place = places_to_json(step.measure_at)
        options.insert(0, f"measure_at={place!r}")
    if step.measure_each:
        options.insert(0, "measure_each=True")
    opening = f"{variable} = {_turned(source, step, data)}.map("
    return _lines(opening, [f"ns.{step.operator}", *options], ")")


def _turned(source: str, step: Step, data: Hyperstack) -> str:
    """Turn frames to the axis that the step stacks, whatever an earlier one stacked."""
    placed = step.with_stacked_axis(data)
    assert isinstance(placed, Hyperstack)
    return f"{source}.along({placed.axis!r})"


def _changed(step: Step) -> dict[str, Any]:
    known = options_to_json(step.function, step.options)
    options = step.entry.options
    return {
        name: known[name] if options[name].kind in (PointPairs, Strokes) else value
        for name, value in step.options.items()
        if name in known
    }


def _lines(opening: str, arguments: Sequence[str], closing: str) -> list[str]:
    line = opening + ", ".join(arguments) + closing
    if len(line) <= _WIDTH:
        return [line]
    return [opening, *(f"    {argument}," for argument in arguments), closing]


def _written(value: Any) -> str:
    """Write a value as Python; of a method's options only those that are not at their default."""
    if is_dataclass(value) and not isinstance(value, type):
        known = options_of(type(value))
        changed = [f"{n}={_written(v)}" for n, v in vars(value).items() if v != known[n].default]
        return f"ns.{type(value).__name__}({', '.join(changed)})"
    if isinstance(value, Path):
        return repr(value.as_posix())
    return repr(value.item() if isinstance(value, np.generic) else value)


def _saves(
    variables: Mapping[str, str], name: str, step: Step, source: str, data: Data | None
) -> list[str]:
    result = variables[name]
    lines = (
        [f"{_one(result, data)}.transforms.save({step.transforms!r})"] if step.transforms else []
    )
    if not step.save:
        return lines
    for number, (image, path) in enumerate(output_paths(Path(step.save), step).items()):
        target = repr(path.as_posix())
        if not image:  # frames bring their axes along
            lines += _lines("ns.write(", [target, result], ")")
            continue
        value = f"{result}.{image}" if is_tuple(step.entry.result) else result
        more = [f"axes={_axes(source, step, data)}", f"exif_from={source}"]
        if image == "image" and (rgb := _colours(data)) is not None:
            more.append(f"rgb={rgb}")
        if step.layers and number == 0:
            below = {step.operator: result, **{layer: variables[layer] for layer in step.layers}}
            entries = ", ".join(f"{layer!r}: {variable}" for layer, variable in below.items())
            more.append(f"layers=named_layers({{{entries}}})")
        lines += _lines("ns.write(", [target, value, *more], ")")
    return lines


def _one(result: str, data: Data | None) -> str:
    """Write one stack of a result: what was measured is the same at all positions."""
    return f"{result}.stack()" if isinstance(data, Hyperstack) else result


def _axes(source: str, step: Step, data: Data | None) -> str:
    if isinstance(data, Hyperstack):
        return f"{_turned(source, step, data)}.loop_axes"
    return f"{source}.axes[1:]"


def _colours(data: Data | None) -> bool | None:
    """Whether the channels are colours; None where there are none, or nobody knows."""
    return None if data is None or data.frames.ndim < 4 else data.frames.rgb
