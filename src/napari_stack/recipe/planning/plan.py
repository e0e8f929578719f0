"""`plan_for`: the steps that suit a kind of data and a goal, as a draft of a recipe."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from napari_stack.core.notices import number_text
from napari_stack.core.operator import resolve
from napari_stack.operators import CATALOGUE
from napari_stack.recipe.draft import Draft
from napari_stack.recipe.planning.facts import NOTHING_KNOWN, Facts
from napari_stack.recipe.planning.guess import CLEAN, EVEN, SHARP, STEADY, Goal, Kind
from napari_stack.recipe.recipe import Recipe
from napari_stack.recipe.step import Step

#: Hot pixels in a million from which on they are repaired unasked.
_MANY_HOT = 2.0
#: Brightness of the corners that can be the light's doing, as a share of that in the centre.
_LEAST_LIGHT = 0.25
#: Change of brightness that is seen when frames follow each other, or are averaged.
_FLICKERS = 0.03
#: Loss of brightness that is bleaching.
_BLEACHES = 0.1
#: Frames below which outliers count too much in mean and deviation: median and MAD are robust.
_FEW = 20
#: Frames below which the MAD is no measure: their median is as good.
_VERY_FEW = 5


class Planned(NamedTuple):
    """A step, whether it is on, and why."""

    step: Step
    on: bool
    why: str = ""


class Plan(NamedTuple):
    """Steps that suit, and what cannot be promised."""

    steps: tuple[Planned, ...]
    remark: str = ""

    @property
    def draft(self) -> Draft:
        """The steps, and which of them are on."""
        return Draft(tuple(p.step for p in self.steps), tuple(p.on for p in self.steps))


def recipe_for(kind: Kind, goal: Goal, facts: Facts = NOTHING_KNOWN) -> Recipe:
    """Return the steps that are on, as a recipe.

    Examples
    --------
    >>> [step.operator for step in recipe_for("focus series", "one sharp image").steps]
    ['register', 'focus_stack']
    """
    return plan_for(kind, goal, facts).draft.recipe()


def plan_for(kind: Kind, goal: Goal, facts: Facts = NOTHING_KNOWN) -> Plan:
    """Plan what is done to frames: repair, flatten, align, level, and fuse or average.

    Parameters
    ----------
    kind, goal : str
        See `GOALS`.
    facts : Facts
        What is known of the frames; it decides what is on, and with which options.
    """
    steps = [step(kind, goal, facts) for step in _ORDER]
    remark = (
        "Tiles are made evenly bright here; they are not joined into one picture."
        if kind == "tiles"
        else ""
    )
    return Plan(tuple(step for step in steps if step is not None), remark)


def _repair(_kind: Kind, _goal: Goal, facts: Facts) -> Planned:
    hot = facts.seen.hot
    why = f"about {number_text(hot)} pixels in a million stand out in every frame" if hot else ""
    return Planned(Step("repair_hot_pixels", **_along(facts)), hot >= _MANY_HOT, why)


def _flatten(kind: Kind, goal: Goal, facts: Facts) -> Planned:
    share = facts.seen.corners
    # Less is the scene: bright things on black, in the middle.
    told = _LEAST_LIGHT < share < 0.97
    why = f"corners are {1 - share:.0%} darker than the centre" if told else ""
    # What lights a microscope unevenly has any shape and is the same for all fields of view; what
    # a lens does falls off from the centre, and one scene is enough to measure it.
    many = kind in ("tiles", "time-lapse", "volume over time") and not facts.photographs
    operator = "correct_flat_field" if many else "correct_vignetting"
    return Planned(Step(operator, **_along(facts)), goal == EVEN, why)


def _align(kind: Kind, goal: Goal, facts: Facts) -> Planned | None:
    if goal == EVEN or kind == "tiles":
        return None
    moving = kind != "volume over time" or goal == STEADY
    transform, why = _transform(kind, facts)
    # A time that cannot be registered is fused where it is: without, there is no movie.
    kept = {"failed": "keep"} if kind == "volume over time" else {}
    step = Step("register", {"transform": transform, **kept}, **_along(facts, projected=True))
    return Planned(step, moving, why)


def _transform(kind: Kind, facts: Facts) -> tuple[str, str]:
    if kind == "focus series":
        return "similarity", "the picture grows a little as the focus moves"
    if kind == "burst" and facts.photographs:
        return "homography", "photographs from the hand turn and tilt"
    return "rigid", "what is watched shifts and turns"


def _level(kind: Kind, goal: Goal, facts: Facts) -> Planned | None:
    if goal == EVEN:
        return None
    seen = facts.seen
    bleaches = kind in ("time-lapse", "volume over time") and seen.fading
    if bleaches and seen.flicker >= _BLEACHES:
        step = Step("correct_bleaching", **_along(facts))
        return Planned(step, True, f"brightness fades by {seen.flicker:.0%}")
    flickers = seen.flicker >= _FLICKERS and kind != "tiles"
    # The brightness of planes differs since they hold different things.
    within = kind == "focus series" and not facts.photographs
    why = f"brightness changes by {seen.flicker:.0%}" if flickers else ""
    return Planned(Step("balance", **_along(facts)), flickers and not within, why)


def _fuse(kind: Kind, goal: Goal, facts: Facts) -> Planned | None:
    volume = kind == "volume over time"
    if goal == EVEN or not (goal == SHARP or volume):
        return None
    axis = facts.axis("z") if len(facts.sizes) > 1 else ""
    channels = facts.axis("c")
    shared = {channels: facts.channel} if channels and facts.channel is not None else {}
    options = {"depth_unit": "distance"} if facts.spaced else {}
    why = "depth as a distance: it is known how far the planes lie apart" if facts.spaced else ""
    return Planned(Step("focus_stack", options, axis=axis, measure_at=shared), True, why)


def _average(_kind: Kind, goal: Goal, facts: Facts) -> Planned | None:
    if goal != CLEAN:
        return None
    where = _along(facts).get("axis", "")
    count = facts.sizes.get(where, max(facts.sizes.values(), default=0))
    robust: dict[str, Any] = {"centre": "median", "spread": "MAD"}
    options = robust if count < _FEW else {}
    caution = CATALOGUE["sigma_clip"].caution
    futile = caution is not None and bool(resolve(caution)(count, **options))
    if count and (count < _VERY_FEW or futile):
        return Planned(
            Step("combine", {"method": "median"}, axis=where), True,
            f"{count} frames are too few to tell outliers by their deviation",
        )  # fmt: skip
    why = f"with {count} frames, median and MAD tell outliers best" if options and count else ""
    return Planned(Step("sigma_clip", options, axis=where), True, why)


def _along(facts: Facts, *, projected: bool = False) -> dict[str, Any]:
    """Say along which axis, and where to measure, for data with several."""
    if len(facts.sizes) < 2:
        return {}
    axis = facts.axis("t") or facts.axis("z") or facts.axis("p") or _longest(facts)
    at: dict[str, Any] = dict(_channel(facts, axis))
    focus = facts.axis("z")
    if projected and focus and focus != axis:
        at[focus] = "maximum"
    return {"axis": axis, "measure_at": at}


def _channel(facts: Facts, axis: str) -> Iterator[tuple[str, int]]:
    channels = facts.axis("c")
    if channels and channels != axis and facts.channel is not None:
        yield channels, facts.channel


def _longest(facts: Facts) -> str:
    return max(facts.nameless, key=lambda name: facts.sizes[name], default="")


_ORDER: tuple[Callable[[Kind, Goal, Facts], Planned | None], ...] = (
    _repair, _flatten, _align, _level, _fuse, _average,
)  # fmt: skip
