"""The reference of all public names, from their docstrings, in pages by subject."""

import inspect
from typing import Any

import napari_stack
from napari_stack.core.options import summary
from napari_stack.operators import CATALOGUE

#: Names that open a page of their own, by page; operators and what belongs to them follow.
_SUBJECTS = {
    "stacks": ("Stacks and files", "read write Stack Hyperstack Axis Look Run Cancelled UserError"),
    "recipes": ("Recipes", "Recipe Step"),
}
_MODULES = {
    "samples": ("Samples", "napari_stack.samples"),
    "layers": ("Functions on layers", "napari_stack.layers"),
}
_FAMILIES = {
    "registration": "Registration and motion",
    "geometry": "Geometry",
    "combine": "Averages and rejection",
    "corrections": "Corrections",
    "focus": "Focus stacking",
    "filters": "Filters",
    "inspection": "Quality of frames",
}


def subjects() -> dict[str, tuple[str, list[str]]]:
    """Sort the public names into pages: title and names; every name is in one."""
    found = {page: (title, words.split()) for page, (title, words) in _SUBJECTS.items()}
    found |= {page: (title, []) for page, title in _FAMILIES.items()}
    taken = {name for _, names in found.values() for name in names} | set(_MODULES)
    for name in napari_stack.__all__:
        if name not in taken:
            family = getattr(napari_stack, name).__module__.split(".")[2]
            found[family][1].append(name)
    return found


def names() -> list[str]:
    """Name the pages."""
    return [f"api/{page}.md" for page in [*subjects(), *_MODULES]]


def pages() -> dict[str, str]:
    """Write the pages, and one that lists all names."""
    made: dict[str, str] = {}
    index = ["# API reference", "", "All names of `import napari_stack as ns`.", ""]
    for page, (title, members) in subjects().items():
        made[f"api/{page}.md"] = "\n".join([f"# {title}", "", *map(_entry, members)])
        index += [f"## [{title}]({page}.md)", "", "| name | what it is |", "| --- | --- |"]
        index += [f"| [{name}]({page}.md#{_path(name)}) | {_line(name)} |" for name in members]
        index.append("")
    for page, (title, module) in _MODULES.items():
        parts = [f"# {title}", "", *(_block(path) for path in _functions(module))]
        made[f"api/{page}.md"] = "\n".join(parts)
        index += [f"## [{title}]({page}.md)", ""]
    made["api/index.md"] = "\n".join(index)
    return made


def _entry(name: str) -> str:
    """Write what a name is shown by; of a class its methods, for its docstring tells the fields."""
    value = getattr(napari_stack, name)
    more = f"All options in a table: [{name}](../operators/{name}.md).\n\n"
    block = _block(_path(name), _methods(value) if inspect.isclass(value) else None)
    return block + (more if name in CATALOGUE.own else "")


def _methods(value: type) -> list[str]:
    kinds = (property, classmethod, staticmethod)
    return [
        name
        for name, member in vars(value).items()
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, kinds))
    ]


def _block(path: str, members: list[str] | None = None) -> str:
    if members is None:
        return f"::: {path}\n\n"
    return f"::: {path}\n    options:\n      members: {members or 'false'}\n\n"


def _path(name: str) -> str:
    value = getattr(napari_stack, name)
    return f"{value.__module__}.{value.__qualname__}"


def _line(name: str) -> str:
    return summary(getattr(napari_stack, name)).replace("|", "\\|")


def _functions(module: str) -> list[str]:
    """Name the functions of a module whose home is in it; operators on layers are made."""
    found: Any = __import__(module, fromlist=["*"])
    members = [getattr(found, name) for name in dir(found) if not name.startswith("_")]
    functions = [value for value in members if inspect.isfunction(value)]
    own = [value for value in functions if value.__module__.startswith(module)]
    return list(dict.fromkeys(f"{value.__module__}.{value.__qualname__}" for value in own))
