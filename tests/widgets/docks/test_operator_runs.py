"""Runs of docks: results, cancelling, errors, and what happens meanwhile."""

import gc
import threading
import weakref

import dask.array as da
import numpy as np
import pytest
from napari.utils.notifications import notification_manager

import napari_stack as ns
from napari_stack import _widgets, layers
from napari_stack.layers.stacks.read_layer import read_layer
from napari_stack.operators import CATALOGUE
from support.docks import DOCKS, assert_as_the_function, cells_layer, docked, ran

#: An operator of each way to go through frames: each for itself, a running state, and bands. That
#: all operators can be cancelled and pass on errors, their own tests show.
EACH_WAY = ["register", "combine", "focus_stack", "sigma_clip"]


@pytest.mark.filterwarnings("ignore:.*frames are left out")
@pytest.mark.parametrize("name", EACH_WAY)
def test_run_of_a_lazy_layer_adds_what_the_function_gives(name, viewer, qtbot, cells):
    """Of layers that are not lazy, `test_operator_results` shows it for every operator."""
    source = cells_layer(viewer, da.from_array(cells, chunks=(1, -1, -1)))
    dock = docked(viewer, DOCKS[name])
    options = {"sigma": 1.5} if name == "sigma_clip" else {}
    dock.set_options(options)
    ran(dock, qtbot)
    added = list(viewer.layers)[1:]
    assert viewer.layers.selection.active == added[0]
    assert_as_the_function(name, source, added, options)


@pytest.mark.parametrize(
    "name", [*EACH_WAY, "balance", "find_hot_pixels", "focus_slabs", "denoise"]
)
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
        assert "c = 1, z = 3" in dock.place.told.text()


@pytest.mark.filterwarnings("ignore:the finer grid gains nothing")
def test_drizzle_runs_on_registered_frames(viewer, qtbot, cells):
    source = cells_layer(viewer, cells)
    matrices = np.tile(np.eye(3), (len(cells), 1, 1))
    matrices[:, :2, 2] = (np.arange(len(cells)) / len(cells))[:, None]
    viewer.add_layer(layers.apply_transforms(source, ns.Transforms(matrices)))
    dock = docked(viewer, DOCKS["drizzle"])
    dock.set_options({"scale": 2.0, "pixfrac": 1.0})
    ran(dock, qtbot)
    image, weights = list(viewer.layers)[2:]
    assert image.data.shape == tuple(2 * side for side in cells.shape[1:])
    np.testing.assert_allclose(image.scale, (0.05, 0.05))
    np.testing.assert_allclose(image.translate, (0.975, 1.975))
    assert np.median(weights.data) == pytest.approx(len(cells), rel=0.1)


def test_register_planes_steadies_each_time_for_itself(viewer, qtbot):
    made = [ns.samples.wobbling(9, (64, 64), seed, jitter=2.0) for seed in (6, 7)]
    data = np.stack([np.asarray(stack) for stack, _ in made])
    viewer.add_image(data, name="shaken", axis_labels=("t", "z", "y", "x"))
    dock = docked(viewer, DOCKS["register_planes"])
    assert dock.axis == "z"
    ran(dock, qtbot)
    steady = viewer.layers[-1]
    assert steady.data.shape == data.shape
    for time, (stack, truth) in enumerate(made):
        wanted = np.asarray(ns.register_planes(stack))
        np.testing.assert_array_equal(np.asarray(steady.data[time]), wanted)
        assert np.abs(truth["jitter"]).max() > 2
    dock.place.box.value = ("t",)
    viewer.dims.set_current_step(0, 1)
    assert dock.measure_at() == {"t": 1}
    ran(dock, qtbot)
    step = viewer.layers[-1].metadata["napari_stack"]["recipe"]["steps"][-1]
    assert step["measure_at"] == {"t": 1}


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


@pytest.mark.parametrize("name", EACH_WAY)
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
        "cells", "other", "other - clipped", "other - clipped - rejected", "cells - mean",
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
def test_closing_during_a_run(way, own_viewer, qtbot, gate, run_threads):
    cells_layer(own_viewer, gate)
    dock = docked(own_viewer, _widgets.CombineDock)
    dock.run()
    worker = weakref.ref(dock.runner.worker)
    qtbot.waitUntil(gate.reached.is_set)
    if way == "dock":
        own_viewer.window.remove_dock_widget(dock)
    else:
        own_viewer.close()
    del dock
    gate.opened.set()
    qtbot.waitUntil(lambda: not run_threads())
    qtbot.waitUntil(lambda: gc.collect() >= 0 and worker() is None)
    assert len(own_viewer.layers) == (1 if way == "dock" else 0)
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


@pytest.mark.parametrize("name", ["register", "sigma_clip"])
def test_an_error_is_told_and_the_dock_runs_again(name, viewer, qtbot, notes, cells, run_threads):
    layer = cells_layer(viewer, Unplugged(cells))
    dock = docked(viewer, DOCKS[name])
    if name == "sigma_clip":
        dock.set_options({"sigma": 1.5})  # of six frames 2.5 sigma leave out nothing
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
    dock.forecast.update_text()  # else it may prepare a run, too, while that is broken

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
    assert notes == [("warning", "1 of 6 frames could not be registered: 5")]
    sentence = "1 of 6 frames failed and are left out of what follows: 5"
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
            "cells", "cells - aligned", "cells - mean",
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
