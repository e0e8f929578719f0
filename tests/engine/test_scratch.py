"""Scratch vanishes, however the work ends."""

import gc
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_stack.core.source import Source
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import sigma_clip


class Whole(Source):
    """Frames that cannot be read in parts, so that bands of them go through scratch."""

    shape, dtype, partial = (12, 240, 320), np.dtype(np.uint16), False

    def __init__(self, fail_at: int | None = None) -> None:
        self.fail_at = fail_at

    def pixels(self, index, rows=None):
        if index == self.fail_at:
            raise RuntimeError("the cable was pulled")
        frame = np.full(self.shape[1:], index, np.uint16)
        return (frame if rows is None else frame[rows]), None

    def label(self, index):
        return f"frame {index}"


def scratch_files(folder: Path) -> list[str]:
    """Files of this process that lie in a folder, those without a name among them."""
    links = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(link.readlink()))
        except FileNotFoundError:  # of the listing itself
            continue
    return [link for link in links if link.startswith(str(folder))]


def mapped_files(folder: Path) -> list[str]:
    """Files in a folder that this process has mapped, those without a name among them."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return [line for line in lines if str(folder) in line]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files cannot be listed here")
@pytest.mark.parametrize("end", ["done", "cancelled", "error"])
def test_scratch_is_gone_after(end: str, tmp_path: Path) -> None:
    seen: list[int] = []

    def tick(done: int, total: int, _what: str) -> None:
        seen.append(len(scratch_files(tmp_path)))
        assert list(tmp_path.iterdir()) == [], "it has no name"
        if end == "cancelled" and done == total // 2:
            raise Cancelled

    stack = Stack(Whole(fail_at=9 if end == "error" else None))
    run = Run(memory=2**20, workers=2, tick=tick, scratch=tmp_path)
    if end == "done":
        sigma_clip(stack, run=run)
    else:
        with pytest.raises(Cancelled if end == "cancelled" else RuntimeError):
            sigma_clip(stack, run=run)
    assert max(seen) == 1
    assert scratch_files(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_scratch_is_gone_after_a_kill(tmp_path: Path) -> None:
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from test_scratch import Run, Stack, Whole, sigma_clip\n"
        "def tick(done, total, what):\n"
        "    if done == 6: print('half', flush=True); time.sleep(60)\n"
        "sigma_clip(Stack(Whole()), run=Run(memory=2**20, tick=tick))\n"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files cannot be listed here")
@pytest.mark.parametrize("pooled", [False, True])
def test_results_larger_than_the_memory_lie_in_a_file_that_goes_with_them(
    pooled: bool, tmp_path: Path
) -> None:
    frames = np.random.default_rng(0).integers(0, 999, (5, 400, 600), dtype=np.uint16)
    stack = Stack.wrap(frames)
    small, large = Run(memory=2**20, scratch=tmp_path), Run(memory=2**24, scratch=tmp_path)
    with ThreadPoolExecutor(2) as pool:
        found = sigma_clip(stack, sigma=1.5, run=replace(small, executor=pool if pooled else None))
    assert mapped_files(tmp_path), "960 KB of image and counts, and 786 KB may lie in memory"
    assert list(tmp_path.iterdir()) == []
    wanted = sigma_clip(stack, sigma=1.5, run=large)
    assert type(found.image) is np.ndarray
    np.testing.assert_array_equal(found.image, wanted.image)
    np.testing.assert_array_equal(found.rejected, wanted.rejected)
    del found
    gc.collect()
    assert not mapped_files(tmp_path)
    assert not scratch_files(tmp_path)


def test_results_that_the_disk_has_no_room_for_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    stack = Stack.wrap(np.zeros((3, 400, 600), np.uint16))
    with pytest.raises(OSError, match="raise the memory of the run"):
        sigma_clip(stack, sigma=1.0, run=Run(memory=2**20, scratch=tmp_path))
