"""Docks in the viewer: run, cancel, error, rerun, close."""

import gc
import threading
import weakref

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QComboBox

import napari_stack as ns
from napari_stack import _widgets, layers
from napari_stack.layers.read_layer import read_layer
from napari_stack.operators import CATALOGUE

DOCKS = {name: getattr(_widgets, _widgets.dock_name(name)) for name in CATALOGUE}

#: Operators that read no frame before a result is looked at: a run ends at once.
LAZY = {"moving_average", "sharpen"} | {n for n, entry in CATALOGUE.items() if not entry.measures}


def docked(viewer, kind):
    dock = kind(viewer)
    viewer.window.add_dock_widget(dock, name=kind.__name__)
    return dock


def ran(dock, qtbot):
    with qtbot.waitSignal(dock.runner.finished, timeout=120_000):
        dock.run()


def cells_layer(viewer, data, **more):
    return viewer.add_image(
        data,
        name="cells",
        contrast_limits=(0, 4095),
        rgb=False,
        multiscale=False,
        scale=(0.5, 0.1, 0.1),
        translate=(0, 1, 2),
        units=("second", "micrometer", "micrometer"),
        axis_labels=("t", "y", "x"),
        **more,
    )


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("name", DOCKS)
def test_run_adds_what_the_function_gives(name, lazy, viewer, qtbot, cells):
    source = cells_layer(viewer, da.from_array(cells, chunks=(1, -1, -1)) if lazy else cells)
    dock = docked(viewer, DOCKS[name])
    options = {"sigma": 1.5} if name == "sigma_clip" else {}
    dock.set_options(options)
    ran(dock, qtbot)
    expected = getattr(layers, name)(source, **options)
    expected = expected if isinstance(expected, list) else [expected]
    added = list(viewer.layers)[1:]
    assert [layer.name for layer in added] == [layer.name for layer in expected]
    assert viewer.layers.selection.active == added[0]
    for layer, like in zip(added, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(layer.data), np.asarray(like.data))
        np.testing.assert_allclose(layer.scale, like.scale)
        np.testing.assert_allclose(layer.translate, like.translate)
        assert layer.units == like.units
        assert layer.axis_labels == like.axis_labels
        assert layer.metadata == like.metadata


@pytest.mark.parametrize("name", DOCKS)
def test_run_on_a_hyperstack(name, viewer, qtbot, hyper):
    layer = layers.to_layer(hyper.along("t"), "hyper")
    viewer.add_layer(layer)
    viewer.dims.set_current_step((0, 1, 2), (2, 1, 3))
    dock = docked(viewer, DOCKS[name])
    if name == "sigma_clip":
        dock.axis = "z"
        dock.set_options({"sigma": 1.0})
    expected_axis = {"focus_stack": "z", "focus_slabs": "z", "sigma_clip": "z"}.get(name, "t")
    assert dock.axis == expected_axis
    ran(dock, qtbot)
    result = viewer.layers[1]
    options = {"sigma": 1.0} if name == "sigma_clip" else {}
    measures = CATALOGUE[name].corrects
    at = {"c": 1, "z": 3} if measures else None
    more = {} if at is None else {"measure_at": at}
    expected = hyper.along(expected_axis).map(CATALOGUE[name], **more, **options)
    expected = expected[0] if isinstance(expected, tuple) else expected
    expected = np.asarray(expected)
    if expected_axis == "z" and not CATALOGUE[name].gives_frames:
        expected = expected[:, :, None]
    np.testing.assert_array_equal(np.asarray(result.data), expected)
    whole = CATALOGUE[name].gives_frames or expected_axis == "z"
    assert result.axis_labels == tuple("tczyx" if whole else "czyx")
    assert [str(unit) for unit in result.units[-2:]] == ["micrometer", "micrometer"]
    if at:
        assert "c = 1, z = 3" in dock.place.text()


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
    assert "maximum over z, applied everywhere" in dock.place.text()
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


