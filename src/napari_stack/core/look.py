"""`Look`: how an image, or a channel of one, is shown: its name, colours and display range."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Colours by the names that files give them.
_NAMED = {
    "gray": "#ffffff", "grey": "#ffffff", "grays": "#ffffff", "greys": "#ffffff",
    "white": "#ffffff", "red": "#ff0000", "green": "#00ff00", "blue": "#0000ff",
    "cyan": "#00ffff", "magenta": "#ff00ff", "yellow": "#ffff00", "orange": "#ff8000",
}  # fmt: skip

#: Entries of a table of colours.
_ENTRIES = 256

_HEX = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class Look:
    """How an image, or a channel of one, is shown; what is not known is empty.

    Parameters
    ----------
    name : str
        Of an image that is one channel alone; those of several are the `labels` of their axis.
    colours : tuple of str
        From the least to the greatest value, evenly spaced, as "#rrggbb": two make a ramp, such as
        ("#000000", "#00ff00"), and 256 a table. See `ramp` and `gradient`.
    limits : tuple of float, optional
        Values shown in the first and in the last colour.
    """

    name: str = ""
    colours: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None

    def __bool__(self) -> bool:
        return bool(self.name or self.colours or self.limits)

    def table(self) -> NDArray[np.uint8]:
        """Return 256 colours, shape (256, 3); grey where none are known."""
        nodes = np.array([rgb_of(colour) for colour in self.colours or ("#000000", "#ffffff")])
        places = np.linspace(0, len(nodes) - 1, _ENTRIES)
        mixed = [np.interp(places, np.arange(len(nodes)), channel) for channel in nodes.T]
        return np.rint(np.stack(mixed, axis=-1)).astype(np.uint8)

    def to_plain(self) -> dict[str, Any]:
        """Make plain data (JSON types) of what is known."""
        limits = None if self.limits is None else [float(value) for value in self.limits]
        known = {"name": self.name, "colours": list(self.colours), "limits": limits}
        return {name: value for name, value in known.items() if value}

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        """Read what `to_plain` made; what makes no sense is left out."""
        if not isinstance(plain, Mapping):
            return cls()
        colours, limits = plain.get("colours"), plain.get("limits")
        known = isinstance(colours, list) and len(colours) > 1 and all(map(_is_colour, colours))
        return cls(
            str(plain.get("name", "")), tuple(colours or ()) if known else (), limits_of(limits)
        )


def limits_of(limits: Any) -> tuple[float, float] | None:
    """Return a display range of two numbers, or None where they are none, or the same."""
    try:
        low, high = map(float, limits)
    except (TypeError, ValueError):
        return None
    return (low, high) if isfinite(low) and isfinite(high) and low < high else None


def ramp(colour: str | Sequence[int]) -> tuple[str, ...]:
    """Return the colours from black to one, given by name, as "#rrggbb" or as (red, green, blue).

    Empty for what is no colour.

    Examples
    --------
    >>> ramp("green"), ramp((255, 0, 0)), ramp("FF00FF"), ramp("blurred")
    (('#000000', '#00ff00'), ('#000000', '#ff0000'), ('#000000', '#ff00ff'), ())
    """
    if isinstance(colour, str):
        name = colour.strip().lower()
        found = _NAMED.get(name, f"#{name.removeprefix('#')}")
    else:
        found = "#" + "".join(f"{int(part) & 255:02x}" for part in list(colour)[:3])
    return ("#000000", found) if _is_colour(found) else ()


def gradient(table: ArrayLike) -> tuple[str, ...]:
    """Return the colours of a lookup table of 8 bits, shape (n, 3): two where it is a ramp.

    Examples
    --------
    >>> gradient([(0, 0, 0), (0, 64, 0), (0, 128, 0)])
    ('#000000', '#008000')
    """
    colours = np.asarray(table)[:, :3].astype(np.uint8)
    nodes = tuple("#" + bytes(colour).hex() for colour in colours)
    ends = nodes[0], nodes[-1]
    places = np.linspace(0, _ENTRIES - 1, len(colours))
    even = [np.interp(places, range(_ENTRIES), c) for c in Look(colours=ends).table().T]
    return ends if np.abs(np.stack(even, axis=-1) - colours).max() <= 1 else nodes


def rgb_of(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue of "#rrggbb".

    Examples
    --------
    >>> rgb_of("#ff8000")
    (255, 128, 0)
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _is_colour(text: Any) -> bool:
    return isinstance(text, str) and _HEX.fullmatch(text) is not None
