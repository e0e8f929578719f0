"""The recipe dock: change, switch off, run again, apply, save, copy, batch."""

import gc
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication, QFileDialog

import napari_stack as ns
from napari_stack import layers
from napari_stack._widgets import RecipeDock
from napari_stack._widgets.parts.assistant.keep import KeepPanel
from napari_stack._widgets.parts.layout import set_checked
from napari_stack.layers.compat import weak_reference
from napari_stack.recipe import Recipe, Step
from napari_stack.recipe.batch import run_series


@pytest.fixture
def dock(viewer):
    dock = RecipeDock(viewer)
    viewer.window.add_dock_widget(dock)
    return dock


def shown(viewer, cells, name="cells"):
    source = viewer.add_image(
        cells, name=name, rgb=False, contrast_limits=(0, 4095), axis_labels=("t", "y", "x"),
        scale=(2, 0.5, 0.5), units=("second", "micrometer", "micrometer"),
    )  # fmt: skip
    moved = viewer.add_layer(layers.register(source, transform="translation"))
    for layer in layers.sigma_clip(moved, sigma=1.5):
        viewer.add_layer(layer)
    viewer.layers.selection.active = viewer.layers[-2]
    return source, moved, viewer.layers[-2]


def ran(runner, run, qtbot):
    with qtbot.waitSignal(runner.finished, timeout=120_000):
        run()


def texts(dock):
    return [dock.steps.list.item(row).text() for row in range(dock.steps.list.count())]


def test_it_shows_the_steps_of_the_active_layer(dock, viewer, cells):
    source, moved, _ = shown(viewer, cells)
    steps = ["register: transform = translation", "sigma clip: sigma = 1.5"]
    assert texts(dock) == steps
    assert "'cells'" in dock.title.text()
    viewer.layers.selection.active = moved
    assert texts(dock) == steps[:1]
    viewer.layers.selection.active = source
    assert texts(dock) == steps[:1], "steps stay, to be applied to a layer without any"


def test_change_and_run_again(dock, viewer, qtbot, cells):
    _, _, clean = shown(viewer, cells)
    names = [layer.name for layer in viewer.layers]
    dock.steps.form.set_values({"sigma": 1.2})
    assert texts(dock)[1] == "sigma clip: sigma = 1.2"
    ran(dock.runner, dock.run, qtbot)
    added = viewer.layers[len(names) :]
    moved = ns.register(ns.Stack.wrap(cells), transform="translation")
    np.testing.assert_array_equal(added[-1].data, ns.sigma_clip(moved, sigma=1.2).image)
    assert [layer.name for layer in viewer.layers][: len(names)] == names
    assert len({layer.name for layer in viewer.layers}) == len(viewer.layers)
    assert viewer.layers.selection.active == added[-1]
    assert dock.layer == clean.__wrapped__, "it can be run again with other options"


def test_switch_a_step_off(dock, viewer, qtbot, cells):
    shown(viewer, cells)
    set_checked(dock.steps.list.item(0), False)
    ran(dock.runner, dock.run, qtbot)
    plain = ns.sigma_clip(ns.Stack.wrap(cells), sigma=1.5)
    np.testing.assert_array_equal(viewer.layers[-1].data, plain.image)
    set_checked(dock.steps.list.item(1), False)
    count = len(viewer.layers)
    dock.run()
    assert not dock.runner.running
    assert len(viewer.layers) == count


def test_nothing_to_run(dock, viewer, notes):
    dock.run()
    assert notes == [("error", "there are no steps: choose a layer, or load a recipe")]


def test_apply_to_another_layer_anew_and_as_measured(dock, viewer, qtbot, cells):
    _, moved, clean = shown(viewer, cells)
    other = viewer.add_image(cells[:, ::-1].copy(), name="other", rgb=False,
                             axis_labels=("t", "y", "x"))  # fmt: skip
    viewer.layers.selection.active = clean
    dock.target.value = other
    ran(dock.runner, dock.run, qtbot)
    stack = ns.Stack.wrap(cells[:, ::-1])
    anew = ns.sigma_clip(ns.register(stack, transform="translation"), sigma=1.5).image
    np.testing.assert_array_equal(viewer.layers[-1].data, anew)
    viewer.layers.selection.active = clean
    dock.target.value = other
    dock.values.value = "as measured here"
    ran(dock.runner, dock.run, qtbot)
    transforms = ns.register(ns.Stack.wrap(cells), transform="translation").transforms
    same = ns.sigma_clip(ns.apply_transforms(stack, transforms), sigma=1.5).image
    np.testing.assert_array_equal(viewer.layers[-1].data, same)
    viewer.layers.selection.active = moved
    dock.target.value = other
    dock.run()  # nothing to compute: the layer is there at once
    frames = viewer.layers.selection.active
    assert frames.name == "other - as cells - aligned"
    np.testing.assert_array_equal(frames.data[1], ns.apply_transforms(stack, transforms)[1])


