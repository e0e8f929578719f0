"""Docks of operators: layers, axes and options offered, and what they follow."""

import gc
import weakref

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QComboBox

import napari_stack as ns
from napari_stack import _widgets, layers
from support.docks import DOCKS, cells_layer, docked, ran


def test_sliders_of_a_viewer_with_more_axes(viewer, hyper):
    viewer.add_image(np.zeros((4, 3, 2, 4, 8, 8)), name="more")
    viewer.add_layer(layers.to_layer(hyper.along("t"), "hyper"))
    dock = docked(viewer, _widgets.RegisterDock)
    viewer.dims.set_point((2, 3), (1.0, 4.0))
    assert dock.layer.name == "hyper"
    assert dock.measure_at() == {"c": 1, "z": 2}
    dock.axis = "z"
    assert set(dock.measure_at()) == {"t", "c"}


def test_measuring_on_a_projection(viewer, qtbot, hyper):
    source = viewer.add_layer(layers.to_layer(hyper.along("t"), "hyper"))
    dock = docked(viewer, _widgets.RegisterDock)
    shown = [dock.place.box.native.itemText(i) for i in range(dock.place.box.native.count())]
    assert shown == ["sliders", "mean over c", "maximum over c", "mean over z", "maximum over z"]
    dock.place.box.value = ("z", "maximum")
    assert dock.measure_at() == {"c": viewer.dims.current_step[1], "z": "maximum"}
    assert "maximum over z, applied everywhere" in dock.place.told.text()
    dock.set_options({"transform": "translation"})
    ran(dock, qtbot)
    how = {"transform": "translation", "measure_at": dock.measure_at()}
    expected = hyper.along("t").map(ns.register, **how)
    np.testing.assert_array_equal(np.asarray(viewer.layers[1].data), np.asarray(expected))
    step = viewer.layers[1].metadata["napari_stack"]["recipe"]["steps"][-1]
    assert step["measure_at"]["z"] == "maximum"
    viewer.layers.selection.active = source
    dock.axis = "z"
    assert [way for way in dock.place.box.choices if "z" in way] == []
    assert dock.measure_at() == {"t": 1, "c": 0}
    combine = docked(viewer, _widgets.CombineDock)
    assert combine.measure_at() == {}
    assert combine.place.isHidden()
    volumes = docked(viewer, _widgets.RegisterVolumesDock)  # measured as a whole
    assert volumes.measure_at() == {}
    assert volumes.place.isHidden()


def test_depth_of_one_channel_for_all(viewer, qtbot, hyper):
    viewer.add_layer(layers.to_layer(hyper.along("z"), "hyper"))
    dock = docked(viewer, _widgets.FocusStackDock)
    assert not dock.place.isHidden()
    shown = [dock.place.box.native.itemText(i) for i in range(dock.place.box.native.count())]
    assert shown == ["each position", "this t, for all", "this c, for all"]
    assert dock.measure_at() == {}
    assert not dock.place.told.text()
    viewer.dims.set_current_step(1, 1)
    dock.place.box.value = ("c",)
    assert dock.measure_at() == {"c": 1}
    assert dock.place.told.text() == "Measured at c = 1, for all c"
    dock.set_options({"method": "pyramid"})
    ran(dock, qtbot)
    expected = hyper.along("z").map(ns.focus_stack, measure_at={"c": 1}, method="pyramid")
    np.testing.assert_array_equal(np.asarray(viewer.layers[1].data)[:, :, 0], expected.image)
    (depth,) = (np.asarray(layer.data) for layer in viewer.layers if "depth" in layer.name)
    np.testing.assert_array_equal(depth[:, 0], depth[:, 1])


def test_closed_docks_are_gone(viewer, qtbot, cells):
    cells_layer(viewer, cells)
    alive = {}
    for kind in (*DOCKS.values(), _widgets.OpenFramesDock):
        dock = docked(viewer, kind)
        alive[kind] = weakref.ref(dock)
        viewer.window.remove_dock_widget(dock)
        del dock
    qtbot.waitUntil(lambda: gc.collect() >= 0 and not any(ref() for ref in alive.values()))
    viewer.layers.clear()  # nothing of them listens any more


def test_layers_offered(viewer, qtbot, cells):
    dock = docked(viewer, _widgets.CombineDock)
    assert dock.layer is None
    assert not dock.runner.run_button.isEnabled()
    assert "Open an image" in dock.runner.message.text()
    viewer.add_image(np.ones((8, 8)))
    viewer.add_labels(np.ones((3, 8, 8), int))
    assert dock.layer is None
    first = cells_layer(viewer, cells)
    assert dock.layer == first
    assert dock.runner.run_button.isEnabled()
    second = viewer.add_layer(Image(cells, name="second", axis_labels=("z", "y", "x")))
    dock.layer = second
    assert dock.axis == "z"
    second.axis_labels = ("w", "y", "x")
    assert dock.axis == "w"
    viewer.layers.remove(second)
    assert dock.layer == first
    assert dock.axis == "t"


def test_region_may_be_a_layer(viewer, qtbot, cells):
    cells_layer(viewer, cells)
    mask = np.zeros((96, 112), np.uint8)
    mask[10:90, 10:90] = 1
    region = viewer.add_labels(mask, name="mask")
    dock = docked(viewer, _widgets.RegisterDock)
    dock.set_options({"region": region, "transform": "translation"})
    assert dock.options()["region"] == region
    ran(dock, qtbot)
    expected = ns.register(ns.Stack.wrap(cells), region=mask, transform="translation")
    np.testing.assert_array_equal(np.asarray(viewer.layers[-1].data), np.asarray(expected))


