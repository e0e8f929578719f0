"""`Format`: how a kind of files is read; what a frame is, and what a file holds."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.look import Look
from napari_stack.files.damage import damage_named
from napari_stack.files.header_cache import HeaderCache
from napari_stack.files.metadata import Note

#: The number of a frame that was never recorded.
MISSING = -1

#: A frame is refused when it is both larger than this and larger than its file by this factor:
#: deflate, the densest of the common codecs, cannot exceed 1032.
_ABSURD_BYTES, _ABSURD_FACTOR = 2**28, 4096

#: The same where frames of a file are of different sizes, as damage to a header makes them.
_SUSPECT_BYTES = 2**24


@dataclass(frozen=True)
class Frame:
    """What a frame is.

    Attributes
    ----------
    shape : tuple of int
        (y, x) or (y, x, channel).
    dtype : numpy.dtype
        In native byte order.
    rgb, alpha : bool
        See `Stack`.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    rgb: bool = False
    alpha: bool = False

    def __str__(self) -> str:
        height, width, *channels = self.shape
        bands = f" in {channels[0]} channels" if channels else ""
        return f"{width} x {height} {self.dtype} pixels{bands}"

    def check(self, path: str, stored: int, suspect: bool = False) -> None:
        """Refuse pixels that cannot be stacked, and more of them than so many bytes can hold.

        Parameters
        ----------
        path : str
        stored : int
            Bytes of the file.
        suspect : bool
            Other frames in the file are of another size, which damage may have made.
        """
        if self.dtype.kind not in "buif":
            what = "save their magnitude" if self.dtype.kind == "c" else "save them as numbers"
            raise UserError(f"{path} holds {self.dtype} pixels, which cannot be stacked: {what}")
        size = prod(self.shape) * self.dtype.itemsize
        least = _SUSPECT_BYTES if suspect else _ABSURD_BYTES
        if size == 0 or (size > least and size > _ABSURD_FACTOR * stored):
            raise UserError(
                f"{path} claims to hold {self}, which its {stored} bytes cannot: it is damaged; "
                "copy or save it anew"
            )


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file holds.

    Attributes
    ----------
    frame : Frame
    partial : bool
        Whether rows can be read without decoding the whole frame.
    leading : tuple of Axis
        Axes before y and x; one at least.
    sizes : tuple of int
        Their lengths.
    plane : tuple of Axis
        The axes y and x.
    order : ndarray of int, shape (n,)
        Which frame of the file comes at which place, in C order over the leading axes.
    used : ndarray of bool, shape (n,), or None
        Which of them, in that order, reducers take, where the file says so.
    look : Look
        How the frames are shown; channels along an axis have the `looks` of that axis.
    """

    frame: Frame
    partial: bool
    leading: tuple[Axis, ...]
    sizes: tuple[int, ...]
    plane: tuple[Axis, Axis]
    order: NDArray[np.intp]
    used: NDArray[np.bool_] | None = None
    look: Look = Look()

    @classmethod
    def counted(cls, frame: Frame, count: int = 1) -> "Contents":
        """Return the contents of a file whose frames are only counted, and decoded as a whole."""
        plane = Axis("y"), Axis("x")
        return cls(frame, False, (Axis("frame"),), (count,), plane, np.arange(count))


@dataclass(frozen=True)
class First:
    """The first file of a series, which the others must be like.

    Attributes
    ----------
    path : str
    frame : Frame
    count : int
        Number of frames in every file; 0 where the files were asked for theirs.
    """

    path: str
    frame: Frame
    count: int

    def check(self, path: str, frame: Frame, count: int = 1) -> None:
        """Refuse a file with frames of another size or type, or more or fewer of them, by name."""
        if (frame.shape, frame.dtype) != (self.frame.shape, self.frame.dtype):
            beside = "its first page" if path == self.path else f"the first file, {self.path},"
            raise UserError(
                f"{path} holds {frame} where {beside} holds {self.frame}: frames of a stack need "
                "one size and type; leave the file out, or convert it"
            )
        if self.count and count != self.count:
            raise UserError(
                f"{path} holds {count} frames where the first file, {self.path}, holds "
                f"{self.count}: read it by itself, or leave it out"
            )


@dataclass(frozen=True, eq=False)
class Series:
    """One of the images that a file, or a set of files, holds.

    Attributes
    ----------
    name : str
        As the file calls it, such as the name of a position; empty where it has none.
    contents : Contents
        What it holds. Its `order` numbers frames through all series of the file, or as the
        `places` of a set count them: `Format.read_frame` needs no other word of the series. A
        frame that was never recorded has the number `MISSING`, and is not used.
    kind : str
        Series are joined along an axis of positions only where this is the same.
    """

    name: str
    contents: Contents
    kind: str = ""


@dataclass(frozen=True, eq=False)
class FileSet:
    """Images in several files, such as an OME set; each may lie in one of them or in many.

    Attributes
    ----------
    files : list of str
    places : ndarray of int, shape (n, 2)
        File, and number in it, of every frame of the set.
    series : tuple of Series
        The images; their `order` counts the `places`.
    """

    files: list[str]
    places: NDArray[np.intp]
    series: tuple[Series, ...]


class Format:
    """How a kind of files is read.

    A format gives `contents` and `read_frame`; all else has a default. One whose files may hold
    several images gives `series` too. What these raise for a damaged file names it: they call
    decoders within `damage_named`.

    Parameters
    ----------
    headers : HeaderCache
        Of the series that is read.

    Attributes
    ----------
    name : str
        For messages.
    starts : tuple of bytes
        What its files begin with.
    suffixes : tuple of str
        By which its files are found in a folder.
    libraries : tuple of str
        Packages that decode; see `damage_named`.
    """

    name: ClassVar[str]
    starts: ClassVar[tuple[bytes, ...]] = ()
    suffixes: ClassVar[tuple[str, ...]] = ()
    libraries: ClassVar[tuple[str, ...]] = ()

    def __init__(self, headers: HeaderCache) -> None:
        self.headers = headers

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: ARG003
        """Return whether a file, of which the first 16 bytes are given, is of this kind."""
        return start.startswith(cls.starts)

    def contents(self, path: str) -> Contents:
        """Read what a file holds; it must be whole, as far as that is seen without decoding.

        Of several images this is the first.
        """
        raise NotImplementedError

    def series(self, path: str) -> tuple[Series, ...]:
        """List the images that a file holds; one by default, which `contents` tells of.

        Frames are numbered through all of them. Where the second of two images with 3 frames each
        is chosen, `read_frame` is called with the numbers 3, 4 and 5, which `order` of its
        contents holds::

            Series("position 2", replace(contents, order=np.arange(3, 6)))

        `First.check` is given the contents of the image that the frame belongs to.
        """
        return (Series("", self.contents(path)),)

    def read_header(self, path: str) -> Contents:
        """Read what a file holds as quickly as its kind allows: its end is not looked at."""
        return self.contents(path)

    def read_frame(self, path: str, number: int, rows: slice | None, first: First) -> NDArray[Any]:
        """Read one frame, or some rows of it, after checking that it is like the first.

        `number` counts through all `series` of the file.
        """
        raise NotImplementedError

    def read_frames(self, path: str, numbers: range, first: First) -> NDArray[Any] | None:  # noqa: ARG002
        """Read frames that follow one another at once; None where one by one is no slower."""
        return None

    def note(self, path: str) -> Note:  # noqa: ARG002
        """Read our own note; an empty one where there is none."""
        return Note()

    def set_of(self, files: list[str]) -> FileSet | None:  # noqa: ARG002
        """Return the set that the first file is a part of, None where it stands by itself.

        Its series are those of which `files` hold a part.
        """
        return None

    def damage_named(self, path: str) -> AbstractContextManager[None]:
        """Turn errors of damaged data into a sentence that names the file."""
        return damage_named(path, self.libraries)


@contextmanager
def needed_package(path: str, kind: str, package: str, extra: str) -> Iterator[None]:
    """Say how to install the package that reads a kind of files, where it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        raise UserError(
            f"{path} is a {kind} file, which needs {package}, and that is not installed: install "
            f"it with pip install 'napari-stack[{extra}]'"
        ) from error


def upright(image: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror as EXIF 2.3, section 4.6.4, tag Orientation, says; so does TIFF 6.0."""
    if orientation >= 5:  # rows and columns change places
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)
