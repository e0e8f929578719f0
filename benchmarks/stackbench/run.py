"""StackBench: the same tasks, of known truth, for this project and for other programs.

``python benchmarks/stackbench/run.py`` makes the tasks and an environment for each program, runs
all of them in turn (round after round, so that a busy moment hits all alike), and writes
docs/stackbench.md with its plot, and results.json beside this file.

``--quick`` runs the small tasks with the programs that the Python at hand has, and compares with
the figures stored in quick.json: our time as a ratio to a rival's, and our score. It fails where
the ratio is more than 1.6 times the stored one, or a score is worse by more than a tenth;
``--store`` writes the figures.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parent))

from environments import Adapter, adapters, python_of
from tasks import TASKS, Task

HERE = Path(__file__).parent
QUICK = HERE / "quick.json"
TIMEOUT = 600
#: How much worse than stored is a regression: the time against a rival's, and the score.
TIME_MARGIN, SCORE_MARGIN = 1.6, 1.1

Result = dict[str, Any]


def run_one(adapter: Adapter, python: Path, task: Task, given: Path, truth: dict) -> Result:
    """Run one adapter on one task; a failure is a result, too."""
    with tempfile.TemporaryDirectory() as name:
        out, report = Path(name) / "out.npz", Path(name) / "report.json"
        words = [python, HERE / "worker.py", adapter.path, task.kind, given, out, report]
        environment = {**os.environ, "PYTHONPATH": ""}
        if not adapter.requirements:
            environment["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")
        try:
            done = subprocess.run(
                [str(word) for word in words], capture_output=True, text=True, check=False,
                timeout=TIMEOUT, env=environment, cwd=name,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {"failed": f"it took more than {TIMEOUT} s"}
        if done.returncode:
            return {"failed": (done.stderr.strip().splitlines() or ["it died"])[-1][:200]}
        return {
            **json.loads(report.read_text()),
            "score": task.score(np.load(out)["result"], truth),
        }


def run_all(
    chosen: list[Adapter],
    names: list[str],
    rounds: int,
    pythons: dict[str, Path],
    keep: Callable[[dict[str, dict[str, Result]]], None] = lambda _: None,
) -> dict[str, dict[str, Result]]:
    """Run tasks and programs in turn; return results by task and program, times as medians.

    `keep` is given what there is after every task, for long runs that are broken off.
    """
    results: dict[str, dict[str, list[Result]]] = {name: {} for name in names}
    with tempfile.TemporaryDirectory() as folder:
        made = {}
        for name in names:
            data, truth = TASKS[name].made()
            made[name] = (Path(folder) / f"{name}.npz", truth)
            np.savez(made[name][0], **data)
        for number in range(rounds):
            for name in names:
                for adapter in chosen:
                    if TASKS[name].kind not in adapter.kinds or adapter.name not in pythons:
                        continue
                    before = results[name].setdefault(adapter.name, [])
                    if any("failed" in result for result in before):
                        continue
                    python = pythons[adapter.name]
                    result = run_one(adapter, python, TASKS[name], *made[name])
                    before.append(result)
                    print(f"{number + 1} {name:18} {adapter.name:14} {_line(result)}", flush=True)
                keep(_medians(results))
    return _medians(results)


def _medians(results: dict[str, dict[str, list[Result]]]) -> dict[str, dict[str, Result]]:
    return {n: {a: together(r) for a, r in by.items()} for n, by in results.items() if by}


def _line(result: Result) -> str:
    if "failed" in result:
        return result["failed"]
    return f"{result['score']:9.4f} {result['seconds']:8.3f} s {result['megabytes']:7.0f} MB"


def together(rounds: list[Result]) -> Result:
    """Join the rounds of one program: medians; what failed once has failed."""
    if failed := [result for result in rounds if "failed" in result]:
        return failed[0]
    numbers = ("seconds", "cpu", "megabytes", "score")
    medians = {key: statistics.median(result[key] for result in rounds) for key in numbers}
    return {**medians, "version": rounds[0]["version"]}


def have(chosen: list[Adapter], folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Return the Python of each program, and of those that cannot be had why."""
    pythons, missing = {}, {}
    for adapter in chosen:
        try:
            pythons[adapter.name] = python_of(adapter, folder)
        except RuntimeError as error:
            missing[adapter.name] = str(error)
            print(f"{adapter.name}: {error}", flush=True)
    return pythons, missing


