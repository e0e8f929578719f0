"""Warnings about frames: their words, and once a run with counts."""

import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image

import napari_stack as ns
from napari_stack import layers
from napari_stack.core.notices import FailedFrames, counted_together, warn_caller, warn_of_frames


def told(record):
    return [str(warning.message) for warning in record]


@pytest.mark.parametrize(
    ("frames", "names", "text"),
    [
        (np.array([True, False, True]), str, "2 of 3 frames are dark: 0, 2"),
        (np.ones(99, bool), str, "99 of 99 frames are dark: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ..."),
        (np.array([False, True]), "page {}".format, "1 of 2 frames are dark: page 1"),
        (np.array([False, True]), "frame {} of a layer".format, "1 of 2 frames are dark: 1"),
    ],
)
def test_frames_are_counted_and_named(frames, names, text):
    with pytest.warns(FailedFrames) as record:
        warn_of_frames("are dark", frames, names, FailedFrames)
    assert told(record) == [text]


def _run(thread):
    thread.start()
    thread.join()


def test_in_a_thread_a_line_of_ours_is_named():
    frames = np.array([True, False])
    thread = threading.Thread(target=warn_of_frames, args=("are dark", frames))
    with pytest.warns(UserWarning, match="1 of 2 frames are dark") as record:
        _run(thread)
    # Docks hear those of this package alone.
    assert Path(record[0].filename).is_relative_to(Path(ns.__file__).parent)


def test_code_without_a_name_is_warned_too():
    with pytest.warns(UserWarning, match="some text"):
        exec('warn("some text")', {"warn": warn_caller})


def test_without_frames_nothing_is_said():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_frames("are dark", np.zeros(3, bool))
        with counted_together():
            warn_of_frames("are dark", np.zeros(3, bool))


@counted_together()
def at_positions():
    for frames in ([True, False], [False, False], [True, True]):
        with counted_together():
            warn_of_frames("are dark", np.array(frames), category=FailedFrames)
    warn_of_frames("are bright", np.array([False, True]), category=FailedFrames)


def test_positions_are_counted_together():
    with pytest.warns(FailedFrames) as record:
        at_positions()
    assert told(record) == [
        "3 of 6 frames are dark, at 2 of 3 positions",
        "1 of 2 frames are bright: 1",
    ]


STILL = np.zeros((2, 8, 9), np.float32)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ns.sigma_clip(ns.Stack.wrap(STILL)),
        lambda: ns.Recipe([ns.Step("sigma_clip")]).run(ns.Stack.wrap(STILL)),
        lambda: layers.sigma_clip(Image(STILL)),
        lambda: at_positions(),
    ],
    ids=["operator", "recipe", "layer", "gathered"],
)
def test_a_warning_names_the_line_outside_of_the_package(call):
    with pytest.warns(UserWarning, match="2|3") as record:
        call()
    assert {warning.filename for warning in record} == {__file__}
