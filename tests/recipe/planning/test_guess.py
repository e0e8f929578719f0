"""What frames are guessed to be."""

import pytest

from napari_stack.recipe.planning import GOALS, Facts, Seen, guess


@pytest.mark.parametrize(
    ("sizes", "kind"),
    [
        ({"t": 9}, "time-lapse"),
        ({"Time": 9, "channel": 2}, "time-lapse"),
        ({"z": 9}, "focus series"),
        ({"c": 2, "Depth": 9}, "focus series"),
        ({"t": 4, "c": 2, "z": 5}, "volume over time"),
        ({"t": 1, "z": 5}, "focus series"),
        ({"position": 12}, "tiles"),
        ({"frame": 9}, "burst"),
        ({"frame": 100}, "time-lapse"),
    ],
)
def test_axes_tell(sizes, kind):
    found = guess(Facts(sizes))
    assert found.kind == kind
    assert found.reason


def test_nameless_axes_are_asked_for():
    found = guess(Facts({"-4": 5, "-3": 7}))
    assert found.kind is None
    assert "-4 (5) and -3 (7)" in found.reason
    assert guess(Facts({"t": 5, "-3": 7})).kind is None
    assert guess(Facts({"-4": 1, "-3": 7})).kind == "burst"


def test_a_long_interval_is_told_in_full():
    hourly = guess(Facts({"frame": 5}, interval=3600.0))
    assert hourly.reason == "photographs, one every 3600 seconds"


def test_one_frame_and_channels_alone_are_no_series():
    alone = guess(Facts({"frame": 1}, words=("focus",)))
    assert alone.kind is None
    assert "one frame only" in alone.reason
    channels = guess(Facts({"t": 1, "c": 2}))
    assert channels.kind is None
    assert "axis c holds channels" in channels.reason


def test_images_tell():
    series = Seen(frames=7, sharpness=3.0, in_turn=0.95)
    assert guess(Facts({"frame": 7}, seen=series)).kind == "focus series"
    assert "3 times sharper" in guess(Facts({"frame": 7}, seen=series)).reason
    fading = Seen(frames=7, sharpness=3.0, in_turn=0.95, brightness=(9, 8, 7, 6, 5))
    assert guess(Facts({"frame": 7}, seen=fading)).kind == "time-lapse"
    assert guess(Facts({"frame": 7}, seen=Seen(frames=7, alike=0.3))).kind == "tiles"
    # A name counts more than the images.
    assert guess(Facts({"t": 7}, seen=series)).kind == "time-lapse"


def test_exif_and_names_tell():
    assert guess(Facts({"frame": 7}, interval=0.2)).kind == "burst"
    found = guess(Facts({"frame": 7}, interval=30.0))
    assert found.kind == "time-lapse"
    assert "every 30 seconds" in found.reason
    assert guess(Facts({"frame": 7}, words=("focus",))).kind == "focus series"
    assert guess(Facts({"frame": 7}, words=("tile",))).kind == "tiles"


def test_every_kind_has_a_goal():
    assert all(GOALS.values())


def test_fading():
    assert Seen(brightness=(10, 9, 8, 7, 6)).fading
    assert not Seen(brightness=(10, 9, 8, 9, 6)).fading
    assert not Seen(brightness=(10, 9.99, 9.98, 9.97, 9.96)).fading
    assert Seen(brightness=(10, 8)).flicker == pytest.approx(0.2)
