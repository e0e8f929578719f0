"""`Draft`: a recipe that is being changed: options set, steps switched off, nothing run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from napari_stack.core.errors import UserError
from napari_stack.recipe.recipe import Recipe
from napari_stack.recipe.rows import last_frames
from napari_stack.recipe.step import Step


@dataclass(frozen=True)
class Draft:
    """Steps, and which of them are on.

    Parameters
    ----------
    steps : tuple of Step
    on : tuple of bool, optional
        By default all.
    before : tuple of Step
        What was done before these; see `Recipe`.

    Examples
    --------
    >>> draft = Draft((Step("register"), Step("balance"), Step("combine")))
    >>> [step.operator for step in draft.switched(1, False).recipe().steps]
    ['register', 'combine']
    """

    steps: tuple[Step, ...] = ()
    on: tuple[bool, ...] = ()
    before: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        if not self.on:
            object.__setattr__(self, "on", (True,) * len(self.steps))

    def switched(self, number: int, on: bool) -> Self:
        """Switch a step on or off."""
        return replace(self, on=(*self.on[:number], on, *self.on[number + 1 :]))

    def with_options(self, number: int, options: Mapping[str, Any]) -> Self:
        """Give a step other options.

        Raises
        ------
        ValueError
            For an unknown option, or a value out of range.
        """
        step = replace(self.steps[number], options=dict(options))
        return replace(self, steps=(*self.steps[:number], step, *self.steps[number + 1 :]))

    def recipe(self) -> Recipe:
        """Return the recipe of the steps that are on; those that are off are passed over.

        Raises
        ------
        ValueError
            When no step is on, or a step would take its frames from another place than before.
        """
        if not any(self.on):
            raise UserError("all steps are switched off: switch one on")
        whole = Recipe(self.steps)
        on = dict(zip(whole.named(), self.on, strict=True))
        kept: dict[str, Step] = {}
        for name, step in whole.named().items():
            if not on[name]:
                continue
            source, before = whole.inputs(name), last_frames(kept)
            while source and not on[source]:
                source = whole.inputs(source)
            if source == "" and before:
                raise UserError(
                    f"the step {name!r} would take its frames from {before!r} now: switch that "
                    "off too, or leave on the step that it took them from"
                )
            layers = [layer for layer in step.layers if on[layer]]
            explicit = source if source != before or step.input else ""
            kept[name] = replace(step, input=explicit, layers=layers)
        wanted = {n for step in kept.values() for n in (step.input, *step.layers)}
        steps = [replace(s, name=n if n in wanted else s.name) for n, s in kept.items()]
        return Recipe(steps, self.before)
