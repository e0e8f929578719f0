"""Options of steps as they were changed the last time, for each kind of data on its own."""

from collections.abc import Mapping
from typing import Any

from napari_stack._widgets.parts.options.preferences import (
    keep,
    kept,
    known_options,
    plain_options,
)
from napari_stack.core.options_json import same_value
from napari_stack.recipe import Step
from napari_stack.recipe.draft import Draft

_BACK = "back to default"


def remember(kind: str, planned: Draft | None, draft: Draft) -> None:
    """Keep what was changed of the options that were planned for a kind of data.

    Parameters
    ----------
    kind : str
    planned, draft : Draft
        The same steps: as they were planned, and as they are run. Nothing is kept of steps that
        were not planned.
    """
    if planned is None:
        return
    found = dict(kept(_name(kind)))
    for before, step in zip(planned.steps, draft.steps, strict=True):
        if changed := _changed(before, step):
            found[step.operator] = changed
        else:
            found.pop(step.operator, None)
    keep(_name(kind), found)


def forget(kind: str) -> None:
    """Keep nothing of a kind of data."""
    keep(_name(kind), {})


def with_last_options(kind: str, planned: Draft) -> tuple[Draft, list[int]]:
    """Return planned steps with the options of the last time, and the numbers of those changed."""
    draft, changed = planned, []
    known = kept(_name(kind))
    for number, step in enumerate(planned.steps):
        options = _recalled(step, known.get(step.operator))
        if options != dict(step.options):
            draft = draft.with_options(number, options)
            changed.append(number)
    return draft, changed


def _name(kind: str) -> str:
    return f"kind: {kind}"


def _changed(before: Step, step: Step) -> dict[str, Any]:
    known = step.entry.options
    new = {
        name: value for name, value in step.options.items()
        if not same_value(value, before.options.get(name, known[name].default))
    }  # fmt: skip
    plain = plain_options(step.function, new)
    planned = [n for n in before.options if n not in step.options]
    back = planned + [n for n in new if same_value(new[n], known[n].default)]
    return plain | ({_BACK: back} if back else {})


def _recalled(step: Step, plain: Any) -> dict[str, Any]:
    options = dict(step.options)
    if not isinstance(plain, Mapping):
        return options
    back = plain.get(_BACK, ())
    for name in back if isinstance(back, list) else ():
        options.pop(name, None)
    rest = {name: value for name, value in plain.items() if name != _BACK}
    return options | known_options(step.function, rest)
