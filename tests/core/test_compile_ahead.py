import importlib
import sys
from types import SimpleNamespace

import pytest

from napari_stack.core.system import compile_ahead as module
from napari_stack.core.system.compile_ahead import compile_ahead, wait_until_compiled
from napari_stack.core.system.compiling import compiling

KERNEL = """
from napari_stack.core.system.jit import kernel
@kernel
def twice(x):
    return 2 * x
"""


@pytest.fixture
def helpers(monkeypatch):
    started = {}
    monkeypatch.setattr(module, "_helpers", started)
    monkeypatch.setattr(module.os, "cpu_count", lambda: 2)
    yield started
    for helper in started.values():
        helper.kill()
        helper.wait()


def test_what_another_process_compiled_is_loaded(tmp_path, monkeypatch, helpers):
    (tmp_path / "trial_kernels.py").write_text(KERNEL)
    monkeypatch.syspath_prepend(tmp_path)
    twice = importlib.import_module("trial_kernels").twice
    compile_ahead(twice, "trial_kernels", "twice", "1")
    assert list(helpers) == ["twice"]
    wait_until_compiled(twice)
    assert helpers["twice"].returncode == 0
    assert not compiling()
    assert twice(4) == 8
    assert sum(twice.stats.cache_hits.values()) == 1
    assert not sum(twice.stats.cache_misses.values())
    helpers.clear()
    compile_ahead(twice, "trial_kernels", "twice", "1")
    assert not helpers  # nothing to do


@pytest.mark.parametrize("program", ["/opt/viewer/bin/viewer", ""])
def test_a_program_with_python_inside_is_not_started_anew(program, monkeypatch, helpers):
    monkeypatch.setattr(sys, "executable", program)
    kernel = SimpleNamespace(py_func=test_what_another_process_compiled_is_loaded, signatures=())
    compile_ahead(kernel, "builtins", "print", "1")
    assert not helpers
    wait_until_compiled(kernel)
