"""`kernel`: compile a function with numba, cached where a folder can be written.

numba keys a cached function by the file that defines it alone, and does not notice that a function
which it calls has changed in another file. Here the key is the text of the module and of those that
it imports kernels from, so that neither an edit nor an upgrade ever runs old machine code.
"""

import gc
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import event

from napari_stack.core.system import compiling
from napari_stack.core.system.kernel_cache import KERNELS, KernelCache

#: Names that a module imports: of modules, or from them.
_IMPORT = re.compile(r"^\s*from ([\w.]+) import (\([^)]*\)|[^\n]*)", re.MULTILINE)

#: Sums may be reordered; NaN keeps its meaning.
_REORDERED = {"reassoc", "contract", "nsz", "arcp"}

#: Python collects garbage after so many new objects while a kernel is compiled: each collection
#: goes through all that the compiler holds.
_OBJECTS = 200_000


def kernel(function: Callable[..., Any]) -> Any:
    """Compile without the interpreter's lock; without a cache where no folder is writable.

    Dividing by 0 gives infinity or NaN, as in NumPy: a check would keep loops from being
    vectorised.
    """
    return _compiled(function)


def summing_kernel(function: Callable[..., Any]) -> Any:
    """Like `kernel`, with sums that may be reordered, so that they are vectorised too."""
    return _compiled(function, fastmath=_REORDERED)


def inner_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that is called by kernels only, as a part of them.

    It can not be called from Python, and has no entry in the cache: that saves a fifth of the time
    in which a family of kernels is compiled.
    """
    return _inner(function)


def inlined_kernel(function: Callable[..., Any]) -> Any:
    """Like `inner_kernel`, inlined however long it is: a loop with a call is not vectorised."""
    return _inner(function, forceinline=True)


def _inner(function: Callable[..., Any], **options: Any) -> Any:
    how = {"nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, **options}
    return njit(error_model="numpy", **how)(function)


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    how: dict[str, Any] = {"nogil": True, "error_model": "numpy", **options}
    how["no_cfunc_wrapper"] = True  # never called from C: compiled sooner without
    compiled = njit(**how)(function)
    with suppress(RuntimeError):  # numba's "no locator available": read-only installation and home
        compiled._cache = KernelCache(function)
        compiled._cache.key_by(sources_digest(function.__module__))
        KERNELS.add(compiled)
    return compiled


@cache
def sources_digest(module: str) -> str:
    """Hash the text of a module of the package, and of all modules that it imports kernels from.

    Parameters
    ----------
    module : str
        Its dotted name.
    """
    digest, found, waiting = sha256(), set(), [module]
    while waiting:
        name = waiting.pop()
        path = Path(__file__).parents[3] / (name.replace(".", "/") + ".py")
        if name in found or not path.is_file():
            continue
        found.add(name)
        text = path.read_text(encoding="utf-8")
        if name == module or "core.system.jit" in text:
            digest.update(text.encode())
            for package, names in _IMPORT.findall(text):
                waiting += [package, *(f"{package}.{n}" for n in re.findall(r"\w+", names))]
    return digest.hexdigest()


class _Listener(event.Listener):
    """Counts the compilations under way; within them Python collects garbage rarely."""

    before: tuple[int, int, int] = gc.get_threshold()

    def on_start(self, event: Any) -> None:  # noqa: ARG002
        if not compiling.compiling():
            self.before = gc.get_threshold()
            gc.set_threshold(max(self.before[0], _OBJECTS) if self.before[0] else 0)
        compiling.count(1)

    def on_end(self, event: Any) -> None:
        dispatcher, kinds = event.data["dispatcher"], tuple(event.data["args"])
        if dispatcher in KERNELS and kinds not in dispatcher.overloads:
            dispatcher._cache.give_up(kinds)  # an error, or it was stopped: none will be saved
        compiling.count(-1)
        if not compiling.compiling():
            gc.set_threshold(*self.before)


event.register("numba:compile", _Listener())
