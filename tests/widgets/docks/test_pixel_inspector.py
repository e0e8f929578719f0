"""The pixel inspector: values through the frames, clipped ones, the frame of a depth."""

import gc

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

import napari_stack as ns
from napari_stack import layers
from napari_stack._widgets import PixelInspectorDock
from napari_stack.layers.inspection.pixel_inspection import target_at
from support.docks import assert_let_go, references_to


@pytest.fixture
def dock(viewer):
    dock = PixelInspectorDock(viewer)
    viewer.window.add_dock_widget(dock)
    return dock


@pytest.fixture(scope="module")
def rays():
    random = np.random.default_rng(2)
    data = random.normal(500, 20, (9, 24, 30)).astype(np.uint16)
    data[4, 10, 12] = 4000
    return data


def shown(viewer, data, **more):
    look = {"name": "frames", "rgb": False, "contrast_limits": (0, 4095), "scale": (2, 0.5, 0.5)}
    look |= {"units": ("s", "um", "um"), "axis_labels": ("t", "y", "x")}
    return viewer.add_image(data, **{**look, **more})


def read(dock, world, qtbot):
    with qtbot.waitSignal(dock.latest.returned, timeout=20_000):
        dock.look_at(world)
    qtbot.waitUntil(lambda: not dock.latest.busy)
    return dock.reading


def test_frames(dock, viewer, qtbot, rays):
    layer = shown(viewer, rays)
    assert dock.title.text() == "Point at a pixel."
    reading = read(dock, (8.0, 5.1, 6.1), qtbot)
    assert (reading.target.y, reading.target.x) == (10, 12)
    np.testing.assert_array_equal(reading.pixel.values[:, 0], rays[:, 10, 12])
    np.testing.assert_array_equal(dock.plot.panels[0].lines[:, 0], rays[:, 10, 12])
    assert "y = 10, x = 12 of 'frames': 9 of 9 frames count" in dock.title.text()
    dock.go_to(7)
    assert viewer.dims.current_step[0] == 7
    assert dock.plot.current == 7
    assert target_at(layer, (0.0, -5.0, 0.0)) is None
    assert target_at(layer, (0.0, 5.0, 20.0)) is None


def test_the_cursor_is_followed(dock, viewer, qtbot, rays, monkeypatch):
    shown(viewer, rays)
    monkeypatch.setattr(dock, "isVisible", lambda: True)
    with qtbot.waitSignal(dock.latest.returned, timeout=20_000):
        viewer.cursor.position = (0.0, 5.0, 6.0)
    assert (dock.reading.target.y, dock.reading.target.x) == (10, 12)
    qtbot.waitUntil(lambda: not dock.latest.busy)
    dock.cursor.setChecked(False)
    viewer.cursor.position = (0.0, 1.0, 1.0)
    assert not dock.latest.busy
    with qtbot.waitSignal(dock.latest.returned, timeout=20_000):
        dock._mouse._press(viewer, None)
    assert (dock.reading.target.y, dock.reading.target.x) == (2, 2)
    qtbot.waitUntil(lambda: not dock.latest.busy)


@pytest.mark.parametrize("more", [{}, {"normalisation": "additive"}])
def test_clipped_values_are_marked(more, dock, viewer, qtbot, rays):
    layer = shown(viewer, rays)
    for made in layers.sigma_clip(layer, sigma=2.5, **more):
        viewer.add_layer(made)
    image = viewer.layers[1]
    viewer.layers.selection.active = image
    reading = read(dock, (0.0, 5.0, 6.0), qtbot)
    (panel,) = dock.plot.panels
    assert np.flatnonzero(panel.crossed).tolist() == [4]
    assert panel.levels["low"] < panel.levels["centre"] < panel.levels["high"] < 4000
    assert reading.clipped[0].image == pytest.approx(image.data[10, 12], abs=0.51)
    assert "1 rejected; centre" in dock.title.text()
    for _ in range(2):  # of the other image of the same run, the same
        viewer.layers.selection.active = viewer.layers[2]
        assert read(dock, (0.0, 5.0, 6.0), qtbot).clipped[0].rejected[4]
    tally = np.asarray(viewer.layers[2].data)
    for y, x in ((0, 0), (3, 4), (20, 29)):
        found = target_at(image, (0.0, y / 2, x / 2)).read()
        assert found.clipped[0].rejected.sum() == tally[y, x]


def test_pixels_of_registered_frames(dock, viewer, qtbot, cells):
    source = shown(viewer, cells)
    moved = viewer.add_layer(layers.register(source, transform="translation", framing="common"))
    image = viewer.add_layer(layers.sigma_clip(moved, sigma=1.5, dtype="float64")[0])
    world = tuple(moved.data_to_world((0, 20, 30)))
    reading = read(dock, world, qtbot)
    assert (reading.target.y, reading.target.x) == (20, 30)
    assert reading.clipped[0].image == pytest.approx(image.data[20, 30])


