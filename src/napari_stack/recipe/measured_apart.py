"""`axes_measured_apart`: where a step measures more than once."""

from napari_stack.core.axis import usual_name
from napari_stack.core.stack import Stack
from napari_stack.recipe.step import Data, Step


def axes_measured_apart(step: Step, data: Data) -> list[str]:
    """Return the axes, besides the one that is stacked, whose places are measured for themselves.

    An operator that measures apart does so once for all channels.
    """
    placed = step.with_stacked_axis(data)
    if isinstance(placed, Stack):
        return []
    several = [name for name, size in placed.loops.items() if size > 1]
    if step.measure_each:
        return several
    if not step.entry.measures_apart:
        return []
    named = {placed.called(name) for name in step.measure_at}
    return [name for name in several if usual_name(name) != "c" and name not in named]
