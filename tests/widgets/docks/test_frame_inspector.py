"""The frame inspector: numbers, clicks, frames ticked off, before and after."""

import gc

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QImage

import napari_stack as ns
from napari_stack import layers
from napari_stack._widgets import FrameInspectorDock
from napari_stack._widgets.parts.frames.frame_panels import panels_of
from napari_stack.core.notices import FailedFrames
from napari_stack.operators.inspection.frame_table import FrameTable
from support.docks import assert_let_go, place_of, ran, references_to


@pytest.fixture
def dock(viewer):
    dock = FrameInspectorDock(viewer)
    viewer.window.add_dock_widget(dock)
    return dock


def shown(viewer, cells, failing=None):
    data = cells.copy()
    if failing is not None:
        data[failing] = np.random.default_rng(1).integers(0, 4000, data[failing].shape)
    source = viewer.add_image(
        data, name="cells", rgb=False, contrast_limits=(0, 4095), axis_labels=("t", "y", "x"),
        scale=(2, 0.5, 0.5), units=("second", "micrometer", "micrometer"),
    )  # fmt: skip
    moved = viewer.add_layer(layers.register(source, transform="translation"))
    return source, moved


def cell(dock, row, column):
    return dock.list.item(row, column).text()


def test_it_shows_what_was_measured(dock, viewer, cells):
    with pytest.warns(FailedFrames, match="^1 of 6 frames could not be registered: 2$"):
        source, moved = shown(viewer, cells, failing=2)
    assert dock.frames == moved
    titles = [panel.title for panel in dock.plot.panels]
    assert titles == [
        "shift x, y (um)", "sigma of x, y (um)", "rotation (degrees)", "scale",
        "quality",
    ]  # fmt: skip
    assert dock.plot.panels[0].names == dock.plot.panels[1].names == ("x", "y")
    bars = dock.plot.panels[0].bars
    np.testing.assert_array_equal(bars, dock.plot.panels[1].lines)
    assert (bars[3] == 0).all()  # the reference
    assert np.isnan(bars[2]).all()  # it failed
    assert (bars[[0, 1, 4, 5]] > 0).all()
    assert (bars[[0, 1, 4, 5]] < 0.05).all()
    transforms = ns.register(ns.Stack.wrap(source.data), transform="translation").transforms
    x = transforms.decomposed().shift[:, 0] * 0.5
    np.testing.assert_allclose(dock.table.columns["shift x (um)"], x, atol=1e-6)
    assert cell(dock, 2, 1) == "failed"
    assert dock.list.item(2, 0).checkState() == Qt.CheckState.Unchecked
    assert "1 failed" in dock.title.text()
    assert dock.plot.panels[0].crossed[2]
    moved.name = "still"
    assert "'still'" in dock.title.text()
    viewer.layers.selection.active = source
    assert not dock.plot.panels
    assert len(dock.table) == 6


def test_a_missing_frame_cannot_be_ticked_on(dock, viewer, tmp_path):
    for t in (0, 1, 3):
        tifffile.imwrite(tmp_path / f"z{t}_t{t}.tif", np.full((8, 9), t + 1, np.uint8))
    with pytest.warns(UserWarning, match="of the 4 frames that are declared 1 is missing"):
        frames = ns.read(tmp_path, from_names="z*_t{t}")
    viewer.add_layer(layers.to_layer(frames, "frames"))
    item = dock.list.item(2, 0)
    assert cell(dock, 2, 1) == "missing"
    assert item.checkState() == Qt.CheckState.Unchecked
    assert not item.flags() & Qt.ItemFlag.ItemIsUserCheckable
    dock.list.tick(2, True)
    dock.list.tick(1, False)
    data = layers.prepare("combine", viewer.layers["frames"]).chain.data
    assert data.used.tolist() == [True, False, False, True]


def test_clicks_move_the_slider_and_back(dock, viewer, qtbot, cells):
    shown(viewer, cells)
    dock.list.setCurrentCell(4, 0)
    assert viewer.dims.current_step[0] == 4
    dock.plot.resize(300, dock.plot.height())
    where = QPoint(place_of(dock.plot, 1), 30)
    qtbot.mouseClick(dock.plot, Qt.MouseButton.LeftButton, pos=where)
    assert viewer.dims.current_step[0] == 1
    assert dock.list.currentRow() == dock.plot.current == 1
    viewer.dims.set_current_step(0, 5)
    assert dock.list.currentRow() == dock.plot.current == 5


