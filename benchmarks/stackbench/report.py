"""The page of StackBench in the documentation: tables, a plot, settings, what is missing."""

from pathlib import Path
from typing import Any

from environments import adapters
from tasks import TASKS, Task

#: Per cent of all processors: a machine that is busier before a run is told to be so.
BUSY = 20.0
DOCS = Path(__file__).parents[2] / "docs"

_HEAD = """# StackBench

The same tasks, made with known truth from the samples of this project and from formulas, for
napari-stack and for every other program that could be installed, each in an environment of its own.
Programs take turns; rounds: {rounds}, medians. The first run of each, which loads and compiles, is
not counted.

These figures are of {system}{busy}. Times of a few rounds are good for ratios of 2 and more. Sizes
are small; of large data tells [performance](performance.md).

`make bench` runs it and writes this page; `make bench-quick` takes a few minutes and fails where a
change makes a task slower, beside a rival, or less exact than the stored figures. A program is one
small file in `benchmarks/stackbench/adapters`. Its settings are the best that we found, told below;
better ones are welcome.

The best score of a task is **bold**, whosever it is. Memory is what a run adds to the program; of a
program that is started, its own peak. Programs that read files write and read them in their time.
The samples are ours: scenes of another kind may turn out otherwise.

![Score and time of every program by task](images/stackbench.png)
"""


def write(told: dict[str, Any]) -> None:
    """Write the page and its plot."""
    results = told["results"]
    busy = told.get("busy", 0)
    other = f", **which was {busy:.0f} % busy with other things before**" if busy >= BUSY else ""
    lines = [_HEAD.format(**told | {"busy": other})]
    for name, by in results.items():
        lines += [f"## {name[0].upper()}{name[1:]}", "", f"{_about(TASKS[name])}", ""]
        lines += [*_table(TASKS[name], by), ""]
    lines += ["## Settings", "", "| program | settings |", "| --- | --- |"]
    lines += [f"| {a.name} | {a.about.partition(': ')[2] or a.about} |" for a in adapters()]
    lines += ["", "## What is missing", ""]
    lines += [f"- **{name}**: {why}" for name, why in told["missing"].items()] or [
        "- All programs of the adapters were installed."
    ]
    if left := [name for name in TASKS if name not in results]:
        lines.append(f"- Tasks that were left out of this run: {', '.join(left)}.")
    lines += [
        "- Programs that are sold, and those that run in a window alone, are not compared.",
        "- shinestacker's aligning step works on folders of its own, and is left out.",
        "",
    ]
    (DOCS / "stackbench.md").write_text("\n".join(lines), "utf-8")
    _plot(results)


def _about(task: Task) -> str:
    text = task.about[0].upper() + task.about[1:]
    better = "higher" if task.higher else "lower"
    return f"{text}. Score in {task.unit}, {better} is better."


def _table(task: Task, by: dict[str, Any]) -> list[str]:
    good = {name: result for name, result in by.items() if "failed" not in result}
    order = sorted(good, key=lambda n: good[n]["score"], reverse=task.higher)
    rows = ["| program | version | score | time | memory |", "| --- | --- | --- | --- | --- |"]
    for name in order:
        result = good[name]
        score = f"{result['score']:.3g}"
        if score == f"{good[order[0]]['score']:.3g}":
            score = f"**{score}**"
        rows.append(
            f"| {name} | {result['version']} | {score} {task.unit} | {result['seconds']:.2f} s "
            f"| {result['megabytes']:.0f} MB |"
        )
    for name, result in by.items():
        if name not in good:
            rows.append(f"| {name} | | {_reason(result['failed'])} | | |")
    return rows


def _reason(text: str) -> str:
    kind, _, rest = text.partition(": ")
    return (rest if kind == "NotImplementedError" else f"failed: {text}").replace("|", "/")


def _plot(results: dict[str, Any]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = 4
    rows = -(-len(results) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(14, 3 * rows), layout="constrained")
    for place in axes.ravel()[len(results) :]:
        place.set_visible(False)
    for place, (name, by) in zip(axes.ravel(), results.items(), strict=False):
        for program, result in by.items():
            if "failed" in result:
                continue
            ours = program == "napari-stack"
            place.plot(result["seconds"], result["score"], "s" if ours else "o",
                       color="tab:red" if ours else "tab:blue")  # fmt: skip
            place.annotate(program, (result["seconds"], result["score"]), fontsize=8,
                           xytext=(4, 4), textcoords="offset points")  # fmt: skip
        good = [result for result in by.values() if "failed" not in result]
        seconds, scores = ([result[key] for result in good] for key in ("seconds", "score"))
        place.set(xscale="log", xlim=(min(seconds) / 3, max(seconds) * 8))
        place.xaxis.set_minor_formatter("")
        if not TASKS[name].higher:
            place.set(yscale="log", ylim=(min(scores) / 3, max(scores) * 3))
            place.yaxis.set_minor_formatter("")
        better = "higher" if TASKS[name].higher else "lower"
        place.set(title=name, xlabel="seconds", ylabel=f"{TASKS[name].unit} ({better} is better)")
        place.margins(0.25)
    figure.savefig(DOCS / "images" / "stackbench.png", dpi=70)