def test_empty_layer_breaks_no_dock(viewer, qtbot, notes):
    before = docked(viewer, _widgets.FocusStackDock)
    with np.errstate(invalid="ignore"):  # napari divides by its size
        viewer.add_image(np.zeros((0, 20, 20)), contrast_limits=(0, 1), name="void")
    after = docked(viewer, _widgets.RegisterDock)
    for dock in (before, after):
        assert dock.layer.name == "void"
        assert dock.axis == "-3"
        dock.run()
        assert not dock.runner.running
        assert notes[-1] == ("error", "the layer 'void' is empty: its shape is (0, 20, 20)")
    assert len(notes) == 2


def test_axes_follow_the_data_of_the_layer(viewer, qtbot, cells):
    source = cells_layer(viewer, cells)
    other = viewer.add_image(np.zeros((2, 8, 8)), name="other")
    dock = docked(viewer, _widgets.CombineDock)
    dock.layer = source
    source.data = cells[:4]
    assert dock.source.axis_box.choices == ("t",)
    assert dock.source.axes() == [("t (4 frames)", "t")]
    assert dock.source.axis_box.native.itemText(0) == "t (4 frames)"
    source.data = np.zeros((2, 3, 20, 20))
    assert len(dock.source.axis_box.choices) == 2
    dock.axis = dock.source.axis_box.choices[1]
    source.data = np.zeros((2, 4, 20, 20))
    assert dock.axis == dock.source.axis_box.choices[1], "what was chosen stays"
    source.data = np.zeros((20, 20))
    assert dock.layer == other
    viewer.layers.remove(other)
    assert dock.layer is None
    assert not dock.runner.run_button.isEnabled()


def test_region_from_a_file_that_was_not_chosen(viewer, qtbot, notes, cells):
    cells_layer(viewer, cells)
    dock = docked(viewer, _widgets.RegisterDock)
    field = next(form.fields["region"] for form in dock._forms if "region" in form.fields)
    field._choice.value = "a file"
    dock.run()
    assert notes == [("error", "choose a file for Region")]
    assert not dock.runner.running
    dock.set_options({"region": "mask.tif"})
    assert str(dock.options()["region"]) == "mask.tif"


def wheel(widget):
    middle = QPointF(widget.rect().center())
    turned = QWheelEvent(
        middle, QPointF(widget.mapToGlobal(widget.rect().center())), QPoint(), QPoint(0, -120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
        False,
    )  # fmt: skip
    QApplication.sendEvent(widget, turned)


def test_wheel_scrolls_and_changes_nothing(viewer, qtbot, hyper):
    viewer.add_layer(layers.to_layer(hyper, "hyper"))
    for kind in (*DOCKS.values(), _widgets.OpenFramesDock):
        dock = docked(viewer, kind)
        boxes = [*dock.findChildren(QComboBox), *dock.findChildren(QAbstractSpinBox)]
        assert boxes, kind
        before = [box.property("currentText") or box.property("text") for box in boxes]
        for box in boxes:
            assert box.focusPolicy() == Qt.FocusPolicy.StrongFocus, kind
            if not box.hasFocus():
                wheel(box)
        after = [box.property("currentText") or box.property("text") for box in boxes]
        assert after == before, kind
        viewer.window.remove_dock_widget(dock)


def test_docks_take_the_active_layer(viewer, qtbot, cells):
    first = cells_layer(viewer, cells)
    second = viewer.add_image(cells[:3], name="second")
    viewer.add_labels(np.zeros((3, 8, 8), int))
    register, clip = (docked(viewer, DOCKS[name]) for name in ("register", "sigma_clip"))
    viewer.layers.selection.active = first
    assert register.layer == clip.layer == first
    viewer.layers.selection.active = second
    assert register.layer == clip.layer == second
    viewer.layers.selection.active = first
    ran(register, qtbot)
    assert clip.layer == viewer.layers[-1], "what was added can be clipped next"
    assert register.layer == first, "it can be run again with other options"


def test_dock_in_a_narrow_window(viewer, qtbot, cells):
    cells_layer(viewer, cells)
    dock = docked(viewer, _widgets.RegisterDock)
    dock.set_options({"method": "features", "region": "mask.tif"})
    area = dock._area
    needed = area.widget().minimumSizeHint().width()
    assert area.minimumSizeHint().width() >= needed
    assert area.horizontalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAsNeeded


def test_options_in_view():
    assert _widgets.FocusStackDock.main == ("method",)


def test_what_a_run_will_take_is_told_before_it(viewer, qtbot, cells):
    source = cells_layer(viewer, cells)
    dock = docked(viewer, _widgets.SigmaClipDock)
    told = dock.forecast
    qtbot.waitUntil(lambda: "6 frames cannot be clipped at 2.5 sigma" in told.text())
    assert told.text().startswith("6 frames, 112 x 96, 12-bit data in uint16; needs about")
    assert not dock.runner.run_button.isEnabled()
    dock.set_options({"sigma": 1.5})
    qtbot.waitUntil(lambda: "cannot" not in told.text())
    assert dock.runner.run_button.isEnabled()
    source.data = cells[:1]
    qtbot.waitUntil(lambda: "has one frame only" in told.text())
    viewer.layers.clear()
    qtbot.waitUntil(lambda: told.text() == "")
