"""`FrameCache`: frames that are expensive to compute, in memory or in a scratch file."""

import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.source import Pixels
from napari_stack.engine.scratch import ScratchFile


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
            self._file.write(index * self._bytes, np.ascontiguousarray(frame))
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
        shape = (wanted.stop - wanted.start, *self.shape[2:])
        start = index * self._bytes + wanted.start * row
        return self._file.read(start, shape, self.dtype), valid

    @cached_property
    def _file(self) -> ScratchFile:
        return ScratchFile(self._bytes * self.shape[0], self.folder)
