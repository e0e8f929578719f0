"""Corrections of the sensor: frames as the sensor gave them, before any warp."""

from dataclasses import replace
from typing import Any

from napari_stack.core.errors import UserError
from napari_stack.core.source import Selected, Source
from napari_stack.core.sources.combined_sources import Projected, projected
from napari_stack.core.sources.stack_source import Rendered
from napari_stack.core.stack import Stack


def sensor_view(stack: Stack) -> Stack:
    """Return the frames with the corrections of the sensor alone: what one more is measured on.

    Examples
    --------
    >>> import numpy as np
    >>> sensor_view(Stack.wrap(np.zeros((3, 4, 5)))).shape
    (3, 4, 5)
    """
    if isinstance(stack.source, Projected):
        planes = [sensor_view(plane) for plane in stack.source.stacks]
        return replace(projected(planes, stack.source.way), used=stack.used)
    inner = _opened(stack.source)
    if inner is not None:
        return replace(sensor_view(inner), used=stack.used)
    kept = tuple(c for c in stack.corrections if c.of_sensor)
    return replace(stack, corrections=kept)


def _opened(source: Source) -> Stack | None:
    """Stack whose frames, as seen, are the source of another."""
    if isinstance(source, Rendered):
        return source.stack
    if isinstance(source, Selected) and isinstance(source.source, Projected):
        planes = [plane.select(source.frames) for plane in source.source.stacks]
        return projected(planes, source.source.way)
    if isinstance(source, Selected) and (inner := _opened(source.source)) is not None:
        return inner.select(source.frames)
    return None


def check_size(what: str, size: Any, stack: Stack) -> None:
    """Refuse a correction of the sensor that is not of the sensor's size.

    Raises
    ------
    ValueError
        Naming both sizes; for registered frames also what to do.
    """
    sensor = sensor_view(stack)
    if tuple(size[:2]) == sensor.shape[1:3]:
        return
    moved = any(not c.of_sensor for c in stack.corrections)
    advice = (
        "it is applied before the frames are moved, so it must be measured on frames as the camera "
        "gave them"
        if moved
        else "measure it on frames of the same camera and size"
    )
    raise UserError(
        f"{what} of {size[1]} x {size[0]} pixels does not fit frames of {sensor.shape[2]} x "
        f"{sensor.shape[1]}: {advice}"
    )
