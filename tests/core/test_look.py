"""How images are shown: colours, display ranges, and that axes and selections carry them."""

from pathlib import Path

import numpy as np
import pytest

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.look import Look, gradient, limits_of, ramp
from napari_stack.core.stack import Stack
from napari_stack.files import read, write
from napari_stack.operators import Box, ToSize, Transforms, apply_transforms, transform_frames

GREEN, RED = Look(colours=ramp("green"), limits=(10, 200)), Look(colours=ramp("red"))
CHANNELS = Axis("c", labels=("GFP", "RFP"), looks=(GREEN, RED))


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.zarr"])
def test_looks_starts_and_positions_come_back(tmp_path: Path, name: str) -> None:
    axes = (
        Axis("t", 2.0, "s", positions=(0.0, 1.5, 7.25), start=0.0),
        CHANNELS,
        Axis("y", 0.5, "um", start=-20.0),
        Axis("x", 0.5, "um", start=12.5),
    )
    write(tmp_path / name, np.zeros((3, 2, 8, 9), np.uint16), axes=axes)
    assert read(tmp_path / name).axes == axes


def test_a_ramp_is_told_from_a_table() -> None:
    steps = np.arange(256)
    assert gradient(np.stack([steps, 0 * steps, steps], axis=1)) == ("#000000", "#ff00ff")
    fire = np.stack([np.minimum(2 * steps, 255), steps, 0 * steps], axis=1)
    np.testing.assert_array_equal(Look(colours=gradient(fire)).table(), fire)


def test_a_table_of_unknown_colours_is_grey() -> None:
    np.testing.assert_array_equal(Look().table(), np.repeat(np.arange(256), 3).reshape(256, 3))


@pytest.mark.parametrize("plain", [{}, 5, {"colours": "red"}, {"colours": ["#000000", "?"]},
                                   {"limits": [3]}, {"limits": [2, 2]}])  # fmt: skip
def test_what_makes_no_sense_is_left_out(plain: object) -> None:
    assert Look.from_plain(plain) == Look()


def test_limits_are_two_numbers_apart() -> None:
    assert limits_of(("1", 2)) == (1.0, 2.0)
    assert limits_of((1, float("nan"))) is limits_of("ab") is limits_of((2, 1)) is None


def test_a_channel_that_is_chosen_keeps_its_look() -> None:
    axes = ("z", CHANNELS, "y", "x")
    hyper = Hyperstack.wrap(np.zeros((3, 2, 4, 5), np.uint8), axes=axes, axis="z")
    assert hyper.stack({"c": 1}).look == Look("RFP", RED.colours)
    assert hyper.stack({"c": -2}).look == Look("GFP", GREEN.colours, GREEN.limits)
    assert hyper.along("c").stack({"z": 1}).axes[0] == CHANNELS


def test_selected_channels_and_planes() -> None:
    stack = Stack.wrap(np.zeros((2, 4, 5), np.uint8), axes=(CHANNELS, Axis("y"), Axis("x")))
    assert stack.select([1]).axes[0] == Axis("c", labels=("RFP",), looks=(RED,))
    assert Axis("z", 0.5, "um", start=3.0).taken([2, 4]) == Axis("z", 1.0, "um", start=4.0)
    assert Axis("frame").taken([2, 3]) == Axis("frame")


def test_where_parts_of_frames_begin() -> None:
    axes = (Axis("t"), Axis("y", 0.5, "um", start=10.0), Axis("x", 2.0, "um"))
    stack = Stack.wrap(np.zeros((2, 40, 60), np.uint8), axes=axes)
    cropped = transform_frames(stack, crop=Box(left=10, top=4, right=50, bottom=36))
    assert cropped.axes[1:] == (Axis("y", 0.5, "um", start=12.0), Axis("x", 2.0, "um", start=20.0))
    small = transform_frames(cropped, resize=ToSize(width=20, height=16))
    assert small.axes[1:] == (Axis("y", 1.0, "um", start=12.25), Axis("x", 4.0, "um", start=21.0))
    moved = Transforms(np.array([np.eye(3), [[1, 0, -6], [0, 1, 0], [0, 0, 1]]]))
    common = apply_transforms(stack, moved, framing="common")
    assert common.axes[2].start == 2.0 * 6
