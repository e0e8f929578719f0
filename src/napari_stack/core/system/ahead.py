"""`begin`: a second process compiles the kernels that an operator is about to need.

numba compiles one function at a time, whatever the number of threads. So kernels that are not in
the cache are compiled by two processes, this one and a helper, in different orders; see
`operators.compile_ahead`, which the helper runs, and `kernel_cache`, by which they share the work.
The helper ends when it is done, or when this process ends. Without one everything works the same,
only later.
"""

import atexit
import json
import os
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from napari_stack.core.system.processors import processors

if TYPE_CHECKING:
    import subprocess

#: Environment variable: "0" to do without a helper.
SWITCH = "NAPARI_STACK_COMPILE_AHEAD"

_PACKAGE = Path(__file__).parents[2]
_COMMAND = ("-P", "-W", "ignore", "-m", "napari_stack.operators.compile_ahead")

#: Seconds that this process gives the helper to end, when it ends itself.
_PATIENCE = 1.0


@dataclass(frozen=True)
class Work:
    """What is about to run.

    Parameters
    ----------
    operator : str
        Its name in the catalogue, or the module that it is in.
    dtype : str
        Type of the pixels.
    colours : bool
        Whether they are red, green and blue.
    corrected : bool
        Whether corrections come before it: so it meets floats, with holes.
    options : tuple of (name, value)
        Options that name something, such as a method.
    everything : bool
        Whether options that need other kernels are tried next: a dock is open.
    """

    operator: str
    dtype: str
    colours: bool = False
    corrected: bool = False
    options: tuple[tuple[str, str], ...] = ()
    everything: bool = False

    @property
    def note(self) -> Path:
        """File that is there once the kernels of this work were in the cache, or none was missed.

        What it says may have become untrue, as after an upgrade: then a kernel is missed.
        """
        key = repr((self, str(_PACKAGE), sys.version))
        return folder() / f"napari_stack-{sha256(key.encode()).hexdigest()[:16]}.compiled"


def folder() -> Path:
    """Folder for notes and for the helper's lock: where numba keeps machine code, or at home."""
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(given)
    if os.access(_PACKAGE, os.W_OK):
        return _PACKAGE / "__pycache__"
    return Path.home() / ".cache" / "napari_stack"


def lock_file() -> Path:
    """Return the file that the helper locks; it is there.

    Raises
    ------
    OSError
        Where it cannot be written: other users may own it, or the folder.
    """
    path = folder() / "napari_stack-helper.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.open("ab").close()
    return path


def possible() -> bool:
    """Whether there is a Python to run, a processor to run it on, and nobody against it."""
    name = Path(sys.executable or "").name.lower()
    frozen = "frozen" in vars(sys) or not name.startswith("python")
    off = os.environ.get(SWITCH) == "0" or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0"
    return not frozen and not off and processors() > 1


class _Helper:
    """The helper of this process, and what it was asked for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.begun: set[Work] = set()
        self.missed: set[Work] = set()
        self.last: Work | None = None
        self.process: subprocess.Popen[bytes] | None = None  # imported when one is started

    def ask(self, work: Work) -> None:
        with self.lock, suppress(OSError):
            self.begun.add(work)
            line = json.dumps(asdict(work)).encode() + b"\n"
            if self.process is None or self.process.poll() is not None:
                ended, self.process = self.process, None
                if ended is not None and ended.stdin is not None:
                    ended.stdin.close()
                lock_file()
                self.process = _started()
            if self.process is not None and self.process.stdin is not None:
                self.process.stdin.write(line)

    def forget(self) -> None:
        """Leave the helper to the process that this one was forked from."""
        self.lock = threading.Lock()  # a thread that is not here any more may hold it
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()  # else the helper outlives that process with this one
            self.process.returncode = 0
        self.process = None

    def end(self) -> None:
        """End the helper; a file that it is writing becomes whole first.

        A script may be too short for the helper to note that nothing is to do: each run of it would
        start one. So what missed no kernel is noted here; of a dock, that tells nothing.
        """
        if self.process is None:
            return
        import subprocess

        with suppress(OSError):
            for work in self.begun - self.missed:
                if not work.everything:
                    work.note.touch()
        with suppress(OSError, subprocess.TimeoutExpired):
            if self.process.stdin is not None:
                self.process.stdin.close()
            self.process.wait(_PATIENCE)


def _started() -> "subprocess.Popen[bytes]":
    import subprocess

    found = [place for place in sys.path if place and isinstance(place, str)]  # as Python does
    path = os.pathsep.join([*found, str(_PACKAGE.parent)])
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW
    return subprocess.Popen(
        [sys.executable, *_COMMAND], stdin=subprocess.PIPE, bufsize=0, creationflags=flags,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path, SWITCH: "0"},
    )  # fmt: skip


_helper = _Helper()
atexit.register(_helper.end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helper.forget)


def begin(work: Work) -> bool:
    """Have kernels compiled, unless a note says that they are; return whether that is possible."""
    if not possible():
        return False
    _helper.last = work
    with suppress(OSError, RuntimeError):  # a folder that may not be looked into, or no home
        if work not in _helper.begun:
            if work.note.exists():
                return True
            _helper.ask(work)
        return _helper.process is not None
    return False


def missed() -> None:
    """Have the kernels of what runs compiled: one was not in the cache, whatever a note says."""
    work = _helper.last
    if work is None:
        return
    _helper.missed.add(work)
    if work not in _helper.begun and possible():
        with suppress(RuntimeError):
            _helper.ask(work)
