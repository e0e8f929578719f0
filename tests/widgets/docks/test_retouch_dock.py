"""The retouch dock: strokes painted with the mouse, undo, erasing, sources, files, refusion."""

from types import SimpleNamespace

import numpy as np
import pytest
from napari.utils.key_bindings import coerce_keybinding

import napari_stack as ns
from napari_stack import layers
from napari_stack._widgets import FocusStackDock, RetouchDock
from napari_stack._widgets.parts.options.fields import field_of
from napari_stack.core.options import options_of
from napari_stack.layers.provenance import KEY, link_of
from napari_stack.layers.retouch import strokes_of
from napari_stack.recipe import Recipe
from support.docks import assert_let_go, docked, ran, references_to
from support.focus_scenes import ramp

SIZE = (150, 190)


@pytest.fixture(scope="module")
def series():
    return np.clip(ramp(SIZE)[0], 0, 255).astype(np.uint8)


def fused(viewer, data, **options):
    look = {"name": "frames", "rgb": False, "axis_labels": ("z", "y", "x")}
    look |= {"scale": (3, 0.5, 0.5), "translate": (0, 10, 20), "units": ("um", "um", "um")}
    source = viewer.add_image(data, contrast_limits=(0, 255), **look)
    made = [viewer.add_layer(layer) for layer in layers.focus_stack(source, **options)]
    viewer.layers.selection.active = made[0]
    return source, made


@pytest.fixture
def dock(viewer):
    return docked(viewer, RetouchDock)


def painting(dock, qtbot, radius=12):
    """Begin to paint, and wait for the source."""
    dock.source.radius.value = radius
    ran(dock, qtbot, dock.paint_or_stop)
    assert dock.painter.painting
    loaded(dock, qtbot)


def loaded(dock, qtbot):
    qtbot.waitUntil(lambda: not dock.painter.loading.busy, timeout=20_000)


def show(dock, qtbot, frame):
    dock.viewer.dims.set_point(0, 3 * frame)
    loaded(dock, qtbot)


def world(dock, y, x):
    """Where a pixel lies in the viewer."""
    return (*dock.viewer.dims.point[:-2], *dock.painter.image.data_to_world((y, x)))


def event(kind, position, button=1, modifiers=()):
    return SimpleNamespace(
        type=kind, position=position, button=button, modifiers=modifiers, handled=False
    )


def stroke(dock, *points):
    """Press, move and release the mouse, as the viewer hands it to its callbacks."""
    (callback,) = [c for c in dock.viewer.mouse_drag_callbacks if c is dock.painter.brush._drag]
    happening = event("mouse_press", world(dock, *points[0]))
    steps = callback(dock.viewer, happening)
    if next(steps, "no stroke") == "no stroke":
        return False
    for point in points[1:]:
        happening.type, happening.position = "mouse_move", world(dock, *point)
        next(steps)
    happening.type = "mouse_release"
    next(steps, None)
    return True


def press(layer, key):
    layer.keymap[coerce_keybinding(key)](layer)


def images(dock):
    return {kind: layer.data.copy() for kind, layer in dock.session.layers.items()}


def test_interactive_is_replay_bit_for_bit(dock, viewer, qtbot, series):
    source, made = fused(viewer, series)
    before = [layer.data.copy() for layer in made]
    painting(dock, qtbot)
    assert dock.painter.image.name == "frames - fused - retouched"
    assert not made[0].visible
    assert source.visible
    show(dock, qtbot, 0)
    assert stroke(dock, (70, 120), (75, 135), (80, 150))
    show(dock, qtbot, 4)
    assert stroke(dock, (75, 140), (40, 60.3), (41, 60))
    dock.source.toggle_erasing()
    assert stroke(dock, (60, 100))
    known = strokes_of(dock.painter.image)
    assert [s.source for s in known] == [0, 4, "fused"]
    assert (known.frames, known.size) == (6, SIZE)
    again = ns.focus_stack(ns.Stack.wrap(series), retouch=known)
    for kind, image in images(dock).items():
        np.testing.assert_array_equal(image, again._asdict()[kind], err_msg=kind)
    assert (again.image != before[0]).any()
    for layer, data in zip(made, before, strict=True):  # no other layer was touched
        np.testing.assert_array_equal(layer.data, data)
    recipe = Recipe.from_json(dock.painter.image.metadata[KEY]["recipe"])
    replayed = recipe.run(ns.Stack.wrap(series))["focus_stack"]
    np.testing.assert_array_equal(replayed.image, again.image)
    for kind, layer in dock.session.layers.items():
        assert link_of(layer).kind == kind
        assert tuple(layer.scale) == (0.5, 0.5)


