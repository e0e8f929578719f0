"""Results shown in parts: the window lives between two, and the run ends after the last."""

import threading
import warnings

import numpy as np
import pytest
from qtpy.QtCore import QTimer

from napari_stack import Stack, layers
from napari_stack._widgets.parts.run.adding import add_in_parts, select
from napari_stack._widgets.parts.run.runner import Runner
from napari_stack.core.source import Source


@pytest.fixture
def runner(qtbot):
    made = Runner()
    qtbot.addWidget(made)
    return made


def shows(heard, parts=3, fails_at=None):
    """What shows a result in parts."""

    def done(result):
        for number in range(parts):
            if number == fails_at:
                raise ValueError("no more")
            heard.append(number)
            QTimer.singleShot(0, lambda: heard.append("the window"))
            yield
        return f"Added {result}"

    return done


def test_the_window_lives_between_two_parts(runner, qtbot):
    heard = []
    with qtbot.waitSignal(runner.finished):
        runner.start(lambda _run: 7, shows(heard))
    assert heard == [0, "the window", 1, "the window", 2, "the window"]
    assert runner.message.text() == "Added 7"
    assert not runner.running
    with qtbot.waitSignal(runner.finished):
        runner.start(lambda _run: 8, lambda result: f"Added {result}")
    assert runner.message.text() == "Added 8"


def test_a_dock_that_is_closed_meanwhile_adds_the_rest_at_once(runner, qtbot):
    heard = []
    with qtbot.waitSignal(runner.finished):
        runner.start(lambda _run: 7, shows(heard))
        qtbot.waitUntil(lambda: heard != [])
        runner.abandon()
        assert [part for part in heard if part != "the window"] == [0, 1, 2]


def test_a_dock_that_is_closed_meanwhile_leaves_no_timers(runner, qtbot, monkeypatch):
    """The parts may be thousands, while a frame is waited for: each timer costs the window time."""
    timers, heard = [], []
    single_shot = QTimer.singleShot
    monkeypatch.setattr(
        QTimer, "singleShot", lambda *args: (timers.append(args), single_shot(*args))
    )

    def done(_result):
        for number in range(50):
            heard.append(number)
            yield
        return "Added"

    with qtbot.waitSignal(runner.finished):
        runner.start(lambda _run: 7, done)
        qtbot.waitUntil(lambda: heard != [])
        begun = len(timers)
        runner.abandon()
        assert heard == list(range(50))
        assert len(timers) == begun


def test_what_is_being_added_can_no_longer_be_cancelled(runner, qtbot):
    allowed, told = [], []

    def done(_result):
        for _ in range(2):
            allowed.append(runner.cancel_button.isEnabled())
            told.append(runner.message.text())
            yield
        return "Added"

    with qtbot.waitSignal(runner.finished):
        runner.start(lambda _run: 7, done)
        assert runner.cancel_button.isEnabled()
    assert allowed == [False, False]
    assert told == ["Showing the result ..."] * 2
    assert runner.message.text() == "Added"


@pytest.mark.parametrize("part", [0, 2])
def test_a_fault_while_a_result_is_shown_ends_the_run(runner, qtbot, part):
    heard = []
    with qtbot.captureExceptions() as faults, qtbot.waitSignal(runner.finished):
        runner.start(lambda _run: 7, shows(heard, fails_at=part))
    assert [str(error) for _, error, _ in faults] == ["no more"]
    assert runner.message.text() == "Failed"
    assert not runner.running


class Watched(Source):
    """Frames of one brightness each; it notes which are read, and whether ahead of the viewer."""

    shape, dtype = (5, 8, 9), np.dtype(np.uint16)

    def __init__(self):
        self.read = []

    def pixels(self, index, rows=None):
        self.read.append((index, threading.current_thread().name == "napari-stack-ahead"))
        return np.full((8, 9), index, np.uint16)[slice(None) if rows is None else rows], None


def test_the_frame_in_view_of_a_lazy_layer_is_computed_in_a_thread(viewer):
    source = Watched()
    layer = layers.to_layer(Stack(source), "lazy", limits=(0, 9), visible=False)
    for _ in add_in_parts(viewer, [layer], [layer]):
        pass
    assert layer.visible
    assert source.read == [(2, True)]  # that of the slider alone, once
    assert layer._slice.image.raw.max() == 2
    viewer.dims.set_current_step(0, 4)
    assert source.read[1:] == [(4, False)]
    viewer.dims.set_current_step(0, 2)
    assert layer._slice.image.raw.max() == 2


def test_a_frame_that_cannot_be_computed_is_told_and_stays_hidden(viewer, monkeypatch, notes):
    source = Watched()
    layer = layers.to_layer(Stack(source), "lazy", limits=(0, 9), visible=False)
    parts = add_in_parts(viewer, [layer], [layer])
    next(parts)

    def fails(index, rows=None):
        raise FileNotFoundError(f"frame {index} is gone")

    monkeypatch.setattr(source, "pixels", fails)
    for _ in parts:
        pass
    assert layer in viewer.layers
    assert not layer.visible
    assert "frame 2 is gone" in notes[-1][1]


def test_a_hidden_layer_keeps_its_thumbnail(viewer, cells):
    layer = layers.focus_stack(layers.to_layer(Stack.wrap(cells)))[2]
    for _ in add_in_parts(viewer, [layer]):
        pass
    assert not layer.visible
    assert layer.thumbnail[..., :3].any()


def test_the_bar_of_colours_comes_after_its_layer(viewer, cells):
    layer = layers.focus_stack(layers.to_layer(Stack.wrap(cells)))[1]
    assert layer.colorbar.visible
    seen = [(layer in viewer.layers, layer.colorbar.visible) for _ in add_in_parts(viewer, [layer])]
    assert seen == [(False, True), (True, False), (True, True)]


def test_a_layer_that_was_removed_meanwhile_is_not_made_active(viewer, cells):
    kept, gone = (layers.to_layer(Stack.wrap(cells), name) for name in ("kept", "gone"))
    for _ in add_in_parts(viewer, [kept, gone]):
        if gone in viewer.layers:
            viewer.layers.remove(gone)
    select(viewer, kept)
    select(viewer, gone)
    assert viewer.layers.selection.active == kept
    assert list(viewer.layers) == [kept]


def test_warnings_that_differ_in_numbers_alone_are_shown_once(runner, qtbot, notes):
    def work(_run):
        for text in ("5% is out of focus", "4.5% is out of focus", "a frame failed"):
            warnings.warn_explicit(text, UserWarning, "some.py", 1, module="napari_stack.some")

    with qtbot.waitSignal(runner.finished):
        runner.start(work, lambda _result: "Added 'x'.")
    assert [text for _, text in notes] == ["5% is out of focus", "a frame failed"]
    assert runner.message.text() == "Added 'x'. Warnings like those shown: 1 more"
