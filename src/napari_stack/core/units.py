"""Units of axes: the many spellings of files as one, which pint and napari understand."""

import re
from functools import cache

#: What counts places instead of measuring them.
PIXEL = "pixel"

#: How ImageJ writes letters beyond ASCII.
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")

#: Prefixes of the SI: short, long, and the power of ten.
_PREFIXES = {
    "Y": ("yotta", 24), "Z": ("zetta", 21), "E": ("exa", 18), "P": ("peta", 15),
    "T": ("tera", 12), "G": ("giga", 9), "M": ("mega", 6), "k": ("kilo", 3), "h": ("hecto", 2),
    "da": ("deca", 1), "": ("", 0), "d": ("deci", -1), "c": ("centi", -2), "m": ("milli", -3),
    "u": ("micro", -6), "n": ("nano", -9), "p": ("pico", -12), "f": ("femto", -15),
    "a": ("atto", -18), "z": ("zepto", -21), "y": ("yocto", -24),
}  # fmt: skip

#: Endings of the names of metre and second.
_METRES = ("meter", "metre", "meters", "metres")
_SECONDS = ("second", "seconds", "sec", "secs")

#: Other units of length, in metres, with their spellings.
_LENGTHS: dict[str, tuple[float, tuple[str, ...]]] = {
    "um": (1e-6, ("micron", "microns", "µ", "mu")),
    "angstrom": (1e-10, ("A", "Å", "angstroms", "ångström", "ångströms", "angström", "ang")),
    "thou": (2.54e-5, ("mil", "mils")),
    "inch": (0.0254, ("in", "inches", '"')),
    "foot": (0.3048, ("ft", "feet")),
    "yard": (0.9144, ("yd", "yards")),
    "mile": (1609.344, ("mi", "miles")),
    "point": (0.0254 / 72, ("pt", "points")),
    "astronomical_unit": (149597870700.0, ("ua",)),
    "light_year": (9.4607304725808e15, ("ly", "lightyear", "light year")),
    "parsec": (3.0856775814671916e16, ("pc", "parsecs")),
}

#: Other units of time, in seconds, with their spellings.
_TIMES: dict[str, tuple[float, tuple[str, ...]]] = {
    "ms": (1e-3, ("msec", "msecs")),
    "us": (1e-6, ("usec", "usecs", "µsec")),
    "ns": (1e-9, ("nsec", "nsecs")),
    "min": (60.0, ("minute", "minutes", "mins", "mn")),
    "h": (3600.0, ("hour", "hours", "hr", "hrs")),
    "day": (86400.0, ("d", "days")),
}

#: Angles and rates, which nothing is computed with.
_OTHERS = {
    "degree": ("deg", "degrees", "°"),
    "radian": ("rad", "radians"),
    "hertz": ("Hz",),
}


def plain_unit(unit: str) -> str:
    """Spell a unit as all units are spelled here, in ASCII; what is no unit counts as pixels.

    Examples
    --------
    >>> [plain_unit(unit) for unit in ("µm", "sec", "Nanometres", "A", "px", "reference frame")]
    ['um', 's', 'nm', 'angstrom', 'pixel', 'pixel']
    """
    unit = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), unit).strip(" \t\r\n\0")
    unit = unit.replace("\u03bc", "\u00b5").replace("\u212b", "\u00c5")  # letters for signs
    exact, lower = _spellings()
    return exact.get(unit) or lower.get(unit.casefold(), PIXEL)


def spelled(unit: str) -> str:
    """Spell a unit that is known as all are spelled here, and leave any other as it is."""
    plain = plain_unit(unit)
    return unit if plain == PIXEL else plain


def metres(unit: str) -> float | None:
    """Length of a unit in m, or None where it is no length."""
    return _lengths().get(plain_unit(unit))


def seconds(unit: str) -> float | None:
    """Length of a unit in s, or None where it is no time."""
    return _times().get(plain_unit(unit))


def long_name(unit: str) -> str | None:
    """Name of a unit as OME-NGFF (UDUNITS-2) has it, such as "micrometer"; None for no unit.

    Examples
    --------
    >>> long_name("um"), long_name("s"), long_name("angstrom"), long_name("pixel")
    ('micrometer', 'second', 'angstrom', None)
    """
    unit = plain_unit(unit)
    if unit in _LONG:
        return _LONG[unit]
    if unit in _LENGTHS and unit != "um":
        return unit if unit in _UDUNITS else None
    for ending, name in (("m", "meter"), ("s", "second")):
        if unit.endswith(ending) and unit[:-1] in _PREFIXES:
            return _PREFIXES[unit[:-1]][0] + name
    return None


#: Names in OME-NGFF that are not made of a prefix.
_LONG = {"min": "minute", "h": "hour", "day": "day"}
_UDUNITS = ("angstrom", "inch", "foot", "yard", "mile", "parsec")


@cache
def _lengths() -> dict[str, float]:
    prefixed = {f"{short}m": 10.0**power for short, (_, power) in _PREFIXES.items()}
    return prefixed | {name: size for name, (size, _) in _LENGTHS.items()}


@cache
def _times() -> dict[str, float]:
    prefixed = {f"{short}s": 10.0**power for short, (_, power) in _PREFIXES.items()}
    return prefixed | {name: size for name, (size, _) in _TIMES.items()}


@cache
def _spellings() -> tuple[dict[str, str], dict[str, str]]:
    """Return what each spelling means: in these letters, and in any case of letters."""
    exact: dict[str, str] = {}
    for short, (long, _) in _PREFIXES.items():
        for letter, endings in (("m", _METRES), ("s", _SECONDS)):
            plain = short + letter
            for spelling in (plain, short.replace("u", "µ") + letter, *(long + e for e in endings)):
                exact[spelling] = plain
    others = [(name, spellings) for name, (_, spellings) in (_LENGTHS | _TIMES).items()]
    for name, spellings in (*others, *_OTHERS.items()):
        exact |= dict.fromkeys((name, *spellings), name)
    common = ("m", "s", "cm", "mm", "um", "nm", "pm", "km", "ms", "us", "ns", "ps")
    folded: dict[str, str] = {}
    for spelling, name in exact.items():  # "Mm" is a megametre; "MM", which is no unit, is meant so
        folded.setdefault(spelling.casefold(), name)
    folded |= {exact[one].casefold(): one for one in common} | {"µm": "um", "µs": "us"}
    return exact, folded | {"a": PIXEL, "px": PIXEL}
