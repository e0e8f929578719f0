"""Steps by name, steps in a row, and what was done to frames before a recipe begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.recipe.step import Data, Step


@dataclass(frozen=True)
class Earlier:
    """What was done to frames before a recipe begins.

    Parameters
    ----------
    steps : tuple of Step
        In a row; the recipe goes on from what they made.
    told : tuple of Step
        Done before those, to what is no longer known: to each frame by itself, for example. They
        are told, and not run.
    """

    steps: tuple[Step, ...] = ()
    told: tuple[Step, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps or self.told)


def by_name(steps: Sequence[Step]) -> dict[str, Step]:
    """Return steps by name: their own, else the operator's, numbered where it repeats."""
    result: dict[str, Step] = {}
    taken = {step.name for step in steps if step.name}
    for step in steps:
        name, number = step.name or step.operator, 2
        while not step.name and (name in taken or name in result):
            name, number = f"{step.operator} {number}", number + 1
        result[name] = step
    return result


def last_frames(steps: Mapping[str, Step]) -> str:
    """Name of the last of some steps that gives frames, which the next one takes; "" for none."""
    return next((name for name in reversed(list(steps)) if steps[name].entry.gives_frames), "")


def in_a_row(steps: Sequence[Step]) -> list[Step]:
    """Return steps that each take what the one before made, frames or images, whatever their names.

    Their own names could meet twice, so they go.
    """
    bare = [replace(step, name="", input="", layers=()) for step in steps]
    names = list(by_name(bare))
    return [
        step if before is None or before.entry.gives_frames else replace(step, input=name)
        for step, before, name in zip(bare, [None, *bare], ["", *names], strict=False)
    ]


def frames_of_images(
    step: Step, images: Mapping[str, Any], data: Data, *, kept: bool = False
) -> Data:
    """Take the picture that a step made at every position of some axes as frames along these.

    Parameters
    ----------
    step : Step
        One that gives images.
    images : mapping of str to ndarray
        By name; the first one is the picture.
    data : Stack or Hyperstack
        What it was made of.
    kept : bool
        Keep the axis that was stacked, one frame long, unless it is the first one: as layers do.

    Raises
    ------
    ValueError
        Where single images came out.
    """
    axes, picture = step.image_axes(data), np.asanyarray(next(iter(images.values())))
    if len(axes) < 3:
        raise UserError(
            f"{step.operator} leaves one single image of these frames, and the step after it needs "
            "frames: run it on data with more axes, such as focus series over time"
        )
    placed = step.with_stacked_axis(data)
    if kept and placed.number:
        picture = np.expand_dims(picture, placed.number)
        axes = (*axes[: placed.number], placed.axes[placed.number], *axes[placed.number :])
    coloured = picture.ndim == len(axes) + 1
    rgb = coloured and (data.frames.rgb or data.frames.ndim == 3)  # colours out of a mosaic
    if len(axes) == 3:
        return Stack.wrap(picture, rgb=rgb, axes=axes)
    return Hyperstack.wrap(picture, rgb=rgb, axes=axes)
