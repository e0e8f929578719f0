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
