"""StackBench: tasks have a truth that scores perfect, adapters fit them, regressions are found."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parents[1] / "benchmarks" / "stackbench"


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, str(HERE))
    try:
        yield {name: importlib.import_module(name) for name in ("tasks", "environments", "run")}
    finally:
        sys.path.remove(str(HERE))


@pytest.mark.parametrize("name", ["drift", "rays", "focus", "hot pixels", "drizzle", "volumes"])
def test_the_truth_has_the_best_score(bench, name):
    task = bench["tasks"].TASKS[name]
    _, truth = task.made()
    answer = next(iter(truth.values())).astype(float)
    wrong = answer + np.random.default_rng(0).normal(0, 1, answer.shape)
    with np.errstate(divide="ignore"):
        best, other = task.score(answer, truth), task.score(wrong, truth)
    assert best > other if task.higher else best < other
    assert best in (0, 1, np.inf) or best == pytest.approx(0, abs=1e-9)


def test_every_task_has_ours_and_a_rival(bench):
    adapters = bench["environments"].adapters()
    assert adapters[0].name == "napari-stack"
    kinds = {kind for adapter in adapters[1:] for kind in adapter.kinds}
    for task in bench["tasks"].TASKS.values():
        assert task.kind in adapters[0].kinds
        assert task.kind in kinds
    assert len(adapters) == 15
    assert all(len(adapter.about) > 20 for adapter in adapters)


def test_a_program_that_is_not_there_is_told(bench, tmp_path):
    adapter = bench["environments"].adapters()[0]
    missing = type(adapter)(**{**vars(adapter), "program": "no-such-program"})
    with pytest.raises(RuntimeError, match="no-such-program is not installed"):
        bench["environments"].python_of(missing, tmp_path)


def test_regressions_are_found_by_ratio_and_score(bench):
    worse = bench["run"].regressions
    stored = {"drift": {"score": 0.01, "time / opencv": 2.0}, "focus": {"score": 36.0}}
    assert worse(stored, stored) == []
    slower = {"drift": {"score": 0.01, "time / opencv": 3.3}, "focus": {"score": 36.0}}
    assert worse(slower, stored) == ["drift: time / opencv is 3.30, stored 2.00"]
    blurred = {"drift": {"score": 0.02, "time / opencv": 2.0}, "focus": {"score": 31.0}}
    assert len(worse(blurred, stored)) == 2
    assert "not measured" in worse({"focus": {"score": 36.0}}, stored)[0]


def test_a_busy_moment_is_no_regression(bench):
    first = {"drift": {"score": 0.01, "time / opencv": 9.0}, "focus": {"score": 30.0}}
    second = {"drift": {"score": 0.02, "time / opencv": 2.0}, "focus": {"score": 36.0}}
    best = {"drift": {"score": 0.01, "time / opencv": 2.0}, "focus": {"score": 36.0}}
    assert bench["run"].best_of(first, second) == best


def test_a_failure_is_a_result(bench):
    rounds = [{"failed": "it died"}]
    assert bench["run"].together(rounds) == {"failed": "it died"}


def test_stored_figures_are_of_the_quick_tasks(bench):
    stored = json.loads((HERE / "quick.json").read_text())
    assert set(stored) == {n for n, task in bench["tasks"].TASKS.items() if task.quick}
    assert all(len(figures) > 1 for name, figures in stored.items() if name in ("drift", "rays"))
