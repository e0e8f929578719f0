"""OpenCV's own threads: limited while runs last, whenever OpenCV is imported, and restored."""

import subprocess
import sys

import numpy as np
import pytest

from napari_stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.opencv_threads import opencv_threads
from napari_stack.engine.run import Run

STACK = Stack.wrap(np.zeros((6, 4, 4), np.uint8))

#: OpenCV is imported for the first time by the workers of a run.
FIRST_IMPORT = """
import os
os.environ["OPENCV_FOR_THREADS_NUM"] = "3"
import sys
import numpy as np
from napari_stack import Run, Stack

def look(stack, index):
    from napari_stack.engine.opencv import cv2
    return cv2.getNumThreads()

assert "cv2" not in sys.modules
print(*Run(workers=2).each(look, Stack.wrap(np.zeros((6, 4, 4))), what="x"))
print(look(None, 0))
"""


@pytest.fixture(autouse=True)
def three_threads():
    """OpenCV has threads to limit, however many processors there are."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    yield
    cv2.setNumThreads(before)


def threads(stack, index):
    return cv2.getNumThreads()


def test_runs_limit_and_restore():
    assert set(Run(workers=2).each(threads, STACK, what="x")) == {1}
    assert cv2.getNumThreads() == 3


def test_a_run_on_one_thread_leaves_them():
    assert set(Run(workers=1).each(threads, STACK, what="x")) == {3}


def test_the_last_of_runs_side_by_side_restores():
    first, second = opencv_threads(1), opencv_threads(2)
    with first:
        second.__enter__()
        assert cv2.getNumThreads() == 2
    assert cv2.getNumThreads() == 2
    second.__exit__(None, None, None)
    assert cv2.getNumThreads() == 3


def test_limited_when_a_run_is_the_first_to_import_it():
    command = [sys.executable, "-c", FIRST_IMPORT]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    within, after = done.stdout.splitlines()
    assert within.split() == ["1"] * 6
    assert after == "3"
