"""Names that do not fit in a combo box: what tells them apart stays."""

import pytest
from qtpy.QtWidgets import QStyleOptionComboBox

from napari_stack._widgets.parts.options.elided import distinguishing, shown_text
from napari_stack._widgets.parts.options.inputs import choice


@pytest.mark.parametrize(
    ("text", "others", "room", "shown"),
    [
        ("cells", ["cells - aligned"], 20, "cells"),
        ("cells - aligned - clipped", ["cells - aligned"], 20, "…aligned - clipped"),
        ("cells - aligned - clipped", ["cells - aligned"], 12, "…clipped"),
        ("cells - aligned - clipped", ["other - aligned - clipped"], 20, "cells - aligned - c…"),
        ("cells - aligned - clipped", ["cells - aligned"], 5, "…pped"),
        ("one long name", [], 8, "…ng name"),
        ("anything", [], 0, "…"),
    ],
)
def test_what_tells_a_name_from_the_others_stays(text, others, room, shown):
    assert distinguishing(text, [text, *others], lambda part: len(part) <= room) == shown


def test_a_narrow_box_shows_the_end(qtbot):
    names = ["cells of Tuesday - aligned", "cells of Tuesday - aligned - clipped"]
    box = choice(lambda _widget: names)
    qtbot.addWidget(box.native)
    box.value = names[1]
    option = QStyleOptionComboBox()
    box.native.resize(160, 24)
    option.initFrom(box.native)
    assert shown_text(box.native, option).endswith("clipped")
    assert shown_text(box.native, option) != names[1]
    narrow = box.native.grab().toImage()
    box.native.resize(600, 24)
    option.initFrom(box.native)
    assert shown_text(box.native, option) == names[1]
    box.value = names[0]
    box.native.resize(160, 24)
    assert box.native.grab().toImage() != narrow
