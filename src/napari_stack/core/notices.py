"""Warnings that name the line of the caller; those about some frames are given once a run."""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Longer lists of frames are cut.
MOST_NAMES = 10

#: Numbers below are told as 0: a share of one pixel is greater, and so is any shift.
_ROUNDING = 1e-7

_PACKAGE = __name__.partition(".")[0]
#: Modules that threads begin in.
_THREADS = ("threading", "concurrent")


class FailedFrames(UserWarning):
    """Frames that could not be registered."""


@dataclass(frozen=True, eq=False)
class _Notice:
    """What is to be told about the frames of one position."""

    what: str
    frames: NDArray[np.bool_]
    names: Callable[[int], str]
    category: type[UserWarning]


_gathered: ContextVar[list[_Notice] | None] = ContextVar("gathered", default=None)


def warn_caller(text: str, category: type[Warning] = UserWarning) -> None:
    """Warn, and name the line outside of this package that called it, however deep it is here.

    In a thread of ours there is no such line: then the line that the thread began with is named.

    Parameters
    ----------
    text : str
    category : type
    """
    frame = own = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals):
        own, frame = frame, frame.f_back
    if str(frame.f_globals.get("__name__")).partition(".")[0] in _THREADS:
        frame = own
    names = frame.f_globals
    registry = names.setdefault("__warningregistry__", {})
    # Where `exec` was given names without one, nothing would be said: Python passes None over.
    place = frame.f_code.co_filename, frame.f_lineno, names.get("__name__") or "<string>"
    warnings.warn_explicit(text, category, *place, registry)


def _is_ours(names: dict[str, Any]) -> bool:
    """Tell whether a module is of this package, or stands between two that are."""
    return str(names.get("__name__")).partition(".")[0] in (_PACKAGE, "contextlib")


def warn_of_frames(
    what: str,
    frames: NDArray[np.bool_],
    names: Callable[[int], str] = str,
    category: type[UserWarning] = UserWarning,
) -> None:
    """Warn of some frames of a stack; where several stacks are worked on, once for all of them.

    Parameters
    ----------
    what : str
        Completes "2 of 5 frames ...".
    frames : ndarray of bool, shape (n,)
        Those that it is about; for none there is no warning.
    names : callable
        Names a frame by its number, as `Source.label` does.
    category : type
    """
    notice = _Notice(what, frames, names, category)
    if (gathered := _gathered.get()) is not None:
        gathered.append(notice)
    elif frames.any():
        warn_caller(_text([notice]), category)


@contextmanager
def counted_together() -> Iterator[None]:
    """Gather the warnings about frames of all positions, and give each kind once, with counts."""
    found: list[_Notice] = []
    outer = _gathered.get()
    token = _gathered.set(found)
    try:
        yield
    finally:
        _gathered.reset(token)
    if outer is not None:
        outer += found
        return
    for what in dict.fromkeys(notice.what for notice in found):
        alike = [notice for notice in found if notice.what == what]
        if any(notice.frames.any() for notice in alike):
            warn_caller(_text(alike), alike[0].category)


def number_text(value: float, digits: int = 3) -> str:
    """Write a number with so many digits, or all before the point; no powers of ten, no rounding.

    Examples
    --------
    >>> number_text(1234.5), number_text(0.0123, 2), number_text(99.7, 2), number_text(4e-6)
    ('1234', '0.012', '100', '0.000004')
    """
    if abs(value) < _ROUNDING:
        return "0"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:.0f}"
    return np.format_float_positional(value, digits, fractional=False, trim="-")


def names_text(numbers: NDArray[np.intp], names: Callable[[int], str] = str) -> str:
    """List frames; of many only the first.

    Examples
    --------
    >>> names_text(np.array([1, 4])), names_text(np.arange(12))
    ('1, 4', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...')
    """
    shown = [int(number) for number in numbers[:MOST_NAMES]]
    # Frames without names of their own are numbered, and the word is said already.
    found = [str(i) if names(i).startswith("frame ") else names(i) for i in shown]
    return ", ".join(found) + (", ..." if len(numbers) > MOST_NAMES else "")


def _text(alike: list[_Notice]) -> str:
    """Word a warning about the frames of one position, or of several."""
    count = sum(int(notice.frames.sum()) for notice in alike)
    text = f"{count} of {sum(len(notice.frames) for notice in alike)} frames {alike[0].what}"
    if len(alike) == 1:
        return f"{text}: {names_text(np.flatnonzero(alike[0].frames), alike[0].names)}"
    some = sum(bool(notice.frames.any()) for notice in alike)
    return f"{text}, at {some} of {len(alike)} positions"