def test_colours(dock, viewer, qtbot, rays):
    colours = np.stack([rays, rays + 5, rays[::-1]], axis=-1).astype(np.uint8)
    layer = shown(viewer, colours, rgb=True, contrast_limits=(0, 255))
    assert read(dock, (0.0, 5.0, 6.0), qtbot).pixel.values.shape == (9, 3)
    assert dock.plot.panels[0].names == ("0", "1", "2")
    viewer.add_layer(layers.sigma_clip(layer, sigma=1.5)[0])
    read(dock, (0.0, 5.0, 6.0), qtbot)
    assert len(dock.plot.panels) == 3


@pytest.mark.parametrize("unit", ["frame", "distance"])
def test_a_double_click_jumps_to_the_frame_of_a_focus_stack(dock, viewer, qtbot, unit):
    stack, _ = ns.samples.focus_series(frames=5, size=(64, 72))
    layer = shown(viewer, np.asarray(stack), axis_labels=("z", "y", "x"))
    step = 1.0
    if unit == "distance":
        layer.units, step = ("micrometer",) * 3, float(layer.scale[0])
    for made in layers.focus_stack(layer, depth_unit=unit):
        viewer.add_layer(made)
    fused, depth = viewer.layers[1], viewer.layers[2]
    viewer.layers.selection.active = fused
    y, x = 30, 40
    world = (0.0, y / 2, x / 2)
    reading = read(dock, world, qtbot)
    assert reading.target.depth == pytest.approx(depth.data[y, x] / step)
    assert "double-click" in dock.title.text()
    viewer.cursor.position = world
    viewer.dims.set_current_step(0, 0)
    zoomed = []
    dock._mouse._zooming[:] = [lambda viewer, event: zoomed.append(event)]
    viewer.mouse_double_click_callbacks[0](viewer, None)
    assert viewer.dims.current_step[0] == round(float(depth.data[y, x]) / step)
    assert not fused.visible
    assert layer.visible
    assert not zoomed
    viewer.layers.selection.active = layer
    viewer.mouse_double_click_callbacks[0](viewer, None)
    assert zoomed == [None], "elsewhere a double click does what it did"


def test_more_axes(dock, viewer, qtbot, hyper):
    layer = viewer.add_layer(layers.to_layer(hyper.along("t"), "hyper"))
    made = layers.focus_stack(layer)
    for each in made:
        viewer.add_layer(each)
    depth = np.asarray(made[1].data)
    viewer.layers.selection.active = viewer.layers[1]
    world = layer.data_to_world((2, 1, 3, 20, 30))
    reading = read(dock, world, qtbot)
    frames = np.asarray(hyper)
    np.testing.assert_array_equal(reading.pixel.values[:, 0], frames[2, 1, :, 20, 30])
    assert reading.target.depth == pytest.approx(depth[2, 1, 0, 20, 30])
    assert reading.target.axis == "z"


def test_the_newest_request_wins(qtbot, viewer, gate):
    layer = shown(viewer, gate, name="cells", multiscale=False)
    dock = PixelInspectorDock(viewer)
    viewer.window.add_dock_widget(dock)
    heard = []
    dock.latest.returned.connect(heard.append)
    dock.runner.how = ns.Run(workers=1)
    dock.look_at((0.0, 5.0, 6.0))
    qtbot.waitUntil(gate.reached.is_set)
    dock.look_at((0.0, 1.0, 1.0))
    dock.look_at((0.0, 2.0, 3.0))
    gate.opened.set()
    qtbot.waitUntil(lambda: not dock.latest.busy)
    assert [(found.target.y, found.target.x) for found in heard] == [(4, 6)]
    assert layer in viewer.layers


def test_what_has_no_frames(dock, viewer, qtbot, rays):
    viewer.add_image(np.zeros((4, 4)), name="flat")
    assert "Choose frames" in dock.title.text()
    dock.look_at((0.0, 0.0))
    assert not dock.latest.busy
    layer = shown(viewer, rays)
    mean = viewer.add_layer(layers.combine(layer)[0])
    read(dock, (0.0, 5.0, 6.0), qtbot)
    viewer.layers.remove(layer)
    del layer
    gc.collect()
    dock.layers_changed()
    assert "Choose frames" in dock.title.text()
    assert mean in viewer.layers


def test_closing_gives_the_mouse_back(viewer, qtbot):
    before = list(viewer.mouse_double_click_callbacks)
    drags = list(viewer.mouse_drag_callbacks)
    dock = PixelInspectorDock(viewer)
    docked = viewer.window.add_dock_widget(dock)
    assert list(viewer.mouse_double_click_callbacks) != before
    viewer.window.remove_dock_widget(docked)
    QApplication.processEvents()
    assert list(viewer.mouse_double_click_callbacks) == before
    assert list(viewer.mouse_drag_callbacks) == drags


def test_nothing_stays_alive(dock, viewer, qtbot, rays):
    def held():
        layer = shown(viewer, rays.copy())
        viewer.add_layer(layers.sigma_clip(layer)[0])
        read(dock, (0.0, 5.0, 6.0), qtbot)
        return references_to(viewer)

    assert_let_go(viewer, held())
