"""`describe`: a step in a line of plain words."""

from napari_stack.core.errors import UserError
from napari_stack.core.options import options_of
from napari_stack.core.options_json import options_to_json
from napari_stack.recipe.step import Step


def describe(step: Step) -> str:
    """Describe a step: what it does, and the options that are not at their default.

    Examples
    --------
    >>> describe(Step("sigma_clip", {"sigma": 3.0}, axis="z"))
    'sigma clip: sigma = 3.0, along z'
    """
    known = options_of(step.function)
    changed = [_option(step, name) for name in step.options if name in known]
    parts = [text for text in changed if text]
    if step.axis:
        parts.append(f"along {step.axis}")
    if step.measure_at:
        parts.append("measured at " + ", ".join(f"{n} = {i}" for n, i in step.measure_at.items()))
    if step.measure_each:
        parts.append("measured everywhere")
    if step.input:
        parts.append(f"of {step.input}")
    name = step.operator.replace("_", " ")
    title = name if step.name in ("", step.operator) else f"{step.name} ({name})"
    return f"{title}: {', '.join(parts)}" if parts else title


def _option(step: Step, name: str) -> str:
    words = name.replace("_", " ")
    try:
        plain = options_to_json(step.function, {name: step.options[name]})
    except UserError:  # an image
        return f"{words} = an image"
    if name not in plain:
        return ""
    value = plain[name]
    if isinstance(value, dict):
        inner = ", ".join(f"{n.replace('_', ' ')} = {v}" for n, v in value.items() if n != "name")
        return f"{words} = {value['name']}" + (f" ({inner})" if inner else "")
    return f"{words} = {value}"