def test_depth_of_one_channel_for_all(viewer, qtbot, hyper):
    viewer.add_layer(layers.to_layer(hyper.along("z"), "hyper"))
    dock = docked(viewer, _widgets.FocusStackDock)
    assert not dock.place.isHidden()
    shown = [dock.place.box.native.itemText(i) for i in range(dock.place.box.native.count())]
    assert shown == ["each position", "this t, for all", "this c, for all"]
    assert dock.measure_at() == {}
    assert not dock.place.text()
    viewer.dims.set_current_step(1, 1)
    dock.place.box.value = ("c",)
    assert dock.measure_at() == {"c": 1}
    assert dock.place.text() == "Measured at c = 1, for all c"
    dock.set_options({"method": "pyramid"})
    ran(dock, qtbot)
    expected = hyper.along("z").map(ns.focus_stack, measure_at={"c": 1}, method="pyramid")
    np.testing.assert_array_equal(np.asarray(viewer.layers[1].data)[:, :, 0], expected.image)
    (depth,) = (np.asarray(layer.data) for layer in viewer.layers if "depth" in layer.name)
    np.testing.assert_array_equal(depth[:, 0], depth[:, 1])


def test_run_button_and_progress(viewer, qtbot, gate):
    cells_layer(viewer, gate)
    dock = docked(viewer, _widgets.CombineDock)
    dock.runner.how = ns.Run(workers=1)
    runner = dock.runner
    dock.run()
    assert not runner.run_button.isEnabled()
    assert runner.cancel_button.isEnabled()
    qtbot.waitUntil(gate.reached.is_set)
    qtbot.waitUntil(lambda: runner.bar.maximum() == 6)
    assert runner.message.text().startswith("Combining frames: ")
    dock.run()  # does nothing while one is under way
    with qtbot.waitSignal(runner.finished):
        gate.opened.set()
    assert runner.run_button.isEnabled()
    assert not runner.cancel_button.isEnabled()
    assert runner.message.text() == "Added 'cells - mean'"
    assert len(viewer.layers) == 2


@pytest.mark.parametrize("name", sorted(set(DOCKS) - LAZY))
def test_cancel_half_way_and_run_again(name, viewer, qtbot, gate, run_threads):
    cells_layer(viewer, gate)
    dock = docked(viewer, DOCKS[name])
    if name == "sigma_clip":
        dock.set_options({"sigma": 1.5})
    dock.run()
    qtbot.waitUntil(gate.reached.is_set)
    dock.cancel()
    with qtbot.waitSignal(dock.runner.finished):
        gate.opened.set()
    assert len(viewer.layers) == 1
    assert not run_threads()
    assert dock.runner.message.text() == "Cancelled"
    ran(dock, qtbot)
    assert len(viewer.layers) > 1


def test_two_runs_side_by_side(viewer, qtbot, gate, cells):
    cells_layer(viewer, gate)
    slow = docked(viewer, _widgets.CombineDock)
    slow.run()
    qtbot.waitUntil(gate.reached.is_set)
    other = viewer.add_image(cells, name="other")
    quick = docked(viewer, _widgets.SigmaClipDock)
    quick.set_options({"sigma": 1.5})
    quick.layer = other
    ran(quick, qtbot)
    assert slow.runner.running
    with qtbot.waitSignal(slow.runner.finished):
        gate.opened.set()
    assert [layer.name for layer in viewer.layers] == [
        "cells", "other", "other - sigma clip", "other - rejected", "cells - mean",
    ]  # fmt: skip


