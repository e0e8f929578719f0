"""Files that are packed as a whole (gzip), unpacked once into a file without a name."""

import gzip
import mmap
import shutil
import tempfile
from io import BufferedReader, RawIOBase
from pathlib import Path
from threading import Lock
from typing import IO, Any

from napari_stack.core.errors import UserError
from napari_stack.files.header_cache import HeaderCache, stamp_of

GZIP = b"\x1f\x8b"

#: Bytes that are unpacked at a time, and share of the free disk that is left to others.
_PIECE, _RESERVE = 2**22, 0.05

_unpacking = Lock()


def unpacked(path: str, headers: HeaderCache) -> IO[bytes]:
    """Open a file as it was before it was packed; any number of times, by any thread.

    Raises
    ------
    UserError
        When the disk for temporary files does not hold it.
    """
    key = "unpacked", stamp_of(path)
    with _unpacking:
        whole = headers.recall(*key)
        if whole is None:
            whole = headers.keep(_unpack(path), *key)
    return BufferedReader(_View(whole))


def _unpack(path: str) -> mmap.mmap:
    """Unpack a file into one that has no name and vanishes with the process."""
    folder = tempfile.gettempdir()
    left = int(shutil.disk_usage(folder).free * (1 - _RESERVE))
    with (
        tempfile.TemporaryFile(prefix="napari-stack-", dir=folder) as target,
        Path(path).open("rb") as packed,
        gzip.open(packed) as source,
    ):
        while piece := source.read(_PIECE):
            left -= target.write(piece)
            if left < 0:
                raise UserError("unpacked it takes more than is free: set TMPDIR to a larger disk")
        target.flush()
        return mmap.mmap(target.fileno(), 0, access=mmap.ACCESS_READ)


class _View(RawIOBase):
    """A file in memory, with a place of its own."""

    def __init__(self, whole: mmap.mmap) -> None:
        self._whole, self._place = whole, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = max((0, self._place, len(self._whole))[whence] + offset, 0)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, target: Any) -> int:
        data = self._whole[self._place : self._place + len(target)]
        target[: len(data)] = data
        self._place += len(data)
        return len(data)
