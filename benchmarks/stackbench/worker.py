"""Run one adapter on one task, in the Python of its program: times, peak memory, version.

``python worker.py ADAPTER KIND INPUT.npz OUTPUT.npz REPORT.json``; it needs NumPy and nothing of
ours. The first run, which compiles and loads, is not timed.
"""

import importlib.util
import json
import resource
import sys
import threading
import time
from pathlib import Path

import numpy as np


def load(path):
    """Import an adapter by its file."""
    spec = importlib.util.spec_from_file_location("adapter", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def resident():
    """Bytes that are resident now, where the system tells; else 0."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * resource.getpagesize()


class Peak:
    """Watch the resident memory while a block runs: how far it rises above its start."""

    def __enter__(self):
        """Start."""
        self.start = self.most = resident()
        self.children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def _watch(self):
        while not self.over.wait(0.005):
            self.most = max(self.most, resident())

    def __exit__(self, *_):
        """Stop; a program that was started counts with its own peak."""
        self.over.set()
        self.thread.join()
        self.most = max(self.most, resident())
        child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        self.bytes = max(self.most - self.start, child)


def main():
    """Run it."""
    adapter_path, kind, source, target, report = sys.argv[1:]
    adapter = load(adapter_path)
    data = dict(np.load(source))
    function = getattr(adapter, kind)
    function(**data)
    with Peak() as peak:
        began, cpu = time.perf_counter(), time.process_time()
        result = function(**data)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    np.savez(target, result=np.asarray(result))
    told = {"seconds": seconds, "cpu": cpu, "megabytes": peak.bytes / 2**20}
    Path(report).write_text(json.dumps({**told, "version": adapter.version()}))


if __name__ == "__main__":
    main()