def test_changed_corrections_were_not_measured(dock, viewer, notes, cells):
    shown(viewer, cells)
    other = viewer.add_image(cells.copy(), name="other", rgb=False)
    viewer.layers.selection.active = viewer.layers[2]
    dock.target.value = other
    dock.values.value = "as measured here"
    set_checked(dock.steps.list.item(0), False)
    dock.run()
    assert "the corrections were changed" in notes[-1][1]
    dock.target.value = "its original frames"
    dock.run()
    assert "choose another layer" in notes[-1][1]


def test_save_load_and_an_unknown_step(dock, viewer, qtbot, notes, cells, tmp_path, monkeypatch):
    shown(viewer, cells)
    path = tmp_path / "recipe.json"
    dock.save(path)
    steps = Recipe.load(path).steps
    assert [step.operator for step in steps] == ["register", "sigma_clip"]
    viewer.layers.clear()
    layer = viewer.add_image(cells, name="new", rgb=False, axis_labels=("t", "y", "x"))
    dock.load(path)
    assert dock.target.value == layer
    ran(dock.runner, dock.run, qtbot)
    moved = ns.register(ns.Stack.wrap(cells), transform="translation")
    np.testing.assert_array_equal(viewer.layers[-1].data, ns.sigma_clip(moved, sigma=1.5).image)
    path.write_text(path.read_text().replace("sigma_clip", "shine"))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(path), ""))
    dock._choose_load()
    assert "there is no operator 'shine'; the operators are register," in notes[-1][1]
    assert len(texts(dock)) == 2


def test_the_script_gives_the_pixels_of_the_layer(dock, viewer, cells, tmp_path, monkeypatch):
    ns.write(tmp_path / "cells.tif", ns.Stack.wrap(cells))
    data = ns.read(tmp_path / "cells.tif")
    source = viewer.add_layer(layers.to_layer(data, "cells"))
    mean = viewer.add_layer(layers.combine(layers.register(source, transform="translation"))[0])
    viewer.add_layer(layers.combine(source)[0])
    viewer.layers.selection.active = mean
    dock.copy_script()
    found = {}
    monkeypatch.chdir(tmp_path)
    exec(QApplication.clipboard().text(), found)
    # The registered layer is not in the viewer, so the dock begins with the layer of that name.
    np.testing.assert_array_equal(found["combine"], mean.data)
    assert str(tmp_path / "cells.tif") in QApplication.clipboard().text()


def test_cancel_and_error(dock, viewer, qtbot, gate, notes):
    viewer.add_image(gate, name="cells", rgb=False, contrast_limits=(0, 4095),
                     axis_labels=("t", "y", "x"), multiscale=False)  # fmt: skip
    dock.steps.show_draft(dock.steps.draft.__class__((Step("combine"),)))
    dock.layers_changed()
    dock.target.value = viewer.layers[0]
    dock.run()
    qtbot.waitUntil(gate.reached.is_set)
    dock.runner.cancel()
    with qtbot.waitSignal(dock.runner.finished):
        gate.opened.set()
    assert len(viewer.layers) == 1
    assert dock.runner.message.text() == "Cancelled"
    dock.steps.show_draft(dock.steps.draft.__class__((Step("combine", axis="z"),)))
    ran(dock.runner, dock.run, qtbot)
    assert "there is no axis 'z'" in notes[-1][1]


