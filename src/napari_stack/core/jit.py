"""`kernel`: compile a function with numba, cached where a folder can be written."""

from collections.abc import Callable
from typing import Any

from numba import njit

#: Sums may be reordered; NaN keeps its meaning.
_REORDERED = {"reassoc", "contract", "nsz", "arcp"}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile without the interpreter's lock; without a cache where no folder is writable.

    Dividing by 0 gives infinity or NaN, as in NumPy: a check would keep loops from being
    vectorised.
    """
    return _compiled(function)


def summing_kernel(function: Callable[..., Any]) -> Any:
    """Like `kernel`, with sums that may be reordered, so that they are vectorised too."""
    return _compiled(function, fastmath=_REORDERED)


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    how: dict[str, Any] = {"nogil": True, "error_model": "numpy", **options}
    try:
        return njit(**how, cache=True)(function)
    except RuntimeError:  # numba's "no locator available": read-only installation and home
        return njit(**how)(function)
