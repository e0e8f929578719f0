"""The live preview: the frame in view as it will be; it never stays, and never lies elsewhere."""

import gc
import threading
import weakref

import dask.array as da
import numpy as np
import pytest
from napari.components import LayerList

import napari_stack as ns
from napari_stack import _widgets, layers, samples
from napari_stack._widgets.parts.frames.volume_notice import _open
from napari_stack.operators import CATALOGUE
from support.docks import DOCKS, cells_layer, docked, ran


def shown(dock, qtbot):
    """Wait for the preview that is under way."""
    live = dock.preview
    qtbot.waitUntil(lambda: not live.latest.busy, timeout=20_000)
    return live.layer


@pytest.fixture(scope="module")
def dim():
    """Eight vignetted frames that grow brighter, with hot pixels."""
    stack, _ = samples.vignetted(8, (60, 80), dtype="float32", noise=0.002)
    data = np.asarray(stack) * np.linspace(0.5, 1, 8)[:, None, None] * 3000 + 100
    data[:, 20, 30] = 4000
    return data.astype(np.uint16)


@pytest.mark.filterwarnings("ignore:the scene does not move")
@pytest.mark.parametrize("name", [name for name, entry in CATALOGUE.items() if entry.preview])
def test_the_frame_in_view_as_it_will_be(name, viewer, qtbot, dim):
    source = cells_layer(viewer, da.from_array(dim, chunks=(1, -1, -1)))
    viewer.dims.set_current_step(0, 6)
    dock = docked(viewer, DOCKS[name])
    dock.preview.box.setChecked(True)
    preview = shown(dock, qtbot)
    assert list(viewer.layers) == [source, preview]
    assert viewer.layers.selection.active == source
    assert preview.name == "cells - preview"
    expected = getattr(layers, name)(source)
    if name == "find_hot_pixels":
        expected = np.asarray(expected[0].data)
        assert expected[20, 30]
    else:
        expected = np.asarray(expected.data[6])
        assert not np.array_equal(expected, dim[6])
    np.testing.assert_array_equal(preview.data, expected)
    np.testing.assert_allclose(preview.scale, (0.1, 0.1))
    np.testing.assert_allclose(preview.translate, (1, 2))
    assert [str(unit) for unit in preview.units] == ["micrometer"] * 2
    dock.preview.box.setChecked(False)
    assert list(viewer.layers) == [source]


def test_it_follows_options_sliders_and_data(viewer, qtbot, dim):
    source = cells_layer(viewer, dim)
    viewer.dims.set_current_step(0, 4)
    dock = docked(viewer, _widgets.BalanceDock)
    dock.preview.box.setChecked(True)
    first = shown(dock, qtbot)
    np.testing.assert_array_equal(first.data, dim[4])  # the reference
    dock.set_options({"reference": 0})
    assert shown(dock, qtbot) is first
    balanced = ns.balance(ns.Stack.wrap(dim), reference=0)
    np.testing.assert_array_equal(first.data, balanced[4])
    viewer.dims.set_current_step(0, 7)
    assert not first.visible, "it is of another frame"
    shown(dock, qtbot)
    assert first.visible
    np.testing.assert_array_equal(first.data, balanced[7])
    source.data = dim[::-1].copy()
    shown(dock, qtbot)
    balanced = ns.balance(ns.Stack.wrap(dim[::-1]), reference=0)
    np.testing.assert_array_equal(first.data, balanced[7])
    dock.set_options({"reference": 70})
    assert shown(dock, qtbot) is None
    assert "70 was asked for" in dock.runner.message.text()
    dock.reset()
    assert shown(dock, qtbot) is not None
    assert len(viewer.layers) == 2


def test_run_takes_it_away_and_measures_all_frames(viewer, qtbot, dim):
    cells_layer(viewer, dim)
    dock = docked(viewer, _widgets.CorrectVignettingDock)
    dock.preview.box.setChecked(True)
    shown(dock, qtbot)
    ran(dock, qtbot)
    assert not dock.preview.on
    assert [layer.name for layer in viewer.layers] == ["cells", "cells - evened"]