def quick_figures(rounds: int) -> dict[str, dict[str, float]]:
    """Run the quick tasks with what is installed here; return ratios and scores by task."""
    here = [a for a in adapters() if a.built_in and _installed(a)]
    names = [name for name, task in TASKS.items() if task.quick]
    results = run_all(here, names, rounds, {a.name: Path(sys.executable) for a in here})
    figures = {}
    for name, by in results.items():
        ours, rivals = by["napari-stack"], {a: r for a, r in by.items() if a != "napari-stack"}
        if "failed" in ours:
            raise SystemExit(f"{name}: {ours['failed']}")
        figures[name] = {"score": ours["score"]}
        for rival, result in rivals.items():
            if "failed" not in result:
                figures[name][f"time / {rival}"] = ours["cpu"] / result["cpu"]
    return figures


def _installed(adapter: Adapter) -> bool:
    module = {"scikit-image": "skimage", "opencv": "cv2", "napari-stack": "napari_stack"}
    return importlib.util.find_spec(module.get(adapter.name, adapter.name)) is not None


def regressions(now: dict[str, dict[str, float]], stored: dict[str, dict[str, float]]) -> list[str]:
    """Say what is worse than stored by more than the margins."""
    found = []
    for name, figures in stored.items():
        for key, before in figures.items():
            value = now.get(name, {}).get(key)
            if value is None:
                found.append(f"{name}: {key} was not measured; is the rival installed?")
            elif key == "score":
                higher = TASKS[name].higher
                worse = before / value if higher else value / max(before, 1e-9)
                if worse > SCORE_MARGIN:
                    unit = TASKS[name].unit
                    found.append(f"{name}: score {value:.4g} {unit}, stored {before:.4g} {unit}")
            elif value > TIME_MARGIN * before:
                found.append(f"{name}: {key} is {value:.2f}, stored {before:.2f}")
    return found


def best_of(
    first: dict[str, dict[str, float]], second: dict[str, dict[str, float]]
) -> dict[str, dict[str, float]]:
    """Join two runs: the lower ratio of times, and the better score."""
    return {
        name: {
            key: (max if key == "score" and TASKS[name].higher else min)(value, second[name][key])
            for key, value in figures.items()
            if key in second[name]
        }
        for name, figures in first.items()
    }


def quick(store: bool) -> int:
    """Compare with the stored figures, or store them.

    A busy moment is no regression: what is worse is run once more, and has to be worse again.
    """
    figures = quick_figures(3 if store else 1)
    if store:
        QUICK.write_text(json.dumps(figures, indent=1) + "\n")
        return 0
    stored = json.loads(QUICK.read_text())
    found = regressions(figures, stored)
    if found:
        again = quick_figures(1)
        found = regressions(best_of(figures, again), stored)
    print(*(f"worse: {line}" for line in found), sep="\n")
    print(f"{len(found)} regressions beyond {TIME_MARGIN} x in time and {SCORE_MARGIN} x in score")
    return int(bool(found))


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="compare with the stored ratios")
    parser.add_argument("--store", action="store_true", help="with --quick: store them instead")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--environments", type=Path, default=HERE / ".environments")
    parser.add_argument("--tasks", nargs="*", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--report", action="store_true", help="only the page, from results.json")
    options = parser.parse_args()
    if options.quick:
        return quick(options.store)
    from report import write

    stored = HERE / "results.json"
    if not options.report:
        chosen = adapters()
        pythons, missing = have(chosen, options.environments.resolve())
        told = {
            "busy": psutil.cpu_percent(interval=5),
            "system": f"{platform.system()}, {os.cpu_count()} processors, "
            f"Python {platform.python_version()}",
            "rounds": options.rounds,
            "missing": missing,
        }
        before = json.loads(stored.read_text())["results"] if stored.exists() else {}

        def keep(results: dict[str, dict[str, Result]]) -> None:
            """Write what there is; tasks that were not asked for stay."""
            both = {n: results.get(n) or before.get(n) for n in TASKS}
            told["results"] = {n: by for n, by in both.items() if by}
            stored.write_text(json.dumps(told, indent=1) + "\n")

        keep(run_all(chosen, options.tasks, options.rounds, pythons, keep))
    write(json.loads(stored.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
