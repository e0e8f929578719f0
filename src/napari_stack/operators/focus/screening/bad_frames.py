"""Frames that are no part of a focus series: nothing is on them, blurred, doubled, overexposed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, Protocol, TypeVar

import numpy as np

from napari_stack.core.notices import warn_caller
from napari_stack.core.stack import Stack
from napari_stack.operators.focus.screening.misaligned import warn_of_misaligned
from napari_stack.operators.focus.screening.sketch import Sketch

Array = np.ndarray[Any, Any]

# A frame shows nothing when its deviation is that of noise, up to this factor, or of rounding, and
# its contrast is below this share of the others'.
LIKE_NOISE, LITTLE_CONTRAST = 1.6, 0.25
ROUNDING = 0.3
# A frame is blurred when it has less than this share of the sharpness of the frame before and of
# the one after, in this share of the cells that have texture. In a series that is sound the
# sharpness of a place rises to one frame and falls after it.
DIP, DIP_CELLS, LEAST_CELLS = 0.5, 0.85, 12
# What counts as texture, in multiples of noise and as a share of the strongest.
TEXTURE_NOISE, TEXTURE_SHARE = 3.0, 0.05
# Cells count where both neighbours have this share of the greatest sharpness in the series: far
# from focus all frames are alike.
NEAR_BEST = 0.6
# A frame is at another exposure when it is brighter or darker than both neighbours by this factor.
# Where it is not in proportion to them (deviation of the logarithm), or clipped in a larger share
# of its pixels, its brightness cannot be levelled.
OTHER_EXPOSURE, OUT_OF_PROPORTION, MORE_CLIPPED = 1.15, 0.06, 0.01
_PLURAL = {"is": "are", "shows": "show"}


class Sketched(Protocol):
    """A state that has sketches of the frames it was made of, by their numbers."""

    @property
    def sketches(self) -> Mapping[int, Sketch]: ...  # noqa: D102


S = TypeVar("S", bound=Sketched)


def screened(stack: Stack, measure: Callable[[Stack], S]) -> tuple[Stack, S]:
    """Measure a series, and once more without the frames that turn out to be no part of it.

    Returns
    -------
    stack : Stack
        Without them.
    state
        What `measure` made of it.
    """
    found = measure(stack)
    kept = without_bad_frames(stack, found.sketches)
    return (stack, found) if kept is stack else (kept, measure(kept))


def without_bad_frames(stack: Stack, sketches: Mapping[int, Sketch]) -> Stack:
    """Return a stack without frames that would spoil a fusion, and say which were left out.

    Returns
    -------
    Stack
        The same one where nothing is wrong.

    Warns
    -----
    UserWarning
        Of the frames that are left out, and of frames that are not registered.
    """
    bad = bad_frames(sketches, whole=stack.dtype.kind in "ui")
    good = {i: sketches[i] for i in sorted(sketches) if i not in bad}
    if stack.transforms is None:
        warn_of_misaligned(good)
    if not bad:
        return stack
    told = "; ".join(_told(numbers, why) for why, numbers in _by_reason(bad).items())
    warn_caller(f"{told}: left out")
    used = stack.used.copy()
    used[list(bad)] = False
    return replace(stack, used=used)


def _by_reason(bad: Mapping[int, str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, why in sorted(bad.items()):
        found.setdefault(why, []).append(number)
    return found


def _told(numbers: list[int], why: str) -> str:
    words = [str(number) for number in numbers]
    if len(words) == 1:
        return f"frame {words[0]} {why}"
    verb, rest = why.split(" ", 1)
    return f"frames {', '.join(words[:-1])} and {words[-1]} {_PLURAL[verb]} {rest}"


def bad_frames(sketches: Mapping[int, Sketch], *, whole: bool) -> dict[int, str]:
    """Return the frames that would spoil a fusion, and what is wrong with each.

    Parameters
    ----------
    sketches : mapping of int to Sketch
        By the number of the frame.
    whole : bool
        The frames hold whole numbers: rounding is among their noise.
    """
    # A frame without any valid pixel does nothing, good or bad.
    numbers = [i for i in sorted(sketches) if sketches[i].valid.any()]
    bad = _empty([sketches[i] for i in numbers], numbers, ROUNDING if whole else 0.0)
    left = [i for i in numbers if i not in bad]
    doubled = [j for i, j in pairwise(left) if _same(sketches[i], sketches[j])]
    if len(doubled) + 1 < len(left):  # where all are the same, nothing else is there
        bad |= dict.fromkeys(doubled, "is the same as the one before")
    left = [i for i in left if i not in bad]
    if len(left) < 3:
        return bad
    best = np.max([sketches[i].energy for i in left], axis=0)
    for before, here, after in zip(left, left[1:], left[2:], strict=False):
        three = sketches[before], sketches[here], sketches[after]
        if why := _exposed(*three) or _blurred(*three, best):
            bad[here] = why
    return bad


def _empty(found: list[Sketch], numbers: list[int], least: float) -> dict[int, str]:
    """Return the frames on which there is nothing, though there is on others."""
    contrast = np.array([one.deviation for one in found])
    quiet = contrast <= np.maximum(LIKE_NOISE * np.array([one.noise for one in found]), least)
    quiet &= contrast < LITTLE_CONTRAST * np.median(contrast[~quiet]) if (~quiet).any() else False
    means = [float(one.picture.mean()) for one in found]
    usual = float(np.median(np.array(means)[~quiet])) if (~quiet).any() else 0.0
    return {numbers[i]: _look(means[i], usual) for i in np.flatnonzero(quiet).tolist()}


def _look(mean: float, usual: float) -> str:
    if usual > 0 and mean < usual / 4:
        return "is black"
    return "is white" if mean > 1.25 * usual else "shows nothing"


def _same(one: Sketch, other: Sketch) -> bool:
    return np.array_equal(one.picture, other.picture) and np.array_equal(one.energy, other.energy)


def _exposed(before: Sketch, here: Sketch, after: Sketch) -> str:
    """Tell whether a frame is at another exposure, so that levelling it would not do."""
    known = before.valid & here.valid & after.valid
    known &= (before.picture > 0) & (here.picture > 0) & (after.picture > 0)
    if np.count_nonzero(known) < LEAST_CELLS:
        return ""
    first, own, last = (np.log(one.picture[known]) for one in (before, here, after))
    ratio = own - (first + last) / 2
    middle = float(np.median(ratio))
    if abs(middle) < max(np.log(OTHER_EXPOSURE), 3 * abs(float(np.median(last - first)))):
        return ""
    spread = float(np.median(np.abs(ratio - middle))) / 0.6745
    clipped = here.clipped - max(before.clipped, after.clipped)
    if spread < OUT_OF_PROPORTION and not (middle > 0 and clipped > MORE_CLIPPED):
        return ""
    return f"is much {'brighter' if middle > 0 else 'darker'} than the frames beside"


def _blurred(before: Sketch, here: Sketch, after: Sketch, best: Array) -> str:
    """Tell whether a frame is much less sharp than both neighbours nearly everywhere."""
    beside = np.minimum(before.energy, after.energy)
    floor = max(TEXTURE_NOISE * max(before.noise, after.noise), TEXTURE_SHARE * float(beside.max()))
    textured = (beside > floor) & (beside > NEAR_BEST * best)
    if np.count_nonzero(textured) < LEAST_CELLS:
        return ""
    # Noise is as strong in a frame that is blurred as in the others.
    own = np.maximum(here.energy - here.noise, 0)
    dips = own[textured] < DIP * (beside[textured] - min(before.noise, after.noise))
    return "is blurred" if np.mean(dips) >= DIP_CELLS else ""
