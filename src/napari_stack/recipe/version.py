"""The version of the format of recipes: what is written, and which are read.

It is that of the format, not of the program. The number behind the point rises when something is
added that old recipes do not use, the one before it when what a recipe means changes; then the
function that upgrades older ones belongs here. docs/recipes.md tells users.
"""

import re
from collections.abc import Mapping
from typing import Any

from napari_stack.core.errors import UserError

_FORMAT = "napari-stack recipe"

#: The newest that is read; what is written needs no more than 1.0.
NEWEST = (1, 0)


def header() -> dict[str, Any]:
    """Return what a recipe begins with."""
    return {"format": _FORMAT, "version": 1}


def check_header(plain: Any) -> None:
    """Refuse what is no recipe, and a recipe of a newer format.

    Raises
    ------
    ValueError
        Naming the version found, and what to do.

    Examples
    --------
    >>> check_header({"format": "napari-stack recipe", "version": "1.0"})
    """
    if not isinstance(plain, Mapping) or plain.get("format") != _FORMAT:
        raise UserError(f"this is no recipe: it lacks the format {_FORMAT!r}")
    found = plain.get("version")
    newest = ".".join(map(str, NEWEST))
    numbers = re.fullmatch(r"([1-9]\d{0,3})(?:\.(\d{1,4}))?", str(found))
    if isinstance(found, (bool, float)) or numbers is None:
        raise UserError(
            f"the recipe has the version {found!r}: a whole number from 1, or a text such as "
            f"{newest!r}, is needed"
        )
    if (int(numbers[1]), int(numbers[2] or 0)) > NEWEST:
        raise UserError(
            f"the recipe has the version {found}, of a newer napari-stack; up to {newest} is read "
            "here: update napari-stack, or save the recipe with this version of it"
        )
