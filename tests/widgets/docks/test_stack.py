"""The "Stack" dock: journeys from files to a saved result, with the actions that they take."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import napari_stack as ns
from napari_stack import samples
from napari_stack._widgets import StackDock
from napari_stack.files import read_recipe
from support.docks import assert_let_go, docked, references_to
from support.hand import Hand


@pytest.fixture
def dock(viewer):
    return docked(viewer, StackDock)


@pytest.fixture
def hand(dock, qtbot, monkeypatch):
    made = Hand(dock, qtbot, monkeypatch)
    yield made
    dock.looking.drop()
    made.wait()
    dock.keep.batch.runner.abandon()


def photographs(folder, stack):
    """Write frames as JPEG in colour."""
    folder.mkdir()
    frames = np.asarray(stack)
    scale = 255 / frames.max()
    paths = []
    for number, frame in enumerate(frames):
        grey = (frame * scale).astype(np.uint8)
        path = folder / f"IMG_{number:02d}.jpg"
        colours = np.stack([grey, grey, 255 - grey], axis=-1)
        exif = Image.Exif()
        exif[272] = "X100"
        Image.fromarray(colours).save(path, quality=95, exif=exif)
        paths.append(path)
    return paths


def ticked(dock):
    return [row.step.operator for row in dock.checklist.rows if row.tick.isChecked()]


def test_seven_photographs_to_one_sharp_one_in_three_actions(dock, hand, viewer, tmp_path):
    stack, truth = samples.focus_series(7, (144, 176))
    paths = photographs(tmp_path / "bug", stack)
    hand.drop(*paths)
    assert dock.questions.kind == "focus series"
    assert "sharp in turn" in dock.questions.reason.text()
    assert dock.questions.goal == "one sharp image"
    assert ticked(dock) == ["register", "focus_stack"]
    hand.press(dock.runner.run_button)
    hand.press(dock.save_button)
    assert hand.actions == 3
    saved = Path(hand.saved)
    assert saved.parent == tmp_path / "bug"
    assert saved.suffix == ".jpg"
    with Image.open(saved) as image:
        assert image.size == (176, 144)
        assert image.mode == "RGB"
        assert image.getexif()[272] == "X100"
    made = np.asarray(ns.read(saved)[0], np.float32)[..., 0]
    wanted, worst = truth["image"][12:-12, 12:-12], np.asarray(stack)[0, 12:-12, 12:-12]
    scale = 255 / np.asarray(stack).max()
    error = np.abs(made[12:-12, 12:-12] - wanted * scale).mean()
    assert error < 0.5 * np.abs(worst - wanted).mean() * scale
    steps = [step["operator"] for step in read_recipe(saved)["steps"]]
    assert steps == ["register", "focus_stack"]
    # The frames are hidden under the result.
    assert [layer.visible for layer in viewer.layers if layer.name == "bug"] == [False]


def test_drift_of_two_channels_in_three_actions(dock, hand, tmp_path):
    one, _ = samples.drifting_cells(6, (96, 112), shift=5.0, rotation=0.0, scale=0.0)
    frames = np.asarray(one)
    data = np.stack([frames // 50 + 7, frames], axis=1)
    axes = (ns.Axis("t", 10.0, "second"), "c", ns.Axis("y", 0.25, "um"), ns.Axis("x", 0.25, "um"))
    ns.write(tmp_path / "two.ome.tif", ns.Hyperstack.wrap(data, axes=axes))
    hand.drop(tmp_path / "two.ome.tif")
    assert dock.questions.kind == "time-lapse"
    assert dock.questions.goal == "a steady movie"
    (align,) = dock.recipe().steps
    assert (align.operator, align.axis) == ("register", "t")
    hand.press(dock.runner.run_button)
    hand.press(dock.save_button)
    assert hand.actions <= 4
    saved = ns.read(hand.saved)
    assert [axis.name for axis in saved.leading] == ["t", "c"]
    assert saved.leading[0].step == 10.0
    steady = np.asarray(saved)[:, 1, 20:-20, 20:-20].astype(float)
    still = np.corrcoef(steady[0].ravel(), steady[3].ravel())[0, 1]
    before = frames[:, 20:-20, 20:-20].astype(float)
    assert still > 0.9 > 0.8 > np.corrcoef(before[0].ravel(), before[3].ravel())[0, 1]


def test_burst_with_hot_pixels_in_three_actions(dock, hand, tmp_path):
    still, _ = samples.drifting_cells(8, (96, 112), shift=1.0, rotation=0.0, scale=0.0)
    frames = np.array(still)
    frames[:, 20, 30] = frames[:, 60, 70] = 4095
    folder = tmp_path / "burst"
    folder.mkdir()
    for number, frame in enumerate(frames):
        ns.write(folder / f"b{number}.tif", frame)
    hand.drop(folder)
    assert dock.questions.kind == "burst"
    assert ticked(dock) == ["repair_hot_pixels", "register", "sigma_clip"]
    assert "in a million" in dock.checklist.rows[0].why.text()
    hand.press(dock.runner.run_button)
    hand.press(dock.save_button)
    assert hand.actions <= 4
    clean = np.asarray(ns.read(hand.saved)[0]).astype(float)
    assert clean[20, 30] < 2000
    assert read_recipe(hand.saved)["steps"][2]["options"] == {"centre": "median", "spread": "MAD"}


def test_tiles_are_lit_evenly_in_three_actions_and_not_joined(dock, hand, tmp_path, noise):
    y, x = np.mgrid[-1:1:64j, -1:1:80j]
    light = 1 - 0.3 * (x**2 + y**2) / 2
    random = np.random.default_rng(3)
    scenes = random.normal(1000, 10, (12, 64, 80))
    for scene in scenes:
        for _ in range(12):
            r, c = random.integers(0, 56), random.integers(0, 72)
            scene[r : r + 8, c : c + 8] += random.uniform(200, 900)
    data = (scenes * light).astype(np.uint16)
    axes = ("position", "y", "x")
    ns.write(tmp_path / "slide.tif", ns.Stack.wrap(data, axes=tuple(map(ns.Axis, axes))))
    hand.drop(tmp_path / "slide.tif")
    if dock.questions.kind != "tiles":  # the file may not keep the name of the axis
        hand.choose(dock.questions.kind_box, "tiles")
    assert "not joined" in dock.remark.text()
    assert ticked(dock) == ["correct_flat_field"]
    hand.press(dock.runner.run_button)
    hand.press(dock.save_button)
    assert hand.actions <= 4
    even = np.asarray(ns.read(hand.saved)).astype(float)
    raw, done = (np.median(a, axis=0) for a in (data.astype(float), even))
    assert done[:8, :8].mean() / done[28:36, 36:44].mean() > 0.93
    assert raw[:8, :8].mean() / raw[28:36, 36:44].mean() < 0.85


def test_five_dimensions_to_a_fused_steady_movie_in_three_actions(dock, hand, tmp_path, hyper):
    ns.write(tmp_path / "cells.ome.tif", hyper)
    hand.drop(tmp_path / "cells.ome.tif")
    assert dock.questions.kind == "volume over time"
    assert dock.questions.goal == "a steady movie"
    assert ticked(dock) == ["register", "focus_stack"]
    hand.press(dock.runner.run_button)
    hand.press(dock.save_button)
    assert hand.actions <= 6
    saved = ns.read(hand.saved)
    assert [axis.name for axis in saved.leading] == ["t", "c", "z"]
    assert saved.sizes == (3, 2, 1)
    steps = read_recipe(hand.saved)["steps"]
    assert [step["operator"] for step in steps] == ["register", "focus_stack"]
    assert steps[0]["measure_at"]["z"] == "maximum"


# what else the dock does


def looked(dock, viewer, hand, data, **more):
    """Add a layer, and wait until it is looked at."""
    layer = viewer.add_image(data, rgb=False, multiscale=False, **more)
    hand.wait()
    return layer


def test_single_images_are_offered_and_taken(dock, hand, viewer, noise):
    images = [noise(24, 32, dtype="uint8") for _ in range(3)]
    for number in (2, 10, 1):
        viewer.add_image(images[[1, 2, 10].index(number)], name=f"shot {number}")
    assert dock.frames.offer.text() == "Stack these 3 layers"
    hand.press(dock.frames.offer)
    np.testing.assert_array_equal(np.asarray(dock.layer.data), images)
    assert [layer.visible for layer in viewer.layers] == [False] * 3 + [True]
    assert not dock.frames.offer.isVisibleTo(dock)
    viewer.layers.selection = set(list(viewer.layers)[:2])
    assert dock.frames.offer.text() == "Stack these 2 layers"


def test_nameless_axes_are_asked_for(dock, hand, viewer, noise):
    layer = looked(dock, viewer, hand, noise(3, 4, 24, 32))
    assert "name them" in dock.questions.reason.text()
    assert not dock.runner.run_button.isEnabled()
    layer.axis_labels = ("t", "z", "y", "x")
    hand.wait()
    assert dock.questions.kind == "volume over time"
    assert dock.runner.run_button.isEnabled()


def test_a_guess_is_changed(dock, hand, viewer, cells):
    looked(dock, viewer, hand, cells, axis_labels=("t", "y", "x"))
    assert ticked(dock) == ["register"]
    hand.choose(dock.questions.kind_box, "burst")
    assert dock.questions.goal == "one clean image"
    assert dock.questions.reason.text() == ""
    assert ticked(dock) == ["register", "sigma_clip"]
    hand.choose(dock.questions.goal_box, "even illumination")
    assert ticked(dock) == ["correct_vignetting"]
    hand.tick(1, on=False)
    assert not dock.runner.run_button.isEnabled()


def test_options_and_ticks_go_to_the_recipe(dock, hand, viewer, cells):
    looked(dock, viewer, hand, cells, axis_labels=("t", "y", "x"))
    align = next(r for r in dock.checklist.rows if r.step.operator == "register")
    align.form.fields["transform"].value = "translation"
    (step,) = dock.recipe().steps
    assert step.options == {"transform": "translation"}
    hand.tick(0)
    assert [step.operator for step in dock.recipe().steps] == ["repair_hot_pixels", "register"]


def test_options_are_remembered_for_each_kind_of_data(dock, hand, viewer, cells):
    def align():
        rows = (r for r in dock.checklist.rows if r.step.operator == "register")
        return next(rows)

    looked(dock, viewer, hand, cells, axis_labels=("t", "y", "x"))
    assert not dock.usual.isVisibleTo(dock)
    assert align().step.options == {"transform": "rigid"}
    align().form.fields["transform"].value = "translation"
    hand.press(dock.runner.run_button)
    dock.questions.kind_box.value = "burst"
    assert align().step.options == {"transform": "rigid"}
    align().form.fields["transform"].value = align().form.options["transform"].default
    assert align().step.options == {}
    hand.press(dock.runner.run_button)
    dock.questions.kind_box.value = "time-lapse"
    assert align().step.options == {"transform": "translation"}
    assert align().why.text().endswith("options as last for time-lapse")
    assert align().form.labels[0].font().italic()
    dock.questions.kind_box.value = "burst"
    assert align().step.options == {}
    dock.usual.click()
    assert align().step.options == {"transform": "rigid"}
    assert not dock.usual.isVisibleTo(dock)


def test_options_of_a_run_that_fails_are_not_remembered(dock, hand, viewer, cells, monkeypatch):
    looked(dock, viewer, hand, cells, axis_labels=("t", "y", "x"))
    align = next(r for r in dock.checklist.rows if r.step.operator == "register")
    align.form.fields["transform"].value = "translation"
    monkeypatch.setattr(dock.runner, "start", lambda _work, _done: None)  # it gives no result
    dock.run()
    for kind in ("burst", "time-lapse"):
        dock.questions.kind_box.value = kind
    align = next(r for r in dock.checklist.rows if r.step.operator == "register")
    assert align.step.options == {"transform": "rigid"}


def test_the_link_opens_the_dock_of_a_step(dock, hand, viewer, cells):
    layer = looked(dock, viewer, hand, cells, axis_labels=("t", "y", "x"))
    align = next(r for r in dock.checklist.rows if r.step.operator == "register")
    align.more.click()
    opened = viewer.window.dock_widgets["Register (napari-stack)"]
    assert opened.options() == {"transform": "rigid"}
    assert opened.layer == layer
    assert opened.axis == "t"
    opened.set_options({"transform": "affine", "sequence": "previous"})
    number = [s.operator for s in dock.checklist.draft.steps].index("register")
    step = dock.checklist.draft.steps[number]
    assert step.options == {"transform": "affine", "sequence": "previous"}
    assert align.form.fields["transform"].value == "affine"
    opened.reset()
    assert dock.checklist.draft.steps[number].options == {}
    dock.questions.goal_box.value = "one clean image"
    opened.set_options({"transform": "translation"})
    assert {"transform": "translation"} not in [s.options for s in dock.checklist.draft.steps]


def test_a_recipe_is_saved_opened_and_copied(dock, hand, viewer, cells, tmp_path):
    looked(dock, viewer, hand, cells, axis_labels=("t", "y", "x"))
    dock.keep.save(tmp_path / "steady.json")
    assert "steady.json" in dock.runner.message.text()
    assert "register" in dock.keep.script()
    ns.Recipe([ns.Step("register"), ns.Step("combine", {"method": "maximum"})]).save(
        tmp_path / "other.json"
    )
    dock.keep.open(tmp_path / "other.json")
    assert "other.json" in dock.questions.reason.text()
    assert ticked(dock) == ["register", "combine"]
    hand.press(dock.runner.run_button)
    assert viewer.layers[-1].name.endswith("maximum")
    assert dock.recipe().steps[1].options == {"method": "maximum"}


def test_a_run_is_cancelled(dock, hand, viewer, gate, qtbot):
    viewer.add_image(gate, rgb=False, multiscale=False, contrast_limits=(0, 4095))
    qtbot.waitUntil(gate.reached.is_set, timeout=20_000)  # it is looked at
    gate.opened.set()
    hand.wait()
    gate.opened.clear(), gate.reached.clear()
    dock.run()
    qtbot.waitUntil(gate.reached.is_set, timeout=20_000)
    dock.cancel()
    gate.opened.set()
    qtbot.waitUntil(lambda: not dock.runner.running, timeout=20_000)
    assert dock.runner.message.text() == "Cancelled"
    assert len(viewer.layers) == 1
    assert dock.runner.run_button.isEnabled()


def test_what_cannot_be_opened_is_said(dock, hand, notes, tmp_path, qtbot):
    (tmp_path / "notes.txt").write_text("no image")
    hand.drop(tmp_path / "notes.txt")
    assert "notes.txt" in notes[-1][1]
    assert "notes.txt" in dock.runner.message.text()


def test_files_that_are_dropped_during_a_run_are_told_to_wait(
    dock, hand, viewer, gate, notes, qtbot
):
    viewer.add_image(gate, rgb=False, multiscale=False, contrast_limits=(0, 4095))
    gate.opened.set()
    hand.wait()
    gate.opened.clear()
    dock.run()
    dock.open(lambda _run: None)
    assert "A run is under way" in notes[-1][1]
    dock.cancel()
    gate.opened.set()
    qtbot.waitUntil(lambda: not dock.runner.running, timeout=20_000)
    assert len(viewer.layers) == 1


def test_the_result_is_compared_with_the_frames(dock, hand, viewer, cells):
    layer = looked(dock, viewer, hand, cells, axis_labels=("t", "y", "x"))
    assert not dock.compare.isVisibleTo(dock)
    hand.press(dock.runner.run_button)
    assert dock.compare.isVisibleTo(dock)
    before, after = dock.compare.pair()
    assert (before, after) == (layer, dock.result)
    # The dock keeps its frames, so that other steps can be tried on them.
    assert dock.layer == layer
    viewer.layers.remove(dock.result)
    assert not dock.compare.isVisibleTo(dock)
    assert not dock.save_button.isEnabled()


def test_a_closed_dock_stops_looking(viewer, gate, qtbot, run_threads):
    dock = docked(viewer, StackDock)
    viewer.add_image(gate, rgb=False, multiscale=False, contrast_limits=(0, 4095))
    qtbot.waitUntil(gate.reached.is_set, timeout=20_000)
    viewer.window.remove_dock_widget("all")
    gate.opened.set()
    qtbot.waitUntil(lambda: not run_threads(), timeout=20_000)
    assert dock.facts is None


def test_nothing_keeps_frames_and_results_alive(dock, hand, viewer, cells):
    looked(dock, viewer, hand, cells.copy(), axis_labels=("t", "y", "x"), name="cells")
    hand.choose(dock.questions.kind_box, "burst")
    hand.press(dock.runner.run_button)
    references = references_to(viewer)
    assert_let_go(viewer, references)
