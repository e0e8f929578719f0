"""`guess`: the kind of data that frames seem to be, and why."""

from typing import Literal, NamedTuple

from napari_stack.core.notices import number_text
from napari_stack.recipe.planning.facts import Facts

Kind = Literal["time-lapse", "focus series", "burst", "tiles", "volume over time"]
Goal = Literal["one sharp image", "one clean image", "a steady movie", "even illumination"]

SHARP: Goal = "one sharp image"
CLEAN: Goal = "one clean image"
STEADY: Goal = "a steady movie"
EVEN: Goal = "even illumination"

#: What can be made of each kind, the usual first.
GOALS: dict[Kind, tuple[Goal, ...]] = {
    "time-lapse": (STEADY, CLEAN, EVEN),
    "focus series": (SHARP, EVEN),
    "burst": (CLEAN, STEADY, EVEN),
    "tiles": (EVEN,),
    "volume over time": (STEADY, SHARP, EVEN),
}

# Tried on the series of `samples` and on photographs: focus series have 0.87 to 1.0 and 1.5 to 15,
# bursts and time-lapses 0.61 to 0.75 and 1.04 to 2.0.
_IN_TURN = 0.82
_SHARPER = 1.4
#: Fields of view beside each other have 0.6 and less, frames that drift far 0.75.
_UNLIKE = 0.7
#: Seconds: photographs closer than this were taken in one go.
_BURST = 3.0
#: Frames without names: more than this are hardly a burst.
_MOST_OF_A_BURST = 24

#: Words of names and the kind that they tell.
_WORDS: dict[str, Kind] = {
    "focus": "focus series", "z": "focus series", "tile": "tiles", "burst": "burst",
    "t": "time-lapse",
}  # fmt: skip


class Guess(NamedTuple):
    """A kind, and why; `kind` is None where it cannot be told."""

    kind: Kind | None
    reason: str


def guess(facts: Facts) -> Guess:
    """Guess what kind of data frames are.

    Names of axes count most, then what the images show, then EXIF, then names of files.
    """
    long = [name for name, size in facts.sizes.items() if size > 1]
    if facts.sizes and not long:
        return Guess(None, "There is one frame only: drop all files of a series at once.")
    if long and long == [facts.axis("c")]:
        return Guess(None, f"The axis {long[0]} holds channels, which are no series of frames.")
    unnamed = facts.nameless
    if len(unnamed) > 1 or (unnamed and (facts.axis("t") or facts.axis("z"))):
        axes = " and ".join(f"{name} ({facts.sizes[name]})" for name in unnamed)
        return Guess(None, f"Nobody knows what the axes {axes} are: name them first.")
    return _by_axes(facts) or _by_looks(facts) or _by_names(facts) or _otherwise(facts)


def _by_axes(facts: Facts) -> Guess | None:
    time, focus, places = (facts.axis(meaning) for meaning in "tzp")
    if time and focus:
        return Guess("volume over time", f"there are axes of time ({time}) and of focus ({focus})")
    if places and not (time or focus):
        return Guess("tiles", f"the axis {places} counts positions")
    if focus:
        return Guess("focus series", f"the axis {focus} is one of focus")
    return Guess("time-lapse", f"the axis {time} is one of time") if time else None


def _by_looks(facts: Facts) -> Guess | None:
    seen = facts.seen
    if seen.frames < 3:
        return None
    if seen.in_turn >= _IN_TURN and seen.sharpness >= _SHARPER and not seen.fading:
        times = f"{seen.sharpness:.1f}".removesuffix(".0")
        return Guess(
            "focus series",
            f"places become sharp in turn, up to {times} times sharper than in other frames",
        )
    if seen.alike < _UNLIKE:
        return Guess("tiles", "the frames show different things")
    return None


def _by_names(facts: Facts) -> Guess | None:
    if facts.interval is not None and facts.interval > _BURST:
        return Guess("time-lapse", f"photographs, one every {number_text(facts.interval)} seconds")
    if facts.interval is not None:
        return Guess("burst", "photographs taken in one go")
    word = next((word for word in _WORDS if word in facts.words), "")
    return Guess(_WORDS[word], f"the names of the files have {word!r}") if word else None


def _otherwise(facts: Facts) -> Guess:
    count = max(facts.sizes.values(), default=0)
    if facts.seen.fading:
        return Guess("time-lapse", "the frames are alike and fade")
    if count > _MOST_OF_A_BURST and not facts.photographs:
        return Guess("time-lapse", f"{count} frames that are alike")
    return Guess("burst", f"{count} frames that are alike, equally sharp")
