"""`axes_in_names`: the axes that names of files tell of, by words or a pattern."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import gcd, prod
from os.path import commonpath, dirname
from string import Formatter

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files.formats.base import MISSING
from napari_stack.files.name_tokens import NUMBER, Token, Tokens, of_one_kind, tokens_of
from napari_stack.files.natural_order import keys_of
from napari_stack.files.paths import SUFFIXES

#: Axes in the order in which they are laid out; others come first.
_ORDER = ("well", "row", "column", "position", "frame", "t", "z", "c")

#: Axes that are filled where numbers between others are missing.
_FILLED = ("t", "z")

#: Names that lay out more places than this a file tell of no grid.
_SPARSEST = 4

#: Files whose names are looked at first.
_SOME = 50

#: Share of the places that have a file, from which on names tell of a grid by themselves.
_PLAIN_SHARE = 0.5

_ENDINGS = tuple(sorted((f".ome{s}" for s in (".tif", ".tiff")), key=len)) + tuple(
    sorted(SUFFIXES, key=len, reverse=True)
)


@dataclass(frozen=True, eq=False)
class NamedAxes:
    """Files along the axes of their names.

    Attributes
    ----------
    axes : tuple of Axis
    sizes : tuple of int
    grid : ndarray of int, shape (n,)
        Number of the file at each place, in C order; `MISSING` where there is none.
    twice : tuple of int
        Two files at one place, where there are any.
    odd : tuple of int
        Files whose names are of another kind, which the grid leaves out.
    """

    axes: tuple[Axis, ...]
    sizes: tuple[int, ...]
    grid: NDArray[np.intp]
    twice: tuple[int, ...] = ()
    odd: tuple[int, ...] = ()

    def __str__(self) -> str:
        return ", ".join(f"{a.name} = {n}" for a, n in zip(self.axes, self.sizes, strict=True))

    @property
    def by_words(self) -> bool:
        """Whether words in the names tell of an axis, and not only numbers or folders."""
        return bool({axis.name for axis in self.axes} - {"frame", "folder"})

    @property
    def is_plain(self) -> bool:
        """Whether the names tell of a grid, by words, of which most places have a file."""
        filled = bool((self.grid >= 0).mean() >= _PLAIN_SHARE)
        return self.by_words and len(self.axes) > 1 and not self.twice and filled


def axes_in_names(files: Sequence[str]) -> NamedAxes | None:
    """Find the axes that are written in the names of files and folders; None where none are."""
    if len(files) < 2:
        return None
    names = _short_names(files)
    found = tokens_of(names)
    if found is not None:
        return _laid_out(found)
    usual = of_one_kind(names)
    found = tokens_of([names[number] for number in usual]) if usual else None
    laid = None if found is None else _laid_out(found)
    if laid is None or not laid.is_plain:
        return None
    odd = tuple(sorted({*range(len(names))} - {*usual}))
    grid = np.where(laid.grid < 0, MISSING, np.array(usual)[laid.grid])
    return replace(laid, grid=grid, odd=odd)


def may_be_plain(files: Sequence[str]) -> bool:
    """Whether some of the names tell of axes by words: all are looked at only then."""
    some = [
        files[number] for number in sorted(set(np.linspace(0, len(files) - 1, _SOME).astype(int)))
    ]
    names = _short_names(some)
    found = tokens_of(names) or tokens_of([names[number] for number in of_one_kind(names)])
    words = {axis for tokens in found or () for axis in tokens} - {"frame", "folder"}
    return bool(words)


def axes_by_pattern(files: Sequence[str], pattern: str) -> NamedAxes:
    """Lay files out by a pattern of their names, such as ``"{position}/e_t{t}_z{z}_{c}"``.

    Raises
    ------
    UserError
        For a pattern that is not understood, or a file that does not fit it.
    """
    expression = _expression(pattern)
    depth = pattern.count("/") + 1
    found: list[Tokens] = []
    for path in files:
        name = "/".join(_plain(path).split("/")[-depth:])
        match = expression.fullmatch(name)
        if match is None:
            raise UserError(
                f"the name {name} does not fit the pattern {pattern!r}: {{t}}, {{z}}, {{c}} and "
                "the like stand for places along axes, * for anything"
            )
        found.append({axis: Token(axis, text) for axis, text in match.groupdict().items()})
    laid = _laid_out(found)
    if laid is None:
        raise UserError(f"the names do not differ in what the pattern {pattern!r} calls axes")
    return laid


def _expression(pattern: str) -> re.Pattern[str]:
    parts = []
    try:
        for text, field, _, _ in Formatter().parse(_without_suffix(pattern)):
            parts.append(".*?".join(map(re.escape, text.split("*"))))
            if field is not None:
                if not field.isidentifier():
                    raise ValueError(field)
                # A number as a whole, however what follows may be cut.
                parts.append(rf"(?P<{field}>{NUMBER}(?!\d)|[^/]+?)")
        return re.compile("".join(parts), re.IGNORECASE)
    except (ValueError, re.error) as error:
        raise UserError(
            f"the pattern of names {pattern!r} is not understood: {{t}}, {{z}}, {{c}} and the like "
            "stand for places along axes, each once, * for anything"
        ) from error


def _plain(path: str) -> str:
    return _without_suffix(path.replace(os.sep, "/"))


def _without_suffix(name: str) -> str:
    for ending in _ENDINGS:
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def _short_names(files: Sequence[str]) -> list[str]:
    """Names with the folders in which they differ."""
    folders = {dirname(file) for file in files}  # noqa: PTH120
    if len(folders) == 1:
        start = len(next(iter(folders)))
    else:
        try:
            start = len(commonpath(folders))
        except ValueError:  # on other drives
            start = 0
    return [_plain(file[start:]).lstrip("/") for file in files]


def _laid_out(found: Sequence[Tokens]) -> NamedAxes | None:
    columns: dict[str, list[Token]] = {}
    for name in dict.fromkeys(axis for tokens in found for axis in tokens):
        column = [tokens.get(name, Token(name, "")) for tokens in found]
        if len({token.text for token in column}) > 1:
            columns[name] = column
    columns = _each_once(columns)
    if not columns:
        return None
    names = sorted(columns, key=lambda name: _ORDER.index(name) if name in _ORDER else -1)
    along = [_along(name, columns[name]) for name in names]
    sizes = tuple(size for _, size, _ in along)
    if prod(sizes) > _SPARSEST * len(found) and prod(sizes) > _SPARSEST:
        return None
    numbers = np.ravel_multi_index([places for _, _, places in along], sizes)
    grid = np.full(prod(sizes), MISSING, np.intp)
    twice: tuple[int, ...] = ()
    for file, number in enumerate(numbers.tolist()):
        if grid[number] >= 0 and not twice:
            twice = int(grid[number]), file
        grid[number] = file
    return NamedAxes(tuple(axis for axis, _, _ in along), sizes, grid, twice)


def _each_once(columns: dict[str, list[Token]]) -> dict[str, list[Token]]:
    """Leave out what only repeats another axis, as the names of folders in those of files."""
    kept = dict(columns)
    for name in ("frame", "folder"):
        for other in set(kept) - {"frame", "folder"}:
            pairs = zip(kept.get(name, ()), kept[other], strict=False)
            different = {(a.text, b.text) for a, b in pairs}
            if different and len(different) == len({a for a, _ in different}) == len(
                {b for _, b in different}
            ):
                del kept[name]
    return kept


def _along(name: str, column: Sequence[Token]) -> tuple[Axis, int, NDArray[np.intp]]:
    """Return an axis, its length, and the place of each file along it."""
    values = _numbers([token.text for token in column])
    if values is None:
        keys = keys_of(token.text for token in column)
        labels = sorted(keys, key=lambda text: (keys[text], text))
        at = {label: number for number, label in enumerate(labels)}
        places = [at[token.text] for token in column]
        return Axis(name, labels=tuple(labels)), len(labels), np.array(places, np.intp)
    different = sorted(set(values))
    if name in _FILLED:
        different = _filled(different)
    number_of = {value: number for number, value in enumerate(different)}
    places = [number_of[value] for value in values]
    labels = [""] * len(different)
    for place, token in zip(places, column, strict=True):
        labels[place] = token.label or labels[place]
    units = {token.unit for token in column}
    axis = _with_steps(Axis(name, labels=tuple(labels) if all(labels) else ()), different, units)
    if not axis.labels and axis.unit == "pixel":
        axis = replace(axis, labels=_labels(name, different))
    return axis, len(different), np.array(places, np.intp)


def _labels(name: str, values: Sequence[float]) -> tuple[str, ...]:
    """Return numbers as labels where they do not just count, such as wavelengths."""
    gaps = set(np.diff(values).tolist())
    counted = gaps == {1.0} and (name in _FILLED or values[0] in (0, 1))
    even_times = name in _FILLED and len(gaps) == 1 and all(v.is_integer() for v in values)
    return () if counted or even_times else tuple(f"{value:.12g}" for value in values)


def _numbers(texts: Sequence[str]) -> list[float] | None:
    """Return numbers for texts; a minus before all of them is none."""
    if not all(re.fullmatch(NUMBER, text, re.IGNORECASE) for text in texts):
        return None
    if all(text.startswith("-") for text in texts):
        texts = [text[1:] for text in texts]
    return [float(text) for text in texts]


def _filled(values: list[float]) -> list[float]:
    """Fill in whole numbers that are missing between others, unless most of them are."""
    if len(values) < 3 or not all(value.is_integer() for value in values):
        return values
    whole = [int(value) for value in values]
    step = gcd(*(b - a for a, b in pairwise(whole)))
    full = range(whole[0], whole[-1] + 1, step)
    return list(map(float, full)) if len(full) < 2 * len(values) else values


def _with_steps(axis: Axis, values: Sequence[float], units: set[str]) -> Axis:
    """Give an axis steps where the names tell of a unit."""
    unit = units.pop() if len(units) == 1 else ""
    if not unit or len(values) < 2:
        return axis
    unit = {"µm": "um", "μm": "um", "sec": "s"}.get(unit, unit)
    gaps = np.diff(values)
    if np.allclose(gaps, gaps[0], rtol=1e-6):
        return Axis(axis.name, float(gaps[0]), unit, axis.labels, start=float(values[0]))
    return Axis(axis.name, 1.0, unit, axis.labels, tuple(values))
