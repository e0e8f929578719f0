"""Axes that are written in the names of files and folders: how programs write them.

Each program has its own way: ``e_t000_z000_ch00`` (Leica), ``e_s1_w1DAPI_t3`` (MetaMorph),
``Pos0/img_channel000_time000000000_z000`` and ``Pos0/img_000000000_DAPI_000`` (Micro-Manager),
``r01c02f03p04-ch1sk1fk1fl1`` (Harmony), ``e_A01_T0001F001L01A01Z01C01`` (CellVoyager),
``e--W00001--P00001--Z00000--T00000--DAPI`` (ScanR), ``VID10_A1_1_2019y05m05d_00h00m`` (Incucyte),
or a folder a channel.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Words before a number by the axis they mean.
_WORDS = {
    "t": "timepoint|time|tp|t",
    "z": "zplane|zpos|zstack|slice|plane|depth|focus|z",
    "c": "channel|chan|ch|wavelength|wv|w|c",
    "position": "position|pos|xy|fov|field|site|series|scene|stage|tile|s|p",
    "well": "well",
}

#: What follows the number of a wave is its name, as in "w1DAPI", "w2 GFP", "w3 488 nm"; other words
#: with numbers are none.
_LABEL = r"(?P<label>[ -]?(?!(?:t|s|z|c|ch|p|f)\d)[A-Za-z(][^_/]*| \d[^_/]*)?"

_UNIT = r"(?:\s?(?P<unit>um|µm|μm|nm|mm|ms|s|sec|min|h)(?![A-Za-z0-9]))?"

#: A number with all that may belong to it.
NUMBER = r"[+-]?\d+(?:\.\d+)?(?:e[+-]\d{1,3}|e\d{1,3}(?![0-9A-Za-z]))?"

_NUMBER = rf"(?P<number>{NUMBER})"

_TOKEN = re.compile(
    rf"(?<![A-Za-z])(?P<word>{'|'.join(_WORDS.values())})[ _=]*{_NUMBER}{_UNIT}", re.IGNORECASE
)

#: A comma before decimals, which are of places and times; in others it parts two numbers.
_COMMA = re.compile(
    rf"(?<![A-Za-z])(?:{_WORDS['z']}|{_WORDS['t']})[ _=]*[+-]?\d+,\d+(?![,\d])", re.IGNORECASE
)

_WAVE = re.compile(rf"(?<![A-Za-z])(?P<word>w)(?P<number>\d+){_LABEL}(?=_|$)", re.IGNORECASE)

#: Words that touch the name before them, as those of Nikon, count where another one follows.
_TOUCHING = re.compile(
    r"(?<=[A-Za-z])(?P<word>xy|t|z|c)(?P<number>\d+)(?=(?:xy|t|z|c)\d)", re.IGNORECASE
)

#: Whole names of programs that write numbers without words, or words that mean something else.
_LAYOUTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<folder>.*/|)img_(?P<t>\d{9})_(?P<c>.+)_(?P<z>\d{3})",
        r"(?P<folder>.*/|)r(?P<row>\d+)c(?P<column>\d+)f(?P<position>\d+)p(?P<z>\d+)-ch(?P<c>\d+)"
        r"sk(?P<t>\d+).*",
        r"(?P<folder>.*/|)(?P<rest>.*_)(?P<well>[A-P]\d\d)_T(?P<t>\d{4})F(?P<position>\d+)L\d+A\d+"
        r"Z(?P<z>\d+)C(?P<c>\d+)",
        r"(?P<folder>.*/|)(?P<rest>.*)--W(?P<well>\d+)--P(?P<position>\d+)--Z(?P<z>\d+)--"
        r"T(?P<t>\d+)--(?P<c>.+)",
        r"(?P<folder>.*/|)(?P<rest>.*_)(?P<well>[A-P]\d\d?)_(?P<position>\d+)_"
        r"(?P<t>\d{4}y\d\dm\d\dd_\d\dh\d\dm)",
    )
)

#: How Incucyte writes dates.
_DATE = "%Yy%mm%dd_%Hh%Mm"

#: What a channel may be called, in small letters.
_CHANNELS = re.compile(
    r"dapi|hoechst|[ceygr]fp|[a-z]*gfp|fitc|tritc|cy ?[357]|texas ?red|alexa.*|af\d{3}|m?cherry|"
    r"tdtomato|rhod.*|cfp|yfp|rfp|bf|bright ?-?field|phase.*|pc|ph\d?|dic|trans.*|red|green|blue|"
    r"far ?-?red|[3-8]\d\d(?:nm)?|ch\d+|c\d+|channel ?\d+|w\d.*",
    re.IGNORECASE,
)

_WELL = re.compile(r"[A-P](?:[1-9]|0[1-9]|1\d|2[0-4])", re.IGNORECASE)

_POSITION = re.compile(r".*(?:pos|site|field|fov|scene|series|tile).*", re.IGNORECASE)


@dataclass(frozen=True)
class Token:
    """A place along an axis, as a name says it."""

    axis: str
    text: str
    label: str = ""
    unit: str = ""


#: Tokens of a name, by the axis.
Tokens = dict[str, Token]


def tokens_of(names: Sequence[str]) -> list[Tokens] | None:
    """Find what the names of files say; None where they differ in something else, too.

    Parameters
    ----------
    names : sequence of str
        With the folders in which they differ, parted by "/", and without a suffix.

    Returns
    -------
    list of dict
        By the axis, for each name; axes along which all are at the same place are among them.
    """
    if not names:
        return None
    for layout in _LAYOUTS:
        matches = [layout.fullmatch(name) for name in names]
        found = [match.groupdict() for match in matches if match]
        if len(found) == len(names):
            return _of_layout(found)
    return _of_words(names)


def of_one_kind(names: Sequence[str]) -> list[int]:
    """Return which names are alike but for their words with numbers, where they are most.

    Returns
    -------
    list of int
        Their numbers; empty where no kind has four, and three quarters of all.
    """
    kinds = [tuple(tuple(token.axis for token in _words_in(part)[0])
                   for part in name.split("/")) for name in names]  # fmt: skip
    kind, count = Counter(kinds).most_common(1)[0]
    if count < max(4, 0.75 * len(names)):
        return []
    return [number for number, each in enumerate(kinds) if each == kind]


def _of_layout(found: Sequence[dict[str, str | None]]) -> list[Tokens] | None:
    if len({each.get("rest") for each in found}) > 1:
        return None
    listed: list[Tokens] = []
    folders = [(each.pop("folder") or "").strip("/") for each in found]
    name = _axis_of_labels(folders)
    for each, folder in zip(found, folders, strict=True):
        each.pop("rest", None)
        tokens = {axis: Token(axis, text or "") for axis, text in each.items()}
        listed.append(tokens | ({name: Token(name, folder)} if folder else {}))
    return _timed(listed)


def _timed(listed: list[Tokens]) -> list[Tokens] | None:
    """Count the minutes from the first of dates to the others; None where one is no date."""
    if "y" not in listed[0]["t"].text:
        return listed
    try:
        dates = [datetime.strptime(each["t"].text.lower(), _DATE) for each in listed]
    except ValueError:
        return None
    for each, date in zip(listed, dates, strict=True):
        each["t"] = Token("t", str((date - min(dates)) // timedelta(minutes=1)), unit="min")
    return listed


def _of_words(names: Sequence[str]) -> list[Tokens] | None:
    """Find words with numbers, folder by folder, and at most one other difference in each."""
    split = [name.split("/") for name in names]
    depth = len(split[0])
    if any(len(parts) != depth for parts in split):
        return None
    listed: list[Tokens] = [{} for _ in names]
    for level in range(depth):
        parts = [each[level] for each in split]
        found = _of_level(parts, is_folder=level < depth - 1)
        if found is None:
            return None
        for axis in found[0]:
            _add(listed, axis, [tokens[axis] for tokens in found])
    return listed


def _add(listed: Sequence[Tokens], axis: str, column: Sequence[Token]) -> None:
    """Add what the names at one level say of an axis, of which a folder may have told already."""
    for tokens, token in zip(listed, column, strict=True):
        if axis in tokens:
            tokens["folder"] = tokens[axis]
        tokens[axis] = token
    if "folder" in listed[0]:
        pairs = {(tokens["folder"].text, tokens[axis].text) for tokens in listed}
        if len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}):  # the same
            for tokens in listed:
                del tokens["folder"]


def _of_level(parts: Sequence[str], *, is_folder: bool) -> list[Tokens] | None:
    if len(set(parts)) == 1:
        return [{} for _ in parts]
    found = [_words_in(part) for part in parts]
    rests = [rest for _, rest in found]
    if len(set(rests)) == 1:
        return _by_axis([tokens for tokens, _ in found])
    if is_folder:
        name = _axis_of_labels(parts)
        return [{name: Token(name, part)} for part in parts]
    other = _one_difference(rests)
    known = _by_axis([tokens for tokens, _ in found])
    if other is None or known is None:
        return None
    name = "frame" if all(text.isdecimal() for text in other) else _axis_of_labels(other)
    if any(name in tokens for tokens in known):
        return None
    pairs = zip(known, other, strict=True)
    return [tokens | {name: Token(name, text)} for tokens, text in pairs]


def _words_in(part: str) -> tuple[list[Token], str]:
    """Return the tokens of a name, and what is left of it."""
    tokens = []

    def taken(match: re.Match[str]) -> str:
        groups = match.groupdict()
        word = groups["word"].lower()
        axis = next(a for a, words in _WORDS.items() if word in words.split("|"))
        label, unit = groups.get("label") or "", groups.get("unit") or ""
        tokens.append(Token(axis, groups["number"], label.strip(" -"), unit))
        return f"<{axis}>"

    rest = _COMMA.sub(lambda match: match[0].replace(",", "."), part)
    for pattern in (_WAVE, _TOUCHING, _TOKEN):
        rest = pattern.sub(taken, rest)
    return tokens, rest


def _by_axis(found: Sequence[Sequence[Token]]) -> list[Tokens] | None:
    """Give each axis one token: where a word comes twice, the one that differs."""
    axes = [token.axis for token in found[0]]
    if any([token.axis for token in tokens] != axes for tokens in found):
        return None
    listed: list[Tokens] = [{} for _ in found]
    differing: set[str] = set()
    for number, axis in enumerate(axes):
        column = [tokens[number] for tokens in found]
        differs = len({token.text for token in column}) > 1
        if axis in differing and differs:
            return None
        if differs or axis not in listed[0]:
            for tokens, token in zip(listed, column, strict=True):
                tokens[axis] = token
        if differs:
            differing.add(axis)
    return listed


def _one_difference(rests: Sequence[str]) -> list[str] | None:
    """Return the one part in which names differ, parted by marks; None for none or several."""
    split = [re.split(r"[_\s-]+", rest) for rest in rests]
    if len({len(parts) for parts in split}) > 1:
        return None
    columns = [list(column) for column in zip(*split, strict=True)]
    differing = [column for column in columns if len(set(column)) > 1]
    return differing[0] if len(differing) == 1 else None


def _axis_of_labels(texts: Sequence[str]) -> str:
    """Name an axis whose places have names: channels, wells or positions as far as that is seen."""
    different = set(texts)
    for name, pattern in (("c", _CHANNELS), ("well", _WELL), ("position", _POSITION)):
        if all(pattern.fullmatch(text) for text in different):
            return name
    return "folder"
