"""What the helper compiles: a plan from the record, and the process itself."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from importlib import import_module

import pytest
from numba import types

from napari_stack.core.system.ahead import SWITCH, Work
from napari_stack.core.system.jit import kernel
from napari_stack.core.system.signatures import read
from napari_stack.operators import CATALOGUE, compile_ahead, precompile
from napari_stack.operators.compile_ahead import compile_for, key, named, plan, record

RUNS = {
    "register uint8": [[0, 1, 2], [3]],
    "sigma_clip uint8": [[3, 4], [2, 5], [3, 6], [3, 7]],
    "combine uint8 colours": [[8], [9]],
}


@pytest.fixture
def runs(monkeypatch):
    monkeypatch.setattr(compile_ahead, "record", lambda: {"runs": RUNS, "kernels": []})


def test_the_last_kernel_comes_first_then_those_of_the_next_step(runs):
    assert CATALOGUE["register"].followed_by == ("sigma_clip",)
    assert plan(Work("register", "uint8")) == ([2, 1], [5, 2])
    assert plan(Work("register", "uint8", corrected=True)) == ([], [5, 2])


def test_options_choose_among_the_runs_that_are_recorded(runs):
    robust = (("centre", "median"), ("method", "deviation"), ("spread", "MAD"))
    assert plan(Work("sigma_clip", "uint8", options=robust)) == ([6], [])
    assert plan(Work("sigma_clip", "uint8", corrected=True, options=robust)) == ([7], [])
    assert plan(Work("sigma_clip", "uint8", options=robust[:2])) == ([4], [])


def test_operators_are_known_by_their_modules_too(runs):
    assert named("napari_stack.operators.registration.register") == ["register"]
    assert named("napari_stack.operators.filters.denoise_sharpen") == ["denoise", "sharpen"]
    assert named("napari_stack.operators.registration") == []
    work = Work("napari_stack.operators.registration.register", "uint8")
    assert plan(work) == plan(replace(work, operator="register"))


def test_a_dock_has_all_options_compiled(runs):
    assert plan(Work("sigma_clip", "uint8")) == ([4], [])
    assert plan(Work("sigma_clip", "uint8", everything=True)) == ([4], [4, 3, 5, 2, 6, 7])


def test_what_is_not_recorded_has_no_plan_and_is_run_for_a_dock(runs, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    warmed = []
    monkeypatch.setattr(precompile, "warm", lambda operator, **how: warmed.append((operator, how)))
    assert plan(Work("combine", "uint8")) == ([], [])
    compile_for(Work("combine", "uint8"))
    assert not warmed
    compile_for(Work("combine", "int32", everything=True))
    assert warmed == [("combine", {"dtype": "int32", "colours": False})]


def test_every_kernel_of_the_record_is_there_and_takes_so_many_arguments():
    names = {key("register", "uint16", False), key("focus_stack", "uint8", True)}
    assert names <= set(record()["runs"])
    used = {n for runs in record()["runs"].values() for run in runs for n in run}
    assert used == set(range(len(record()["kernels"])))
    for name, kinds in record()["kernels"]:
        module, _, named = name.partition(":")
        found = vars(import_module(module))[named].py_func.__code__
        assert found.co_argcount == len([read(kind) for kind in kinds])


def test_the_helper_compiles_what_is_missing_and_leaves_a_note(tmp_path, monkeypatch):
    (tmp_path / "tiny_ahead.py").write_text(
        "from napari_stack.core.system.jit import kernel\n@kernel\ndef half(x):\n    return x / 2\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compile_ahead, "record", lambda: {
        "runs": {"combine uint8": [[2, 0, 1]]},
        "kernels": [["tiny_ahead:half", [kind]] for kind in ("int64", "float64", "int8")],
    })  # fmt: skip
    half = import_module("tiny_ahead").half
    elsewhere, work = kernel(half.py_func), Work("combine", "uint8")
    assert elsewhere._cache.claim((types.float64,), elsewhere.targetctx, 0)
    compile_for(work)
    assert list(half.overloads) == [(types.int64,)]  # another process is at the other one
    assert not work.note.exists()
    elsewhere.compile((types.float64,))
    compile_for(work)
    assert list(half.overloads) == [(types.int64,)]
    assert work.note.exists()


def ask(folder, *works):
    """Start a helper, and tell it what to do."""
    path = os.pathsep.join(filter(None, sys.path))
    helper = subprocess.Popen(
        [sys.executable, "-P", "-m", "napari_stack.operators.compile_ahead"],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": path, SWITCH: "0"},
    )  # fmt: skip
    helper.stdin.write("".join(json.dumps(asdict(work)) + "\n" for work in works).encode())
    helper.stdin.flush()
    return helper


def test_the_process_does_what_it_is_asked_and_ends(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    work = Work("transform_frames", "uint8")
    with ask(tmp_path, work) as helper:
        assert helper.wait(120) == 0
        assert helper.stderr.read() == b""
        helper.stdin.close()
    assert work.note.exists()


def test_the_process_ends_with_the_one_that_started_it(tmp_path):
    helper = ask(tmp_path)
    helper.stdin.close()
    assert helper.wait(120) == 0
    helper.stderr.close()


def test_what_cannot_be_compiled_keeps_nothing_else_from_it(tmp_path, monkeypatch):
    works, begun = [Work("combine", "int32"), Work("combine", "uint8")], []

    def fails_first(work):
        begun.append(work)
        if work == works[0]:
            raise ValueError("no such frames")

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compile_ahead, "_requests", lambda: works)
    monkeypatch.setattr(compile_ahead, "compile_for", fails_first)
    monkeypatch.setattr(compile_ahead.signal, "signal", lambda *_: None)
    compile_ahead.main()
    assert begun == works


@pytest.mark.skipif(sys.platform == "win32", reason="there the helper has no console to hear it")
def test_the_process_goes_on_when_the_other_one_is_interrupted(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    heard = []

    def requests():
        os.kill(os.getpid(), signal.SIGINT)
        heard.append(signal.getsignal(signal.SIGINT))
        return []

    monkeypatch.setattr(compile_ahead, "_requests", requests)
    before = signal.getsignal(signal.SIGINT)
    try:
        compile_ahead.main()
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIG_IGN]