def test_source_removed_and_another_of_its_name_during_the_run(viewer, qtbot, gate, cells):
    source = cells_layer(viewer, gate)
    dock = docked(viewer, _widgets.CombineDock)
    dock.run()
    qtbot.waitUntil(gate.reached.is_set)
    viewer.layers.remove(source)
    bystander = viewer.add_image(np.ones((8, 8)), name="cells - mean")
    with qtbot.waitSignal(dock.runner.finished):
        gate.opened.set()
    assert [layer.name for layer in viewer.layers] == ["cells - mean", "cells - mean [1]"]
    assert bystander.data.shape == (8, 8)
    np.testing.assert_array_equal(viewer.layers[1].data, ns.combine(ns.Stack.wrap(cells)))
    np.testing.assert_allclose(viewer.layers[1].scale, (0.1, 0.1))


def test_renamed_and_reordered_during_the_run(viewer, qtbot, gate, cells):
    source = cells_layer(viewer, gate)
    other = viewer.add_image(np.zeros((6, 96, 112), np.uint16), name="other", rgb=False)
    viewer.layers.selection.active = source
    dock = docked(viewer, _widgets.CombineDock)
    assert dock.layer.name == "cells"
    dock.run()
    qtbot.waitUntil(gate.reached.is_set)
    source.name, other.name = "night", "cells"
    viewer.layers.move(0, 2)
    viewer.layers.selection.active = other
    source.scale = (0.5, 0.2, 0.2)
    with qtbot.waitSignal(dock.runner.finished):
        gate.opened.set()
    assert not other.data.any()
    made = viewer.layers[-1]
    np.testing.assert_array_equal(made.data, ns.combine(ns.Stack.wrap(cells)))
    np.testing.assert_allclose(made.scale, (0.1, 0.1), err_msg="as it was when the run began")
    assert {layer.name for layer in viewer.layers} == {"night", "cells", "cells - mean"}


@pytest.mark.parametrize("way", ["dock", "window"])
def test_closing_during_a_run(way, viewer, qtbot, gate, run_threads):
    cells_layer(viewer, gate)
    dock = docked(viewer, _widgets.CombineDock)
    dock.run()
    worker = weakref.ref(dock.runner.worker)
    qtbot.waitUntil(gate.reached.is_set)
    if way == "dock":
        viewer.window.remove_dock_widget(dock)
    else:
        viewer.close()
    del dock
    gate.opened.set()
    qtbot.waitUntil(lambda: not run_threads())
    qtbot.waitUntil(lambda: gc.collect() >= 0 and worker() is None)
    assert len(viewer.layers) == (1 if way == "dock" else 0)
    assert gate.reads < 6, "it stopped before its end"


def test_what_the_user_can_mend_is_one_sentence(viewer, qtbot, notes):
    data = np.zeros((4, 64, 64), np.uint8)
    viewer.add_image(data, name="blank", contrast_limits=(0, 255))
    dock = docked(viewer, _widgets.RegisterDock)
    ran(dock, qtbot)
    assert len(viewer.layers) == 1
    ((severity, text),) = notes
    assert severity == "error"
    assert "holds no structure to register to" in text
    assert "layer 'blank'" in text
    assert "\n" not in text
    dock.layer.data = data[:1]
    dock.run()
    assert "has one frame only" in notes[-1][1]
    assert not dock.runner.running


class Unplugged:
    """Frames that can be shown, and that no run can read."""

    def __init__(self, data):
        self.data, self.shape, self.dtype, self.ndim = data, data.shape, data.dtype, data.ndim

    def __getitem__(self, key):
        if threading.current_thread() is not threading.main_thread():
            raise OSError("frame 1 could not be read: was the disk unplugged?")
        return self.data[key]


@pytest.mark.parametrize("name", sorted(set(DOCKS) - LAZY))
def test_an_error_is_told_and_the_dock_runs_again(name, viewer, qtbot, notes, cells, run_threads):
    layer = cells_layer(viewer, Unplugged(cells))
    dock = docked(viewer, DOCKS[name])
    ran(dock, qtbot)
    assert [made.name for made in viewer.layers] == ["cells"]
    severity, text = notes[-1]
    assert (severity, text.count("\n")) == ("error", 0)
    assert "was the disk unplugged?" in text
    assert dock.runner.run_button.isEnabled()
    assert not run_threads()
    layer.data = cells
    ran(dock, qtbot)
    assert len(viewer.layers) > 1
    assert dock.runner.message.text().startswith("Added")


