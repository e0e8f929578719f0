"""When frames of a CZI were recorded: its attachment "TimeStamps", which libCZI does not read."""

import os
import struct
from pathlib import Path

import numpy as np

from napari_stack.core.errors import UserError
from napari_stack.files.formats.microscopes.czi_integrity import HEAD, part_at, read_at

#: Where the header of the file notes the directory of attachments; 0 where there are none.
_ATTACHMENTS = 32 + 72

#: The directory: how many there are, what is reserved, and of each where it is and its name.
_COUNT, _RESERVED = struct.Struct("<i"), 252
_ENTRY = struct.Struct("<2s10xqi16s8s80s")
_MOST = 4096

#: An attachment: how long it is, then, behind its own entry, what it holds.
_CONTENT = 256

_NAME = b"TimeStamps"


def times_of(path: str) -> list[float]:
    """Return the times in seconds, none where the file has none or they make no sense."""
    with Path(path).open("rb") as file:
        stored = os.fstat(file.fileno()).st_size
        try:
            (directory,) = struct.unpack("<q", read_at(file, 8, _ATTACHMENTS))
            if not directory:
                return []
            part_at(file, directory, b"ZISRAWATTDIR", stored)
            start = directory + HEAD.size
            (count,) = _COUNT.unpack(read_at(file, _COUNT.size, start))
            start += _COUNT.size + _RESERVED
            for number in range(min(count, _MOST)):
                entry = read_at(file, _ENTRY.size, start + number * _ENTRY.size)
                _, place, _, _, _, name = _ENTRY.unpack(entry)
                if name.rstrip(b"\0") == _NAME:
                    part_at(file, place, b"ZISRAWATTACH", stored)
                    content = place + HEAD.size + _CONTENT
                    _, many = struct.unpack("<ii", read_at(file, 8, content))
                    if not 0 <= 8 * many <= stored:
                        return []
                    return [float(v) for v in np.frombuffer(read_at(file, 8 * many, content + 8))]
        except UserError:  # the pixels may be whole
            return []
    return []
