"""`naturally`: paths sorted as people do, "2" before "10", "-1" before "0", "0.5" before "1"."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

#: A number, with all that may belong to it: a sign, decimals, an exponent.
#: Without a sign, an exponent must not touch a letter: "1e-3s", but "3e2b" is no number.
_NUMBER = re.compile(
    r"([+-]?)([0-9]+)(?:[.,]([0-9]+))?(?:[eE]([+-])?([0-9]{1,3})(?![0-9])(?(4)|(?![A-Za-z])))?"
)

#: What may belong to a number besides its digits; in most names there is none.
_SPECIAL = re.compile(r"[+-][0-9]|[0-9](?:[.,][0-9]|[eE][+-]?[0-9])")

_DIGITS = re.compile(r"([0-9]+)")

#: Units behind a number: then a comma in it stands before decimals, and not between two numbers.
_UNIT = re.compile(r"\s?(?:um|µm|μm|nm|mm|ms|s|sec|min|h)(?![a-z])")

#: Marks after which a minus is a sign even if all numbers have one: "z_-3".
_BEFORE_SIGN = "_=([,"


@dataclass(frozen=True)
class _Rule:
    """How numbers at one place of names are read."""

    signed: bool
    decimal: bool
    exponent: bool


def naturally(paths: Iterable[str]) -> list[str]:
    """Sort by folder, name and suffix; all names together tell how their numbers are meant.

    A minus is a sign where some of the numbers have none, or a mark such as "_" stands before it;
    else it divides, as in dates. Two numbers with a point between them are one with decimals,
    unless they are counted on (1.9, 1.10) or a third one follows, as in versions and times; with a
    comma between them only before a unit (1,5um).
    """
    listed = list(paths)
    parts = [_parts(path) for path in listed]
    folders = {folder: folder.replace("\\", "/").split("/") for folder, _, _ in parts}
    depth = max(map(len, folders.values()), default=0)
    known = [
        keys_of([names[d] for names in folders.values() if len(names) > d]) for d in range(depth)
    ]
    of_folder = {
        folder: tuple(known[d][name] for d, name in enumerate(names))
        for folder, names in folders.items()
    }
    of_name = keys_of([name for _, name, _ in parts])
    keys = {
        path: (of_folder[folder], of_name[name], suffix.lower(), path)
        for path, (folder, name, suffix) in zip(listed, parts, strict=True)
    }
    return sorted(listed, key=keys.__getitem__)


def _parts(path: str) -> tuple[str, str, str]:
    folder, file = os.path.split(path)
    name, suffix = os.path.splitext(file)  # noqa: PTH122
    return folder, name, suffix


def keys_of(names: Iterable[str]) -> dict[str, tuple[Any, ...]]:
    """Return a key for sorting, by name; each begins with a text, and then numbers alternate."""
    different = list(dict.fromkeys(names))
    if not any(map(_SPECIAL.search, different)):
        return {name: _plain_key(name) for name in different}
    alike: dict[tuple[str, ...], list[tuple[str, list[re.Match[str]]]]] = defaultdict(list)
    for name in different:
        found = list(_NUMBER.finditer(name))
        alike[_texts(name, found)].append((name, found))
    keys = {}
    for texts, group in alike.items():
        rules = [_rule([found[n] for _, found in group], texts[n], texts[n + 1])
                 for n in range(len(texts) - 1)]  # fmt: skip
        for name, found in group:
            keys[name] = _key(texts, found, rules)
    return keys


def _plain_key(name: str) -> tuple[Any, ...]:
    """Return the key of a name in which nothing but digits belongs to numbers."""
    parts = _DIGITS.split(name.casefold())
    return tuple((int(part),) if n % 2 else part for n, part in enumerate(parts))


def _texts(name: str, found: Sequence[re.Match[str]]) -> tuple[str, ...]:
    """Return what stands before, between and behind the numbers."""
    ends = [0, *(match.end() for match in found)]
    starts = [*(match.start() for match in found), len(name)]
    return tuple(name[end:start].casefold() for end, start in zip(ends, starts, strict=True))


def _rule(numbers: Sequence[re.Match[str]], before: str, behind: str) -> _Rule:
    """Find how the numbers at one place are meant, from all of them."""
    signs = {match[1] for match in numbers}
    touches = any(m.start() and m.string[m.start() - 1].isdigit() for m in numbers)
    signed = not touches and (
        "+" in signs or len(signs) > 1 or before.endswith(tuple(_BEFORE_SIGN))
    )
    fractions = [match[3] for match in numbers if match[3]]
    least = min(map(len, fractions), default=0)
    counted = any(len(part) > least and part.endswith("0") for part in fractions)
    divides = behind in (".", ",")  # a third number follows
    if any("," in match[0] for match in numbers) and not _UNIT.match(behind):
        divides = True
    powers = [match[5] is not None for match in numbers]
    exponent = any(match[4] for match in numbers) or (all(powers) and len(numbers) > 1)
    return _Rule(signed, bool(fractions) and not counted and not divides, exponent)


def _key(
    texts: tuple[str, ...], found: Sequence[re.Match[str]], rules: Sequence[_Rule]
) -> tuple[Any, ...]:
    key: list[Any] = [texts[0]]
    for match, rule, text in zip(found, rules, texts[1:], strict=True):
        sign, whole, fraction, power_sign, power = match.groups()
        if sign and not rule.signed:
            key[-1] += sign
        rest = ""
        if power is not None and not rule.exponent:
            rest, power = match[0][match[0].lower().index("e") :].casefold(), None
        if rule.decimal or power is not None:
            value = float(f"{whole}.{fraction or 0}e{power_sign or ''}{power or 0}")
            number: tuple[float, ...] = (value,)
        else:
            number = (int(whole), *((int(fraction),) if fraction else ()))
        if sign == "-" and rule.signed:
            number = tuple(-part for part in number)
        key += [number, rest + text]
    return tuple(key)
