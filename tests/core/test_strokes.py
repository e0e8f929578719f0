"""Strokes: to plain data and files and back, at places of other axes, and what is refused."""

import json

import numpy as np
import pytest

from napari_stack.core.options import options_of, validation_error
from napari_stack.core.options_json import options_from_json, options_to_json
from napari_stack.core.stroke import FUSED, Fusion, Slab, Stroke
from napari_stack.core.strokes import Strokes, StrokesSource

LINE = [(3, 4), (3.5, 9)]
ALL = Strokes(
    (
        Stroke(3, LINE, 5),
        Stroke(Slab(1, 4), LINE, 2.5, {"t": 1}),
        Stroke(Fusion({"method": {"name": "pyramid", "min_size": 16}}), LINE, 2, {"t": 0, "c": 1}),
        Stroke(FUSED, LINE[:1], 1),
    ),
    frames=5,
    size=(20, 30),
)


def operator(stack, *, retouch: StrokesSource = None):
    """Do nothing.

    Parameters
    ----------
    stack : Stack
    retouch : Strokes
        Strokes.
    """


def test_plain_data_and_files(tmp_path):
    plain = json.loads(json.dumps(ALL.to_json()))
    assert Strokes.of(plain) == ALL
    assert Strokes.of(plain["strokes"]).strokes == ALL.strokes
    assert Strokes.of(list(ALL)).strokes == ALL.strokes
    ALL.save(tmp_path / "strokes.json")
    assert Strokes.of(str(tmp_path / "strokes.json")) == Strokes.of(ALL) == ALL
    with pytest.raises(FileExistsError):
        ALL.save(tmp_path / "strokes.json")
    with pytest.raises(ValueError, match=r"written as \.json"):
        ALL.save(tmp_path / "strokes.npz")


def test_strokes_differ():
    assert Stroke(3, LINE, 5) == Stroke(np.int64(3), np.array(LINE), 5.0)
    for other in (Stroke(2, LINE, 5), Stroke(3, LINE[::-1], 5), Stroke(3, LINE, 6)):
        assert Stroke(3, LINE, 5) != other
    assert Strokes(ALL.strokes[::-1], 5, (20, 30)) != ALL
    assert len(ALL) == 4


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"source": -1, "points": LINE, "radius": 2}, "number of a frame"),
        ({"source": True, "points": LINE, "radius": 2}, "number of a frame"),
        ({"source": "frame 2", "points": LINE, "radius": 2}, "got 'frame 2'"),
        ({"source": {"first": 3, "last": 1}, "points": LINE, "radius": 2}, "got 3 to 1"),
        ({"source": {"options": 3}, "points": LINE, "radius": 2}, "by name, got 3"),
        ({"source": 1, "points": [], "radius": 2}, r"\(y, x\), one or more"),
        ({"source": 1, "points": [(1, 2, 3)], "radius": 2}, r"\(y, x\), one or more"),
        ({"source": 1, "points": [(1, float("nan"))], "radius": 2}, "finite"),
        ({"source": 1, "points": LINE, "radius": 0}, "above 0 px, got 0"),
        ({"source": 1, "points": LINE, "radius": "wide"}, "got 'wide'"),
        ({"source": 1, "points": LINE, "radius": 2, "position": {"t": -1}}, "from 0"),
        ({"source": 1, "points": LINE, "radius": 2, "colour": 1}, "has no 'colour'"),
        ({"source": 1, "points": LINE}, "source, points and radius"),
    ],
)
def test_bad_strokes_are_refused_by_their_number(plain, message):
    good = ALL.to_json()["strokes"][0]
    with pytest.raises(ValueError, match=f"stroke 1: .*{message}"):
        Strokes.of([good, plain])


def test_other_values_are_refused(tmp_path):
    for value in (3, "", {"strokes": 3}, {"frame": 2}):
        with pytest.raises((ValueError, OSError)):
            Strokes.of(value)
    with pytest.raises(ValueError, match="version 1, is read; got"):
        Strokes.of(ALL.to_json() | {"version": 2})
    with pytest.raises(ValueError, match="height and width"):
        Strokes.of(ALL.to_json() | {"size": 20})
    with pytest.raises(ValueError, match="number of frames"):
        Strokes(frames=0)
    with pytest.raises(ValueError, match="plain data"):
        Fusion({"method": LINE.__len__})
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ValueError, match=r"bad\.json holds no strokes"):
        Strokes.of(tmp_path / "bad.json")


def test_places_on_other_axes():
    assert [s.radius for s in ALL.at({"t": 1, "c": 1})] == [5, 2.5, 1]
    assert [s.radius for s in ALL.at({"t": 0, "c": 1})] == [5, 2, 1]
    assert all(not stroke.position for stroke in ALL.at({"t": 0, "c": 1}))
    left = ALL.at({"t": 0}).strokes[1].position
    assert left == {"c": 1}
    ALL.check_places({"t": 2, "c": 2})
    with pytest.raises(ValueError, match="stroke 1 lies at t=1; there are 1"):
        ALL.check_places({"t": 1, "c": 2})
    with pytest.raises(ValueError, match=r"stroke 1 lies at t=1; the axes beside .* are none"):
        ALL.check_places({})


def test_frames_that_do_not_fit():
    ALL.check_fit(5, (20, 30))
    with pytest.raises(ValueError, match="painted on 5 frames, and these are 4"):
        ALL.check_fit(4, (20, 30))
    with pytest.raises(ValueError, match="20 x 30 px, and these are 20 x 31"):
        ALL.check_fit(5, (20, 31))
    with pytest.raises(ValueError, match="stroke 0 takes frame 3; there are the frames 0 to 2"):
        Strokes(ALL.strokes).check_fit(3, (20, 30))
    with pytest.raises(ValueError, match="takes frame 4"):
        Strokes(ALL.strokes[1:]).check_fit(4, (20, 30))
    edge = Stroke(0, [(-1.5, 4)], 1)
    with pytest.raises(ValueError, match="lies outside of the frames"):
        Strokes((edge,)).check_fit(4, (20, 30))
    Strokes((Stroke(0, [(-1.5, 4)], 2),)).check_fit(4, (20, 30))


def test_an_option():
    assert options_of(operator)["retouch"].kind is Strokes
    plain = options_to_json(operator, {"retouch": ALL})
    assert options_from_json(operator, plain) == {"retouch": ALL}
    assert options_to_json(operator, {"retouch": "a.json"}) == {"retouch": "a.json"}
    assert options_to_json(operator, {"retouch": None}) == {}
    assert validation_error(operator, {"retouch": [ALL.strokes[0]]}) is None
    assert "retouch does not fit: strokes must be" in validation_error(operator, {"retouch": 3})