@pytest.mark.parametrize("way", ["source", "other", "preview", "dock", "window"])
def test_it_goes_with_what_it_belongs_to(way, own_viewer, qtbot, dim):
    source = cells_layer(own_viewer, dim)
    other = own_viewer.add_image(dim[:3], name="other")
    dock = docked(own_viewer, _widgets.BalanceDock)
    dock.layer = source
    dock.preview.box.setChecked(True)
    preview = shown(dock, qtbot)
    assert own_viewer.layers.index(preview) == 1, "right above its source"
    if way == "source":
        own_viewer.layers.remove(source)
        assert list(own_viewer.layers) == [other]
    elif way == "other":
        dock.layer = other
    elif way == "preview":
        own_viewer.layers.remove(preview)
        own_viewer.dims.set_current_step(0, 0)
    elif way == "dock":
        own_viewer.window.remove_dock_widget(dock)
    else:
        own_viewer.close()
        return
    assert not dock.preview.on
    assert not any(layers.is_preview(layer) for layer in own_viewer.layers)
    assert dock.preview.layer is dock.preview.latest.worker is None


def test_the_newest_request_wins(viewer, qtbot, gate):
    cells_layer(viewer, gate)
    dock = docked(viewer, _widgets.BalanceDock)
    dock.preview.box.setChecked(True)
    qtbot.waitUntil(gate.reached.is_set)
    old = dock.preview.latest.worker
    dock.set_options({"reference": "first"})
    assert old.abort_requested
    gate.opened.set()
    preview = shown(dock, qtbot)
    assert dock.preview.latest.worker is not old
    expected = ns.balance(ns.Stack.wrap(gate.data), reference="first")
    np.testing.assert_array_equal(preview.data, expected[viewer.dims.current_step[0]])


def test_closing_while_it_is_made(viewer, qtbot, gate, run_threads):
    source = cells_layer(viewer, gate)
    dock = docked(viewer, _widgets.CorrectVignettingDock)
    dock.preview.box.setChecked(True)
    qtbot.waitUntil(gate.reached.is_set)
    viewer.window.remove_dock_widget(dock)
    gate.opened.set()
    qtbot.waitUntil(lambda: not run_threads())
    qtbot.wait(1)
    assert list(viewer.layers) == [source]


def test_frames_are_read_once(viewer, qtbot, dim):
    reads = []

    def read(block, block_info=None):
        if threading.current_thread().name.startswith("napari-stack"):  # not napari's own
            reads.append(block_info[0]["array-location"][0][0])
        return block

    lazy = da.from_array(dim, chunks=(1, -1, -1)).map_blocks(read, dtype=dim.dtype)
    cells_layer(viewer, lazy)
    dock = docked(viewer, _widgets.CorrectVignettingDock)
    dock.preview.box.setChecked(True)
    shown(dock, qtbot)
    assert sorted(reads) == list(range(8))
    dock.set_options({"max_correction": 0.5})
    shown(dock, qtbot)
    assert len(reads) == 8


def test_hyperstacks_and_views(viewer, qtbot, hyper):
    viewer.add_layer(layers.to_layer(hyper.along("t"), "hyper"))
    viewer.dims.set_current_step((0, 1, 2), (2, 1, 3))
    dock = docked(viewer, _widgets.BalanceDock)
    dock.preview.box.setChecked(True)
    preview = shown(dock, qtbot)
    expected = hyper.along("t").map(ns.balance, measure_at={"c": 1, "z": 3})
    np.testing.assert_array_equal(preview.data, np.asarray(expected)[2, 1, 3])
    viewer.dims.ndisplay = 3
    (question,) = _open  # 3-D computes all frames
    question.anyway.click()
    assert shown(dock, qtbot) is None
    assert "2-D" in dock.runner.message.text()
    viewer.dims.ndisplay = 2
    assert shown(dock, qtbot) is not None


