"""What the helper of `core.system.ahead` runs: kernels compiled before their operator asks.

Which kernels an operator calls, and with which types, stands in ``kernels.json``, as
``tools/kernels.py --write`` has recorded it; a test tells when that is no longer true.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from napari_stack.core.operator import Lazy
from napari_stack.core.system.ahead import Work, lock_file

#: What `recorded` writes and `plan` reads.
RECORD = Path(__file__).with_name("kernels.json")

#: How much less the system does for this process than for others, once what is needed now is done;
#: until then the operator waits for it.
_NICE = 5


@cache
def record() -> dict[str, Any]:
    """Return kernels with types, and by operator and pixels the numbers of those each run calls."""
    found: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return found


def key(operator: str, dtype: str, colours: bool) -> str:
    """Return the name of runs in the record."""
    return f"{operator} {dtype}{' colours' if colours else ''}"


def named(operator: str) -> list[str]:
    """Return the names in the catalogue of an operator, or of those in a module."""
    from napari_stack.operators import CATALOGUE

    def is_meant(name: str, source: Lazy) -> bool:
        return operator in (name, source.partition(":")[0] if isinstance(source, str) else name)

    return [name for name, entry in CATALOGUE.items() if is_meant(name, entry.source)]


def plan(work: Work) -> tuple[list[int], list[int]]:
    """Return numbers of kernels in the order to compile them.

    Returns
    -------
    now : list of int
        Those of the operator, its last one first; without its first one, where it begins itself.
    later : list of int
        Those of the operators that usually follow, which meet its result; and, if wanted, all
        others of the operator.
    """
    from napari_stack.operators import CATALOGUE

    def runs_of(operator: str) -> list[list[int]]:
        found = record()["runs"].get(key(operator, work.dtype, work.colours), [])
        return [run[::-1] for run in found]

    now, later = list[int](), list[int]()
    for name in named(work.operator):
        runs, entry = runs_of(name), CATALOGUE[name]
        # Of each choice of options there is a run on frames as they are, and one on corrected ones.
        number = 2 * _choice(entry.precompile, work.options) + work.corrected
        following = [run for next_ in entry.followed_by for run in runs_of(next_)[1:2]]
        now += chain.from_iterable(run[:-1] for run in runs[number : number + 1])
        later += chain.from_iterable(following if runs else [])
        later += chain.from_iterable(runs if work.everything else [])
    return list(dict.fromkeys(now)), list(dict.fromkeys(later))


def _choice(recorded: Sequence[Mapping[str, Any]], given: Sequence[tuple[str, str]]) -> int:
    """Return the number of the recorded options that are most like those given."""
    fits = [i for i, options in enumerate(recorded) if set(options.items()) <= set(given)]
    return max(fits, key=lambda i: len(recorded[i]), default=0)


def compile_for(work: Work) -> None:
    """Compile what some work needs and nobody has compiled, or is compiling; leave a note.

    An operator of another package, or a rare type of pixels, is not in the record: where there is
    time, it is run on tiny frames.
    """
    from napari_stack.operators.precompile import warm

    now, later = plan(work)
    done = [_compile(*record()["kernels"][number]) for number in now]
    if later and sys.platform != "win32" and os.nice(0) < _NICE:
        os.nice(_NICE)
    done += [_compile(*record()["kernels"][number]) for number in later]
    if work.everything and not done:
        for name in named(work.operator):
            warm(name, dtype=work.dtype, colours=work.colours)
    if all(done):
        work.note.parent.mkdir(parents=True, exist_ok=True)
        work.note.touch()


def _compile(name: str, types: list[Any]) -> bool:
    """Compile a kernel, or leave it to whoever is at it; return whether it is there."""
    from napari_stack.core.system.kernel_cache import KernelCache
    from napari_stack.core.system.signatures import read

    module, _, named = name.partition(":")
    kernel = vars(import_module(module))[named]
    if not isinstance(cached := kernel._cache, KernelCache):
        return False
    signature = tuple(map(read, types))
    if cached.holds(signature, kernel.targetctx):
        return True
    if not cached.claim(signature, kernel.targetctx, 0):
        return False
    kernel.compile(signature)
    return True


def _requests() -> Iterator[Work]:
    """Give what the other process asks for, until nothing is left; end with that process."""
    waiting: SimpleQueue[Work] = SimpleQueue()
    first = threading.Event()

    def listen() -> None:
        with suppress(OSError, ValueError):
            for line in sys.stdin:
                asked = json.loads(line)
                waiting.put(Work(**{**asked, "options": tuple(map(tuple, asked["options"]))}))
                first.set()
        from napari_stack.core.system.kernel_cache import SAVING

        with SAVING:  # half a file would lie there for ever
            os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    first.wait()
    while not waiting.empty():
        yield waiting.get()


def main() -> None:
    """Do what is asked for on the standard input; nothing where another process does it."""
    from napari_stack.core.system.locks import lock

    # Ctrl+C, or a notebook whose cell is stopped, means the other process: this one ends with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with lock_file().open("ab") as file:
        if lock(file):
            for work in _requests():
                with suppress(Exception):  # the operator itself tells of it, when it runs
                    compile_for(work)


if __name__ == "__main__":
    main()
