"""`LatestWorker`: it does the newest request, and ends with what it belongs to."""

import threading

import pytest
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication

from napari_stack._widgets.parts.run.latest_worker import LatestWorker


@pytest.fixture
def gate():
    """What a work waits for; open at the end in any case."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def owner(qapp):
    return QObject()


def waiting(gate, begun):
    def work(run):
        begun.set()
        assert gate.wait(20)
        run.tick(0, 1, "waiting")

    return work


def test_only_the_newest_request_is_answered(owner, gate, qtbot):
    latest, begun, answers = LatestWorker(owner, 0), threading.Event(), []
    latest.returned.connect(answers.append)
    latest.ask(waiting(gate, begun), at_once=True)
    assert begun.wait(20)
    latest.ask(lambda _run: "older")
    latest.ask(lambda _run: "newest")
    gate.set()
    qtbot.waitUntil(lambda: not latest.busy)
    assert answers == ["newest"]


def test_nothing_is_busy_once_it_is_deleted(owner, gate, qtbot, run_threads):
    latest, begun = LatestWorker(owner, 0), threading.Event()
    latest.ask(waiting(gate, begun), at_once=True)
    assert begun.wait(20)
    latest.drop()
    assert latest.busy  # until its work has seen that it is not wanted any more
    owner.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not latest.busy
    gate.set()
    qtbot.waitUntil(lambda: not run_threads(), timeout=20_000)
