"""EXIF in a TIFF: its first directory by tifffile, the others appended to the finished file."""

import struct
from pathlib import Path
from typing import Any

from napari_stack.files.exif import Origin, encoded

#: tifffile does not write pointer tags: the preceding tag numbers are written in their place.
_SHIFT = -1

#: A date has an option of its own in tifffile.
_DATE = 306


def options(origin: Origin, *, rgb: bool, big: bool) -> dict[str, Any]:
    """Return options of tifffile that write the first directory, and placeholders of pointers."""
    texts = [
        (tag, "s", 0, str(value).encode("ascii", "replace").decode(), True)
        for tag, value in origin.main.items()
        if tag != _DATE
    ]
    pointers = [(tag + _SHIFT, "I", 1, 0, True) for tag, _ in _directories(origin, big)]
    result: dict[str, Any] = {"extratags": texts + pointers} if texts or pointers else {}
    if profile := origin.profile_for(rgb):
        result["iccprofile"] = profile
    if date := origin.main.get(_DATE):
        result["datetime"] = str(date)[:19]
    return result


def _directories(origin: Origin, big: bool) -> list[tuple[int, dict[int, Any]]]:
    # Pillow writes directories with 32-bit offsets only.
    return [] if big else list(origin.directories.items())


def append(path: Path, origin: Origin, *, big: bool) -> None:
    """Append the directories of EXIF and GPS, and let the first directory point to them."""
    directories = _directories(origin, big)
    if not directories:
        return
    import tifffile

    with tifffile.TiffFile(path, mode="r+") as tif:
        file = tif.filehandle
        file.seek(0)
        head = file.read(8)
        for tag, values in directories:
            start = file.seek(0, 2)
            start += file.write(b"\0" * (start % 2))
            file.write(encoded(head, tag, values, start))
            pointer = tif.pages.first.tags[tag + _SHIFT]
            pointer.overwrite(start)
            file.seek(pointer.offset)
            file.write(struct.pack(tif.byteorder + "H", tag))
