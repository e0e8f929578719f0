"""`OmeXml`: what is needed of the description of an OME-TIFF, read by an XML parser."""

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from napari_stack.core.errors import UserError


class OmeXml:
    """What a description says. It is the target of the parser, so that no tree is built.

    Attributes
    ----------
    pixels : dict of str to str
        Attributes of Pixels of the first image: sizes, and steps with their units.
    channels : tuple of str
        Names of the channels of the first image; empty unless all have one.
    colours : tuple of str
        Colours of these channels as "#rrggbb"; empty unless all have one.
    planes : list of dict of str to str
        Attributes of each Plane of the first image.
    description : str or None
        The first description.
    """

    def __init__(self) -> None:
        self.pixels: dict[str, str] = {}
        self.description: str | None = None
        self.planes: list[Mapping[str, str]] = []
        self._channels: list[Mapping[str, str]] = []
        self._images = 0
        self._uuid: str | None = None
        self._files: set[tuple[str, str]] = set()
        self._file = ""
        self._text: list[str] = []

    @property
    def channels(self) -> tuple[str, ...]:  # noqa: D102
        return tuple(channel["Name"] for channel in self._each_with("Name"))

    @property
    def colours(self) -> tuple[str, ...]:  # noqa: D102
        return tuple(_colour(channel["Color"]) for channel in self._each_with("Color"))

    def _each_with(self, attribute: str) -> list[Mapping[str, str]]:
        known = [channel for channel in self._channels if attribute in channel]
        return known if len(known) == len(self._channels) else []

    def size(self, letter: str) -> int:
        """Return the length of an axis, 1 where it is not given."""
        size = self.pixels.get(f"Size{letter}", "")
        return int(size) if size.isdecimal() else 1

    def other_files(self, path: str) -> set[str]:
        """Return the names of the other files of a set; none for a file that stands by itself.

        A file that was renamed still has its identifier. Folders are left out: a file must not make
        us open others anywhere.
        """
        others = {PurePath(name).name for name, uuid in self._files if uuid != self._uuid}
        return others - {PurePath(path).name}

    def doctype(self, *_: Any) -> None:
        """Refuse to read further: a few entities that it declares can expand to any size."""
        raise UserError("its OME-XML holds a document type declaration (DTD), which OME has not")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take what an element says in its attributes."""
        self._text.clear()
        match tag.rpartition("}")[2]:
            case "OME":
                self._uuid = attributes.get("UUID")
            case "Pixels":
                self._images += 1
                self.pixels = self.pixels or dict(attributes)
            case "Channel" if self._images <= 1:
                self._channels.append(dict(attributes))
            case "Plane" if self._images <= 1:
                self.planes.append(dict(attributes))
            case "UUID":
                self._file = attributes.get("FileName", "")

    def data(self, text: str) -> None:
        """Take a part of the text of an element."""
        self._text.append(text)

    def end(self, tag: str) -> None:
        """Take what an element says in its text."""
        match tag.rpartition("}")[2]:
            case "Description" if self.description is None:
                self.description = "".join(self._text)
            case "UUID" if self._file:
                self._files.add((self._file, "".join(self._text).strip()))


def _colour(text: str) -> str:
    """Return "#rrggbb" of a number of 32 bits with a sign: red, green, blue and alpha."""
    try:
        return f"#{(int(text) >> 8) & 0xFFFFFF:06x}"
    except ValueError:
        return "#ffffff"


def ome_of(tif: Any) -> OmeXml | None:
    """Read the description of an open file; None where it is no OME-TIFF.

    Raises
    ------
    UserError
        For a document type declaration.
    """
    return _parsed((tif.ome_metadata or "").strip()) if tif.is_ome else None


@lru_cache(maxsize=2)
def _parsed(xml: str) -> OmeXml:
    """Read a description; where it is no XML throughout, what stands before the first error."""
    from xml.etree.ElementTree import ParseError, XMLParser

    found = OmeXml()
    parser = XMLParser(target=found)
    with suppress(ParseError):
        parser.feed(xml)
        parser.close()
    return found
