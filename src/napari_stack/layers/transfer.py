"""Corrections measured on some frames, for others: another channel, more axes."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.layers.stacks.read_layer import Data


def with_corrections(measured: Data, origin: Data, target: Data) -> Data:
    """Give frames the corrections, and the choice of frames, that other frames have.

    Parameters
    ----------
    measured : Stack or Hyperstack
        Corrected.
    origin : Stack or Hyperstack
        The same, uncorrected.
    target : Stack or Hyperstack
        Axes of the same names, as many as there are in both, are matched; where there are none, the
        frames are, by number.

    Raises
    ------
    ValueError
        When frames were made anew in between, or numbers or sizes differ.
    """
    source, before, frames = measured.frames, origin.frames, target.frames
    if source.source is not before.source:
        raise UserError(
            "a step made new frames, as a moving average does: the values measured on those do "
            "not fit other frames; run the recipe on the other layer instead"
        )
    if frames.shape[1:3] != before.shape[1:3]:
        raise UserError(
            f"the values were measured on frames of {before.shape[2]} x {before.shape[1]} pixels, "
            f"and these are {frames.shape[2]} x {frames.shape[1]}: choose frames of that size"
        )
    numbers = matching(_sizes(measured), _sizes(target))
    own = before.corrections
    new = [c for c in source.corrections if not any(c is o for o in own)]
    for correction in new:
        frames = frames.corrected(correction.select(numbers))
    first, *pixel = frames.axes
    down, across = _factors(source, before)
    y, x = (
        replace(axis, step=axis.step * f) for axis, f in zip(pixel, (down, across), strict=True)
    )
    frames = replace(frames, used=frames.used & source.used[numbers], axes=(first, y, x))
    return target.with_frames(frames)


def _factors(after: Stack, before: Stack) -> list[float]:
    """How many pixels of before one of after is, along y and x."""
    pairs = zip(after.axes[1:], before.axes[1:], strict=True)
    return [new.step / old.step for new, old in pairs]


def _sizes(data: Data) -> dict[str, int]:
    return {axis.name: size for axis, size in zip(data.leading, data.sizes, strict=True)}


def matching(measured: Mapping[str, int], target: Mapping[str, int]) -> NDArray[np.intp]:
    """Return the measured frame for every target frame, both counted in C order over the axes.

    Along an axis that only one of them has, the same values hold everywhere, or the first do.

    Examples
    --------
    >>> matching({"t": 3}, {"t": 3, "z": 2})
    array([0, 0, 1, 1, 2, 2])

    Raises
    ------
    ValueError
        When an axis of both has different lengths, or none has the same name and number.
    """
    shared = [name for name in target if name in measured]
    if not shared:
        if len(measured) == len(target) == 1 and [*measured.values()] == [*target.values()]:
            return np.arange(next(iter(target.values())))
        raise UserError(
            f"the values were measured along {', '.join(measured)} and the frames lie along "
            f"{', '.join(target)}: name the axes alike"
        )
    for name in shared:
        if measured[name] != target[name]:
            raise UserError(
                f"the values are for {measured[name]} frames along {name!r}, and there are "
                f"{target[name]}: choose a layer of as many"
            )
    places = dict(zip(target, np.indices(tuple(target.values())), strict=True))
    zero = np.zeros(tuple(target.values()), np.intp)
    at = tuple(places.get(name, zero) for name in measured)
    return np.ravel_multi_index(at, tuple(measured.values())).ravel()
