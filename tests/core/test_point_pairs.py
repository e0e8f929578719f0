"""Pairs of points: from mappings, rows and files, to plain data and back, and what is refused."""

import json

import numpy as np
import pytest

from napari_stack.core.options import options_of, validation_error
from napari_stack.core.options_json import options_from_json, options_to_json
from napari_stack.core.point_pairs import PairsSource, PointPairs

ROWS = [[3, 1.0, 2.0, 3.5, 4.0], [0, 5.0, 6.0, 7.0, 8.0], [3, 9.0, 10.0, 11.0, 12.0]]


def operator(stack, *, points: PairsSource = None):
    """Do nothing.

    Parameters
    ----------
    stack : Stack
    points : mapping
        Pairs.
    """


@pytest.mark.parametrize(
    "value",
    [
        ROWS,
        np.array(ROWS),
        {3: [(1, 2, 3.5, 4), (9, 10, 11, 12)], 0: [((5, 6), (7, 8))]},
        {"3": [[1, 2, 3.5, 4], [9, 10, 11, 12]], "0": np.array([[5, 6, 7, 8]])},
        PointPairs(np.array(ROWS)),
    ],
)
def test_all_forms_hold_the_same(value):
    found = PointPairs.of(value).by_frame()
    assert sorted(found) == [0, 3]
    np.testing.assert_array_equal(found[3], [[1, 2, 3.5, 4], [9, 10, 11, 12]])
    np.testing.assert_array_equal(found[0], [[5, 6, 7, 8]])


def test_files(tmp_path):
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    (tmp_path / "frames.json").write_text(json.dumps({"3": [[1, 2, 3.5, 4]]}))
    lines = ["frame,reference_x, reference_y,frame_x,frame_y", "3,1,2,3.5,4", "", "0,5,6,7,8"]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    assert PointPairs.of(tmp_path / "rows.json").to_json() == ROWS
    assert PointPairs.of(str(tmp_path / "frames.json")).to_json() == ROWS[:1]
    assert PointPairs.of(tmp_path / "rows.csv").to_json() == ROWS[:2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,2", "begins with the line frame,reference_x"),
        ("frame,reference_x,reference_y,frame_x,frame_y\n1,2,3", "rows of frame, reference_x"),
        ("frame,reference_x,reference_y,frame_x,frame_y\n1,2,3,4,a", "could not convert"),
        ("", "holds no pairs of points"),
    ],
)
def test_files_of_something_else_are_refused_by_name(tmp_path, text, message):
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        PointPairs.of(path)
    assert str(error.value).startswith(f"{path} holds no pairs of points: ")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (7, "got 7"),
        ([[1, 2, 3]], "must be {frame"),
        ([[1.5, 0, 0, 0, 0]], "name frame 1.5"),
        ({-1: [(0, 0, 0, 0)]}, "name frame -1"),
        ({1: [(0, 0, 0, np.nan)]}, "all finite"),
        ({1: [(0, 0)]}, "must be {frame"),
    ],
)
def test_something_else_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        PointPairs.of(value)
    assert message in validation_error(operator, {"points": value})


def test_as_an_option():
    option = options_of(operator)["points"]
    assert option.kind is PointPairs
    for value in (None, "pairs.csv", ROWS, {}, []):
        assert option.validation_error(value) is None
    plain = options_to_json(operator, {"points": {3: [(1, 2, 3.5, 4)]}})
    assert json.loads(json.dumps(plain)) == {"points": ROWS[:1]}
    assert options_from_json(operator, plain) == plain
    assert options_to_json(operator, {"points": "a/b.csv"}) == {"points": "a/b.csv"}
    assert options_to_json(operator, {"points": None}) == {}