def test_colours_and_no_mask_to_choose(viewer, qtbot):
    data = np.random.default_rng(1).integers(20, 200, (5, 24, 32, 3), np.uint8)
    viewer.add_image(data, rgb=True, name="colours")
    dock = docked(viewer, _widgets.RepairHotPixelsDock)
    dock.preview.box.setChecked(True)
    preview = shown(dock, qtbot)
    assert preview.rgb
    expected = ns.repair_hot_pixels(ns.Stack.wrap(data, rgb=True))
    np.testing.assert_array_equal(preview.data, expected[viewer.dims.current_step[0]])
    assert dock._masks() == []


def test_nothing_is_kept(viewer, qtbot, dim):
    data = dim.copy()
    cells_layer(viewer, data)
    dock = docked(viewer, _widgets.BalanceDock)
    dock.preview.box.setChecked(True)
    alive = [weakref.ref(shown(dock, qtbot)), weakref.ref(data)]
    del data
    viewer.layers.clear()
    qtbot.waitUntil(lambda: gc.collect() >= 0 and not any(ref() is not None for ref in alive))


def test_as_napari_opens_it(viewer, qtbot, dim):
    """The dock gets the viewer behind a proxy."""
    source = cells_layer(viewer, dim)
    _, dock = viewer.window.add_plugin_dock_widget("napari-stack", "Balance")
    dock.preview.box.setChecked(True)
    shown(dock, qtbot)
    assert [layer.name for layer in viewer.layers] == ["cells", "cells - preview"]
    viewer.layers.remove(source)
    assert len(viewer.layers) == 0


@pytest.mark.parametrize("where", ["insert", "listener"])
def test_it_goes_on_after_an_exception(where, viewer, qtbot, dim, monkeypatch):
    source = cells_layer(viewer, dim)
    other = viewer.add_image(dim[:3], name="other")
    dock, second = (docked(viewer, kind) for kind in (_widgets.BalanceDock, _widgets.RegisterDock))
    dock.layer = source

    def broken(*_):
        raise RuntimeError("not today")

    if where == "insert":
        monkeypatch.setattr(LayerList, "insert", broken)
    else:
        viewer.layers.events.inserted.connect(broken)
    with qtbot.captureExceptions() as raised:
        dock.preview.box.setChecked(True)
        shown(dock, qtbot)
    assert any("not today" in str(error) for _, error, _ in raised)
    monkeypatch.undo()
    if where == "listener":
        viewer.layers.events.inserted.disconnect(broken)
    dock.set_options({"reference": 0})
    preview = shown(dock, qtbot)
    assert preview in viewer.layers
    balanced = ns.balance(ns.Stack.wrap(dim), reference=0)
    np.testing.assert_array_equal(preview.data, balanced[viewer.dims.current_step[0]])
    viewer.layers.selection.active = source
    viewer.layers.selection.active = other
    assert second.layer == other, "docks follow the active layer"


def test_a_fault_ends_it_and_is_shown_with_its_traceback(viewer, qtbot, dim, notes, monkeypatch):
    source = cells_layer(viewer, dim)
    dock = docked(viewer, _widgets.BalanceDock)

    def broken(*_):
        raise ValueError("shapes differ")

    with monkeypatch.context() as patched:
        patched.setattr(layers, "preview", broken)
        dock.preview.box.setChecked(True)
        assert shown(dock, qtbot) is None
    assert not dock.preview.on
    assert notes[-1] == ("error", "shapes differ")
    assert "in broken" in dock.runner.show_details().text.toPlainText()
    dock.preview.box.setChecked(True)
    assert shown(dock, qtbot) is not None
    assert dock.runner.details_button.isHidden()
    assert source in viewer.layers
