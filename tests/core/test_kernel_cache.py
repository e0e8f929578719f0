"""The cache of kernels, filled by several processes: here two dispatchers of one function."""

import errno
import os
import sys
from importlib import import_module

import pytest
from numba import types
from numba.core.errors import TypingError

from napari_stack.core.system import ahead, compiling, kernel_cache
from napari_stack.core.system.jit import kernel
from napari_stack.core.system.kernel_cache import calls_listed
from napari_stack.core.system.locks import lock, release

WHOLE, REAL = (types.int64,), (types.float64,)


@pytest.fixture
def twice(tmp_path, monkeypatch):
    """Make dispatchers of one function, as processes that share a cache have them."""
    (tmp_path / "tiny_for_cache.py").write_text("def twice(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tiny_for_cache", raising=False)
    function, made = import_module("tiny_for_cache").twice, []

    def make():
        made.append(kernel(function))
        return made[-1]

    yield make
    for dispatcher in made:
        for signature in (WHOLE, REAL):
            dispatcher._cache.give_up(signature)


def compiled(dispatcher):
    return sum(dispatcher.stats.cache_misses.values())


def test_what_another_process_compiles_is_waited_for_and_that_is_told(twice, monkeypatch):
    one, other = twice(), twice()
    assert one._cache.claim(WHOLE, one.targetctx, 0)
    assert not other._cache.claim(WHOLE, other.targetctx, 0)
    other._cache.give_up(WHOLE)
    told = []

    def meanwhile(_):
        told.append(compiling.compiling())
        one.compile(WHOLE)

    monkeypatch.setattr(kernel_cache.time, "sleep", meanwhile)
    assert other(3) == 6
    assert (compiled(one), compiled(other), told) == (1, 0, [True])
    assert not compiling.compiling()


def test_a_process_that_ends_leaves_its_work_to_others(twice, monkeypatch):
    one, other = twice(), twice()
    one._cache.claim(WHOLE, one.targetctx, 0)
    monkeypatch.setattr(kernel_cache.time, "sleep", lambda _: one._cache._claimed[WHOLE].close())
    assert other(3) == 6
    assert compiled(other) == 1


def test_what_cannot_be_compiled_is_not_waited_for(twice, monkeypatch):
    one, other = twice(), twice()
    with pytest.raises(TypingError):
        one.compile((types.none,))
    assert other._cache.claim((types.none,), other.targetctx, 0)
    other._cache.give_up((types.none,))

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(one._compiler, "compile", stop)
        with pytest.raises(KeyboardInterrupt):
            one.compile(WHOLE)
    assert other._cache.claim(WHOLE, other.targetctx, 0)


def test_what_a_fork_has_open_is_free_after_it_was_released(tmp_path):
    path = tmp_path / "some.lock"
    with path.open("ab") as file, path.open("ab") as other:
        assert lock(file)
        copy = os.dup(file.fileno())
        assert not lock(other)
        release(file)
        assert lock(other)
        os.close(copy)


def test_nobody_waits_for_ever(twice, monkeypatch):
    one, other = twice(), twice()
    one._cache.claim(WHOLE, one.targetctx, 0)
    monkeypatch.setattr(kernel_cache, "_LONGEST", 0)
    assert other(3) == 6
    assert compiled(other) == 1


@pytest.mark.parametrize("broken", ["lock", "folder"])
def test_where_files_cannot_be_locked_each_compiles_for_itself(twice, monkeypatch, broken):
    def fail(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    if broken == "lock":
        monkeypatch.setattr(kernel_cache, "lock", fail)
    else:
        monkeypatch.setattr(kernel_cache.Path, "mkdir", fail)
    assert twice()(3) == 6
    assert compiled(again := twice()) == 0
    assert again(3) == 6
    assert compiled(again) == 0


def test_signatures_that_several_processes_add_are_all_kept(twice):
    one, other, third = twice(), twice(), twice()
    assert not third._cache.holds(WHOLE, third.targetctx)
    one.compile(WHOLE)
    other.compile(REAL)
    assert third._cache.holds(WHOLE, third.targetctx)
    assert third._cache.holds(REAL, third.targetctx)
    assert (third(3), third(1.5), compiled(third)) == (6, 3.0, 0)


def test_no_lock_is_left_and_the_helper_hears_of_what_is_missed(twice, tmp_path, monkeypatch):
    missed = []
    monkeypatch.setattr(ahead, "missed", lambda: missed.append(True))
    assert (twice()(3), twice()(3)) == (6, 6)
    assert missed == [True]
    left = {path.name.split(".")[-2] for path in tmp_path.rglob("*.lock")}
    assert left <= {"index"} or sys.platform == "win32"


def test_calls_are_listed_each_once_whatever_was_compiled_before(twice):
    dispatcher = twice()
    dispatcher(3)
    with calls_listed() as calls:
        assert (dispatcher(3), dispatcher(4), dispatcher(1.5)) == (6, 8, 3.0)
    function = dispatcher.py_func
    assert [call for call in calls if call[0] is function] == [(function, WHOLE), (function, REAL)]
    assert set(dispatcher.overloads) == {WHOLE, REAL}
    assert compiled(dispatcher) == 2
