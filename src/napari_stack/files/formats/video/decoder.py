"""`Film`, where its frames are, and `Decoder`: a film that is open, and what was decoded last."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError

#: Bytes of decoded frames that are kept, of which there are always some: threads that read ahead
#: ask for them in another order than that in which they are decoded.
_BYTES, _FEWEST = 2**26, 4


@dataclass(frozen=True)
class Film:
    """Where the frames of a stream are.

    Attributes
    ----------
    path : str
    stream : int
        Number of the stream in the file.
    stamps : ndarray of int64
        Time stamps of the frames, in the order in which they are shown.
    keys : ndarray of int64
        Time stamps of those that need no other to be decoded.
    colours : str
        Name that FFmpeg gives the pixels into which frames are converted.
    turns : int
        Quarter turns, against the clock, by which the camera was held.
    counted : bool
        Stamps are the numbers of the frames, as the stamps of the file do not rise.
    """

    path: str
    stream: int
    stamps: NDArray[np.int64]
    keys: NDArray[np.int64]
    colours: str
    turns: int
    counted: bool


class Decoder:
    """A stream of a film, decoded from a frame that needs no other up to the one asked for.

    Parameters
    ----------
    film : Film
    """

    def __init__(self, film: Film) -> None:
        import av

        self._lock = Lock()
        self._file = av.open(film.path)
        self._video = self._file.streams[film.stream]
        self._video.thread_type = "AUTO"
        self._keys, self._counted = film.keys, film.counted
        self._frames: Iterator[Any] | None = None
        self._last: int | None = None
        self._kept: OrderedDict[int, Any] = OrderedDict()

    def frame(self, stamp: int) -> Any:
        """Return the frame with a time stamp.

        Raises
        ------
        UserError
            When it is not there, or cannot be decoded.
        """
        with self._lock:
            if stamp in self._kept:
                return self._kept[stamp]
            at = int(np.searchsorted(self._keys, stamp, "right")) - 1
            ahead = self._last is not None and self._last < stamp
            near = ahead and (at < 0 or self._keys[at] <= self._last)
            if near and (found := self._decoded(stamp)) is not None:
                return found
            # Some files count keys that FFmpeg cannot start at: then from the ones before.
            for key in (at, at - 1, at - 2, None):
                self._seek(None if key is None or key < 0 else int(self._keys[key]))
                if (found := self._decoded(stamp)) is not None:
                    return found
        seconds = float(stamp * self._video.time_base)
        where = f"number {stamp}" if self._counted else f"at {seconds:g} s"
        raise UserError(f"its frame {where} cannot be decoded")

    def _seek(self, stamp: int | None) -> None:
        start = self._video.start_time or 0
        self._file.seek(min(start, 0) if stamp is None else stamp, stream=self._video)
        self._frames, self._last = None, None

    def _decoded(self, stamp: int) -> Any:
        """Decode up to a frame; None where later ones come first, or none at all."""
        if self._frames is None:
            self._frames = self._file.decode(self._video)
        for frame in self._frames:
            at = -1 if self._last is None else self._last
            at = at + 1 if self._counted else frame.pts
            if at is None:
                continue
            self._last = at
            self._keep(at, frame)
            if at >= stamp:
                return frame if at == stamp else None
        self._frames = None
        return None

    def _keep(self, stamp: int, frame: Any) -> None:
        self._kept[stamp] = frame
        self._kept.move_to_end(stamp)
        size = max(sum(plane.buffer_size for plane in frame.planes), 1)
        while len(self._kept) > max(_FEWEST, _BYTES // size):
            self._kept.popitem(last=False)
