"""The card of a result, in docks."""

import numpy as np

from napari_stack import samples
from napari_stack._widgets import (
    CorrectVignettingDock,
    RegisterDock,
    RepairHotPixelsDock,
    SelectFramesDock,
    SigmaClipDock,
    StackDock,
)
from napari_stack._widgets.parts.run.card import ResultCard
from napari_stack.core.said import Said
from support.docks import cells_layer, docked, ran


def test_a_card_shows_sentences_and_buttons(qtbot):
    done = []
    card = ResultCard(done.append)
    qtbot.addWidget(card)
    card.show_lines(
        [Said("A"), Said("B", "Show", opens="Recipe"), Said("C", "Do it", {"sigma": 2.0})],
        done.append,
    )
    assert card.text == "A\nB\nC"
    assert [button.text() for button in card.buttons] == ["Show", "Do it"]
    for button in card.buttons:
        button.click()
    assert done == ["Recipe", card.lines[2]]
    card.show_lines([Said("C", "Do it", {"sigma": 2.0})])
    assert card.buttons == []  # nobody does it
    card.show_lines([])
    assert card.isHidden()


def test_a_dock_says_what_came_out_and_opens_more(viewer, qtbot, cells):
    cells_layer(viewer, cells)
    dock = docked(viewer, RegisterDock)
    dock.set_options({"transform": "translation"})
    assert dock.card.isHidden()
    ran(dock, qtbot)
    assert dock.card.text.startswith("6 of 6 frames aligned, drift up to")
    dock.card.buttons[0].click()
    assert "Frame Inspector (napari-stack)" in viewer.window.dock_widgets


def test_what_a_card_offers_is_done(viewer, qtbot):
    cells_layer(viewer, np.asarray(samples.cosmic_rays(10, (48, 64))[0]))
    dock = docked(viewer, SigmaClipDock)
    ran(dock, qtbot)
    with qtbot.waitSignal(dock.runner.finished, timeout=60_000):
        dock.card.buttons[-1].click()
    assert dock.options() == {"centre": "median", "spread": "MAD"}
    assert [line.offer for line in dock.card.lines] == ["Plot", ""], "nothing more is offered"


def test_the_stack_dock_mends_the_step(viewer, qtbot):
    cells_layer(viewer, np.asarray(samples.cosmic_rays(24, (48, 64))[0]))
    dock = docked(viewer, StackDock)
    qtbot.waitUntil(lambda: not dock.looking.busy, timeout=20_000)
    dock.questions.kind = "burst"
    dock.checklist.mend("sigma_clip", {"sigma": 3.0})
    ran(dock, qtbot)
    assert dock.recipe().steps[-1].options == {"sigma": 3.0}
    assert "of all values rejected" in dock.card.text
    assert "frames aligned" in dock.card.text


def test_a_card_shows_where_hot_pixels_are(viewer, qtbot, cells):
    hot = cells.copy()
    hot[:, 20, 30] = 4095
    cells_layer(viewer, hot)
    dock = docked(viewer, RepairHotPixelsDock)
    ran(dock, qtbot)
    dock.card.buttons[0].click()
    shown = viewer.layers[-1]
    assert shown.name == "cells - hot pixels"
    assert shown.data[20, 30] == 1
    np.testing.assert_allclose(shown.scale, (0.1, 0.1))
    np.testing.assert_allclose(shown.translate, (1, 2))


def test_a_card_shows_the_light(viewer, qtbot, cells):
    y, x = np.mgrid[-1 : 1 : cells.shape[1] * 1j, -1 : 1 : cells.shape[2] * 1j]
    dark = (cells * (1 - 0.3 * (y * y + x * x) / 2)).astype(cells.dtype)
    cells_layer(viewer, dark)
    dock = docked(viewer, CorrectVignettingDock)
    ran(dock, qtbot)
    dock.card.buttons[0].click()
    shown = viewer.layers[-1]
    assert shown.name == "cells - light"
    assert shown.data[0, 0] < 0.9 < shown.data[48, 56]


def test_a_selection_says_how_many_frames_are_used(viewer, qtbot, cells, notes):
    cells_layer(viewer, cells)
    dock = docked(viewer, SelectFramesDock)
    ran(dock, qtbot)
    assert dock.card.text == "3 of 6 frames are used; the others stay in the layer, left out"
    dock.card.buttons[0].click()
    assert "Frame Inspector (napari-stack)" in viewer.window.dock_widgets
    assert any("left out" in text for _, text in notes), "and the warning says why"
