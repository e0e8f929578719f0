"""Docks begin with what they were last run with, and with what the Preferences say."""

import json

import napari.settings
import numpy as np
import pytest
from napari.components import ViewerModel

import napari_stack as ns
from napari_stack import _widgets
from napari_stack._widgets.parts.options.preferences import (
    Preferences,
    last_used,
    preferences,
    remember_options,
)
from support.docks import cells_layer, docked, ran


@pytest.fixture
def opened(qtbot):
    """Opens a dock anew."""

    def opened(kind):
        dock = kind(ViewerModel())
        qtbot.addWidget(dock)
        return dock

    return opened


def test_a_dock_begins_as_it_was_last_run(viewer, qtbot, cells, opened, settings_folder):
    cells_layer(viewer, cells)
    dock = docked(viewer, _widgets.RegisterDock)
    options = {
        "transform": "translation",
        "method": ns.Features(detector="ORB", ratio=0.8125),
        "reference": 3,
    }
    dock.set_options({**options, "region": np.ones((96, 112), bool)})
    assert opened(_widgets.RegisterDock).options() == {}, "not before it was run"
    ran(dock, qtbot)
    del options["reference"]
    kept_options = opened(_widgets.RegisterDock).options()
    assert kept_options == options, "masks and numbers of frames belong to the data"
    assert opened(_widgets.CombineDock).options() == {}
    kept = json.loads((settings_folder / "last-used.json").read_text())
    assert set(kept["register"]) == set(options), "defaults are not kept"
    again = opened(_widgets.RegisterDock)
    again.reset()
    assert again.options() == {}


def test_a_run_that_fails_is_not_remembered(viewer, qtbot, cells, notes):
    cells_layer(viewer, cells)
    dock = docked(viewer, _widgets.RegisterDock)
    dock.set_options({"transform": "translation", "reference": 11})
    ran(dock, qtbot)
    assert notes
    assert last_used(ns.register) == {}


def test_numbers_of_frames_kept_before_are_left_out(settings_folder):
    settings_folder.mkdir()
    kept = {"reference": 11, "transform": "rigid"}
    (settings_folder / "last-used.json").write_text(json.dumps({"register": kept}))
    assert last_used(ns.register) == {"transform": "rigid"}
    remember_options(ns.register, {"reference": "first"})
    assert last_used(ns.register) == {"reference": "first"}


def test_unknown_and_out_of_range_values_are_left_out(settings_folder):
    settings_folder.mkdir()
    path = settings_folder / "last-used.json"
    kept = {"sigma": 1e9, "iterations": 3, "sugma": 1, "centre": ["mean"], "dtype": None}
    path.write_text(json.dumps({"sigma_clip": kept, "combine": [1], "other": {}}))
    assert last_used(ns.sigma_clip) == {"iterations": 3}
    assert last_used(ns.combine) == {}
    for text in ("[1, 2]", "{", ""):
        path.write_text(text)
        assert last_used(ns.sigma_clip) == {}
    remember_options(ns.sigma_clip, {"sigma": 2.0})
    assert last_used(ns.sigma_clip) == {"sigma": 2.0}


def test_a_folder_that_cannot_be_written_loses_nothing_else(settings_folder, caplog):
    settings_folder.write_text("a file where the folder should be")
    remember_options(ns.sigma_clip, {"sigma": 2.0})
    assert "not kept" in caplog.text
    assert last_used(ns.sigma_clip) == {}


@pytest.fixture
def saved(settings_folder):
    """The file that napari writes when a setting is changed, which it does not while testing."""
    settings_folder.mkdir()
    (settings_folder / "napari-stack.yaml").touch()


def test_napari_is_not_asked_where_nothing_was_ever_set(monkeypatch):
    def ask(_plugin):
        raise AssertionError("napari was asked")

    monkeypatch.setattr(napari.settings, "get_plugin_settings", ask, raising=False)
    assert preferences() == Preferences()


@pytest.mark.usefixtures("saved")
def test_preferences_of_napari_are_what_docks_run_with(viewer, qtbot, tmp_path, monkeypatch):
    settings = pytest.importorskip("napari.settings")
    if not hasattr(settings, "get_plugin_settings"):
        pytest.skip("this napari has no Preferences for plugins")
    viewer.add_image(np.zeros((4, 16, 16), np.uint8), name="frames")
    dock = docked(viewer, _widgets.CombineDock)
    running = settings.get_plugin_settings("napari-stack").running
    assert preferences() == Preferences(), "the manifest has the same defaults"
    running.memory, running.workers, running.scratch = 0.25, 3, f" {tmp_path} "
    how = []
    monkeypatch.setattr(dock.runner, "start", lambda work, done: how.append(dock.runner.run))
    dock.run()
    dock.runner.how = ns.Run(workers=1)
    dock.run()
    assert how == [ns.Run(workers=3, memory=2**28, scratch=str(tmp_path)), ns.Run(workers=1)]


@pytest.mark.usefixtures("saved")
def test_interpolation_of_the_preferences(opened, viewer, qtbot, cells):
    napari.settings.get_plugin_settings("napari-stack").running.interpolation = "lanczos"
    assert opened(_widgets.RegisterDock).options() == {"interpolation": "lanczos"}
    assert opened(_widgets.CombineDock).options() == {}, "it has none"
    cells_layer(viewer, cells)
    dock = docked(viewer, _widgets.RegisterDock)
    dock.set_options({"interpolation": "cubic", "transform": "translation"})
    ran(dock, qtbot)
    again = opened(_widgets.RegisterDock)
    assert again.options() == {"transform": "translation"}, "the last used one comes first"
    again.reset()
    assert again.options() == {"interpolation": "lanczos"}


def test_an_older_napari_has_the_defaults(monkeypatch, opened):
    monkeypatch.delattr(napari.settings, "get_plugin_settings", raising=False)
    assert preferences() == Preferences()
    assert opened(_widgets.RegisterDock).options() == {}
    assert Preferences(workers=2, scratch="there").run == ns.Run(workers=2, scratch="there")