def test_events_of_the_canvas(dock, viewer, qtbot, series, window, monkeypatch):
    """From the window's own mouse events on; the camera stays where it is."""
    fused(viewer, series)
    painting(dock, qtbot)
    canvas = window.window._qt_viewer.canvas
    centre = window.scene.camera.center
    before = dock.painter.image.data.copy()
    middle = np.array(canvas.size[::-1]) / 2
    # What lies under the mouse is found by drawing, and a window that is not shown need not draw.
    monkeypatch.setattr(canvas._scene_canvas, "visual_at", lambda _position: canvas.view)
    send = canvas._scene_canvas.events
    send.mouse_press(pos=middle, modifiers=(), button=1)
    press = SimpleNamespace(button=1, pos=middle)
    pressed = dock.painter.image.world_to_data(viewer.cursor.position[-2:])
    assert dock.painter.growing is not None
    assert dock.painter.overlay.layer.visible
    np.testing.assert_array_equal(dock.painter.image.data, before)
    for step in (5, 10):
        send.mouse_move(pos=middle + step, modifiers=(), button=1, press_event=press)
    send.mouse_release(pos=middle + 10, modifiers=(), button=1)
    assert window.scene.camera.center == centre
    assert not dock.painter.overlay.layer.visible
    assert len(dock.session.strokes) == 1
    assert (dock.painter.image.data != before).any()
    np.testing.assert_allclose(dock.session.strokes[0].points[0], pressed, atol=0.01)


def test_strokes_too_long_ago_to_be_undone_are_told(dock, viewer, qtbot, series, monkeypatch):
    monkeypatch.setattr("napari_stack.layers.retouch.session._UNDO_BYTES", 1)
    fused(viewer, series)
    painting(dock, qtbot)
    assert stroke(dock, (20, 20))
    assert dock.state.text() == "1 stroke"
    assert stroke(dock, (40, 40))
    assert dock.state.text() == "2 strokes; the first can only be erased, no longer undone"
    dock.undo_button.click()
    assert not dock.undo_button.isEnabled()


def test_undo_and_redo(dock, viewer, qtbot, series):
    fused(viewer, series)
    painting(dock, qtbot)
    states = [images(dock)]
    for frame in (1, 3):
        show(dock, qtbot, frame)
        assert stroke(dock, (70, 60 + 30 * frame), (90, 80))
        states.append(images(dock))
    assert dock.state.text() == "2 strokes"
    for step in (dock.undo_button.click, dock.painter.undo, dock.painter.undo):
        step()
    assert not dock.undo_button.isEnabled()
    assert strokes_of(dock.painter.image) is None
    assert "retouch" not in str(dock.painter.image.metadata[KEY]["recipe"])
    for kind, image in images(dock).items():
        np.testing.assert_array_equal(image, states[0][kind])
    dock.redo_button.click()
    dock.painter.redo()
    for kind, image in images(dock).items():
        np.testing.assert_array_equal(image, states[2][kind])
    dock.painter.undo()
    assert stroke(dock, (20, 20))  # what was undone is gone
    assert not dock.redo_button.isEnabled()
    assert [s.source for s in dock.session.strokes] == [1, 3]


def test_the_overlay_lies_where_the_stroke_is(dock, viewer, qtbot, series):
    fused(viewer, np.tile(series, (1, 4, 4)))
    painting(dock, qtbot)
    painter = dock.painter
    assert painter.pressed(world(dock, 400, 500))
    painter.dragged(world(dock, 410, 520))
    shown, (rows, columns) = painter.overlay.layer, painter.growing.window
    assert shown.data.shape == (rows.stop - rows.start, columns.stop - columns.start)
    assert shown.data.size < painter.image.data.size * 0.7
    np.testing.assert_allclose(
        shown.data_to_world((0, 0)), painter.image.data_to_world((rows.start, columns.start))
    )
    values = shown.data.copy()
    painter.lifted()
    np.testing.assert_array_equal(painter.image.data[rows, columns], values)


