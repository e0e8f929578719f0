"""Placing by hand in the frame inspector: layers of points, the registration, what is refused."""

import numpy as np
import pytest
from napari.layers import Points

import napari_stack as ns
from napari_stack import layers, samples
from napari_stack._widgets import FrameInspectorDock, RegisterDock
from napari_stack.core.notices import FailedFrames
from napari_stack.layers.provenance import recall
from support.docks import docked, ran

SIZE = (168, 210)
PICKS = np.array([[40, 35], [170, 40], [160, 130], [50, 125.0]])


def moved(matrix, points):
    whole = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return whole[:, :2] / whole[:, 2:]


def _sheared():
    turn = np.deg2rad(70)
    inner = np.array(
        [[np.cos(turn), -np.sin(turn), 6], [np.sin(turn), np.cos(turn), -4], [0, 0, 1]]
    )
    centre = np.array([[1, 0, 104.5], [0, 1, 83.5], [0, 0, 1.0]])
    return centre @ inner @ [[1.4, 0.4, 0], [0, 0.75, 0], [0, 0, 1]] @ np.linalg.inv(centre)


SHEARED = _sheared()


@pytest.fixture(scope="module")
def frames():
    """Three frames of cells: 2 is the reference, and 0 is turned and sheared too far."""
    still = np.asarray(samples.drifting_cells(2, SIZE, shift=3.0, rotation=0.0, scale=0.0)[0])
    place = ns.Transforms(SHEARED[None]).inverse()
    lost = ns.apply_transforms(ns.Stack.wrap(still[[1]]), place, border="reflect")[0]
    return np.stack([lost, *still])


@pytest.fixture
def registered(viewer, frames):
    source = viewer.add_image(
        frames, name="cells", rgb=False, contrast_limits=(0, 4095), axis_labels=("t", "y", "x"),
        scale=(2, 0.5, 0.5), translate=(0, 3, 1), units=("second", "micrometer", "micrometer"),
    )  # fmt: skip
    options = {"transform": "affine", "reference": "last", "framing": "all"}
    with pytest.warns(FailedFrames, match="^1 of 3 frames could not be registered: 0$"):
        return viewer.add_layer(layers.register(source, **options))


def in_layer(layer, frame, points):
    """Points (x, y) of a recorded frame as (t, y, x) of the registered layer."""
    origin = recall(layer).data.corrections[-1].origin
    return [[frame, y - origin[1], x - origin[0]] for x, y in points]


def picked(widget, layer, clicks=1.0):
    widget.points.reference.add(in_layer(layer, 2, PICKS))
    widget.pick_frame()
    widget.points.frames.add(in_layer(layer, 0, moved(SHEARED, PICKS) + clicks))


def test_a_frame_is_placed_by_clicks(viewer, registered, qtbot, notes):
    dock = docked(viewer, FrameInspectorDock)
    widget = dock.by_hand
    viewer.dims.set_current_step(0, 0)
    widget.begin_button.click()
    assert viewer.dims.current_step[0] == 2  # the reference
    assert viewer.layers.selection.active == widget.points.reference
    assert widget.points.reference.mode == "add"
    assert dock.layer == registered
    picked(widget, registered)
    assert viewer.dims.current_step[0] == 0
    assert viewer.layers.selection.active == widget.points.frames
    assert widget.points.frames.features["number"].tolist() == [1, 2, 3, 4]
    data, before = registered.data, list(viewer.layers)
    ran(dock, qtbot, widget.apply_button.click)
    assert not notes
    *_, made = viewer.layers
    assert registered.data is data
    assert [la for la in before if not isinstance(la, Points)] == [*viewer.layers][:-1]
    transforms = recall(made).data.transforms
    assert not transforms.failed.any()
    assert np.abs(moved(transforms.matrices[0], PICKS) - moved(SHEARED, PICKS)).max() < 0.3
    assert dock.layer == made
    step = recall(made).steps[0].to_json()["options"]
    assert step["reference"] == 2
    np.testing.assert_allclose(
        step["points"][0], [0, *PICKS[0], *moved(SHEARED, PICKS)[0] + 1], atol=2e-3
    )
    again = ns.Recipe.from_json(made.metadata["napari_stack"]["recipe"])
    found = again.run(ns.Stack.wrap(np.asarray(viewer.layers["cells"].data)))["register"]
    np.testing.assert_allclose(found.transforms.matrices, transforms.matrices)
    # Begun anew, the points are there, to be put right.
    viewer.dims.set_current_step(0, 0)
    widget.begin()
    assert len(widget.points.reference.data) == len(widget.points.frames.data) == 4
    # Where the frame lies right, its points lie on those of the reference but for the clicks.
    apart = widget.points.reference.data[:, 1:] - widget.points.frames.data[:, 1:]
    assert np.abs(apart).max() < 2.5


def test_what_cannot_be_placed_is_told(viewer, registered):
    dock = docked(viewer, FrameInspectorDock)
    widget = dock.by_hand
    viewer.dims.set_current_step(0, 2)
    widget.begin()
    assert "frame 2 is the reference" in dock.runner.message.text()
    assert widget.points is None
    viewer.dims.set_current_step(0, 0)
    widget.begin()
    widget.apply()
    assert "holds no points" in dock.runner.message.text()
    widget.points.reference.add([[1, 20, 30]])
    widget.points.frames.add([[0, 20, 30], [0, 50, 60]])
    widget.apply()
    assert "has 2 points on frame 0" in dock.runner.message.text()
    widget.points.reference.add([[2, 50, 60]])
    widget.apply()
    assert (
        "has points on frame 1: pick them on the reference, frame 2" in dock.runner.message.text()
    )
    viewer.layers.remove(widget.points.frames)
    widget.apply()
    assert "begin anew" in dock.runner.message.text()
    assert not [la for la in viewer.layers if isinstance(la, Points)]
    viewer.layers.selection.active = viewer.layers["cells"]
    assert widget.isHidden()


def test_two_layers_of_points_in_the_register_dock(viewer, frames, qtbot, notes):
    source = viewer.add_image(frames, name="cells", rgb=False, scale=(1, 0.5, 0.5))
    reference = viewer.add_points(PICKS[:, ::-1] * 0.5, name="here")  # in the world
    there = np.column_stack([np.zeros(4), moved(SHEARED, PICKS)[:, ::-1]])
    picks = viewer.add_points(there, name="there", scale=(1, 0.5, 0.5))
    viewer.layers.selection.active = source
    dock = docked(viewer, RegisterDock)
    two = layers.PointLayers(reference, picks)
    dock.set_options({"transform": "affine", "reference": "last", "points": two})
    chosen = dock.options()["points"]
    assert (chosen.reference, chosen.frames) == (reference, picks)
    ran(dock, qtbot)
    assert not notes
    transforms = recall(viewer.layers[-1]).data.transforms
    assert np.abs(moved(transforms.matrices[0], PICKS) - moved(SHEARED, PICKS)).max() < 0.3
    dock.reset()
    assert "points" not in dock.options()
    dock.set_options({"points": {0: [(1, 2, 3, 4)]}})
    assert dock.options()["points"] == {0: [(1, 2, 3, 4)]}
    with pytest.raises(ValueError, match="lacks the axis"):
        layers.register(source, points=(picks, reference))
    for wrong in ((picks, picks), (picks, source)):
        with pytest.raises(ValueError, match="need two layers of points"):
            layers.register(source, points=wrong)
