"""Compare two recordings: whole numbers and texts exactly, floats to a millionth of themselves."""

from pathlib import Path
from typing import Any

import numpy as np
from keep import MESSAGE, load, matches
from numpy.typing import NDArray

#: Largest difference of floats, as a part of themselves.
RELATIVE = 1e-6

#: What is no difference anywhere in an array, as a part of its largest value: 2 float32 steps.
FLOOR = 1.2e-7


def compare(old: Path, new: Path, only: str, *, messages: bool) -> int:
    """Print every difference of two recordings; return 1 if there is any, else 0."""
    (was, old_values), (now, new_values) = load(old), load(new)
    names = [name for name in {**was, **now} if matches(name, only)]
    names = [name for name in names if messages or not name.startswith(MESSAGE)]
    found = 0
    for name in names:
        if name not in was or name not in now:
            difference = "is missing" if name in was else "is new"
        else:
            pair = old_values.get(name), new_values.get(name)
            difference = _difference(was[name], now[name], *pair)
        if difference:
            found += 1
            print(f"{name}: {difference}")
    print(f"{len(names)} results compared, {found} differ")
    return 1 if found or not names else 0


def _difference(was: Any, now: Any, old: Any, new: Any) -> str:
    """Tell how two results of a name differ, or nothing."""
    if was["kind"] == "text" or now["kind"] == "text":
        if was == now:
            return ""
        texts = (one.get("text", one["kind"]) for one in (was, now))
        return "text: {!r} became {!r}".format(*(_short(text) for text in texts))
    for what in ("kind", "dtype", "shape"):
        if was[what] != now[what]:
            return f"{what}: {was[what]} became {now[what]}"
    if was["sha"] == now["sha"]:
        return ""
    if was["kind"] == "integers":
        return f"integers: {_sized(old.astype(np.float64), new.astype(np.float64))}"
    floats = _floats(old.astype(np.float64), new.astype(np.float64))
    if not floats and "moments" in was:  # of arrays that are not kept whole
        floats = _floats(np.array(was["moments"]), np.array(now["moments"]))
        floats = floats and f"{floats}, of least, greatest, mean, mean size and number of all"
    return floats and f"floats: {floats}"


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}..."


def _floats(old: NDArray[Any], new: NDArray[Any]) -> str:
    """Tell how floats differ beyond what counts as equal, or nothing."""
    if old.shape != new.shape or (np.isfinite(old) != np.isfinite(new)).any():
        return f"not finite in other places: {_sized(old, new)}"
    there = np.isfinite(old)
    if not np.array_equal(old[~there], new[~there], equal_nan=True):
        return "infinite or no number in the same places, but otherwise"
    old, new = old[there], new[there]
    greatest = np.abs(old).max(initial=0.0)
    allowed = RELATIVE * np.maximum(np.abs(old), np.abs(new)) + FLOOR * greatest
    return _sized(old, new) if (np.abs(old - new) > allowed).any() else ""


def _sized(old: NDArray[Any], new: NDArray[Any]) -> str:
    """Tell how large the differences are, and how many."""
    if old.shape != new.shape:
        return f"{old.size} values became {new.size}"
    apart = np.abs(old - new)
    apart[~np.isfinite(apart)] = 0
    size = np.maximum(np.abs(old), np.abs(new))
    share = np.divide(apart, size, out=np.zeros_like(apart), where=(apart > 0) & (size > 0))
    count, most = np.count_nonzero(apart), apart.max(initial=0)
    if not count:
        return f"elsewhere than in the {apart.size} values looked at"
    return (
        f"at most {most:.6g} apart, {share.max(initial=0):.3g} of themselves, "
        f"{count} of {apart.size} values looked at"
    )
