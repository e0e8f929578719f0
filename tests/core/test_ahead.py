"""The helper that compiles kernels: when it starts, what it is asked, and how it ends."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.core.system import ahead
from napari_stack.core.system.ahead import Work, begin, missed


def asked(work):
    return json.loads(json.dumps(asdict(work)))


class Pipe:
    """Standard input of a process; or one that is closed."""

    def __init__(self):
        self.lines, self.closed = [], False

    def write(self, line):
        if self.closed:
            raise BrokenPipeError
        self.lines.append(json.loads(line))

    def close(self):
        self.closed = True


class Process:
    """Stands for the helper."""

    def __init__(self):
        self.stdin, self.ended, self.waited = Pipe(), None, []

    def poll(self):
        return self.ended

    def wait(self, longest):
        self.waited.append(longest)
        raise subprocess.TimeoutExpired("helper", longest)


@pytest.fixture
def started(monkeypatch, tmp_path):
    """Processes that were started, where there are two processors and no cache."""
    processes = []

    def start():
        processes.append(Process())
        return processes[-1]

    monkeypatch.setenv(ahead.SWITCH, "1")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(ahead, "processors", lambda: 2)
    monkeypatch.setattr(ahead, "_helper", ahead._Helper())
    monkeypatch.setattr(ahead, "_started", start)
    return processes


def test_an_operator_that_begins_asks_for_its_kernels_once(started):
    stack = ns.Stack.wrap(np.zeros((3, 20, 24), np.uint8))
    for _ in range(2):
        ns.combine(stack)
    ns.combine(ns.transform_frames(stack, rotate=90))
    assert len(started) == 1
    first, second = started[0].stdin.lines
    assert ["method", "mean"] in first["options"]
    module = "napari_stack.operators.combine.combine"
    assert first == asdict(Work(module, "uint8")) | {"options": first["options"]}
    assert second == first | {"corrected": True}


def test_colours_and_the_type_of_volumes_are_told(started):
    volumes = np.zeros((3, 4, 20, 24, 3), np.uint16)
    begun = ns.Hyperstack.wrap(volumes, axes="tzyx", rgb=True)
    with pytest.raises(ns.UserError):
        ns.register_volumes(begun, reference=7)
    (asked,) = started[0].stdin.lines
    assert asked["operator"] == "napari_stack.operators.registration.volumes.register_volumes"
    assert (asked["dtype"], asked["colours"], asked["corrected"]) == ("uint16", True, False)


def test_nothing_is_asked_of_what_was_refused(started):
    with pytest.raises(TypeError, match="combine takes a Stack, got ndarray"):
        ns.combine(np.zeros((3, 20, 24)))
    assert not started


def test_a_note_says_that_there_is_nothing_to_do_until_a_kernel_is_missed(started):
    work = Work("combine", "uint8")
    assert work.note.parent == ahead.folder()
    work.note.touch()
    assert begin(work)
    assert not started
    missed()
    missed()
    assert [process.stdin.lines for process in started] == [[asked(work)]]


def test_notes_are_of_one_kind_of_pixels():
    work = Work("combine", "uint8")
    others = [
        replace(work, dtype="uint16"),
        replace(work, colours=True),
        replace(work, corrected=True),
    ]
    assert len({one.note for one in [work, *others]}) == 4


def test_a_new_helper_takes_the_place_of_one_that_has_ended(started):
    begin(Work("combine", "uint8"))
    started[0].ended = 0
    begin(Work("combine", "uint16"))
    assert len(started) == 2
    assert started[0].stdin.closed


def test_a_helper_that_dies_harms_nobody(started):
    begin(Work("combine", "uint8"))
    started[0].stdin.close()
    assert begin(Work("combine", "uint16"))


def test_a_fork_leaves_the_helper_to_its_parent(started):
    begin(Work("combine", "uint8"))
    with ahead._helper.lock:  # by another thread
        ahead._helper.forget()
        begin(Work("combine", "uint16"))
    assert started[0].stdin.closed
    assert len(started) == 2


def test_paths_and_other_free_texts_are_no_other_work(started):
    stack = ns.Stack.wrap(np.zeros((3, 20, 24), np.uint8))
    for name in ("a.tif", "b.tif"):
        with pytest.raises(FileNotFoundError):
            ns.repair_hot_pixels(stack, mask=name)
    (asked,) = started[0].stdin.lines
    assert "mask" not in dict(asked["options"])


def test_places_of_modules_that_are_no_text_are_passed_over(monkeypatch):
    environments = []
    monkeypatch.setattr(sys, "path", [*sys.path, Path("elsewhere"), ""])
    monkeypatch.setattr(subprocess, "Popen", lambda *_, env, **__: environments.append(env))
    ahead._started()
    places = environments[0]["PYTHONPATH"].split(os.pathsep)
    assert places == [*filter(None, sys.path[:-2]), str(ahead._PACKAGE.parent)]


def test_without_a_home_or_a_folder_that_may_be_written_to_there_is_no_helper(
    started, monkeypatch, tmp_path
):
    def fail(*_):
        raise RuntimeError("Could not determine home directory.")

    def refuse():
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as others:  # another user's, in a shared folder
        others.setattr(ahead, "lock_file", refuse)
        assert not begin(Work("combine", "int8"))
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert not begin(Work("combine", "uint8"))
    assert not begin(Work("combine", "uint8"))
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setattr(ahead, "_PACKAGE", tmp_path / "archive.zip" / "napari_stack")
    monkeypatch.setattr(Path, "home", fail)
    assert not begin(Work("combine", "uint16"))
    missed()
    assert not started


def test_where_no_process_can_be_started_that_is_told(started, monkeypatch):
    def fail():
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    assert begin(Work("combine", "uint8"))
    started[0].ended = 0
    monkeypatch.setattr(ahead, "_started", fail)
    assert not begin(Work("combine", "uint16"))
    ahead._helper.end()


def test_a_folder_that_may_not_be_looked_into_stops_nobody(started, monkeypatch):
    def refuse(_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)
    assert not begin(Work("combine", "uint8"))
    assert not started


@pytest.mark.parametrize("executable", ["", None, "Fiji/napari", r"napari.exe"])
def test_without_a_python_there_is_no_helper(started, executable, monkeypatch):
    monkeypatch.setattr(sys, "executable", executable)
    assert not begin(Work("combine", "uint8"))
    assert not started


def test_frozen_on_one_processor_or_switched_off_there_is_no_helper(started, monkeypatch):
    with monkeypatch.context() as frozen:
        frozen.setattr(sys, "frozen", True, raising=False)
        assert not ahead.possible()
    with monkeypatch.context() as single:
        single.setattr(ahead, "processors", lambda: 1)
        assert not ahead.possible()
    with monkeypatch.context() as interpreted:
        interpreted.setenv("NUMBA_DISABLE_JIT", "1")
        assert not ahead.possible()
    assert ahead.possible()
    monkeypatch.setenv(ahead.SWITCH, "0")
    assert not ahead.possible()
    missed()
    assert not started


def test_the_end_of_this_process_is_the_end_of_the_helper(started):
    ahead._helper.end()  # there is none
    begin(Work("combine", "uint8"))
    ahead._helper.end()
    assert started[0].stdin.closed
    assert started[0].waited == [ahead._PATIENCE]


def test_a_script_too_short_for_the_helper_starts_one_no_more_where_no_kernel_is_missed(started):
    works = [
        Work("combine", "uint8"),
        Work("combine", "uint8", everything=True),
        Work("combine", "uint16"),
    ]
    for work in works:
        begin(work)
    missed()
    ahead._helper.end()
    assert [work.note.exists() for work in works] == [True, False, False]


def test_notes_lie_at_home_where_the_package_must_not_be_written_to(monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    assert ahead.folder().name == "__pycache__"
    monkeypatch.setattr(ahead.os, "access", lambda path, mode: False)
    assert ahead.folder().parts[-2:] == (".cache", "napari_stack")