def test_batch(dock, viewer, qtbot, notes, cells, tmp_path):
    for name, frames in (("one", cells), ("two", cells[::-1])):
        ns.write(tmp_path / name, ns.Stack.wrap(frames))
    panel = dock.batch
    panel.run()
    assert "there are no steps" in notes[-1][1]
    shown(viewer, cells)
    panel.run()
    assert "name a folder" in notes[-1][1]
    panel.add([tmp_path / "one", tmp_path / "gone", tmp_path / "two", tmp_path / "one"])
    assert len(panel.series) == 3
    panel.run()
    assert "choose a folder for the results" in notes[-1][1]
    panel.output.setText(str(tmp_path / "out"))
    ran(panel.runner, panel.run, qtbot)
    assert panel.runner.message.text() == "2 of 3 series done"
    assert "gone" in notes[-1][1]
    for name, frames in (("one", cells), ("two", cells[::-1])):
        moved = ns.register(ns.Stack.wrap(frames), transform="translation")
        image = ns.read(tmp_path / "out" / name / "image.tif")[0]
        np.testing.assert_array_equal(image, ns.sigma_clip(moved, sigma=1.5).image)
        assert (tmp_path / "out" / name / "rejected.tif").is_file()


def test_batch_can_be_cancelled(dock, viewer, qtbot, cells, tmp_path, monkeypatch, run_threads):
    for name in ("one", "two", "three"):
        ns.write(tmp_path / name, ns.Stack.wrap(cells))
    reached, opened = threading.Event(), threading.Event()

    def held(recipe, inputs, *more, **how):
        if Path(inputs[0]).name == "two":
            reached.set()
            assert opened.wait(20)
        return run_series(recipe, inputs, *more, **how)

    monkeypatch.setattr("napari_stack.recipe.batch.run_series", held)
    shown(viewer, cells)
    panel = dock.batch
    panel.add([tmp_path / name for name in ("one", "two", "three")])
    panel.output.setText(str(tmp_path / "out"))
    panel.run()
    qtbot.waitUntil(reached.is_set)
    with qtbot.waitSignal(panel.runner.finished):
        panel.runner.cancel()
        opened.set()
    assert panel.runner.message.text() == "Cancelled"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["one"], "what is complete stays"
    assert not run_threads()
    monkeypatch.undo()
    for path in (tmp_path / "out" / "one").iterdir():
        path.unlink()
    ran(panel.runner, panel.run, qtbot)
    assert panel.runner.message.text() == "3 of 3 series done"


def test_nothing_stays_alive(own_viewer, qtbot, cells):
    viewer = own_viewer
    dock = RecipeDock(viewer)
    viewer.window.add_dock_widget(dock)

    def held():
        shown(viewer, cells.copy())
        ran(dock.runner, dock.run, qtbot)
        return [
            weakref.ref(getattr(layer, part)) if part else weak_reference(layer)
            for layer in viewer.layers
            for part in ("", "data")
        ]

    references = held()
    assert len(references) > 8
    viewer.layers.clear()
    QApplication.processEvents()
    gc.collect()
    assert [ref() for ref in references if ref() is not None] == []


def test_a_renamed_source_and_a_removed_one(dock, viewer, cells):
    source, moved, clean = shown(viewer, cells)
    source.name = "night"
    box = dock.target.native
    assert "night" in [box.itemText(row) for row in range(box.count())]
    assert dock.target.value == "its original frames"
    viewer.layers.remove(moved)
    viewer.layers.remove(source)
    del source, moved
    gc.collect()
    dock.layer_changed()
    assert dock.target.value is None
    viewer.layers.remove(clean)
    assert dock.layer is None or dock.layer in viewer.layers


def test_what_its_files_need_is_told_when_it_is_opened(dock, tmp_path, monkeypatch):
    steps = [Step("transform_frames", name="turned")]
    steps += [Step("combine", save="layers.tif", layers=["turned"])]
    Recipe(steps).save(tmp_path / "layered.json")
    monkeypatch.setitem(sys.modules, "psdtags", None)
    told = []
    keep = KeepPanel(dock.steps.recipe, lambda: None)
    keep.said.connect(told.append)
    keep.open(tmp_path / "layered.json")
    dock.load(tmp_path / "layered.json")
    for text in (*told, dock.runner.message.text()):
        assert text.startswith("Files with layers need psdtags")
        assert text.endswith("pip install 'napari-stack[layers]'")
    assert len(told) == 1
