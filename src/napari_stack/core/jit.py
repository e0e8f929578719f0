"""`kernel`: compile a function with numba, cached where a folder can be written.

numba keys a cached function by the file that defines it alone, and does not notice that a function
which it calls has changed in another file. Here the key is the text of all modules with kernels, so
that neither an edit nor an upgrade of the package ever runs old machine code.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import event

from napari_stack.core import compiling

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
        compiled = njit(**how, cache=True)(function)
    except RuntimeError:  # numba's "no locator available": read-only installation and home
        return njit(**how)(function)
    with suppress(AttributeError):  # another version of numba: its own key, the file alone
        cached = compiled._cache._cache_file
        cached._source_stamp = (cached._source_stamp, sources_digest())
    return compiled


@cache
def sources_digest() -> str:
    """Hash the text of all modules of the package that define kernels."""
    package = Path(__file__).parents[1]
    texts = (path.read_bytes() for path in sorted(package.rglob("*.py")))
    digest = sha256()
    for text in texts:
        if b"core.jit" in text:
            digest.update(text)
    return digest.hexdigest()


class _Listener(event.Listener):
    """Counts the compilations under way."""

    def on_start(self, event: Any) -> None:  # noqa: ARG002
        compiling.count(1)

    def on_end(self, event: Any) -> None:  # noqa: ARG002
        compiling.count(-1)


event.register("numba:compile", _Listener())