@pytest.mark.parametrize("error", [KeyError("surprise"), ValueError("shapes differ")])
def test_a_fault_of_the_program_keeps_its_traceback(
    error, viewer, qtbot, monkeypatch, cells, notes
):
    heard = []
    receive = notification_manager.receive_error
    monkeypatch.setattr(
        notification_manager, "receive_error", lambda *args: (heard.append(args), receive(*args))
    )
    cells_layer(viewer, cells)
    dock = docked(viewer, _widgets.CombineDock)
    assert dock.runner.details_button.isHidden()

    def broken(job, run):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(layers.Job, "compute", broken)
        ran(dock, qtbot)
    ((kind, received, traceback),) = heard
    assert kind is type(error)
    assert received is error
    assert traceback is error.__traceback__ is not None
    assert dock.runner.run_button.isEnabled()
    assert dock.runner.message.text() == "Failed: this is an error of the program"
    assert not dock.runner.details_button.isHidden()
    text = dock.runner.show_details().text.toPlainText()
    assert "in broken" in text
    assert str(error) in text
    ran(dock, qtbot)
    assert dock.runner.details_button.isHidden()


def test_a_fault_before_the_run_keeps_its_traceback(viewer, monkeypatch, cells):
    cells_layer(viewer, cells)
    dock = docked(viewer, _widgets.CombineDock)

    def broken(*_, **__):
        raise ValueError("shapes differ")

    monkeypatch.setattr(layers, "prepare", broken)
    with pytest.raises(ValueError, match="shapes differ"):
        dock.run()
    assert not dock.runner.running


def test_warnings_are_shown_each_time(viewer, qtbot, notes, cells):
    cells_layer(viewer, cells)
    dock = docked(viewer, _widgets.SigmaClipDock)
    for _ in range(2):
        ran(dock, qtbot)
    assert [severity for severity, _ in notes] == ["warning"] * 2
    assert notes[0][1].startswith("6 frames cannot be clipped at 2.5 sigma")
    assert len(viewer.layers) == 5


def test_failed_frames_are_told(viewer, qtbot, notes, cells):
    data = cells.copy()
    data[5] = 9
    viewer.add_image(data, name="lossy")
    dock = docked(viewer, _widgets.RegisterDock)
    ran(dock, qtbot)
    sentence = "1 of 6 frames failed and are left out of what follows: 5"
    assert notes == [("warning", f"lossy: {sentence}")]
    assert sentence in dock.runner.message.text()


def test_nothing_stays_alive(viewer, qtbot, cells):
    source = cells_layer(viewer, cells.copy())
    dock = docked(viewer, _widgets.RegisterDock)
    ran(dock, qtbot)
    alive = [weakref.ref(la) for la in viewer.layers] + [weakref.ref(source.data)]
    alive.append(weakref.ref(viewer.layers[1].data))
    del source
    viewer.layers.clear()
    qtbot.waitUntil(lambda: gc.collect() >= 0 and not any(ref() is not None for ref in alive[2:]))
    assert dock.layer is None


def test_without_docks_nothing_stays_alive_either(viewer, qtbot, cells, run_threads):
    def held():
        source = cells_layer(viewer, cells.copy())
        for name in ("register", "combine"):
            dock = docked(viewer, DOCKS[name])
            viewer.layers.selection.active = source
            ran(dock, qtbot)
            viewer.window.remove_dock_widget(dock)
        assert [layer.name for layer in viewer.layers] == [
            "cells", "cells - register", "cells - mean",
        ]  # fmt: skip
        _, lazy, combined = viewer.layers
        assert hasattr(lazy.data, "dask")
        references = [weakref.ref(layer) for layer in (source, combined)]
        data = [weakref.ref(layer.data) for layer in (source, lazy, combined)]
        behind = weakref.ref(read_layer(lazy).data)
        return [*references, *data, weakref.ref(lazy), behind]

    references = held()
    viewer.layers.clear()
    qtbot.waitUntil(lambda: gc.collect() >= 0 and not any(ref() for ref in references))
    assert not run_threads()


