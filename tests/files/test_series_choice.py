"""Which image of several is read."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_stack.core.axis import Axis
from napari_stack.files.formats.base import Contents, Frame, Series
from napari_stack.files.series_choice import chosen, described, number_of

FRAME = Frame((5, 6), np.dtype("uint8"))


def held(start: int, count: int, name: str = "frame", **changes: Any) -> Contents:
    contents = replace(Contents.counted(FRAME, count), leading=(Axis(name),), **changes)
    return replace(contents, order=np.arange(start, start + count))


def test_frames_that_are_only_counted_go_on() -> None:
    found = chosen([Series("a", held(0, 3)), Series("b", held(3, 2))], None, "f")
    assert (found.sizes, [axis.name for axis in found.leading]) == ((5,), ["frame"])
    assert found.order.tolist() == [0, 1, 2, 3, 4]
    assert found.used is None


def test_images_with_axes_become_positions() -> None:
    used = np.array([True, False])
    found = chosen(
        [Series("a", held(0, 2, "z")), Series("b", held(2, 2, "z", used=used))], None, "f"
    )
    assert found.leading == (Axis("position", labels=("a", "b")), Axis("z"))
    assert found.sizes == (2, 2)
    assert found.used is not None
    assert found.used.tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    "other",
    [
        Series("b", held(2, 3, "z")),
        Series("b", held(2, 2, "t")),
        Series("b", held(2, 2, "z", frame=Frame((5, 7), np.dtype("uint8")))),
        Series("b", held(2, 2, "z"), "mask"),
    ],
)
def test_images_that_differ_are_not_joined(other: Series) -> None:
    first = Series("a", held(0, 2, "z"))
    with pytest.warns(
        UserWarning, match="f holds 2 series that differ, and the first is read: 0 'a'"
    ):
        assert chosen([first, other], None, "f") is first.contents
    assert chosen([first, other], "b", "f") is other.contents


def test_steps_that_differ_are_told() -> None:
    wide = held(2, 2, "z", plane=(Axis("y", 0.2, "um"), Axis("x", 0.2, "um")))
    with pytest.warns(UserWarning, match="steps along y differ .* 1 pixel .* 0.2 um in b"):
        found = chosen([Series("a", held(0, 2, "z")), Series("b", wide)], None, "f")
    assert found.plane == (Axis("y"), Axis("x"))


def test_places_that_differ_are_left_out_and_told() -> None:
    planes = [(Axis("y", 1, "um", start=7.0), Axis("x", 1, "um", start=x)) for x in (5.0, 105.0)]
    each = [Series(name, held(2 * n, 2, "z", plane=planes[n])) for n, name in enumerate("ab")]
    with pytest.warns(UserWarning, match="different places, along x at 5 um .* and 105 in b;"):
        found = chosen(each, None, "f")
    assert found.plane == (planes[0][0], Axis("x", 1, "um"))
    assert chosen(each, 1, "f").plane == planes[1]


def test_numbers_and_names() -> None:
    found = [Series("a", held(0, 1)), Series("3", held(1, 1)), Series("b", held(2, 1)),
             Series("b", held(3, 1))]  # fmt: skip
    numbers = [number_of(found, wanted, "f") for wanted in (0, -1, "1", "a", "3", "-2")]
    assert numbers == [0, 3, 1, 0, 1, 2]
    with pytest.raises(
        ValueError, match="f holds 2 series of the name 'b': choose one by its number"
    ):
        number_of(found, "b", "f")
    for wanted in (4, -5, "c", "9"):
        with pytest.raises(ValueError, match=f"no series {wanted!r}: f holds 4 series, 0 'a'"):
            number_of(found, wanted, "f")
    assert described(found[:1]) == ["0 'a' (6 x 5 uint8 pixels, frame = 1)"]
