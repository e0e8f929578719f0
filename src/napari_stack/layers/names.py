"""What results are called: by their frames and what was done; maps after their picture."""

from napari_stack.core.options import method_name
from napari_stack.recipe import Step

#: Note in the metadata of a layer of depth: where frames lie, and how far apart.
DEPTH_AXIS = "depth_axis"


def result_name(source: str, step: Step, kind: str = "") -> str:
    """Return the name of a layer: that of the frames, then what became of them.

    Parameters
    ----------
    source : str
        Name of the layer of frames.
    step : Step
        What was done.
    kind : str
        Which image it is, where it is not the picture: what a run made stands together.

    Examples
    --------
    >>> result_name("cells - aligned", Step("sigma_clip"))
    'cells - aligned - clipped'
    >>> result_name("cells - aligned", Step("sigma_clip"), "rejected")
    'cells - aligned - clipped - rejected'
    """
    parts = [source, _became(step), *([kind] if kind else [])]
    return " - ".join(parts)


def _became(step: Step) -> str:
    """Tell what was done, or the option that says more, such as a method."""
    entry = step.entry
    if not (name := entry.named_by):
        return entry.became or step.operator.replace("_", " ")
    chosen = step.options.get(name, entry.options[name].default)
    return chosen if isinstance(chosen, str) else method_name(type(chosen))
