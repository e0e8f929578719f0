"""`FileSource`: frames in files, read when they are asked for."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.source import Pixels, Source
from napari_stack.files.formats import format_of
from napari_stack.files.formats.base import First, Frame
from napari_stack.files.header_cache import HeaderCache
from napari_stack.files.remote import is_remote


@dataclass(frozen=True, eq=False)
class FileSource(Source):
    """Frames in files, read when asked for; a few films and ND2 stay open.

    Attributes
    ----------
    files : tuple of str
    first : First
        What every file must be like.
    places : ndarray of int, shape (n, 2)
        File and number in it of every frame; the number is negative where a frame is missing.
    partial : bool
        Rows can be read without decoding the whole frame.
    headers : HeaderCache
    """

    files: tuple[str, ...]
    first: First
    places: NDArray[np.intp]
    partial: bool = False
    headers: HeaderCache = field(default_factory=HeaderCache, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Take absolute paths along: where it is unpickled, another folder may be the current."""
        files = (f if is_remote(f) else str(Path(f).absolute()) for f in self.files)
        return {**self.__dict__, "files": tuple(files)}

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (len(self.places), *self.first.frame.shape)

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return self.first.frame.dtype

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        """Read one frame, or some rows of it.

        Raises
        ------
        ValueError, OSError
            Naming the file, when it is missing, damaged, or unlike the first.
        """
        file, number = self.places[index]
        if number < 0:
            return _blank(self.first.frame, rows), None
        path = self.files[file]
        kind = format_of(path, self.headers)
        return kind.read_frame(path, int(number), rows, self.first), None

    def several(self, start: int, stop: int) -> NDArray[Any] | None:
        """Read frames that follow one another in a file at once, where its format can."""
        files, numbers = self.places[start:stop].T
        if len(numbers) < 2 or numbers[0] < 0 or (np.diff(numbers) != 1).any() or np.ptp(files):
            return None
        path = self.files[files[0]]
        kind = format_of(path, self.headers)
        return kind.read_frames(path, range(numbers[0], numbers[-1] + 1), self.first)

    @cached_property
    def missing(self) -> frozenset[int]:  # noqa: D102
        return frozenset(np.flatnonzero(self.places[:, 1] < 0).tolist())

    def file(self, index: int) -> str | None:  # noqa: D102
        return None if index in self.missing else self.files[int(self.places[index, 0])]

    @property
    def files_read(self) -> frozenset[str]:  # noqa: D102
        return frozenset(self.files[number] for number in set(self.read_places[:, 0].tolist()))

    @property
    def read_places(self) -> NDArray[np.intp]:
        """File and number of every frame that is not missing."""
        return self.places[self.places[:, 1] >= 0]

    def label(self, index: int) -> str:
        """Name of the file, and the page where files have several."""
        file, number = self.places[index]
        if number < 0:
            return f"missing frame {index}"
        name = Path(self.files[file]).name
        return f"{name} page {number + 1}" if (self.places[:, 1] > 0).any() else name


def _blank(frame: Frame, rows: slice | None) -> NDArray[Any]:
    """Return the pixels of a frame that was never recorded: 0, or NaN where the type has it."""
    height = frame.shape[0] if rows is None else rows.stop - rows.start
    fill = np.nan if frame.dtype.kind == "f" else 0
    return np.full((height, *frame.shape[1:]), fill, frame.dtype)
