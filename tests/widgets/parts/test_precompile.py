"""Kernels are compiled when a dock opens."""

import numpy as np
import pytest

from napari_stack import _widgets, operators
from napari_stack._widgets.parts.run import precompile
from napari_stack.core.system.ahead import Work


@pytest.fixture
def begun(monkeypatch):
    """Nothing was warmed up yet."""
    monkeypatch.setattr(precompile, "_begun", set())
    monkeypatch.setattr(precompile, "_PAUSE", 0)


def test_a_dock_that_opens_compiles_for_its_layer_once(
    begun, viewer, qtbot, monkeypatch, notes, run_threads
):
    warmed = []

    def warm(operator, **how):
        warmed.append((operator, how.pop("dtype"), how.pop("colours")))
        operators.CATALOGUE[operator]  # it is in the catalogue
        raise ValueError("nobody hears of this")

    monkeypatch.setattr(precompile, "warm", warm)
    viewer.add_image(np.zeros((9, 8, 8), np.uint8))
    for _ in range(2):
        dock = _widgets.SigmaClipDock(viewer)
        qtbot.addWidget(dock)
        dock.show()
    qtbot.waitUntil(lambda: bool(warmed) and not run_threads())
    assert warmed == [("sigma_clip", "|u1", False)]
    assert notes == []


def test_a_dock_without_a_layer_compiles_for_16_bits(begun, viewer, qtbot, run_threads):
    dock = _widgets.CombineDock(viewer)
    qtbot.addWidget(dock)
    dock.show()
    assert precompile._begun == {("combine", "<u2", False)}
    qtbot.waitUntil(lambda: bool(run_threads()))
    qtbot.waitUntil(lambda: not run_threads(), timeout=20_000)


def test_where_another_process_can_compile_no_thread_does(
    begun, viewer, qtbot, monkeypatch, run_threads
):
    asked = []
    monkeypatch.setattr(precompile, "begin", lambda work: asked.append(work) or True)
    viewer.add_image(np.zeros((9, 8, 8, 3), np.uint8), rgb=True)
    dock = _widgets.SigmaClipDock(viewer)
    qtbot.addWidget(dock)
    dock.show()
    qtbot.waitUntil(lambda: bool(asked))
    assert asked == [Work("sigma_clip", "uint8", colours=True, everything=True)]
    assert not run_threads()
