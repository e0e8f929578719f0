"""Placing by hand on layers: which frame, pixels of what, and layers that cannot be placed."""

import numpy as np
import pytest
from napari.layers import Image

import napari_stack as ns
from napari_stack import layers, samples
from napari_stack.core.notices import FailedFrames
from napari_stack.layers.jobs.by_hand import Placing, may_place

FIRST = np.array([[20.0, 30], [60, 50]])  # (x, y) on the reference
SECOND = FIRST + np.array([7, -3])


@pytest.fixture(scope="module")
def lost():
    """Frames (c, t, y, x) of which the last shows noise; scaled, cropped, then registered."""
    frames = np.asarray(
        samples.drifting_cells(4, (96, 112), shift=3, rotation=0, scale=0)[0]
    ).copy()
    frames[3] = np.random.default_rng(0).integers(0, 4000, frames[3].shape)
    layer = Image(
        np.stack([frames, frames // 2]), rgb=False, name="cells", scale=(1, 1, 0.5, 0.5),
        axis_labels=("c", "t", "y", "x"),
    )  # fmt: skip
    cropped = layers.transform_frames(
        layer, axis="t", crop=ns.Box(left=5, top=8, right=106, bottom=92)
    )
    options = {"transform": "translation", "framing": "all", "reference": "first"}
    with pytest.warns(FailedFrames, match="^1 of 4 frames could not be registered: 3$"):
        return layers.register(cropped, axis="t", **options)


def test_points_are_in_pixels_of_what_was_registered(lost):
    assert may_place(lost)
    placing = Placing.of(lost, "t", {"c": 1}, 3)
    assert (placing.reference, placing.number) == (0, 1)
    origin = np.array(placing.chain.data.frames.corrections[-1].origin)
    points = placing.point_layers()
    assert len(points.reference.data) == len(points.frames.data) == 0
    # Frames of a registered layer that shows all begin at `origin`, in pixels of the reference.
    for layer, frame, xy in ((points.reference, 0, FIRST), (points.frames, 3, SECOND)):
        assert layer.scale.tolist() == lost.scale.tolist()
        layer.add([[1, frame, *(place - origin)[::-1]] for place in xy])
    steps = placing.job(points).recipe.steps
    assert [step.operator for step in steps] == ["transform_frames", "register"]
    assert steps[1].options["reference"] == 0
    np.testing.assert_allclose(
        steps[1].options["points"], np.column_stack([[3, 3], FIRST, SECOND]), atol=1e-3
    )
    assert lost.metadata["napari_stack"]["recipe"]["steps"][1]["options"].get("points") is None


@pytest.mark.parametrize(
    ("axis", "frame", "message"),
    [("t", 0, "frame 0 is the reference"), ("c", 1, "registered along 't', not once along 'c'")],
)
def test_other_frames_are_refused(lost, axis, frame, message):
    with pytest.raises(ValueError, match=message):
        Placing.of(lost, axis, {}, frame)


def test_layers_that_were_not_registered_are_refused(lost):
    plain = Image(np.zeros((3, 40, 50), np.uint8), name="plain")
    assert not may_place(plain)
    with pytest.raises(ValueError, match="'plain' was registered 0 times"):
        Placing.of(plain, "-3", {}, 1)
