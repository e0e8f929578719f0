"""What every format shares: what a frame is, what a file holds, and how errors name the file."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError

#: What decoders raise for damaged data.
_DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)

#: A frame is refused when it is both larger than this and larger than its file by this factor:
#: deflate, the densest of the common codecs, cannot exceed 1032.
_ABSURD_BYTES, _ABSURD_FACTOR = 2**28, 4096


class UnsupportedError(UserError):
    """The file is whole, but stored in a way that is not read here."""


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
        Which of them, in that order, reducers take, where the file tells.
    """

    frame: Frame
    partial: bool
    leading: tuple[Axis, ...]
    sizes: tuple[int, ...]
    plane: tuple[Axis, Axis]
    order: NDArray[np.intp]
    used: NDArray[np.bool_] | None = None


def one_frame(frame: Frame, plane: tuple[Axis, Axis] = (Axis("y"), Axis("x"))) -> Contents:
    """Return the contents of a file with a single frame that is decoded as a whole."""
    return Contents(frame, False, (Axis("frame"),), (1,), plane, np.zeros(1, np.intp))


@contextmanager
def damage_named(path: str) -> Iterator[None]:
    """Turn what a decoder raises into one sentence that names the file."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} does not exist (any more): put it back") from error
    except OSError as error:
        if error.errno is None:  # a decoder's, not the system's
            raise _damaged(path, error) from error
        reason = error.strerror or error
        raise type(error)(f"{path} cannot be read ({reason}): check its permissions") from error
    except UnsupportedError as error:
        raise UserError(
            f"{path} cannot be read: {error}; save it as an ordinary TIFF (uncompressed or zlib)"
        ) from error
    except _DAMAGE as error:
        if str(error).startswith(path):  # a sentence of our own
            raise
        raise _damaged(path, error) from error


def _damaged(path: str, error: Exception) -> UserError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return UserError(
        f"{path} is damaged, cut off, or of a kind that cannot be read ({reason}): copy or save it "
        "anew, or leave it out"
    )


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


def check_plausible(path: str, frame: Frame, stored: int) -> None:
    """Refuse a frame whose header claims more pixels than its file can hold.

    Parameters
    ----------
    path : str
    frame : Frame
    stored : int
        Bytes of the file.
    """
    if frame.dtype.kind not in "buif":
        what = "save their magnitude" if frame.dtype.kind == "c" else "save them as numbers"
        raise UserError(f"{path} holds {frame.dtype} pixels, which cannot be stacked: {what}")
    size = prod(frame.shape) * frame.dtype.itemsize
    if size == 0 or (size > _ABSURD_BYTES and size > _ABSURD_FACTOR * stored):
        raise UserError(
            f"{path} claims to hold {frame}, which its {stored} bytes cannot: it is damaged; copy "
            "or save it anew"
        )


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
