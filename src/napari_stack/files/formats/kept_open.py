"""`KeptOpen`: files that stay open while a series is read, few at a time."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

from napari_stack.files.header_cache import HeaderCache

#: Files that are open at a time.
_MOST = 4


class KeptOpen:
    """Files of a series that are open: the ones read last, for a series may have thousands."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: OrderedDict[Hashable, Any] = OrderedDict()

    @classmethod
    def of(cls, headers: HeaderCache) -> "KeptOpen":
        """Return those of a series; they are closed when no more is read of it."""
        found: KeptOpen = headers.recall("kept open") or headers.keep(cls(), "kept open")
        return found

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what is open for a file, or open it."""
        with self._lock:
            if key not in self._open:
                self._open[key] = make()
            self._open.move_to_end(key)
            while len(self._open) > _MOST:  # closed when no thread reads it any more
                self._open.popitem(last=False)
            return self._open[key]
