"""The card of a result, in docks."""

import numpy as np

from napari_stack import samples
from napari_stack._widgets import RegisterDock, SigmaClipDock, StackDock
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
    with qtbot.waitSignal(dock.runner.finished):
        dock.card.buttons[-1].click()
    assert dock.options() == {"centre": "median", "spread": "MAD"}
    assert len(dock.card.lines) == 1


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
