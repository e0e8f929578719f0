"""How often a frame is decoded, and frames that are set aside."""

import re
import shutil
import tempfile
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.source import ArraySource
from napari_stack.core.stack import Stack
from napari_stack.engine.progress import Cancelled
from napari_stack.engine.run import Run
from napari_stack.operators import Transforms, apply_transforms, focus_stack
from napari_stack.operators.focus import spooled


class Decoded(ArraySource):
    """Frames that are decoded whole, like JPEG files, and counted."""

    partial = False

    def pixels(self, index, rows=None):
        self.counts[index] += 1
        return super().pixels(index, rows)


@pytest.fixture
def series():
    frames, _ = samples.focus_series(frames=5, size=(96, 112), noise=4 / 255)
    source = Decoded(np.asarray(frames))
    object.__setattr__(source, "counts", Counter())
    return Stack(source)


@pytest.mark.parametrize(("method", "passes"), [("auto", 3), ("pyramid", 1), ("depth map", 2)])
def test_a_frame_is_decoded_once_a_pass(series, method, passes):
    focus_stack(series, method=method)
    assert series.source.counts == dict.fromkeys(range(5), passes)


@pytest.mark.filterwarnings("ignore:prefer=.near. changes nothing")
@pytest.mark.parametrize("options", [{}, {"prefer": "near"}, {"true_colours": True}])
def test_with_scratch_a_frame_is_decoded_once(series, options, tmp_path):
    plain = focus_stack(series, **options)
    series.source.counts.clear()
    found = focus_stack(series, **options, run=Run(scratch=tmp_path))
    assert series.source.counts == dict.fromkeys(range(5), 1)
    np.testing.assert_array_equal(found.image, plain.image)
    np.testing.assert_array_equal(found.depth, plain.depth)
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore:prefer=.near. changes nothing")
def test_what_takes_many_passes_is_set_aside_in_any_case(series, monkeypatch):
    focus_stack(series, prefer="near")
    assert set(series.source.counts.values()) == {1}
    monkeypatch.setattr(spooled, "free_scratch", lambda: 0)  # unless the disk is full
    focus_stack(series, prefer="near")
    assert min(series.source.counts.values()) > 4


@pytest.mark.filterwarnings("ignore:prefer=.near. changes nothing")
def test_without_a_folder_for_temporary_files_frames_are_read_again(series, monkeypatch):
    def none() -> str:
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    focus_stack(series, prefer="near")
    assert min(series.source.counts.values()) > 4


def test_a_full_folder_is_named_with_what_to_do(series, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(OSError, match=f"free in {re.escape(str(tmp_path))}: give the run another"):
        focus_stack(series, run=Run(scratch=tmp_path))


def test_frames_that_were_moved_and_left_out_come_back_the_same(series, tmp_path):
    matrices = np.tile(np.eye(3), (5, 1, 1))
    matrices[:, 0, 2] = [-3.4, 2.2, 0, 1.7, 4.1]
    moved = apply_transforms(series, Transforms(matrices))
    used = np.array([True, True, False, True, True])
    moved = Stack(moved.source, moved.corrections, used=used)
    plain = focus_stack(moved)
    found = focus_stack(moved, run=Run(scratch=tmp_path))
    for one, other in zip(plain[:3], found[:3], strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_stops_while_frames_are_set_aside(series, tmp_path):
    def tick(done, _total, what):
        if what == "Setting frames aside" and done:
            raise Cancelled

    with pytest.raises(Cancelled):
        focus_stack(series, run=Run(tick=tick, scratch=tmp_path))
    assert not list(tmp_path.iterdir())
