"""Results shown in parts: the window lives between two, and the run ends after the last."""

import pytest
from qtpy.QtCore import QTimer

from napari_stack._widgets.parts.run.runner import Runner


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


@pytest.mark.parametrize("part", [0, 2])
def test_a_fault_while_a_result_is_shown_ends_the_run(runner, qtbot, part):
    heard = []
    with qtbot.captureExceptions() as faults, qtbot.waitSignal(runner.finished):
        runner.start(lambda _run: 7, shows(heard, fails_at=part))
    assert [str(error) for _, error, _ in faults] == ["no more"]
    assert runner.message.text() == "Failed"
    assert not runner.running
