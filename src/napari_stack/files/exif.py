"""EXIF and colour profile of a file, as they go to what is made of it; read and made by Pillow."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.files.damage import damage_named
from napari_stack.files.remote import is_remote

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

#: Brands of photographs in the boxes of films: AVIF, and HEIC.
AVIF = (b"avif", b"avis")
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

#: Most files that a warning names.
_NAMED = 10

#: Who, what and when: make, model, date, artist, copyright. The rest of the first directory says
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
        origin = _read(path)
        with damage_named(path, ("PIL",)):
            origin.to_bytes()
    except FileNotFoundError:
        raise
    except (UserError, OSError) as error:
        reason = error.__cause__
        warn_caller(f"{path}: its EXIF is damaged and is left out ({reason})")
        return NOTHING
    return origin


def image_class(start: bytes) -> Any:
    """Return Pillow's class of an image that begins so, None for other kinds than these."""
    from PIL import (
        AvifImagePlugin,
        BmpImagePlugin,
        JpegImagePlugin,
        PngImagePlugin,
        WebPImagePlugin,
    )

    # Not by Image.open, which refuses large pictures: the file's size shows what is too large.
    kinds = {
        b"\xff\xd8": JpegImagePlugin.JpegImageFile,
        b"\x89PNG": PngImagePlugin.PngImageFile,
        b"RIFF": WebPImagePlugin.WebPImageFile,
        b"BM": BmpImagePlugin.BmpImageFile,
    }
    brand = start[8:12] if start[4:8] == b"ftyp" else b""
    if brand in AVIF:
        return AvifImagePlugin.AvifImageFile
    if brand in HEIC:
        return _heif_class()
    return next((kind for magic, kind in kinds.items() if start.startswith(magic)), None)


def _heif_class() -> Any:
    """Return the class of photographs of phones, None where its package is missing."""
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        return None
    return HeifImageFile


def _read(path: str) -> Origin:
    """Read EXIF and colour profile; nothing from files of kinds that have none."""
    from PIL import Image

    if is_remote(path) or (Path(path).exists() and not Path(path).is_file()):  # a folder, or a pipe
        return NOTHING
    with damage_named(path, ("PIL", "pillow_heif")), Path(path).open("rb") as file:
        start = file.read(12)
        file.seek(0)
        if start[:4] in (b"II*\0", b"MM\0*"):
            exif = Image.Exif()
            exif.load_from_fp(file)
            profile = exif.get(_PROFILE)
        elif kind := image_class(start):
            image = kind(file)
            exif, profile = image.getexif(), image.info.get("icc_profile")
        else:
            return NOTHING
        main = {tag: exif[tag] for tag in _KEPT if tag in exif}
        taken, place = _plain(exif.get_ifd(_EXIF_IFD)), _plain(exif.get_ifd(_GPS_IFD))
        return Origin(main, taken, place, profile if isinstance(profile, bytes) else b"")


def _plain(values: dict[int, Any]) -> dict[int, Any]:
    kept = {tag: value for tag, value in values.items() if tag not in _DROPPED}
    return {tag: value for tag, value in kept.items() if not isinstance(value, dict)}


def times(files: list[str]) -> list[float]:
    """Return when files were taken, in seconds: by EXIF where all have it, else by the file's time.

    The two are never mixed, for a camera's clock is not that of the computer. Where only some have
    it, a warning names the others.
    """
    taken = {path: _time(path) for path in files}
    known = [time for time in taken.values() if time is not None]
    if len(known) == len(files):
        return known
    if known:
        others = [Path(path).name for path, time in taken.items() if time is None]
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        warn_caller(
            f"{len(others)} of {len(files)} files have no time in their EXIF "
            f"({', '.join(others[:_NAMED])}{more}): all files are put in the order of their last "
            "change instead",
        )
    return [Path(path).stat().st_mtime for path in files]


def _time(path: str) -> float | None:
    with suppress(OSError, OverflowError, ValueError):
        origin = _read(path)
        text = str(origin.taken.get(_TAKEN) or origin.main.get(_DATE))
        fraction = origin.taken.get(_FRACTION, "0") if _TAKEN in origin.taken else "0"
        taken = datetime.strptime(text.strip("\0 "), "%Y:%m:%d %H:%M:%S")
        return taken.timestamp() + float("0." + str(fraction).strip("\0 "))
    return None
