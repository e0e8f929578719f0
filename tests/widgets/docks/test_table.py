"""The dock of an operator that gives a table: told in words, saved as a file."""

import csv
import io

import numpy as np

from support.docks import DOCKS, cells_layer, docked, ran


def test_quality_is_told_and_saved(viewer, qtbot, cells, tmp_path):
    frames = np.array(cells)
    frames[1] = frames[0]
    cells_layer(viewer, frames)
    dock = docked(viewer, DOCKS["measure_quality"])
    assert not dock.save_button.isEnabled()
    ran(dock, qtbot)
    assert len(viewer.layers) == 1  # nothing is added, nothing is changed
    assert dock.runner.message.text() == f"Measured {len(frames)} frames"
    assert f"1 of {len(frames)} frames have the pixels of an earlier frame: 1" in dock.card.text
    assert dock.save_button.isEnabled()
    dock.save_table(tmp_path / "quality.csv")
    lines = list(csv.DictReader(io.StringIO((tmp_path / "quality.csv").read_text())))
    assert [bool(line["fault"]) for line in lines] == [k == 1 for k in range(len(frames))]


def test_it_is_measured_where_the_sliders_stand(viewer, qtbot, cells):
    channels = np.stack([cells, np.repeat(cells[:1], len(cells), axis=0)], axis=1)
    viewer.add_image(channels, name="a/b", rgb=False, axis_labels=("t", "c", "y", "x"))
    dock = docked(viewer, DOCKS["measure_quality"])
    viewer.dims.set_current_step(1, 1)
    assert dock.measure_at() == {"c": 1}
    assert dock.place.told.text() == "Measured at c = 1, nowhere else"
    ran(dock, qtbot)
    assert dock.runner.message.text() == f"Measured {len(cells)} frames at c = 1"
    assert f"{len(cells) - 1} of {len(cells)} frames have the pixels" in dock.card.text
    assert "Measured at c = 1 only" in dock.card.text


def test_a_table_goes_with_its_frames(viewer, qtbot, cells, monkeypatch):
    first = cells_layer(viewer, cells)
    first.name = "a/b"
    dock = docked(viewer, DOCKS["measure_quality"])
    ran(dock, qtbot)
    asked = []
    monkeypatch.setattr(dock, "save_as", lambda *what: asked.append(what[1]))
    dock.save_button.click()
    assert asked == ["a_b - measure_quality.csv"]
    monkeypatch.setattr(dock.runner, "start", lambda *_: None)  # as one that fails
    dock.run()
    assert dock.table is None
    assert not dock.save_button.isEnabled()
    monkeypatch.undo()
    ran(dock, qtbot)
    assert dock.save_button.isEnabled()
    cells_layer(viewer, cells[:3])
    assert dock.table is None
    assert not dock.save_button.isEnabled()
