"""`KernelCache`: machine code of a kernel on disk, which several processes fill together."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any
from weakref import WeakSet

from numba.core.caching import FunctionCache

from napari_stack.core.system import ahead, compiling
from napari_stack.core.system.locks import lock, release

#: Types of the arguments that a kernel is compiled for.
Signature = tuple[Any, ...]

#: Seconds to wait for a kernel that another process is compiling, then it is compiled here too; and
#: how often to look.
_LONGEST, _LOOK = 60.0, 0.01

#: Held while a file is written: what ends this process on purpose waits for it.
SAVING = threading.Lock()

#: All kernels of this process that have a cache.
KERNELS: WeakSet[Any] = WeakSet()


class _Calls:
    """What kernels were asked for, while anybody wants to know."""

    listed: list[tuple[Any, Signature]] | None = None


class KernelCache(FunctionCache):
    """Cache of one kernel: a process waits for what another one is compiling.

    While a signature is compiled, a file beside the cached ones is locked: by the system, which
    opens it when its process ends, however that comes about. Another file is locked for a moment
    while one is added, since numba numbers the files of a kernel by what it finds.

    Parameters
    ----------
    function : callable
        As Python knows it.

    Raises
    ------
    RuntimeError
        Where there is no folder to keep machine code in.
    """

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._function = function
        self._claimed: dict[Signature, IO[bytes]] = {}
        self.kept: dict[Signature, Any] = {}

    def key_by(self, stamp: str) -> None:
        """Say what the machine code depends on, beside the file's date and size."""
        self._cache_file._source_stamp = (self._cache_file._source_stamp, stamp)

    def load_overload(self, sig: Signature, target_context: Any) -> Any:
        """Give what is compiled already, now or after waiting for it; None to compile it here."""
        if _Calls.listed is not None:
            _Calls.listed.append((self._function, sig))
        if (kept := self.kept.get(sig)) is not None:
            return kept._replace(metadata={})  # times are noted there, once
        found = super().load_overload(sig, target_context)
        if found is None and sig not in self._claimed:
            ahead.missed()
            self.claim(sig, target_context, _LONGEST)
            found = super().load_overload(sig, target_context)  # it may have come meanwhile
        if found is not None:
            self.give_up(sig)
        return found

    def save_overload(self, sig: Signature, data: Any) -> None:
        """Write what was compiled, and let those go on who wait for it."""
        try:
            with self._alone(), SAVING:
                super().save_overload(sig, data)
        finally:
            self.give_up(sig)

    def holds(self, sig: Signature, target_context: Any) -> bool:
        """Whether machine code for a signature is there; it is not loaded to find out."""
        target_context.refresh()
        key = self._index_key(sig, target_context.codegen())
        return key in self._cache_file._load_index()

    def claim(self, sig: Signature, target_context: Any, longest: float) -> bool:
        """Say that this process compiles a signature; wait so many seconds where another one does.

        Returns
        -------
        bool
            Whether no other process is at it. Where files cannot be locked, nobody knows.
        """
        key = repr(self._index_key(sig, target_context.codegen()))
        file = _waited_for(self._file(sha256(key.encode()).hexdigest()[:16]), longest)
        if file is not None:
            self._claimed[sig] = file
        return file is not None

    def give_up(self, sig: Signature) -> None:
        """Let others compile a signature: it is done, or did not succeed."""
        if (file := self._claimed.pop(sig, None)) is not None:
            # Who waits for this file, and then holds one without a name, looks for the code first.
            # On Windows none is removed that is open: there it is closed before.
            if sys.platform == "win32":
                release(file)
            with suppress(OSError):
                Path(file.name).unlink()
            release(file)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        file = _waited_for(self._file("index"), _LONGEST)
        try:
            yield
        finally:
            if file is not None:
                release(file)

    def _file(self, name: str) -> Path:
        return Path(self.cache_path) / f"{self._impl.filename_base}.{name}.lock"


def _waited_for(path: Path, longest: float) -> IO[bytes] | None:
    """Return a file once it is locked; None when time is up, or where there are no locks."""
    end = time.monotonic() + longest
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError:
        return None
    try:
        if lock(file):
            return file
        with compiling.noted():  # by another process
            while time.monotonic() < end:
                time.sleep(_LOOK)
                if lock(file):
                    return file
    except OSError:  # no locks here
        pass
    file.close()
    return None


@contextmanager
def calls_listed() -> Iterator[list[tuple[Any, Signature]]]:
    """List the kernels that are called, each with the types of its arguments, in order.

    Each pair is listed once. What was compiled before is taken from memory.
    """
    before = {kernel: dict(kernel.overloads) for kernel in KERNELS}
    for kernel, compiled in before.items():
        kernel._cache.kept = compiled
        kernel._reset_overloads()
    _Calls.listed = []
    try:
        yield _Calls.listed
    finally:
        _Calls.listed = None
        for kernel, compiled in before.items():
            kernel._cache.kept = {}
            for result in compiled.values():
                kernel.add_overload(result)
