"""The operators' lines of napari.yaml, from their entries in the catalogue.

``python tools/manifest.py`` tells whether the lines are those of the catalogue; with ``--write`` it
writes them. They stand between ``# operators: ...`` and ``# end``.
"""

import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from napari_stack._widgets import dock_name
from napari_stack.operators import CATALOGUE

MANIFEST = Path(__file__).parents[1] / "src" / "napari_stack" / "napari.yaml"

_REGION = re.compile(r"^( *)# operators: ([^\n]*)\n.*?^ *# end\n", re.MULTILINE | re.DOTALL)


def lines_of(kind: str) -> Iterator[str]:
    """Give the lines of a region: commands, widgets, or those of a menu."""
    for name, entry in CATALOGUE.own.items():
        if kind == "commands":
            yield f"- id: napari-stack.{name}"
            yield f"  title: {entry.titled(name)}"
            yield f"  python_name: napari_stack._widgets:{dock_name(name)}"
        elif kind == "widgets":
            yield f"- command: napari-stack.{name}"
            yield f"  display_name: {entry.titled(name)}"
        elif kind == f"menu {entry.menu}":
            yield f"- command: napari-stack.{name}"


def filled(manifest: str) -> str:
    """Return a manifest with the lines that the catalogue makes.

    Raises
    ------
    ValueError
        When the manifest has no region for the menu of an operator.
    """
    regions = {match.group(2) for match in _REGION.finditer(manifest)}
    for name, entry in CATALOGUE.own.items():
        if f"menu {entry.menu}" not in regions:
            raise ValueError(
                f"{name} is in the menu {entry.menu!r}, for which napari.yaml has no lines "
                f"'# operators: menu {entry.menu}' and '# end' under 'menus'"
            )

    def lines(match: re.Match[str]) -> str:
        indent, kind = match.groups()
        inner = "".join(f"{indent}{line}\n" for line in lines_of(kind))
        return f"{indent}# operators: {kind}\n{inner}{indent}# end\n"

    return _REGION.sub(lines, manifest)


def main() -> int:
    """Check or write the manifest; status 1 when it is out of date."""
    parser = ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help="write the lines")
    write = parser.parse_args().write
    old = MANIFEST.read_text("utf-8")
    new = filled(old)
    if new == old:
        return 0
    if not write:
        remedy = f"{Path(sys.executable).name} tools/manifest.py --write"
        print(f"napari.yaml lacks what the catalogue says: {remedy}", file=sys.stderr)
        return 1
    MANIFEST.write_text(new, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