def test_other_results_of_each_frame_and_the_sharpness(dock, viewer, qtbot, cells):
    _, moved = shown(viewer, cells)
    for layer in layers.sigma_clip(moved, sigma=1.5):
        viewer.add_layer(layer)
    ran(dock, qtbot)
    stack = ns.register(ns.Stack.wrap(cells), transform="translation")
    fractions = ns.sigma_clip(stack, sigma=1.5).rejected_fraction
    np.testing.assert_allclose(dock.table.columns["rejected fraction"], fractions)
    assert dock.table.columns["sharpness"].shape == (6,)
    viewer.layers.selection.active = viewer.layers[-2]
    assert "'cells - aligned'" in dock.title.text(), "the frames of the clipped image"
    assert "sharpness" in dock.table.columns
    moved.data = np.asarray(moved.data) + 1
    viewer.layers.selection.active = moved
    assert "sharpness" not in dock.table.columns, "it was measured on other data"


def test_frames_ticked_off_are_left_out_of_what_follows(dock, viewer, qtbot, cells):
    source, moved = shown(viewer, cells)
    mean = viewer.add_layer(layers.combine(moved)[0])
    other = viewer.add_layer(layers.combine(source)[0])
    viewer.layers.selection.active = moved
    before, data = mean.data, moved.data
    dock.list.tick(1, False)
    assert moved.data is data, "the frames stay as they are"
    assert cell(dock, 1, 1) == "left out"
    assert dock.stale.text() == f"Made with other frames: '{mean.name}'"
    stack = ns.register(ns.Stack.wrap(cells), transform="translation")
    kept = stack.select([0, 2, 3, 4, 5])
    np.testing.assert_array_equal(layers.combine(moved)[0].data, ns.combine(kept))
    untouched = other.data
    ran(dock, qtbot, dock.run_remake)
    np.testing.assert_array_equal(mean.data, ns.combine(kept))
    assert mean.data is not before
    assert other.data is untouched, "only what depends on it"
    assert dock.stale.text() == ""
    dock.list.tick(1, True)
    assert mean.name in dock.stale.text()
    viewer.layers.remove(mean)
    assert dock.stale.text() == ""


def test_frames_of_a_layer_that_was_not_made_here(dock, viewer, cells):
    layer = viewer.add_image(cells.copy(), name="cells", rgb=False, axis_labels=("t", "y", "x"))
    dock.list.tick(0, False)
    np.testing.assert_array_equal(
        layers.combine(layer)[0].data, ns.combine(ns.Stack.wrap(cells[1:]))
    )
    layer.data = cells.copy()
    assert dock.table.used.all()


def test_more_axes(dock, viewer, hyper):
    layer = viewer.add_layer(layers.to_layer(hyper.along("t"), "hyper"))
    moved = viewer.add_layer(layers.register(layer, axis="z", transform="translation"))
    assert dock._axis_row.isVisibleTo(dock)
    assert dock.axis == "z", "along which it was registered"
    assert len(dock.table) == 4
    dock.axis_box.value = "t"
    assert len(dock.table) == 3
    dock.list.tick(2, False)
    mean = layers.combine(moved, axis="t")[0]
    other = np.asarray(moved.data)[:2].astype(np.float64).mean(axis=0)
    assert np.abs(mean.data - other).max() <= 1
    dock.go_to(1)
    assert viewer.dims.current_step[0] == 1


def test_sharpness_can_be_cancelled(dock, viewer, qtbot, gate):
    viewer.add_image(gate, name="cells", rgb=False, contrast_limits=(0, 4095), multiscale=False)
    dock.run()
    qtbot.waitUntil(gate.reached.is_set)
    dock.runner.cancel()
    with qtbot.waitSignal(dock.runner.finished):
        gate.opened.set()
    assert dock.runner.message.text() == "Cancelled"
    assert "sharpness" not in dock.table.columns
    ran(dock, qtbot)
    assert "sharpness" in dock.table.columns


def test_blinking(dock, viewer, qtbot, cells):
    source, moved = shown(viewer, cells)
    extra = viewer.add_image(cells, name="extra", rgb=False)
    extra.visible = False
    viewer.layers.selection.active = moved
    dock.compare.blink.setChecked(True)
    first = source.visible
    assert source.visible != moved.visible
    dock.compare.turn()
    assert source.visible is not first
    dock.compare.blink.setChecked(False)
    assert (source.visible, moved.visible, extra.visible) == (True, True, False)
    dock.compare.blink.setChecked(True)
    viewer.layers.remove(source)
    assert not dock.compare.timer.isActive()
    assert moved.visible
    del source
    gc.collect()
    dock.compare.blink.setChecked(True)
    assert not dock.compare.blink.isChecked()
    assert "Nothing to compare" in dock.runner.message.text()


def test_side_by_side(dock, viewer, cells):
    source, moved = shown(viewer, cells)
    grid = viewer.canvas.grid if hasattr(viewer, "canvas") else viewer.grid
    dock.compare.side.setChecked(True)
    assert grid.enabled
    assert source.visible
    dock.compare.blink.setChecked(True)
    assert not grid.enabled
    dock.compare.stop()
    assert not grid.enabled
    assert source.visible
    assert moved.visible


