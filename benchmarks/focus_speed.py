"""Seconds and memory that a series of JPEG takes to be registered and fused, beside other programs.

Run ``python benchmarks/focus_speed.py FOLDER [--rival-python PYTHON] [--focusweave PROGRAM]
[--rounds 5]``; FOLDER holds the JPEG frames; PYTHON is one that has shinestacker; enfuse is taken
from the PATH. Every program of Python is a process that stays alive and runs once before it counts;
focusweave and enfuse are compiled, and begin anew each time. Programs take turns; medians are told,
and what each of ours takes as a share of the others' time, their alignment included.
Anonymous memory is that of a whole process, its highest during the rounds.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

from focus_rivals import ENFUSE
from memory import Peak

# Every server reads a line, does its work, and answers with a line.
OURS = """
import sys, napari_stack as ns
source, out, method, depth, register = sys.argv[1:]
for line in sys.stdin:
    stack = ns.read(source)
    if register == "True":
        stack = ns.register(stack)
    image = ns.focus_stack(stack, method=method, depth=depth == "True").image
    ns.write(out, image, overwrite=True)
    print("done", flush=True)
"""
SHINESTACKER = """
import os, sys, shutil
from shinestacker.algorithms.align import AlignFrames
from shinestacker.algorithms.pyramid import PyramidStack
from shinestacker.algorithms.stack import FocusStack
from shinestacker.algorithms.stack_framework import CombinedActions, StackJob
source, out = sys.argv[1:]
said, sys.stdout = sys.stdout, open(os.devnull, "w")
for line in sys.stdin:
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    job = StackJob("job", out, input_path=source)
    job.add_action(CombinedActions("align", [AlignFrames()]))
    job.add_action(FocusStack("fused", PyramidStack()))
    job.run()
    print("done", file=said, flush=True)
"""


class Server:
    """A program that is kept alive; it is asked to run with a line."""

    def __init__(self, words: list[str], log: Path) -> None:
        self.log = log.open("w")
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=self.log, text=True)

    def run(self) -> tuple[float, float, int]:
        """Run once; return seconds, seconds of the processors, and peak bytes."""
        assert self.process.stdin
        assert self.process.stdout
        cpu = _cpu_seconds(self.process.pid)
        with Peak(self.process.pid) as watch:
            start = time.perf_counter()
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
            seconds = time.perf_counter() - start
        if not answer:
            raise RuntimeError(f"it failed: {Path(self.log.name).read_text()[-500:]}")
        return seconds, _cpu_seconds(self.process.pid) - cpu, watch.bytes

    def close(self) -> None:
        """End the program."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.log.close()


def _cpu_seconds(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(word) for word in words[11:15]) / os.sysconf("SC_CLK_TCK")


def program(words: list[str]) -> Callable[[], tuple[float, float, int]]:
    """Return what runs a compiled program once."""

    def run() -> tuple[float, float, int]:
        start = time.perf_counter()
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(words, stdout=quiet, stderr=quiet)
        with Peak(process.pid) as watch:
            _, status, used = os.wait4(process.pid, 0)
        if status:
            raise RuntimeError(f"{words[0]} failed with status {status}: {' '.join(words)}")
        return time.perf_counter() - start, used.ru_utime + used.ru_stime, watch.bytes

    return run


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rival-python", type=Path)
    parser.add_argument("--focusweave", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "frames"
        source.mkdir()
        for path in sorted(given.folder.glob("*.[jJ][pP]*[gG]")):
            shutil.copy(path, source)
        contests, servers = _contests(source, folder, given)
        found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in contests}
        for number in range(given.rounds + 1):
            for name, run in contests.items():
                result = run()
                if number:
                    found[name].append(result)
        for server in servers:
            server.close()
    _report(found)


def _contests(
    source: Path, folder: Path, given: argparse.Namespace
) -> tuple[dict[str, Callable[[], tuple[float, float, int]]], list[Server]]:
    # The other programs make the image alone.
    kinds = [("auto", True), ("pyramid", True), ("pyramid", False)]
    contests, servers = {}, []
    for number, ((method, depth), register) in enumerate(product(kinds, (True, False))):
        words = [sys.executable, "-c", OURS, str(source), str(folder / f"{number}.tif")]
        words += [method, str(depth), str(register)]
        servers.append(Server(words, folder / f"{number}.log"))
        name = f"{'register + ' if register else ''}{method}"
        contests[name if depth else f"{name}, image alone"] = servers[-1].run
    if given.rival_python:
        words = [str(given.rival_python), "-c", SHINESTACKER, str(source), str(folder / "shine")]
        servers.append(Server(words, folder / "shine.log"))
        contests["shinestacker, align + pyramid"] = servers[-1].run
    if given.focusweave:
        words = [str(given.focusweave), str(source), "--keep-size", "--output"]
        contests["focusweave, align + fuse"] = program([*words, str(folder / "weave.tif")])
    if shutil.which("enfuse"):
        files = sorted(str(path) for path in source.iterdir())
        contests["enfuse"] = program(["enfuse", *ENFUSE, "-o", str(folder / "enfuse.tif"), *files])
    return contests, servers


def _report(found: dict[str, list[tuple[float, float, int]]]) -> None:
    medians = {name: statistics.median(run[0] for run in runs) for name, runs in found.items()}
    rivals = [name for name in medians if "align" in name]
    heads = "".join(f"{'of ' + name.partition(',')[0]:>17}" for name in rivals)
    print(f"{'program':32}{'seconds':>9}{'cpu s':>8}{'peak MiB':>10}{heads}")
    for name, runs in found.items():
        cpu, peak = statistics.median(run[1] for run in runs), max(run[2] for run in runs)
        line = f"{name:32}{medians[name]:9.2f}{cpu:8.2f}{peak / 2**20:10.0f}"
        if name.startswith("register"):
            line += "".join(f"{medians[name] / medians[rival]:17.2f}" for rival in rivals)
        print(line)


if __name__ == "__main__":
    main()
