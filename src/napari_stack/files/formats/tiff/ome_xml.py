"""`OmeXml`: what is needed of the description of an OME-TIFF, read by an XML parser."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePath, PureWindowsPath
from typing import Any

from napari_stack.core.errors import UserError


@dataclass
class TiffData:
    """Where planes of an image lie: so many pages of a file, from one on.

    Attributes
    ----------
    attributes : mapping of str to str
        IFD, PlaneCount, and which planes they are (FirstC, FirstZ, FirstT).
    file, uuid : str
        Name and identifier of the file; empty for the file with the description.
    """

    attributes: Mapping[str, str]
    file: str = ""
    uuid: str = ""

    def number(self, name: str, default: int) -> int:
        """Return an attribute that is a whole number, or the default."""
        text = self.attributes.get(name, "").strip()
        return int(text) if text.isdecimal() else default


@dataclass
class OmeImage:
    """What a description says of an image.

    Attributes
    ----------
    name : str
    pixels : mapping of str to str
        Attributes of Pixels: sizes, and steps with their units.
    each_channel : list of mapping
        Attributes of each Channel.
    planes : list of mapping
        Attributes of each Plane.
    blocks : list of TiffData
    """

    name: str = ""
    pixels: Mapping[str, str] = field(default_factory=dict)
    each_channel: list[Mapping[str, str]] = field(default_factory=list)
    planes: list[Mapping[str, str]] = field(default_factory=list)
    blocks: list[TiffData] = field(default_factory=list)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, "" for those that have none; empty where no channel has one."""
        names = tuple(channel.get("Name", "") for channel in self.each_channel)
        return names if any(names) else ()

    @property
    def colours(self) -> tuple[str, ...]:
        """Colours of the channels as "#rrggbb", white for those that have none.

        Empty where no channel has one.
        """
        known = any("Color" in channel for channel in self.each_channel)
        return tuple(_colour(c.get("Color", "")) for c in self.each_channel) if known else ()

    @property
    def samples(self) -> int:
        """Channels that a page holds, such as the colours of RGB."""
        first = self.each_channel[0] if self.each_channel else {}
        text = first.get("SamplesPerPixel", "1")
        return max(int(text), 1) if text.isdecimal() else 1

    def size(self, letter: str) -> int:
        """Return the length of an axis, 1 where it is not given."""
        size = self.pixels.get(f"Size{letter}", "")
        return int(size) if size.isdecimal() else 1


class OmeXml:
    """What a description says. It is the target of the parser, so that no tree is built.

    Attributes
    ----------
    images : list of OmeImage
    description : str or None
        The first description.
    uuid : str
        Identifier of the file.
    master : str
        Name of the file with the description, where this one has none of its own.
    """

    def __init__(self) -> None:
        self.images: list[OmeImage] = []
        self.description: str | None = None
        self.uuid = ""
        self.master = ""
        self._text: list[str] = []

    @property
    def first(self) -> OmeImage:
        """The first image; an empty one where there is none."""
        return self.images[0] if self.images else OmeImage()

    def other_files(self, path: str) -> set[str]:
        """Return the names of the other files of a set; none for a file that stands by itself.

        A file that was renamed still has its identifier.
        """
        planes = [plane for image in self.images for plane in image.blocks if plane.file]
        return {plane.file for plane in planes if not self._is_in(plane, PurePath(path).name)}

    def _is_in(self, plane: TiffData, name: str) -> bool:
        """Whether a plane lies in the file with this description; identifiers count most."""
        if self.uuid and plane.uuid:
            return plane.uuid == self.uuid
        return plane.file == name

    def doctype(self, *_: Any) -> None:
        """Refuse to read further: a few entities that it declares can expand to any size."""
        raise UserError("its OME-XML holds a document type declaration (DTD), which OME has not")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take what an element says in its attributes."""
        self._text.clear()
        match tag.rpartition("}")[2]:
            case "OME":
                self.uuid = attributes.get("UUID", "")
            case "BinaryOnly":
                self.master = plain_name(attributes.get("MetadataFile", ""))
            case "Image":
                self.images.append(OmeImage(attributes.get("Name", "")))
            case "Pixels" if self.images and not self.images[-1].pixels:
                self.images[-1].pixels = dict(attributes)
            case "Channel" if self.images:
                self.images[-1].each_channel.append(dict(attributes))
            case "Plane" if self.images:
                self.images[-1].planes.append(dict(attributes))
            case "TiffData" if self.images:
                self.images[-1].blocks.append(TiffData(dict(attributes)))
            case "UUID" if self.images and self.images[-1].blocks:
                self.images[-1].blocks[-1].file = plain_name(attributes.get("FileName", ""))

    def data(self, text: str) -> None:
        """Take a part of the text of an element."""
        self._text.append(text)

    def end(self, tag: str) -> None:
        """Take what an element says in its text."""
        match tag.rpartition("}")[2]:
            case "Description" if self.description is None:
                self.description = "".join(self._text)
            case "UUID" if self.images and self.images[-1].blocks:
                self.images[-1].blocks[-1].uuid = "".join(self._text).strip()


def _colour(text: str) -> str:
    """Return "#rrggbb" of a number of 32 bits with a sign: red, green, blue and alpha."""
    try:
        return f"#{(int(text) >> 8) & 0xFFFFFF:06x}"
    except ValueError:
        return "#ffffff"


def plain_name(name: str) -> str:
    r"""Return the name of a file without its folders: a file must not make us open others anywhere.

    Examples
    --------
    >>> plain_name("../a.ome.tif"), plain_name("D:\\data\\a.ome.tif")
    ('a.ome.tif', 'a.ome.tif')
    """
    return PureWindowsPath(name).name


def ome_of(tif: Any) -> OmeXml | None:
    """Read the description of an open file; None where it is no OME-TIFF.

    Raises
    ------
    UserError
        For a document type declaration.
    """
    return parsed((tif.ome_metadata or "").strip()) if tif.is_ome else None


@lru_cache(maxsize=2)
def parsed(xml: str) -> OmeXml:
    """Read a description; where it is no XML throughout, what stands before the first error."""
    from xml.etree.ElementTree import ParseError, XMLParser

    found = OmeXml()
    parser = XMLParser(target=found)
    with suppress(ParseError):
        parser.feed(xml)
        parser.close()
    return found
