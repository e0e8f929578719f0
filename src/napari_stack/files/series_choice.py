"""Which image of several is read: the one that was asked for, or all along an axis of positions."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.files.formats.base import Contents, Series

#: Names of axes that count pages and mean nothing else; "q" is any other axis in the letters of
#: tifffile.
COUNTED = ("frame", "page", "q")

#: The axis along which images that are alike are joined.
POSITION = "position"

#: Series that a message names at most.
_MOST_NAMED = 12


def chosen(found: Sequence[Series], wanted: int | str | None, path: str) -> Contents:
    """Return the contents that are read.

    Parameters
    ----------
    found : sequence of Series
        All of a file, or of a set of files.
    wanted : int, str or None
        Number or name of one; None for all, where they are alike.
    path : str
        For messages.

    Raises
    ------
    UserError
        When there is no such series.

    Warns
    -----
    UserWarning
        When the series differ and none was asked for: the first is taken then.
    """
    if wanted is not None:
        return found[number_of(found, wanted, path)].contents
    if len(found) == 1:
        return found[0].contents
    if not alike(found):
        warn_caller(
            f"{path} holds {len(found)} series that differ, and the first is read: {_listed(found)}"
            "; choose one with series=, by number or name",
        )
        return found[0].contents
    return _joined(found, path)


def number_of(found: Sequence[Series], wanted: int | str, path: str) -> int:
    """Find a series by its number, from the end where it is negative, or by its name."""
    names = [series.name for series in found]
    if isinstance(wanted, str) and names.count(wanted) == 1:
        return names.index(wanted)
    if isinstance(wanted, str) and names.count(wanted) > 1:
        raise UserError(
            f"{path} holds {names.count(wanted)} series of the name {wanted!r}: choose one by its "
            f"number; they are {_listed(found)}"
        )
    try:
        number = int(wanted)
        return range(len(found))[number]
    except (ValueError, IndexError):
        many = "one series" if len(found) == 1 else f"{len(found)} series"
        raise UserError(
            f"there is no series {wanted!r}: {path} holds {many}, {_listed(found)}"
        ) from None


def described(found: Sequence[Series]) -> list[str]:
    """Say of each series its number, its name and what it holds."""
    return [f"{number} {_described(series)}" for number, series in enumerate(found)]


def _described(series: Series) -> str:
    held = series.contents
    axes = zip(held.leading, held.sizes, strict=True)
    sizes = ", ".join(f"{axis.name} = {size}" for axis, size in axes)
    return f"{series.name!r} ({held.frame}, {sizes})" if series.name else f"({held.frame}, {sizes})"


def _listed(found: Sequence[Series]) -> str:
    some = described(found[:_MOST_NAMED])
    return "; ".join(some) + ("; ..." if len(found) > len(some) else "")


def _counts(held: Contents) -> bool:
    """Whether frames are only counted."""
    return len(held.leading) == 1 and held.leading[0].name in COUNTED


def alike(found: Sequence[Series]) -> bool:
    """Whether series make one stack: frames that are only counted may be of any number."""
    keys = {
        (s.kind, s.contents.frame, tuple(axis.name for axis in s.contents.leading),
         () if _counts(s.contents) else s.contents.sizes)
        for s in found
    }  # fmt: skip
    return len(keys) == 1


def _joined(found: Sequence[Series], path: str) -> Contents:
    """Put series one after the other: along the axis that counts frames, or one of positions."""
    each = [series.contents for series in found]
    first = _without_start(found, path)
    order = np.concatenate([held.order for held in each])
    used = None
    if any(held.used is not None for held in each):
        used = np.concatenate(
            [np.ones(len(h.order), bool) if h.used is None else h.used for h in each]
        )
    _warn_of_steps(found, path)
    partial = all(held.partial for held in each)
    names = tuple(series.name for series in found)
    if _counts(first):
        each_one = len(order) == len(found) and all(names)
        (axis,) = first.leading
        axis = replace(axis, labels=names if each_one else ())
        whole = replace(first, leading=(axis,), sizes=(len(order),))
        return replace(whole, order=order, used=used, partial=partial)
    taken = {axis.name for axis in first.leading}
    name = POSITION if POSITION not in taken else "image"
    positions = Axis(name, labels=names if all(names) else ())
    leading, sizes = (positions, *first.leading), (len(found), *first.sizes)
    return replace(first, leading=leading, sizes=sizes, order=order, used=used, partial=partial)


def _without_start(found: Sequence[Series], path: str) -> Contents:
    """Return the first; where it lies in the world is left out where the others lie elsewhere."""
    first = found[0].contents
    count = len(first.leading)
    axes = [(*series.contents.leading, *series.contents.plane) for series in found]
    differing = {
        number: other
        for number, along in enumerate(zip(*axes, strict=True))
        if (other := next((i for i, a in enumerate(along) if a.start != along[0].start), 0))
    }
    if not differing:
        return first
    number, other = max(differing.items())  # x rather than y and z
    axis, name = axes[0][number], found[other].name or f"series {other}"
    warn_caller(
        f"{path}: the images lie at different places, along {axis.name} at {axis.start:g} "
        f"{axis.unit} in the first and {axes[other][number].start:g} in {name}; joined they keep "
        "none of these: choose one with series= to keep where it lies",
    )
    kept = [replace(a, start=0.0) if i in differing else a for i, a in enumerate(axes[0])]
    return replace(first, leading=tuple(kept[:count]), plane=(kept[-2], kept[-1]))


def _warn_of_steps(found: Sequence[Series], path: str) -> None:
    first = found[0].contents
    for series in found[1:]:
        other = series.contents
        axes = (*first.leading, *first.plane), (*other.leading, *other.plane)
        pairs = zip(*axes, strict=True)
        odd = [(a, b) for a, b in pairs if (a.unit, a.step) != (b.unit, b.step)]
        if odd:
            a, b = odd[0]
            warn_caller(
                f"{path}: steps along {a.name} differ between series, {a.step:g} {a.unit} in the "
                f"first and {b.step:g} {b.unit} in {series.name or 'another'}; those of the first "
                "are taken",
            )
            return
