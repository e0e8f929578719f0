"""`kernel`: compile a function with numba, cached where a folder can be written."""

from collections.abc import Callable
from typing import Any

from numba import njit


def kernel(function: Callable[..., Any]) -> Any:
    """Compile without the interpreter's lock; without a cache where no folder is writable."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # numba's "no locator available": read-only installation and home
        return njit(nogil=True)(function)