@pytest.mark.parametrize("kind", [*DOCKS.values(), _widgets.OpenFramesDock])
def test_closed_dock_is_gone(kind, viewer, qtbot, cells):
    cells_layer(viewer, cells)
    dock = docked(viewer, kind)
    alive = weakref.ref(dock)
    viewer.window.remove_dock_widget(dock)
    del dock
    qtbot.waitUntil(lambda: gc.collect() >= 0 and alive() is None)
    viewer.layers.clear()  # nothing of it listens any more


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


def test_result_that_comes_after_cancelling_is_dropped(viewer, qtbot, cells):
    cells_layer(viewer, cells)
    dock = docked(viewer, _widgets.CombineDock)
    dock.run()
    worker = dock.runner.worker
    worker._thread.join()  # done, but this thread, where signals arrive, has not heard of it
    with qtbot.waitSignal(dock.runner.finished):
        dock.cancel()
    assert len(viewer.layers) == 1
    assert dock.runner.message.text() == "Cancelled"


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


@pytest.mark.parametrize("kind", [*DOCKS.values(), _widgets.OpenFramesDock])
def test_wheel_scrolls_and_changes_nothing(kind, viewer, qtbot, hyper):
    viewer.add_layer(layers.to_layer(hyper, "hyper"))
    dock = docked(viewer, kind)
    boxes = [*dock.findChildren(QComboBox), *dock.findChildren(QAbstractSpinBox)]
    assert boxes
    before = [box.property("currentText") or box.property("text") for box in boxes]
    for box in boxes:
        assert box.focusPolicy() == Qt.FocusPolicy.StrongFocus
        if not box.hasFocus():
            wheel(box)
    assert [box.property("currentText") or box.property("text") for box in boxes] == before


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


def test_log_keeps_where_a_sentence_came_from(viewer, qtbot, notes, caplog):
    viewer.add_image(np.zeros((4, 64, 64), np.uint8), name="blank", contrast_limits=(0, 255))
    dock = docked(viewer, _widgets.RegisterDock)
    with caplog.at_level("INFO", logger="napari_stack"):
        ran(dock, qtbot)
    (record,) = caplog.records
    assert record.exc_info[1].__traceback__ is not None
    assert "no structure" in caplog.text


def test_layers_removed_during_a_run(viewer, qtbot, gate):
    cells_layer(viewer, gate)
    dock = docked(viewer, _widgets.CombineDock)
    dock.run()
    qtbot.waitUntil(gate.reached.is_set)
    viewer.layers.clear()
    with qtbot.waitSignal(dock.runner.finished):
        dock.cancel()
        gate.opened.set()
    assert dock.layer is None
    assert not dock.runner.run_button.isEnabled()


def test_options_in_view():
    assert _widgets.FocusStackDock.main == ("method",)


def test_what_a_run_will_take_is_told_before_it(viewer, qtbot, cells):
    source = cells_layer(viewer, cells)
    dock = docked(viewer, _widgets.SigmaClipDock)
    told = dock.forecast
    qtbot.waitUntil(lambda: "6 frames cannot be clipped at 2.5 sigma" in told.text())
    assert told.text().startswith("6 frames, 112 x 96, 12-bit data in uint16; needs about")
    dock.set_options({"sigma": 1.5})
    qtbot.waitUntil(lambda: "cannot" not in told.text())
    source.data = cells[:1]
    qtbot.waitUntil(lambda: "has one frame only" in told.text())
    viewer.layers.clear()
    qtbot.waitUntil(lambda: told.text() == "")
