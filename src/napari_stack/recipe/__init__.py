"""Recipes: operators as data, in steps that are checked, run, saved and written as scripts."""

from napari_stack.core.results import images_of
from napari_stack.recipe.recipe import Recipe
from napari_stack.recipe.results import save_result
from napari_stack.recipe.step import Data, Step, refuse_single

__all__ = ["Data", "Recipe", "Step", "images_of", "refuse_single", "save_result"]
