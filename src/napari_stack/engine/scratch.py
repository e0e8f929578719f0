"""Scratch space for corrected frames, in an anonymous file that vanishes with the process."""

import os
import shutil
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack

#: Share of the free disk that scratch leaves to others.
_RESERVE = 0.05


def frame_bytes(stack: Stack, *, masked: bool) -> int:
    """Bytes that a frame takes on disk."""
    _, height, width, *channels = stack.shape
    pixel = int(np.prod(channels or 1)) * stack.native.itemsize
    return height * width * (pixel + masked)


def free_scratch(folder: str | Path | None = None) -> int:
    """Bytes that scratch files may take of a folder's disk.

    Raises
    ------
    OSError
        When the folder is not there.
    """
    return int(shutil.disk_usage(folder or tempfile.gettempdir()).free * (1 - _RESERVE))


def require_free(needed: int, folder: str | Path | None = None) -> None:
    """Refuse scratch that the disk has no room for.

    Raises
    ------
    OSError
        With what is needed, and what is free.
    """
    if needed > (free := free_scratch(folder)):
        raise OSError(
            f"scratch space of {needed / 2**30:.1f} GiB is needed and {free / 2**30:.1f} GiB are "
            "free: set TMPDIR to a larger disk, or raise the memory of the run"
        )


def unnamed_array(
    shape: tuple[int, ...], dtype: np.dtype[Any], folder: str | Path | None = None
) -> NDArray[Any]:
    """Make an array of zeros that lies in a file without a name, and goes with the array.

    Raises
    ------
    OSError
        When the disk has too little free space.
    """
    needed = int(np.prod(shape)) * dtype.itemsize
    require_free(needed, folder)
    with tempfile.TemporaryFile(prefix="napari-stack-", dir=folder) as file:
        if hasattr(os, "posix_fallocate"):  # else a disk that fills up later ends the process
            os.posix_fallocate(file.fileno(), 0, needed)
        return np.asarray(np.memmap(file, dtype, "r+", shape=shape))


class Scratch:
    """Corrected frames on disk, for reading them again in bands of rows.

    It is a context manager; the file has no name, so that it vanishes after an error or a kill.

    Parameters
    ----------
    folder : str or path, optional
        Where the file is; by default where the system has such files.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def open(self, stack: Stack, frames: int, *, masked: bool = True) -> None:
        """Make room for a number of frames, and for what is valid of them if they are `masked`.

        Raises
        ------
        OSError
            When the disk has too little free space.
        """
        self._shape, self._dtype = stack.shape[1:], stack.native
        self._pixels = int(np.prod(self._shape)) * self._dtype.itemsize
        self._masked = masked
        self._stride = frame_bytes(stack, masked=masked)
        require_free(self._stride * frames, self._folder)
        self._file = tempfile.TemporaryFile(prefix="napari-stack-", buffering=0, dir=self._folder)  # noqa: SIM115

    def put(self, stack: Stack, places: Mapping[int, int], index: int) -> None:
        """Store a frame of the stack at its place."""
        values, valid = stack.values(int(index))
        start = places[int(index)] * self._stride
        self._write(start, np.ascontiguousarray(values, dtype=self._dtype))
        if self._masked:
            mask = np.ones(self._shape[:2], bool) if valid is None else valid
            self._write(start + self._pixels, np.ascontiguousarray(mask))

    def values(self, place: int, rows: slice) -> Pixels:
        """Read rows of a stored frame."""
        height, width = self._shape[:2]
        row = self._pixels // height
        start = place * self._stride
        count = rows.stop - rows.start
        values = self._read(start + rows.start * row, count * row, self._dtype)
        values = values.reshape((count, *self._shape[1:]))
        if not self._masked:
            return values, None
        mask_start = start + self._pixels + rows.start * width
        valid = self._read(mask_start, count * width, np.dtype(bool))
        return values, valid.reshape((count, width))

    def _write(self, start: int, array: NDArray[Any]) -> None:
        assert self._file is not None
        data = memoryview(array.reshape(-1).view(np.uint8).data)
        while len(data):
            if hasattr(os, "pwrite"):  # many threads at a time
                done = os.pwrite(self._file.fileno(), data, start)
            else:
                with self._lock:
                    self._file.seek(start)
                    done = self._file.write(data)
            start, data = start + done, data[done:]

    def _read(self, start: int, size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        assert self._file is not None
        target = np.empty(size, np.uint8)
        data, done = memoryview(target.data), 0
        while done < size:
            if hasattr(os, "preadv"):
                count = os.preadv(self._file.fileno(), [data[done:]], start + done)
            else:
                with self._lock:
                    self._file.seek(start + done)
                    count = self._file.readinto(data[done:])  # type: ignore[attr-defined]
            if not count:
                raise OSError("the scratch file ends early: was the disk taken away?")
            done += count
        return target.view(dtype)