def test_labels_show_the_frames(dock, viewer, qtbot, series):
    fused(viewer, series)
    painting(dock, qtbot)
    show(dock, qtbot, 2)
    stroke(dock, (70, 60))
    dock.show_box.setChecked(True)
    labels = dock.labels.data
    assert (labels[70, 60], labels[70, 130]) == (3, 0)
    assert dock.painter.painting  # the labels did not become the active layer
    stroke(dock, (70, 130))
    assert labels[70, 130] == 3
    dock.source.toggle_erasing()
    stroke(dock, (70, 60))
    assert labels[70, 60] == 0
    dock.painter.undo()
    assert labels[70, 60] == 3
    dock.show_box.setChecked(False)
    assert dock.labels is None
    assert all("strokes" not in layer.name for layer in viewer.layers)


def test_keys_and_the_sharpest_frame(dock, viewer, qtbot, series):
    fused(viewer, series)
    painting(dock, qtbot, radius=10)
    image = dock.painter.image
    assert image.cursor == "circle"
    assert image.cursor_size == pytest.approx(10)  # 20 px of half a micrometer
    press(image, "]")
    assert dock.source.radius.value == 12
    press(image, "[")
    assert dock.source.radius.value == 10
    viewer.cursor.position = world(dock, 75, 170)
    with qtbot.waitSignal(dock.painter.finding.returned, timeout=20_000):
        press(image, "S")
    qtbot.waitUntil(lambda: not dock.painter.finding.busy)
    loaded(dock, qtbot)
    assert viewer.dims.current_step[0] in (4, 5)
    press(image, "E")
    assert dock.source.source(0, 6) == "fused"
    dock.painter.stop()
    assert coerce_keybinding("S") not in image.keymap
    assert image.cursor == "standard"


def test_other_sources(dock, viewer, qtbot, series):
    source, made = fused(viewer, series)
    other = viewer.add_layer(layers.focus_stack(source, method="pyramid")[0])
    viewer.layers.selection.active = made[0]
    painting(dock, qtbot)
    dock.source.box.value = "slab"
    show(dock, qtbot, 2)
    assert stroke(dock, (70, 60))
    dock.source.box.value = f"fusion {other.name}"
    loaded(dock, qtbot)
    assert stroke(dock, (70, 130))
    slab, fusion = (s.source for s in dock.session.strokes)
    assert slab == ns.Slab(1, 3)
    assert fusion == ns.Fusion({"method": "pyramid"})
    assert dock.painter.image.data[70, 130] == other.data[70, 130]
    again = ns.focus_stack(ns.Stack.wrap(series), retouch=strokes_of(dock.painter.image))
    np.testing.assert_array_equal(again.image, dock.painter.image.data)
    np.testing.assert_array_equal(again.depth, dock.session.layers["depth"].data)


def test_painting_ends(dock, viewer, qtbot, series):
    source, made = fused(viewer, series)
    callbacks = list(viewer.mouse_drag_callbacks)
    painting(dock, qtbot)
    image = dock.painter.image
    assert not image.mouse_pan

    def ended():
        assert not dock.painter.painting
        assert list(viewer.mouse_drag_callbacks) == callbacks
        assert image.mouse_pan
        assert all(layer.name != "stroke" for layer in viewer.layers)

    image.mode = "transform"
    ended()
    dock.paint_or_stop()  # goes on with the same copy
    assert dock.painter.image is image
    viewer.layers.selection.active = source
    ended()
    assert stroke_count(viewer) == 0
    viewer.layers.selection.active = made[0]
    assert dock.session is None
    viewer.layers.selection.active = image
    assert dock.session is not None
    dock.paint_or_stop()
    viewer.window.remove_dock_widget(dock)
    ended()


def stroke_count(viewer):
    return sum(len(strokes_of(layer) or ()) for layer in viewer.layers)


def test_nothing_is_painted_from_a_source_that_is_loading(dock, viewer, qtbot, gate):
    layer = viewer.add_image(gate.data, rgb=False, axis_labels=("z", "y", "x"))
    viewer.add_layer(layers.focus_stack(layer, method="pyramid", depth=False)[0])
    painting(dock, qtbot)
    painter = dock.painter
    before = painter.image.data.copy()
    real, waiting = type(dock.session).load, gate.opened

    def slow(self, *args):
        gate.reached.set()
        assert waiting.wait(20)
        return real(self, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(dock.session), "load", slow)
        viewer.dims.set_point(0, 1)
        qtbot.waitUntil(gate.reached.is_set)
        assert not stroke(dock, (40, 40))
        assert dock.runner.message.text() == "Loading frame 1 ..."
        waiting.set()
        loaded(dock, qtbot)
    assert dock.runner.message.text() == "Painting from frame 1"
    np.testing.assert_array_equal(painter.image.data, before)
    assert stroke(dock, (40, 40))


