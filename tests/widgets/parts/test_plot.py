"""Plots of values over the frames: scales, and what is drawn where."""

import re

import numpy as np
import pytest
from qtpy.QtGui import QColor, QImage

from napari_stack._widgets.parts.plot.plot import _COLOURS, _CROSS, Panel, Plot
from napari_stack._widgets.parts.plot.scales import limits, ticks
from napari_stack.core.errors import UserError
from support.docks import place_of

#: Of the third frame nothing is known; the fourth is crossed, the fifth faded.
VALUES = np.array([[0.0, 3.0], [1.0, 2.5], [np.nan, np.nan], [2.0, 2.0], [1.0, 1.5]])


@pytest.fixture
def plot(qtbot):
    """A plot of two panels, the second with a level."""
    plot = Plot()
    qtbot.addWidget(plot)
    frames = np.arange(5)
    first = Panel("both", VALUES, frames == 4, frames == 3, {}, ("x", "y"))
    second = Panel("one", VALUES[:, :1], frames == 4, frames == 9, {"high": 1.7})
    plot.show_panels([first, second])
    plot.resize(300, plot.height())
    return plot


def saved(plot, path):
    plot.save(path)
    image = QImage(str(path))
    assert (image.width(), image.height()) == (2 * plot.width(), 2 * plot.height())
    return image


def near(image, x, y, colour, reach=3):
    """Whether a colour is drawn around a place, given in pixels of the widget."""
    wanted = QColor(colour)
    around = range(-reach, reach + 1)
    found = (image.pixelColor(round(2 * x) + i, round(2 * y) + j) for i in around for j in around)
    return any(pixel == wanted for pixel in found)


def test_values_are_drawn_where_they_lie(plot, tmp_path):
    image = saved(plot, tmp_path / "plot.png")
    for number, panel in enumerate(plot.panels):
        up = panel.up(number * 86, 86)
        for channel in range(panel.lines.shape[1]):
            for frame, value in enumerate(panel.lines[:, channel]):
                if np.isnan(value):
                    continue
                colour = _CROSS if panel.crossed[frame] else _COLOURS[channel]
                place = place_of(plot, frame), up.pixel(value)
                # A faded frame has a ring around its place.
                reach = 7 if panel.faded[frame] else 3
                assert near(image, *place, colour, reach), (number, frame, channel)
    blank = place_of(plot, 2), plot.panels[0].up(0, 86).pixel(2.9)
    assert not near(image, *blank, _COLOURS[0])


def test_bars_stand_at_the_values(plot, tmp_path):
    frames = np.arange(5)
    bars = np.array([[0.6], [0.8], [1.0], [3.0], [np.nan]])
    panel = Panel("one", VALUES[:, :1], frames == 9, frames == 3, bars=bars)
    plot.show_panels([panel])
    image = saved(plot, tmp_path / "plot.png")
    up = panel.up(0, 86)
    assert up.low < -0.6 < 1.8 < up.high  # bars are within the panel
    for frame, known in ((0, True), (1, True), (3, False), (4, False)):
        end = up.pixel(VALUES[frame, 0] + (bars[frame, 0] if known else 1))
        assert near(image, place_of(plot, frame), end, _COLOURS[0], 4) == known, frame
    assert up.high > 4  # also of a frame that is crossed


def test_the_frame_in_view_is_marked(plot, tmp_path):
    before = saved(plot, tmp_path / "before.png")
    plot.show_current(2)
    after = saved(plot, tmp_path / "after.png")
    x, columns = 2 * place_of(plot, 2), range(after.width())
    y = 2 * 30
    changed = [i for i in columns if before.pixelColor(i, y) != after.pixelColor(i, y)]
    assert changed
    assert all(abs(i - x) <= 2 for i in changed)


def test_svg_holds_the_marks_and_the_texts(plot, tmp_path):
    plot.save(tmp_path / "plot.svg")
    text = (tmp_path / "plot.svg").read_text()
    # 2 x 3 values that are not crossed above, 4 below.
    assert len(re.findall(r"<(?:circle|ellipse) ", text)) == 10
    for written in ("both", "one", "high", ">x<", ">y<"):
        assert written in text
    with pytest.raises(UserError, match=r"as \.png or \.svg"):
        plot.save(tmp_path / "plot.bmp")


def test_limits_and_ticks():
    assert limits(np.array([np.nan])) == (0.0, 1.0)
    low, high = limits(np.array([5.0, 5.0]))
    assert low < 5 < high
    assert ticks(-1.2e-3, 1.3e-3, 3) == [-0.001, 0.0, 0.001]
