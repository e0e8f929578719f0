"""What the "Stack" dock calls steps and kinds, and which options of a step it shows."""

from napari_stack.operators import CATALOGUE
from napari_stack.recipe import Step

_TITLES = {
    "repair_hot_pixels": "Repair hot pixels",
    "correct_flat_field": "Even out the light",
    "correct_vignetting": "Even out the light",
    "correct_bleaching": "Undo bleaching",
    "register": "Align the frames",
    "balance": "Level their brightness",
    "focus_stack": "Fuse what is sharp",
    "sigma_clip": "Average without outliers",
    "combine": "Average",
}

#: Options that matter most, where they are not the first two of the operator's dock.
_SHOWN = {"register": ("transform", "reference"), "repair_hot_pixels": ("kind",)}


def title_of(step: Step) -> str:
    """Say what a step does, as an order.

    Examples
    --------
    >>> title_of(Step("register")), title_of(Step("denoise"))
    ('Align the frames', 'Denoise')
    """
    words = step.operator.replace("_", " ").capitalize()
    return step.name or _TITLES.get(step.operator, words)


def shown_options(operator: str) -> tuple[str, ...]:
    """Return the one or two options of an operator that matter most."""
    return _SHOWN.get(operator, CATALOGUE[operator].main[:2])
