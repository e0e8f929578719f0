"""Scratch space for corrected frames, in an anonymous file that vanishes with the process."""

import shutil
import tempfile
import threading
from collections.abc import Mapping
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.sources import Pixels
from napari_stack.stack import Stack

#: Share of the free disk that scratch leaves to others.
_RESERVE = 0.05


class Scratch:
    """Corrected frames on disk, for reading them again in bands of rows.

    It is a context manager; the file has no name, so that it vanishes after an error or a kill.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def open(self, stack: Stack, frames: int) -> None:
        """Make room for a number of frames.

        Raises
        ------
        OSError
            When the disk has too little free space.
        """
        self._shape, self._dtype = stack.shape[1:], stack.native
        self._pixels = int(np.prod(self._shape)) * self._dtype.itemsize
        self._stride = self._pixels + self._shape[0] * self._shape[1]
        needed = self._stride * frames
        free = int(shutil.disk_usage(tempfile.gettempdir()).free * (1 - _RESERVE))
        if needed > free:
            raise OSError(
                f"scratch space of {needed / 2**30:.1f} GiB is needed and {free / 2**30:.1f} GiB "
                f"are free: set TMPDIR to a larger disk, or raise the memory of the run"
            )
        self._file = tempfile.TemporaryFile(prefix="napari-stack-")  # noqa: SIM115

    def put(self, stack: Stack, places: Mapping[int, int], index: int) -> None:
        """Store a frame of the stack at its place."""
        values, valid = stack.values(int(index))
        mask = np.ones(self._shape[:2], bool) if valid is None else valid
        pixels = np.ascontiguousarray(values, dtype=self._dtype)
        assert self._file is not None
        with self._lock:
            self._file.seek(places[int(index)] * self._stride)
            self._file.write(pixels.data)
            self._file.write(np.ascontiguousarray(mask).data)
            self._file.flush()

    def values(self, place: int, rows: slice) -> Pixels:
        """Read rows of a stored frame."""
        height, width = self._shape[:2]
        row = self._pixels // height
        start = place * self._stride
        values = self._read(start + rows.start * row, (rows.stop - rows.start) * row, self._dtype)
        mask_start = start + self._pixels + rows.start * width
        valid = self._read(mask_start, (rows.stop - rows.start) * width, np.dtype(bool))
        shape = (rows.stop - rows.start, *self._shape[1:])
        return values.reshape(shape), valid.reshape(shape[:2])

    def _read(self, start: int, size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        assert self._file is not None
        with self._lock:
            self._file.seek(start)
            return np.frombuffer(self._file.read(size), dtype)
