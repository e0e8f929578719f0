"""`FrameCache`: frames that are expensive to compute, in memory or in a scratch file."""

import tempfile
import threading
import weakref
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.source import Pixels
from napari_stack.engine.scratch import require_free


class FrameCache:
    """Frames and where they are valid: in memory, or in an anonymous file where they are large.

    Sent to another process it arrives empty. One thread at a time makes frames: hold `lock`.

    Parameters
    ----------
    shape : tuple of int
        Of all frames.
    dtype : numpy.dtype
    memory : int
        Bytes that all frames may take in memory; else they go to the file.
    folder : str or path, optional
        Where the file is.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        memory: int,
        folder: str | Path | None = None,
    ) -> None:
        self.shape, self.dtype, self.memory, self.folder = shape, dtype, memory, folder
        self.lock = threading.RLock()
        self._frames: dict[int, NDArray[Any]] = {}
        self._valid: dict[int, NDArray[np.bool_] | None] = {}
        self._file: IO[bytes] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.shape, self.dtype, self.memory, self.folder)

    @property
    def _bytes(self) -> int:
        return int(np.prod(self.shape[1:])) * self.dtype.itemsize

    def __contains__(self, index: int) -> bool:
        return index in self._valid

    def put(self, index: int, frame: NDArray[Any], valid: NDArray[np.bool_] | None) -> None:
        """Keep a frame; masks stay in memory.

        Raises
        ------
        OSError
            When the disk has too little free space.
        """
        if self._bytes * self.shape[0] <= self.memory:
            self._frames[index] = frame
        else:
            file = self._opened()
            file.seek(index * self._bytes)
            data = memoryview(np.ascontiguousarray(frame).reshape(-1).view(np.uint8).data)
            while len(data):
                data = data[file.write(data) :]
        self._valid[index] = valid

    def get(self, index: int, rows: slice | None = None) -> Pixels:
        """Return some rows of a frame that was kept, not to be changed."""
        valid = self._valid[index]
        if rows is not None and valid is not None:
            valid = valid[rows]
        if index in self._frames:
            frame = self._frames[index]
            return frame if rows is None else frame[rows], valid
        wanted = rows or slice(0, self.shape[1])
        row = self._bytes // self.shape[1]
        found = np.empty((wanted.stop - wanted.start, *self.shape[2:]), self.dtype)
        with self.lock:
            file = self._opened()
            file.seek(index * self._bytes + wanted.start * row)
            target = memoryview(found.reshape(-1).view(np.uint8).data)
            while len(target):
                if not (count := file.readinto(target)):  # type: ignore[attr-defined]
                    raise OSError("the scratch file ends early: was the disk taken away?")
                target = target[count:]
        return found, valid

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            require_free(self._bytes * self.shape[0], self.folder)
            self._file = tempfile.TemporaryFile(  # noqa: SIM115
                prefix="napari-stack-", buffering=0, dir=self.folder
            )
            weakref.finalize(self, self._file.close)
        return self._file
