"""What to do with frames: what is seen of them, what kind they seem to be, and steps that suit."""

from napari_stack.recipe.planning.facts import Facts, Seen
from napari_stack.recipe.planning.guess import GOALS, Guess, guess
from napari_stack.recipe.planning.look import look_at
from napari_stack.recipe.planning.plan import Plan, Planned, plan_for, recipe_for

__all__ = ["GOALS", "Facts", "Guess", "Plan", "Planned", "Seen", "guess", "look_at", "plan_for",
           "recipe_for"]  # fmt: skip