def test_before_is_the_last_layer_that_is_there(dock, viewer, cells):
    source, moved = shown(viewer, cells)
    balanced = viewer.add_layer(layers.balance(moved))
    assert dock.compare.pair() == (moved, balanced)
    viewer.layers.remove(moved)
    assert dock.compare.pair() == (source, balanced)


def test_difference_to_the_reference(dock, viewer, cells):
    _, moved = shown(viewer, cells)
    dock.add_difference()
    added = viewer.layers[-1]
    assert added.name == "cells - aligned - difference to 3"
    frames = np.asarray(moved.data).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(added.data), frames - frames[3])
    np.testing.assert_allclose(added.scale, moved.scale)
    assert viewer.layers.selection.active == moved


def test_arrows_of_the_frame_in_view(dock, viewer, cells):
    _, moved = shown(viewer, cells)
    viewer.dims.set_point(0, 2)  # frames are 2 s apart
    dock.add_arrows()
    added = viewer.layers[-1]
    assert "motion of frame 1" in added.name
    assert viewer.layers.selection.active == moved
    viewer.layers.selection.active = viewer.layers[0]
    dock.add_arrows()  # of frames that were not registered: a sentence
    assert viewer.layers[-1] == added


def test_files(dock, viewer, cells, tmp_path, notes):
    shown(viewer, cells)
    dock.save_table(tmp_path / "frames.csv")
    assert len((tmp_path / "frames.csv").read_text().splitlines()) == 7
    dock.plot.save(tmp_path / "plot.png")
    assert QImage(str(tmp_path / "plot.png")).width() == 2 * dock.plot.width()


def test_layers_that_hold_no_frames(dock, viewer, cells):
    viewer.add_labels(np.zeros((4, 4), int))
    viewer.add_image(np.zeros((4, 4)), name="flat")
    assert dock.table is None
    assert dock.title.text() == "Choose a layer with frames."
    _, moved = shown(viewer, cells)
    viewer.layers.remove(moved)
    assert dock.frames is not None
    viewer.layers.clear()
    assert dock.table is None


def test_sliders_move_after_the_frames_are_gone(dock, viewer, cells):
    """A closed dock may live on, and hears of the sliders before it hears of the layers."""
    shown(viewer, cells)
    viewer.window.remove_dock_widget(dock)
    dock._layer = lambda: None
    assert dock.table is not None
    viewer.dims.set_current_step(0, 1)
    assert dock.plot.current != 1


def test_two_viewers_keep_apart(viewer, make_napari_viewer_proxy, cells):
    other = make_napari_viewer_proxy()
    docks = [FrameInspectorDock(one) for one in (viewer, other)]
    for one, dock in zip((viewer, other), docks, strict=True):
        one.window.add_dock_widget(dock)
    shown(viewer, cells)
    assert docks[1].table is None
    shown(other, cells[:4])
    assert [len(dock.table) for dock in docks] == [6, 4]


def test_nothing_stays_alive(dock, viewer, qtbot, cells):
    def held():
        _, moved = shown(viewer, cells)
        viewer.add_layer(layers.combine(moved)[0])
        viewer.layers.selection.active = moved
        dock.list.tick(1, False)
        ran(dock, qtbot)
        ran(dock, qtbot, dock.run_remake)
        dock.add_difference()
        dock.compare.blink.setChecked(True)
        dock.compare.turn()
        return references_to(viewer)

    assert_let_go(viewer, held())


# pure


def test_columns_go_into_panels():
    columns = {"shift x (px)": [1.0], "shift y (px)": [2.0], "gain 0": [1.0], "gain 1": [1.0],
               "bleaching gain": [1.0], "rejected fraction": [0.1]}  # fmt: skip
    columns = {name: np.array(values) for name, values in columns.items()}
    table = FrameTable(columns, np.ones(1, bool), np.zeros(1, bool), ("a",))
    found = [(panel.title, panel.names) for panel in panels_of(table)]
    assert found == [
        ("shift x, y (px)", ("x", "y")), ("gain", ("0", "1")), ("bleaching gain", ()),
        ("rejected fraction", ()),
    ]  # fmt: skip


def test_shifts_have_their_standard_deviations_as_bars():
    columns = {"shift x (px)": [1.0], "shift y (px)": [2.0], "dx_sigma (px)": [0.1],
               "dy_sigma (px)": [0.2], "scale": [1.0]}  # fmt: skip
    columns = {name: np.array(values) for name, values in columns.items()}
    table = FrameTable(columns, np.ones(1, bool), np.zeros(1, bool), ("a",))
    shift, sigma, scale = panels_of(table)
    assert (sigma.title, sigma.names) == ("sigma of x, y (px)", ("x", "y"))
    assert shift.bars.tolist() == sigma.lines.tolist() == [[0.1, 0.2]]
    assert sigma.bars is scale.bars is None
