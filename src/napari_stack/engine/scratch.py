"""Scratch space for corrected frames, in an anonymous file that vanishes with the process."""

import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

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
        where = "" if folder is None else f" in {folder}"
        other = "give the run another folder for scratch files or none"
        raise OSError(
            f"scratch space of {needed / 2**30:.1f} GiB is needed and {free / 2**30:.1f} GiB are "
            f"free{where}: {other if where else 'set TMPDIR to a larger disk'}, or raise the "
            "memory of the run"
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


class ScratchFile:
    """A file of some bytes without a name, so that it vanishes after an error or a kill.

    Parameters
    ----------
    size : int
        Bytes that it will hold.
    folder : str or path, optional
        Where it is; by default where the system has such files.

    Raises
    ------
    OSError
        When the disk has too little free space.
    """

    def __init__(self, size: int, folder: str | Path | None = None) -> None:
        require_free(size, folder)
        self._file = tempfile.TemporaryFile(prefix="napari-stack-", buffering=0, dir=folder)  # noqa: SIM115
        self._lock = threading.Lock()
        self.close = weakref.finalize(self, self._file.close)

    def write(self, start: int, array: NDArray[Any]) -> None:
        """Write a contiguous array from a byte on; by many threads at a time."""
        data = memoryview(array.reshape(-1).view(np.uint8).data)
        while len(data):
            if hasattr(os, "pwrite"):
                done = os.pwrite(self._file.fileno(), data, start)
            else:
                with self._lock:
                    self._file.seek(start)
                    done = self._file.write(data)
            start, data = start + done, data[done:]

    def read(self, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Read an array from a byte on; by many threads at a time.

        Raises
        ------
        OSError
            When the file ends early.
        """
        target = np.empty(shape, dtype)
        data = memoryview(target.reshape(-1).view(np.uint8).data)
        while len(data):
            if hasattr(os, "preadv"):
                count = os.preadv(self._file.fileno(), [data], start)
            else:
                with self._lock:
                    self._file.seek(start)
                    count = self._file.readinto(data)
            if not count:
                raise OSError("the scratch file ends early: was the disk taken away?")
            start, data = start + count, data[count:]
        return target


class Scratch:
    """Corrected frames on disk, for reading them again in bands of rows.

    It is a context manager.

    Parameters
    ----------
    folder : str or path, optional
        Where the file is; by default where the system has such files.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self._folder = folder
        self._file: ScratchFile | None = None

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
        self._file = ScratchFile(self._stride * frames, self._folder)

    def put(self, stack: Stack, places: Mapping[int, int], index: int) -> None:
        """Store a frame of the stack at its place."""
        assert self._file is not None
        values, valid = stack.values(int(index))
        start = places[int(index)] * self._stride
        self._file.write(start, np.ascontiguousarray(values, dtype=self._dtype))
        if self._masked:
            mask = np.ones(self._shape[:2], bool) if valid is None else valid
            self._file.write(start + self._pixels, np.ascontiguousarray(mask))

    def values(self, place: int, rows: slice) -> Pixels:
        """Read rows of a stored frame."""
        assert self._file is not None
        height, width = self._shape[:2]
        start, count = place * self._stride, rows.stop - rows.start
        first = start + rows.start * (self._pixels // height)
        values = self._file.read(first, (count, *self._shape[1:]), self._dtype)
        if not self._masked:
            return values, None
        first = start + self._pixels + rows.start * width
        return values, self._file.read(first, (count, width), np.dtype(bool))
