"""EXIF and colour profile of a file, as they go to what is made of it; read and made by Pillow."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

#: What Pillow raises for EXIF that is damaged.
_DAMAGE = (OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, SyntaxError,
           OverflowError, struct.error)  # fmt: skip

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_PROFILE = 34675

#: The header of EXIF in a JPEG: little endian, the first directory follows.
_HEAD = b"II*\0\x08\0\0\0"

#: Types of values in a TIFF.
_LONG, _UNDEFINED, _SIGNED_RATIONAL = 4, 7, 10

#: Shutter speed, brightness and exposure bias may be negative; version and reference of the
#: altitude of GPS are bytes, and others that Pillow hands out as bytes have no type of their own.
_SIGNED = (0x9201, 0x9203, 0x9204)
_BYTES = ((_GPS_IFD, 0), (_GPS_IFD, 5))
_DATE, _TAKEN, _FRACTION = 306, 36867, 37521

#: Who, what and when: make, model, date, artist, copyright. The rest of the first directory tells
#: how the old file was stored.
_KEPT = (271, 272, _DATE, 315, 33432)

#: Of the other one: width, height and a pointer of the old file; the maker's note holds offsets
#: into it.
_DROPPED = (0xA002, 0xA003, 0xA005, 0x927C)


@dataclass(frozen=True)
class Origin:
    """What an image takes over from a frame that it was made of.

    Attributes
    ----------
    main : dict of int to object
        Make, model, date, artist and copyright, by tag.
    taken : dict of int to object
        How the picture was taken: exposure, lens, ...
    place : dict of int to object
        Where: GPS.
    profile : bytes
        Colour profile (ICC).
    """

    main: dict[int, Any]
    taken: dict[int, Any]
    place: dict[int, Any]
    profile: bytes = b""

    def to_bytes(self) -> bytes:
        """Write EXIF as it stands in a JPEG, or nothing."""
        others = self.directories
        if not self.main and not others:
            return b""
        pointers = dict.fromkeys(others, 0)
        start = len(_HEAD) + len(encoded(_HEAD, 0, self.main | pointers, len(_HEAD)))
        parts = []
        for tag, values in others.items():
            pointers[tag] = start
            parts.append(encoded(_HEAD, tag, values, start))
            start += len(parts[-1])
        main = encoded(_HEAD, 0, self.main | pointers, len(_HEAD))
        return b"Exif\0\0" + _HEAD + main + b"".join(parts)

    @property
    def directories(self) -> dict[int, dict[int, Any]]:
        """The directories besides the main one that hold something, by their tags."""
        found = {_EXIF_IFD: self.taken, _GPS_IFD: self.place}
        return {tag: values for tag, values in found.items() if values}

    def profile_for(self, rgb: bool) -> bytes:
        """Return the profile where it is one of colours, or of grey, as the image is."""
        return self.profile if self.profile[16:20] == (b"RGB " if rgb else b"GRAY") else b""


NOTHING = Origin({}, {}, {})


def encoded(head: bytes, group: int, values: dict[int, Any], start: int) -> bytes:
    """Write a directory that stands at an (even) offset of a TIFF, of an even number of bytes."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    directory = ImageFileDirectory_v2(head, group=group or None)
    for tag, value in values.items():
        directory[tag] = value
        # Pillow guesses the types of those that it does not know from their values.
        if group == 0 and tag in (_EXIF_IFD, _GPS_IFD):
            directory.tagtype[tag] = _LONG
        elif group == _EXIF_IFD and tag in _SIGNED:
            directory.tagtype[tag] = _SIGNED_RATIONAL
        elif isinstance(value, bytes) and (group, tag) not in _BYTES:
            directory.tagtype[tag] = _UNDEFINED
    data = bytes(directory.tobytes(start))
    return data + b"\0" * (len(data) % 2)


def origin_of(path: str) -> Origin:
    """Read what goes from a file to what is made of it; nothing from what holds nothing."""
    try:
        with _exif(path) as (exif, profile):
            origin = Origin(
                {tag: exif[tag] for tag in _KEPT if tag in exif},
                _plain(exif.get_ifd(_EXIF_IFD)),
                _plain(exif.get_ifd(_GPS_IFD)),
                bytes(profile or b""),
            )
            origin.to_bytes()
    except FileNotFoundError:
        raise
    except _DAMAGE as error:
        warnings.warn(f"{path}: its EXIF is damaged and is left out ({error})", stacklevel=2)
        return NOTHING
    return origin


def _plain(values: dict[int, Any]) -> dict[int, Any]:
    return {
        tag: value
        for tag, value in values.items()
        if tag not in _DROPPED and not isinstance(value, dict)
    }


@contextmanager
def _exif(path: str) -> Iterator[tuple[Any, bytes | None]]:
    """Open EXIF and profile of a file; both are empty where its kind has none."""
    from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

    if Path(path).exists() and not Path(path).is_file():  # a folder, or a pipe
        yield Image.Exif(), None
        return
    with Path(path).open("rb") as file:
        start = file.read(4)
        file.seek(0)
        kinds: dict[bytes, Any] = {
            b"\x89PNG": PngImagePlugin.PngImageFile,
            b"RIFF": WebPImagePlugin.WebPImageFile,
        }
        kind = kinds.get(start, JpegImagePlugin.JpegImageFile if start[:2] == b"\xff\xd8" else None)
        if kind is not None:
            image = kind(file)
            yield image.getexif(), image.info.get("icc_profile")
        elif start in (b"II*\0", b"MM\0*"):
            yield _of_tiff(file)
        else:
            yield Image.Exif(), None


def _of_tiff(file: IO[bytes]) -> tuple[Any, bytes | None]:
    from PIL import Image

    exif = Image.Exif()
    exif.load_from_fp(file)
    return exif, exif.get(_PROFILE)


def times(files: list[str]) -> list[float]:
    """Tell when files were taken, in seconds: by EXIF where all have it, else by the file's time.

    The two are never mixed, for a camera's clock is not that of the computer.
    """
    taken = []
    for path in files:
        time = _time(path)
        if time is None:
            return [Path(name).stat().st_mtime for name in files]
        taken.append(time)
    return taken


def _time(path: str) -> float | None:
    with suppress(*_DAMAGE), _exif(path) as (exif, _):
        details = exif.get_ifd(_EXIF_IFD)
        text = str(details.get(_TAKEN) or exif[_DATE])
        fraction = str(details.get(_FRACTION) or "0").strip("\0 ") if _TAKEN in details else "0"
        taken = datetime.strptime(text.strip("\0 "), "%Y:%m:%d %H:%M:%S")
        return taken.timestamp() + float(f"0.{fraction}")
    return None
