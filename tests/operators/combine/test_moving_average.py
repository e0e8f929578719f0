"""`moving_average`: what each frame is the mean of, and that it stays lazy."""

from dataclasses import replace

import numpy as np
import pytest

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import (
    Transforms,
    apply_transforms,
    combine,
    moving_average,
    sigma_clip,
)
from support.sources import WatchedSource

DATA = np.random.default_rng(0).integers(0, 4000, (9, 12, 10)).astype(np.uint16)


def windows(count, frames, used=None):
    before = (frames - 1) // 2
    every = [range(max(i - before, 0), min(i - before + frames, count)) for i in range(count)]
    return [[i for i in window if used is None or used[i]] for window in every]


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5, 100])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_frame_is_the_mean_of_its_neighbours(frames, dtype):
    data = (DATA % 250).astype(dtype)
    found = moving_average(Stack.wrap(data), frames=frames)
    expected = [data[window].mean(axis=0) for window in windows(9, frames)]
    expected = np.rint(expected) if np.dtype(dtype).kind == "u" else expected
    assert found.dtype == dtype
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6)


def test_it_is_as_lazy_as_the_frames():
    source = WatchedSource(DATA)
    found = moving_average(Stack(source), frames=3)
    assert not source.reads
    found.render(4, slice(2, 5))
    assert source.reads == [(i, slice(2, 5)) for i in (3, 4, 5)]
    assert found.source.label(4) == "watched 4"
    source.reads.clear()
    assert found.to_dask()[4].compute().shape == (12, 10)
    assert sorted(index for index, _ in source.reads) == [3, 4, 5]


def test_more_digits_can_be_seen_and_are_used_in_any_case():
    stack = Stack.wrap(DATA)
    exact = np.array([DATA[window].mean(axis=0) for window in windows(9, 3)])
    for dtype in ("float32", "float64"):
        found = moving_average(stack, frames=3, dtype=dtype)
        assert found.dtype == dtype
        np.testing.assert_allclose(np.asarray(found), exact, rtol=1e-6)
    mean = combine(moving_average(stack, frames=3), dtype="float64")
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-6)


def test_holes_and_frames_not_used_do_not_count():
    data = DATA.astype(np.float32)
    data[2, 3, 4] = data[3, 3, 4] = data[4, 3, 4] = np.nan
    found = np.asarray(moving_average(Stack.wrap(data), frames=3))
    assert np.isnan(found[3, 3, 4])
    assert np.isfinite(np.delete(found[:, 3, 4], 3)).all()
    np.testing.assert_allclose(found[2, 3, 4], data[1, 3, 4])
    used = np.array([1, 1, 0, 0, 0, 1, 1, 1, 1], bool)
    stack = moving_average(replace(Stack.wrap(DATA), used=used), frames=3)
    assert stack.used.tolist() == [True, True, True, False, True, True, True, True, True]
    np.testing.assert_array_equal(stack[2], DATA[1])
    assert (stack[3] == 0).all()


def test_what_a_warp_moved_out_of_view_is_not_averaged():
    matrices = np.tile(np.eye(3), (9, 1, 1))
    matrices[:, 0, 2] = np.linspace(0, 4, 9)
    moved = apply_transforms(Stack.wrap(np.full((9, 12, 10), 500, np.uint16)), Transforms(matrices))
    averaged = moving_average(moved, frames=5)
    frame, valid = averaged.read(8)
    assert valid is not None
    assert (frame[valid] == 500).all()
    assert valid.sum() < valid.size
    assert (averaged[8][~valid] == 0).all()
    assert (sigma_clip(averaged, sigma=2).image == 500).all()


def test_frames_can_be_selected_afterwards():
    averaged = moving_average(Stack.wrap(DATA), frames=3)
    chosen = averaged.select([7, 2])
    np.testing.assert_array_equal(chosen[0], averaged[7])
    np.testing.assert_allclose(chosen.read(1)[0], DATA[1:4].mean(axis=0), rtol=1e-6)


def test_colours_with_alpha():
    data = np.full((3, 2, 2, 4), 255, np.uint8)
    data[:, 0, 0, 3] = 0
    data[0, 1, 1, 3] = 0
    data[..., 0] = np.array([0, 100, 200]).reshape(3, 1, 1)
    found = moving_average(Stack.wrap(data, rgb=True), frames=3)
    assert found[1][0, 0].tolist() == [0, 0, 0, 0]
    assert found[1][1, 1].tolist() == [150, 255, 255, 255]
    assert (combine(found, dtype="float32")[1, 0, 1:] == 255).all()


@pytest.mark.parametrize("axis", ["t", "z"])
def test_every_position_of_a_hyperstack_is_averaged(axis):
    data = DATA[:8].reshape(4, 2, 12, 10)
    hyper = Hyperstack.wrap(data, axes="tzyx", axis=axis)
    found = hyper.map(moving_average, frames=2)
    along = data if axis == "t" else np.swapaxes(data, 0, 1)
    expected = [along[window].mean(axis=0) for window in windows(len(along), 2)]
    expected = expected if axis == "t" else np.swapaxes(expected, 0, 1)
    assert (found.shape, found.axis, found.axes) == (hyper.shape, axis, hyper.axes)
    np.testing.assert_array_equal(np.asarray(found), np.rint(expected))
    assert found.frames.source.label(5) == hyper.frames.source.label(5)
    mean = found.map(combine, dtype="float64")
    np.testing.assert_allclose(mean, np.mean(expected, axis="tz".index(axis)), rtol=1e-6)


@pytest.mark.parametrize("memory", [2**20, 2**30])
def test_it_is_reduced_in_bands(memory):
    data = np.tile(DATA, (1, 30, 30))
    averaged = moving_average(Stack.wrap(data), frames=3)
    expected = np.median([data[w].mean(axis=0) for w in windows(9, 3)], axis=0)
    found = combine(averaged, method="median", dtype="float64", run=Run(memory=memory))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_window_of_nothing_is_refused():
    with pytest.raises(ValueError, match="frames must be a whole number in the range 1 to 1000"):
        moving_average(Stack.wrap(DATA), frames=0)
