"""Compute Now, and the word before 3-D display."""

import threading

import dask.array as da
import numpy as np
import pytest

from napari_stack import _widgets, layers
from napari_stack.layers.jobs.compute_now import FrameComputation
from support.docks import cells_layer, docked, ran


@pytest.fixture
def lazy(viewer, cells):
    """A registered layer, and its source."""
    source = cells_layer(viewer, cells)
    return viewer.add_layer(layers.register(source, transform="translation"))


@pytest.mark.parametrize("where", ["memory", "zarr"])
def test_frames_are_computed_into_a_layer_of_their_own(where, viewer, qtbot, lazy, tmp_path):
    dock = docked(viewer, _widgets.ComputeNowDock)
    assert dock.layer == lazy
    assert dock._layer_box.choices == (lazy,), "the source is no lazy one"
    assert dock._told.text().startswith("6 frames, 112 x 96, uint16: 126 KiB of memory; ")
    if where == "zarr":
        dock.path = tmp_path / "frames.zarr"
        assert "of disk" in dock._told.text()
    ran(dock, qtbot)
    made = viewer.layers[-1]
    assert made.name == "cells - aligned - computed"
    np.testing.assert_array_equal(np.asarray(made.data), np.asarray(lazy.data))
    assert layers.is_lazy(made) == (where == "zarr")
    assert lazy in viewer.layers
    if where == "zarr":
        dock.layer = lazy
        dock.run()
        assert "exists already" in dock._told.text()


def test_cancel_and_again(viewer, qtbot, gate, tmp_path, run_threads):
    def read(block, block_info=None):
        if not threading.current_thread().name.startswith("napari-stack"):  # napari's own
            return block
        return gate[block_info[0]["array-location"][0][0]][None]

    data = da.from_array(gate.data, chunks=(1, -1, -1)).map_blocks(read, dtype=gate.dtype)
    layers_before = [viewer.add_image(data, contrast_limits=(0, 4095), name="lazy")]
    dock = docked(viewer, _widgets.ComputeNowDock)
    dock.path = tmp_path / "frames.zarr"
    dock.run()
    qtbot.waitUntil(gate.reached.is_set)
    dock.cancel()
    with qtbot.waitSignal(dock.runner.finished):
        gate.opened.set()
    assert list(viewer.layers) == layers_before
    assert list(tmp_path.glob("*.zarr")) == []
    dock.path = None
    ran(dock, qtbot)
    np.testing.assert_array_equal(viewer.layers[-1].data, gate.data)


def test_nothing_to_compute(viewer, qtbot, cells):
    cells_layer(viewer, cells)
    dock = docked(viewer, _widgets.ComputeNowDock)
    assert not dock.runner.run_button.isEnabled()
    assert "No layer here is lazy" in dock._told.text()
    dock.run()
    made = viewer.add_layer(layers.moving_average(viewer.layers[0]))
    assert dock.layer == made
    assert dock.runner.run_button.isEnabled()


def test_it_does_not_fit(viewer, qtbot, lazy, notes, monkeypatch):
    monkeypatch.setattr(FrameComputation, "free", 1000)
    dock = docked(viewer, _widgets.ComputeNowDock)
    assert "into a zarr folder instead" in dock._told.text()
    ran(dock, qtbot)
    assert len(viewer.layers) == 2
    assert notes[-1][0] == "error"
    assert "zarr folder" in notes[-1][1]