def test_files_and_refusion(dock, viewer, qtbot, series, tmp_path):
    fused(viewer, series)
    painting(dock, qtbot)
    stroke(dock, (70, 60), (90, 80))
    painted = images(dock)
    dock.save(tmp_path / "strokes.json")
    dock.painter.undo()
    ran(dock, qtbot, lambda: dock.load(tmp_path / "strokes.json"))
    for kind, image in images(dock).items():
        np.testing.assert_array_equal(image, painted[kind])
    dock.painter.undo()
    assert dock.session.strokes == []
    dock.painter.redo()
    ns.Strokes((), frames=3).save(tmp_path / "other.json")
    dock.load(tmp_path / "other.json")
    assert "painted on 3 frames, and these are 6" in dock.runner.message.text()
    focus = dock.fuse_again()
    assert isinstance(focus, FocusStackDock)
    focus.set_options({"method": "pyramid"})
    known = strokes_of(dock.painter.image)
    assert focus.options() == {"retouch": known, "method": "pyramid"}
    ran(focus, qtbot)
    made = viewer.layers.selection.active
    expected = ns.focus_stack(ns.Stack.wrap(series), retouch=known, method="pyramid")
    np.testing.assert_array_equal(made.data, expected.image)


def test_the_option_in_the_dock_of_focus_stack(viewer, qtbot, series, tmp_path):
    focus, (source, _) = docked(viewer, FocusStackDock), fused(viewer, series)
    focus.layer = source
    strokes = ns.Strokes((ns.Stroke(4, [(40, 60)], 20),))
    strokes.save(tmp_path / "strokes.json")
    focus.set_options({"retouch": tmp_path / "strokes.json"})
    ran(focus, qtbot)
    made = viewer.layers.selection.active
    assert made.data[40, 60] == series[4, 40, 60]
    assert strokes_of(made) == strokes
    field = field_of(options_of(ns.focus_stack)["retouch"], lambda: [source, made])
    assert field.value is None
    field._choice.value = made
    assert field.value == strokes
    field.value = other = ns.Strokes()
    assert field.value is other


def test_denoised_images_are_painted_before_denoising(dock, viewer, qtbot, series):
    _, made = fused(viewer, series, sharpen=0.5)
    plain = ns.focus_stack(ns.Stack.wrap(series))
    painting(dock, qtbot)
    np.testing.assert_array_equal(dock.painter.image.data, plain.image)
    assert (made[0].data != plain.image).any()
    stroke(dock, (70, 60))
    assert link_of(dock.painter.image).steps[-1].options["retouch"] == strokes_of(
        dock.painter.image
    )


def test_every_place_is_painted_for_itself(dock, viewer, qtbot, series):
    data = np.stack([series[:, :96, :128], series[::-1, :96, :128]], axis=1)  # (z, t, y, x)
    layer = viewer.add_image(data, rgb=False, axis_labels=("z", "t", "y", "x"), name="frames")
    made = viewer.add_layer(layers.focus_stack(layer, axis="z", depth_unit="frame")[0])
    viewer.layers.selection.active = made
    painting(dock, qtbot)
    before = dock.painter.image.data.copy()
    viewer.dims.set_point((0, 1), (4, 1))
    loaded(dock, qtbot)
    assert stroke(dock, (40, 60))
    (known,) = strokes_of(dock.painter.image)
    assert (known.source, known.position) == (4, {"t": 1})
    after = dock.painter.image.data
    np.testing.assert_array_equal(after[0], before[0])
    assert after[1, 40, 60] == data[4, 1, 40, 60]
    hyper = ns.Hyperstack.wrap(data, axes="ztyx")
    again = hyper.map(ns.focus_stack, retouch=strokes_of(dock.painter.image))
    np.testing.assert_array_equal(again.image, after)


def test_other_layers_are_not_offered(dock, viewer, cells):
    layer = viewer.add_image(cells, rgb=False)
    assert "Choose a focus-stacked image" in dock.title.text()
    assert not dock.runner.run_button.isEnabled()
    viewer.layers.selection.active = viewer.add_layer(layers.combine(layer)[0])
    assert not dock.runner.run_button.isEnabled()


def test_nothing_is_kept(dock, viewer, qtbot, series):
    fused(viewer, series.copy())
    painting(dock, qtbot)
    stroke(dock, (40, 40))
    references = references_to(viewer)
    assert_let_go(viewer, references)
    assert dock.session is None
