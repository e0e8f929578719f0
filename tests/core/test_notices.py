"""Warnings about frames: their words, and once a run with counts."""

import warnings

import numpy as np
import pytest

from napari_stack.core.notices import FailedFrames, counted_together, warn_of_frames


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
