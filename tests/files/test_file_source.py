"""Frames of files that were never recorded: they have no pixels and are never used."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.core.stack import Stack
from napari_stack.files import read, write
from support.micro_manager import summary
from support.micro_manager import write as write_acquisition


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """Frames of 1, 101 and 301; the third of four is missing."""
    path = tmp_path / "e_MMStack.ome.tif"
    write_acquisition(path, [(0, 0, t, 0) for t in (0, 1, 3)], summary(4))
    with pytest.warns(UserWarning, match="of the 4 frames that are declared 1 is missing"):
        found = read(path)
    assert isinstance(found, Stack)
    return found


def test_a_missing_frame_cannot_be_ticked_on(stack: Stack) -> None:
    ticked = replace(stack, used=np.ones(4, bool))
    assert ticked.used.tolist() == [True, True, False, True]
    assert ticked.select([3, 2]).used.tolist() == [True, False]
    assert replace(ticked.select([3, 2]), used=np.ones(2, bool)).used.tolist() == [True, False]
    assert replace(ticked.opened(2), used=np.ones(1, bool)).used.tolist() == [False]
    moved = ns.transform_frames(stack, rotate=90)
    assert replace(moved, used=np.ones(4, bool)).used.tolist() == [True, True, False, True]


def test_no_reducer_takes_it(stack: Stack) -> None:
    for data in (stack, replace(stack, used=np.ones(4, bool))):
        assert np.unique(ns.combine(data)).tolist() == [134]  # the mean of 1, 101 and 301
        assert np.unique(ns.combine(data, method="minimum")).tolist() == [1]


def test_what_it_is_called_and_where_it_is_from(stack: Stack) -> None:
    source = stack.source
    assert [source.label(i) for i in (1, 2)] == ["e_MMStack.ome.tif page 2", "missing frame 2"]
    assert source.file(2) is None
    assert source.file(3) in source.files_read
    np.testing.assert_array_equal(stack.render(2, slice(2, 5)), np.zeros((3, 9)))
    again = pickle.loads(pickle.dumps(stack))
    assert again.used.tolist() == stack.used.tolist()


def test_it_is_written_as_not_used(tmp_path: Path, stack: Stack) -> None:
    write(tmp_path / "out.tif", stack)
    assert read(tmp_path / "out.tif").frames.used.tolist() == [True, True, False, True]
