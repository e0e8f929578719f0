"""A page for each operator of the catalogue, from its signature, docstring and entry."""

import inspect
from collections.abc import Iterator
from pathlib import Path

from napari_stack.core.operator import Operator
from napari_stack.core.options import Option, options_of, parsed_docstring, summary
from napari_stack.operators import CATALOGUE

PICTURES = Path(__file__).parents[2] / "docs" / "images"
_MENUS = {
    "register": "Layers > Register",
    "filter": "Layers > Filter",
    "project": "Layers > Project",
    "transform": "Layers > Transform",
}
_OUTPUTS = {
    "frames": "frames, computed when they are looked at",
    "images": "images",
    "table": "a table",
    "volumes": "volumes, computed when they are looked at",
}


def names() -> list[str]:
    """Name the pages, in the order of the catalogue."""
    return [f"operators/{name}.md" for name in CATALOGUE.own]


def pages() -> dict[str, str]:
    """Write the pages, and one that lists them."""
    own = CATALOGUE.own
    rows = [f"| [{name}]({name}.md) | {_cell(summary(own[name].function))} |" for name in own]
    index = ["# Operators", "", _INTRODUCTION, "", "| operator | what it does |", "| --- | --- |"]
    made = {"operators/index.md": "\n".join([*index, *rows, ""])}
    return made | {f"operators/{name}.md": page(name, own[name]) for name in own}


_INTRODUCTION = """Every operator is one function. Its dock, its command, its step in recipes and
its layer function have the same options, with the same names, defaults, ranges and texts: they are
written once, in the signature, and these pages are made from it."""


def page(name: str, entry: Operator) -> str:
    """Write the page of an operator."""
    lines = [f"# {entry.titled(name)}", "", *_text(entry), *_picture(name), *_faces(name, entry)]
    options = options_of(entry.function)
    main = {n: options[n] for n in entry.main if n in options}
    lines += ["## Options", "", *_table(main | options), ""]
    methods = {m.__name__: m for o in options.values() for m in o.methods.values()}
    for title, method in methods.items():
        lines += [f"### {title}", "", summary(method), "", *_table(options_of(method)), ""]
    return "\n".join(lines)


def _text(entry: Operator) -> Iterator[str]:
    parsed = parsed_docstring(entry.function)
    yield from (parsed.short_description or "", "", parsed.long_description or "", "")


def _picture(name: str) -> Iterator[str]:
    if (PICTURES / f"{name}.png").exists():
        yield from (f"![The dock](../images/{name}.png)", "")


def _faces(name: str, entry: Operator) -> Iterator[str]:
    menu = _MENUS.get(entry.menu, "")
    title = entry.titled(name)
    yield from ("| where | how |", "| --- | --- |")
    if menu:
        yield f"| in napari | *{menu} > {title}* |"
    yield f"| in a script | `ns.{name}(stack, ...)`, on layers `layers.{name}(layer, ...)` |"
    yield f"| on the command line | `napari-stack {name.replace('_', '-')} INPUTS -o OUT ...` |"
    yield f'| in a recipe | `{{"operator": "{name}", "options": {{...}}}}` |'
    yield f"| what comes out | {_OUTPUTS[entry.kind]} |"
    yield ""


def _table(options: dict[str, Option]) -> Iterator[str]:
    if not options:
        yield "It has no options."
        return
    yield from ("| option | accepts | default | what it does |", "| --- | --- | --- | --- |")
    for name, option in options.items():
        cells = (f"`{name}`", _cell(_accepts(option)), _default(option), _cell(option.text))
        yield f"| {' | '.join(cells)} |"


def _accepts(option: Option) -> str:
    """Say what an option accepts: names, numbers in a range, an image."""
    choices = [f"`{choice}`" for choice in option.choices]
    if str(option.kind).endswith("ndarray'>"):
        return "an array, a file, or a layer"
    kinds = {bool: "yes or no", int: "whole number", float: "number", str: "text"}
    kind = kinds.get(option.kind, "pairs of points")
    if option.bounds:
        kind = f"{kind}, {option.bounds}"
    return ", ".join(choices + ([kind] if option.bounds or not choices else []))


def _default(option: Option) -> str:
    value = option.default
    if value is None:
        return "none"
    return "yes" if value is True else "no" if value is False else f"`{value}`"


def _cell(text: str) -> str:
    return inspect.cleandoc(text).replace("\n", " ").replace("|", "\\|")
