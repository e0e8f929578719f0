"""Kernels: what their cache is keyed by, and that compiling is reported."""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
from numba.core import event

import napari_stack as ns
from napari_stack.core.system import compiling
from napari_stack.core.system.jit import _OBJECTS, kernel
from napari_stack.engine.progress import COMPILING
from napari_stack.engine.run import Run

INNER = """
from napari_stack.core.system.jit import kernel
@kernel
def inner(x):
    return x + {}
"""
OUTER = """
from napari_stack.core.system.jit import kernel
from trial.inner import inner
@kernel
def outer(x):
    return inner(x)
"""


def call_outer(folder: Path) -> str:
    """Call a kernel, in a new process, of a package whose cache is keyed by all its sources."""
    code = (
        "from pathlib import Path; from napari_stack.core.system import jit; import trial\n"
        "jit.__file__ = str(Path(trial.__file__).parent / 'core' / 'system' / 'jit.py')\n"
        "from trial.outer import outer; print(outer(1), sum(outer.stats.cache_hits.values()))\n"
    )
    path = os.pathsep.join([str(folder), *sys.path])
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


def test_an_edit_in_another_module_compiles_anew(tmp_path):
    package = tmp_path / "trial"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "outer.py").write_text(OUTER)
    (package / "inner.py").write_text(INNER.format(1))
    assert call_outer(tmp_path) == "2 0"
    assert call_outer(tmp_path) == "2 1"  # from the cache
    (package / "inner.py").write_text(INNER.format(5))
    assert call_outer(tmp_path) == "6 0"


def test_compilations_are_counted(monkeypatch):
    counted = []
    monkeypatch.setattr(compiling, "count", counted.append)
    names = {}
    exec("def more(x): return x + 1.5", names)  # in no file, so that no cache has it
    assert kernel(names["more"])(1.0) == 2.5
    assert counted == [1, -1]


def test_garbage_is_collected_rarely_while_kernels_are_compiled_and_as_before_after_them():
    before, seen = gc.get_threshold(), []

    class Watch(event.Listener):
        def on_start(self, event):
            seen.append(gc.get_threshold())

        def on_end(self, event):
            pass

    names = {}
    exec("def less(x): return x - 1.5", names)
    with event.install_listener("numba:compile", Watch()):
        assert kernel(names["less"])(2.0) == 0.5
    assert seen == [(_OBJECTS, *before[1:])]
    assert gc.get_threshold() == before


def test_compiling_is_reported_while_it_lasts():
    said, reported = [], threading.Event()

    def tick(done, total, what):
        said.append(what)
        if what == COMPILING:
            reported.set()

    def look(stack, index):
        compiling.count(1)
        assert reported.wait(60)
        compiling.count(-1)

    stack = ns.Stack.wrap(np.zeros((2, 4, 5), np.uint8))
    Run(workers=1, tick=tick).each(look, stack, what="Looking")
    assert said[0] == said[-1] == "Looking"
    assert not compiling.compiling()
