"""Frames of a lazy layer computed once: the same pixels, and nothing of their history lost."""

import gc
import weakref

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image, Points

import napari_stack as ns
from napari_stack import layers
from napari_stack.core.notices import FailedFrames
from napari_stack.layers import compute_now, is_lazy, prepare_compute
from napari_stack.layers.stacks.read_layer import read_layer
from napari_stack.operators.inspection.frame_table import frame_table
from support.pixels import validity


@pytest.fixture
def registered(timelapse):
    """A lazy layer with invalid borders."""
    return layers.register(timelapse, transform="translation")


@pytest.mark.parametrize("where", ["memory", "zarr"])
def test_the_same_frames_and_what_is_known_of_them(where, registered, tmp_path):
    path = tmp_path / "frames.zarr" if where == "zarr" else None
    made = compute_now(registered, path)
    assert is_lazy(registered)
    assert is_lazy(made) == (where == "zarr")
    assert made.name == "cells - aligned - computed"
    np.testing.assert_array_equal(np.asarray(made.data), np.asarray(registered.data))
    for name in ("scale", "translate", "rotate", "contrast_limits", "units", "axis_labels"):
        assert np.all(getattr(made, name) == getattr(registered, name)), name
    assert made.metadata["napari_stack"]["recipe"] == registered.metadata["napari_stack"]["recipe"]
    for method in ("mean", "median", "minimum"):
        expected, found = (layers.combine(la, method=method)[0].data for la in (registered, made))
        # rounded once more, and borders that no frame covers are still none
        np.testing.assert_allclose(found, expected, atol=1)
        assert (expected == 0).any() == (found == 0).any()
    balanced = layers.balance(made)
    steps = [s["operator"] for s in balanced.metadata["napari_stack"]["recipe"]["steps"]]
    assert steps == ["register", "balance"]
    if path:
        assert ns.read(path).shape == registered.data.shape


def test_borders_stay_invalid(registered):
    """Without that a mean is dark where few frames reach."""
    made = compute_now(registered)
    before, after = (read_layer(layer).data for layer in (registered, made))
    masked = 0
    for i in range(len(before)):
        for rows in (None, slice(5, 40)):
            (there, valid), (values, known) = before.read(i, rows), after.read(i, rows)
            np.testing.assert_array_equal(validity(known, values), validity(valid, there))
            masked += not validity(known, values).all()
        assert values.dtype == np.float32
    assert masked


def test_frames_that_are_not_used_stay_so(cells):
    data = cells[0].copy()
    data[4] = 7
    with pytest.warns(FailedFrames, match=r"^1 of 5 frames could not be registered: 4$"):
        lazy = layers.register(Image(data, rgb=False), transform="translation")
    assert read_layer(compute_now(lazy)).data.used.tolist() == [True] * 4 + [False]


def test_floats_colours_and_hyperstacks(hyper_layer):
    moved = layers.register(hyper_layer, axis="t", transform="translation")
    made = compute_now(moved)
    np.testing.assert_array_equal(made.data, np.asarray(moved.data))
    data = read_layer(made).data
    assert data.sizes == (3, 2, 4)
    image, depth, *_ = layers.focus_stack(made)
    assert image.data.shape == depth.data.shape == (3, 2, 1, 64, 80)
    colours = da.random.default_rng(1).random((3, 8, 10, 3), chunks=(1, 8, 10, 3))
    made = compute_now(Image(colours, rgb=True))
    np.testing.assert_array_equal(made.data, colours.compute())
    assert made.rgb


def test_refusals(timelapse, registered, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="computed already"):
        compute_now(timelapse)
    with pytest.raises(ValueError, match=r"must end with \.zarr"):
        compute_now(registered, tmp_path / "frames.tif")
    (tmp_path / "there.zarr").mkdir()
    with pytest.raises(FileExistsError):
        compute_now(registered, tmp_path / "there.zarr")
    work = prepare_compute(registered)
    text, wrong = work.forecast()
    assert text.startswith("5 frames, 112 x 96, uint16: 105 KiB of memory; ")
    assert wrong == ""
    monkeypatch.setattr(type(work), "free", 1000)
    assert "into a zarr folder" in work.forecast()[1]
    with pytest.raises(MemoryError, match="zarr folder"):
        work.compute()


def test_cancelled_leaves_nothing(registered, tmp_path):
    def tick(done, total, what):
        if done:
            raise ns.Cancelled

    with pytest.raises(ns.Cancelled):
        compute_now(registered, tmp_path / "frames.zarr", run=ns.Run(tick=tick))
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_alive(registered):
    made = compute_now(registered)
    alive = weakref.ref(made.data)
    read_layer(made)
    del made
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("where", ["memory", "zarr"])
def test_what_was_measured_is_still_told(where, timelapse, tmp_path):
    lazy = layers.register(layers.balance(timelapse), transform="translation", framing="common")
    made = compute_now(lazy, tmp_path / "frames.zarr" if where == "zarr" else None)
    before, after = (frame_table(read_layer(layer).data) for layer in (lazy, made))
    assert list(after.columns) == list(before.columns)
    assert {"rotation (degrees)", "quality", "gain"} <= set(after.columns)
    for name, column in before.columns.items():
        np.testing.assert_array_equal(after.columns[name], column)
    assert read_layer(made).data.transforms is None, "its pixels lie where they belong"
    place = {"scale": timelapse.scale, "translate": timelapse.translate}
    points = Points(np.array([[0.0, 20, 30], [4, 50, 60]]), **place)
    expected, found = (layers.apply_transforms(points, layer).data for layer in (lazy, made))
    np.testing.assert_allclose(found, expected)
    again = layers.register(made, transform="translation")
    moved = read_layer(again).data.transforms.matrices[:, :2, 2]
    assert np.abs(moved).max() < 0.2, "nothing is moved a second time"
