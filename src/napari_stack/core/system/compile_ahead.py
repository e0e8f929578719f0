"""`compile_ahead`: a kernel that is needed later, compiled by another process in the meantime.

numba compiles one function at a time in a process. Where two cores are idle, another process fills
the cache on disk with what comes next; it is started only where nothing of it is in the cache yet,
so once after an installation or an upgrade.
"""

import atexit
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_stack.core.system.compiling import count

#: Seconds after which what the other process should have compiled is compiled here.
_PATIENCE = 20.0

_lock = threading.Lock()
_helpers: dict[str, subprocess.Popen[bytes]] = {}

_CODE = "import sys; sys.path[:] = {path!r}; from {module} import {function}; {function}({call})"


def compile_ahead(kernel: Any, module: str, function: str, call: str) -> None:
    """Start a process that calls a function which needs a kernel, if the kernel is not cached.

    Parameters
    ----------
    kernel : dispatcher of numba
    module, function, call : str
        What to import, and the arguments to call it with, as Python text.
    """
    name = kernel.py_func.__qualname__
    if (os.cpu_count() or 1) < 2 or not Path(sys.executable).name.startswith("python"):
        return  # no core to spare; or a program that Python is built into
    with _lock:
        if name in _helpers or _is_compiled(kernel):
            return
        code = _CODE.format(path=sys.path, module=module, function=function, call=call)
        with suppress(OSError):  # no process can be started: it is compiled here
            _helpers[name] = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", code],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # on Windows
            )  # fmt: skip


def wait_until_compiled(kernel: Any) -> None:
    """Wait while another process compiles a kernel; return at once where none does."""
    helper = _helpers.get(kernel.py_func.__qualname__)
    if helper is None or helper.poll() is not None:
        return
    end = time.monotonic() + _PATIENCE
    count(1)
    try:
        while helper.poll() is None and time.monotonic() < end:
            with suppress(subprocess.TimeoutExpired):
                helper.wait(0.2)
    finally:
        count(-1)


def _is_compiled(kernel: Any) -> bool:
    if kernel.signatures:
        return True
    try:
        return bool(kernel._cache._cache_file._load_index())
    except AttributeError:  # no cache, or another numba: nothing can be handed over
        return True


@atexit.register
def _stop() -> None:
    for helper in _helpers.values():
        if helper.poll() is None:
            helper.terminate()
