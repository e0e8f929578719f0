"""What files tell of what was done to the frames in them before."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.files import read_recipe
from napari_stack.recipe.recipe import Recipe
from napari_stack.recipe.rows import Earlier

#: Key in the recipe of a file that holds another image than the picture that its last step made.
IMAGE = "image"


def earlier_in(files: Sequence[str | Path]) -> Earlier:
    """Return what was done to make files, as far as they carry their recipe.

    A recipe can go on from one file. Of several, each may have been made by itself: what was done
    to the middle one is told.

    Warns
    -----
    UserWarning
        When a file carries a recipe that is none here.
    """
    if not files:
        return Earlier()
    file = files[len(files) // 2]
    try:
        plain = read_recipe(file)
    except (OSError, ValueError):  # whatever is wrong with it is told where its pixels are read
        return Earlier()
    try:
        return earlier_of(plain, alone=len(files) == 1)
    except UserError as error:
        text = f"{file} carries a recipe that is left out of the result: {error}"
        warn_caller(text)
        return Earlier()


def earlier_of(plain: Mapping[str, Any] | None, *, alone: bool = True) -> Earlier:
    """Return what a recipe tells of the frames that carry it.

    Parameters
    ----------
    plain : mapping or None
        The recipe, as JSON.
    alone : bool
        They are all that it made: else it is told, and a recipe cannot go on from it.

    Raises
    ------
    ValueError
        When it is none.
    """
    if plain is None:
        return Earlier()
    recipe = Recipe.from_json(plain)
    if alone and IMAGE not in plain:
        return Earlier(tuple(recipe.steps), tuple(recipe.before))
    return Earlier(told=(*recipe.before, *recipe.steps))
