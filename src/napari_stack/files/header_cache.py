"""`HeaderCache`: what was read from the headers of the files of a series."""

import os
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from napari_stack.files.remote import is_remote

#: Path, time of the last change in ns, and size: a file that is written anew has another one.
Stamp = tuple[str, int, int]

#: Bytes that pages of TIFF files may take in the cache.
_MOST_BYTES = 2**24

T = TypeVar("T")


def stamp_of(path: str) -> Stamp:
    """Return what identifies a file until it is written anew; an address is taken to stay."""
    if is_remote(path):
        return path, 0, 0
    status = os.stat(path)  # noqa: PTH116
    return path, status.st_mtime_ns, status.st_size


@dataclass(frozen=True)
class ReadOptions:
    """How pixels are read.

    Attributes
    ----------
    demosaic : bool
        Colours are made out of the mosaic of a sensor.
    """

    demosaic: bool = True


class HeaderCache:
    """What was read from headers; a pickle holds none of it, and headers are read again elsewhere.

    The options of reading, which are the same for all files, go along with it.

    Threads share it without a lock: setting an entry of a dict is safe, and at worst two threads
    read the same header.
    """

    def __init__(self, options: ReadOptions = ReadOptions()) -> None:
        self.options = options
        self._entries: dict[Hashable, Any] = {}
        self._bytes = 0

    def __reduce__(self) -> tuple[type[Self], tuple[ReadOptions]]:
        return type(self), (self.options,)

    def recall(self, *key: Hashable) -> Any:
        """Return an entry, or None."""
        return self._entries.get(key)

    def keep(self, value: T, *key: Hashable, size: int = 0) -> T:
        """Keep a value, unless there is one already, and return what is kept.

        The first ones stay rather than the last ones, since a series is read from its start again
        and again: where large ones (`size` in bytes) fill the cache, later ones are not kept.
        """
        if self._bytes + size > _MOST_BYTES:
            return value
        self._bytes += size
        return self._entries.setdefault(key, value)
