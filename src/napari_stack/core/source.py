"""`Source`: where pixels come from, and the sources that core itself needs."""

import operator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.sources.blocks import Blocks, chunks_of, read_part

if TYPE_CHECKING:
    from napari_stack.core.stack import Stack

#: Pixels of a frame, and where they are valid (None: everywhere).
Pixels = tuple[NDArray[Any], NDArray[np.bool_] | None]


class Source:
    """Where the frames of a stack come from. Picklable, and safe to read from several threads.

    Subclasses give `shape`, `dtype` and `pixels`; all else has a default.

    Attributes
    ----------
    partial : bool
        Rows can be read without reading the whole frame.
    computed : bool
        `pixels` gives the working values, neither rounded nor cast, in arrays that may be changed;
        else the pixels as they are stored, in arrays that may not.
    corrected_by : tuple of Correction
        What was done to the frames already; their pixels are corrected.
    recorded : tuple of int or None
        Height and width of the frames as they were recorded, where these differ from `shape`.
    spacing : tuple of float or None
        Where each frame is made of several: how many of those lie between two frames, and where
        the middle of the first frame lies among them.
    """

    partial: bool = False
    computed: bool = False
    corrected_by: tuple[Any, ...] = ()
    recorded: tuple[int, int] | None = None
    spacing: tuple[float, float] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, y, x) or (n, y, x, channel)."""
        raise NotImplementedError

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the frames as they are seen, in native byte order."""
        raise NotImplementedError

    def check(self) -> None:
        """Refuse frames that cannot be stacked.

        Raises
        ------
        ValueError
            For frames of another shape, without pixels, or of complex or structured type.
        """
        if len(self.shape) not in (3, 4):
            raise UserError(
                f"a stack needs frames along its first axis, (n, y, x) or (n, y, x, channel); got "
                f"the shape {self.shape}"
            )
        if self.dtype.kind not in "buif":
            raise UserError(f"a stack holds numbers; {self.dtype} pixels cannot be stacked")
        if 0 in self.shape:
            raise UserError(f"the stack is empty: its shape is {self.shape}")

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        """Read one frame, or some rows of it, with what is known of its validity."""
        raise NotImplementedError

    def several(self, start: int, stop: int) -> NDArray[Any] | None:  # noqa: ARG002
        """Read frames at once, all of them valid, in a new array; None for one by one."""
        return None

    def label(self, index: int) -> str:
        """Name a frame, for messages and for the names of output files."""
        return f"frame {index}"

    @property
    def missing(self) -> frozenset[int]:
        """Numbers of frames that were never recorded: they have no pixels, and are never used."""
        return frozenset()

    def usable(self, used: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        """Return which frames are used, by default all; those that are missing never are."""
        if used is None:
            used = np.ones(self.shape[0], bool)
        elif used.shape != (self.shape[0],):
            raise UserError(
                f"used needs one entry for each of the {self.shape[0]} frames, got the shape "
                f"{used.shape}"
            )
        if missing := [number for number in self.missing if used[number]]:
            used = used.copy()
            used[missing] = False
        return used

    @property
    def parents(self) -> "tuple[Source, ...]":
        """Sources that the frames are made of."""
        return ()

    @property
    def below(self) -> "Stack | None":
        """Stack whose frames these are, one for one, where there is one."""
        return None

    def origin(self, index: int) -> "tuple[Source, int] | None":
        """Return the source, and the number in it, of the frame that a frame stems from."""
        below = self.below
        return None if below is None else (below.source, index)

    def file(self, index: int) -> str | None:  # noqa: ARG002
        """Return the file that a frame is read from."""
        return None

    @property
    def files_read(self) -> frozenset[str]:
        """Files that frames are read from, the parents' left out."""
        return frozenset()


def frame_number(index: Any, count: int) -> int:
    """Return the number of a frame, counted from the first, of one that may count from the last.

    Raises
    ------
    TypeError
        For anything but a whole number.
    IndexError
        For a frame that is not there.
    """
    try:
        index = operator.index(index)
    except TypeError:
        raise TypeError(
            f"a frame is asked for by its number, got {index!r}; select([...]) gives several"
        ) from None
    if not -count <= index < count:
        raise IndexError(f"frame {index} of a stack of {count}")
    return int(index % count)


def as_array(data: Any) -> Any:
    """Return an array of numpy, dask, zarr or the like as it is, and anything else as NumPy's."""
    return data if hasattr(data, "shape") and hasattr(data, "dtype") else np.asarray(data)


@dataclass(frozen=True)
class ArraySource(Source):
    """Frames in an array: numpy, dask, zarr, or what else is indexed like them; nothing is copied.

    Parameters
    ----------
    data : array
        (..., y, x) or (..., y, x, channel).
    leading : tuple of int
        Lengths of the axes before y and x; frames count in C order over them. Default: one axis.
    name : str
        What the array is called, for messages.
    """

    data: Any
    leading: tuple[int, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "leading", tuple(self.leading or self.data.shape[:1]))

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (prod(self.leading), *self.data.shape[len(self.leading) :])

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return np.dtype(self.data.dtype).newbyteorder("=")

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the chunks that were read."""
        return {name: value for name, value in self.__dict__.items() if name != "_blocks"}

    @property
    def partial(self) -> bool:  # type: ignore[override]
        """False for an array whose chunks hold whole frames: a row costs the frame."""
        chunks = chunks_of(self.data)
        return chunks is None or len(chunks[len(self.leading)]) > 1

    @cached_property
    def _blocks(self) -> Blocks | None:
        return Blocks.of(self.data, len(self.leading))

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:  # noqa: D102
        place = self._place(index)
        if self._blocks is not None:
            return np.asarray(self._blocks.frame(place, rows), dtype=self.dtype), None
        part = read_part(self.data, place if rows is None else (*place, rows))
        return np.asarray(part, dtype=self.dtype), None

    def label(self, index: int) -> str:  # noqa: D102
        place = ", ".join(map(str, self._place(index)))
        return f"frame {place}" + (f" of {self.name}" if self.name else "")

    def _place(self, index: int) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(index, self.leading))


@dataclass(frozen=True, eq=False)
class WrappedSource(Source):
    """Base of sources that hand on the frames of another; what is not said otherwise is as there.

    Parameters
    ----------
    source : Source
    """

    source: Source

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return self.source.dtype

    @property
    def partial(self) -> bool:  # type: ignore[override]  # noqa: D102
        return self.source.partial

    @property
    def computed(self) -> bool:  # type: ignore[override]  # noqa: D102
        return self.source.computed

    @property
    def missing(self) -> frozenset[int]:  # noqa: D102
        return self.source.missing

    @property
    def parents(self) -> tuple[Source, ...]:  # noqa: D102
        return (self.source,)

    def origin(self, index: int) -> tuple[Source, int] | None:  # noqa: D102
        return self.source, index

    def label(self, index: int) -> str:  # noqa: D102
        return self.source.label(index)


@dataclass(frozen=True)
class Selected(WrappedSource):
    """Some frames of a source, in any order."""

    frames: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (len(self.frames), *self.source.shape[1:])

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:  # noqa: D102
        return self.source.pixels(int(self.frames[index]), rows)

    @cached_property
    def missing(self) -> frozenset[int]:  # noqa: D102
        if not (missing := self.source.missing):
            return missing
        return frozenset(i for i, number in enumerate(self.frames.tolist()) if number in missing)

    def origin(self, index: int) -> tuple[Source, int]:  # noqa: D102
        return self.source, int(self.frames[index])

    def label(self, index: int) -> str:  # noqa: D102
        return self.source.label(int(self.frames[index]))
