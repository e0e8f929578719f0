"""The time that a run may still take."""

from napari_stack._widgets.parts.run.pace import Pace


def test_a_steady_run():
    pace = Pace()
    assert pace.left(100.0, 0, 10, "Aligning") == ""
    assert pace.left(101.0, 1, 10, "Aligning") == ""  # too soon to tell
    assert pace.left(104.0, 2, 10, "Aligning") == "about 16 s left"
    assert pace.left(118.0, 9, 10, "Aligning") == "about 2 s left"
    assert pace.left(120.0, 10, 10, "Aligning") == ""


def test_what_comes_next_has_a_pace_of_its_own():
    pace = Pace()
    pace.left(0.0, 0, 20, "Aligning")
    assert pace.left(10.0, 10, 20, "Aligning") == "about 10 s left"
    assert pace.left(10.0, 10, 20, "Fusing") == ""
    assert pace.left(40.0, 12, 20, "Fusing") == "about 2 min left"


def test_a_run_that_begins_anew_or_has_no_length():
    pace = Pace()
    pace.left(0.0, 5, 10, "Reading")
    assert pace.left(9.0, 2, 10, "Reading") == ""
    assert pace.left(20.0, 0, 0, "Opening") == ""
