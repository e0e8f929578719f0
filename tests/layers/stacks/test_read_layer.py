"""The axis to stack, and hyperstacks in layers."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

import napari_stack as ns
from napari_stack import layers


@pytest.mark.parametrize("axis", ["z", 2, -3, "-3"])
def test_axis_by_name_and_number(axis, hyper_layer, hyper):
    job = layers.prepare("combine", hyper_layer, axis=axis)
    assert job.data.axis == "z"
    (mean,) = layers.combine(hyper_layer, axis=axis)
    np.testing.assert_array_equal(mean.data[:, :, 0], hyper[0].along("z").map(ns.combine))


@pytest.mark.parametrize("axis", ["q", "y", "-1", -2, 3, 9, -9])
def test_axis_that_is_not_there(axis, hyper_layer):
    with pytest.raises(ValueError, match=f"has no axis {axis!r} to stack; it has t, c, z"):
        layers.combine(hyper_layer, axis=axis)


def test_first_axis_by_default_and_z_for_focus(hyper_layer):
    assert layers.default_axis("register", hyper_layer) == "t"
    assert layers.default_axis("focus_stack", hyper_layer) == "z"
    assert layers.leading_axes(hyper_layer) == {"t": 3, "c": 2, "z": 4}


def test_labels_of_napari_itself():
    layer = Image(np.zeros((2, 3, 4, 8, 9)), rgb=False)
    assert layers.default_axis("focus_stack", layer) == "-5"
    assert layers.prepare("combine", layer, axis="-3").data.axis == "-3"


def test_labels_that_repeat_are_told_apart():
    layer = Image(np.zeros((2, 3, 8, 9)), rgb=False, axis_labels=("a", "a", "y", "x"))
    assert layers.leading_axes(layer) == {"-4": 2, "-3": 3}
    (mean,) = layers.combine(layer)
    assert mean.axis_labels == ("a", "y", "x")


def test_label_that_is_the_number_of_another_axis():
    layer = Image(np.zeros((2, 3, 4, 8, 9)), rgb=False, axis_labels=("-4", "a", "a", "y", "x"))
    assert layers.leading_axes(layer) == {"-5": 2, "-4": 3, "-3": 4}
    assert layers.default_axis("focus_stack", layer) == "-5"


def test_axis_of_one_frame_is_taken_last():
    layer = Image(np.zeros((3, 1, 8, 9)), rgb=False, axis_labels=("t", "z", "y", "x"))
    assert layers.default_axis("focus_stack", layer) == "t"
    assert layers.prepare("focus_stack", layer).data.axis == "t"
    assert layers.default_axis("combine", Image(np.zeros((1, 8, 9)))) == "-3"


@pytest.mark.parametrize("shape", [(0, 8, 9), (2, 0, 8, 9)])
def test_axis_of_an_empty_layer(shape):
    with np.errstate(invalid="ignore"):  # napari divides by its size
        layer = Image(np.zeros(shape), contrast_limits=(0, 1), rgb=False)
    assert layers.default_axis("focus_stack", layer) == str(-len(shape))
    with pytest.raises(ValueError, match="is empty"):
        layers.focus_stack(layer)


def test_axis_of_a_layer_of_complex_numbers():
    layer = Image(np.zeros((3, 8, 9)), axis_labels=("z", "y", "x"))
    layer._data_raw = layer._data = np.zeros((3, 8, 9), complex)
    assert layers.default_axis("focus_stack", layer) == "z"
    with pytest.raises(ValueError, match="complex"):
        layers.focus_stack(layer)


def test_axis_chosen_before_a_stack_was_shown_binds_no_operator(hyper):
    layer = layers.to_layer(hyper[0].along("t"), "hyper")
    assert layers.prepare("focus_stack", layer).data.axis == "z"
    assert layers.default_axis("focus_stack", layer) == "z"


def test_results_line_up_with_their_source(hyper_layer):
    hyper_layer.translate = (60, 0, 5, 1, 2)
    (mean,) = layers.combine(hyper_layer, axis="z")
    viewer = ViewerModel()
    viewer.add_layer(hyper_layer)
    viewer.add_layer(mean)  # a warning of units that disagree would be an error
    assert viewer.dims.ndim == 5
    assert mean.axis_labels == hyper_layer.axis_labels  # sliders of napari 0.8 have no names
    for t, c, z in np.ndindex(3, 2, 4):
        place = hyper_layer.data_to_world((t, c, z, 7, 9))
        at = np.rint(mean.world_to_data(place)).astype(int)
        assert tuple(at) == (t, c, 0, 7, 9), "it is seen at every z"
    below = hyper_layer.data_to_world((0, 0, -1, 0, 0))
    above = hyper_layer.data_to_world((0, 0, 4, 0, 0))
    assert np.rint(mean.world_to_data(below))[2] == -1
    assert np.rint(mean.world_to_data(above))[2] == 1


def test_focus_over_z_for_every_time_and_channel(hyper_layer, hyper):
    image, depth, confidence = layers.focus_stack(hyper_layer)
    expected = hyper[0].along("z").map(ns.focus_stack)
    np.testing.assert_array_equal(image.data[:, :, 0], expected.image)
    np.testing.assert_array_equal(depth.data[:, :, 0], expected.depth)
    for layer in (image, depth, confidence):
        assert layer.data.shape == (3, 2, 1, 64, 80)
        assert layer.axis_labels == ("t", "c", "z", "y", "x")
        np.testing.assert_allclose(layer.scale, (30, 1, 4 * 2, 0.25, 0.25))
        assert [str(unit) for unit in layer.units][-1] == "micrometer"
    assert tuple(depth.contrast_limits) == (0, 3)
    assert tuple(confidence.contrast_limits) == (0, 1)


def test_transforms_of_one_position_for_all(hyper_layer, hyper):
    on_all = layers.register(hyper_layer, measure_at={"z": "maximum"})
    assert on_all.metadata["napari_stack"]["recipe"]["steps"][-1]["measure_at"] == {"z": "maximum"}
    registered = layers.register(hyper_layer, measure_at={"c": 1, "z": 0})
    expected = hyper[0].along("t").map(ns.register, measure_at={"c": 1, "z": 0})
    np.testing.assert_array_equal(np.asarray(registered.data), np.asarray(expected))
    assert registered.axis_labels == hyper_layer.axis_labels
    np.testing.assert_allclose(registered.scale, hyper_layer.scale)
    step = registered.metadata["napari_stack"]["recipe"]["steps"][0]
    assert step["measure_at"] == {"c": 1, "z": 0}


def test_where_it_would_measure_anyway_is_not_in_the_recipe(hyper_layer):
    job = layers.prepare("register", hyper_layer, axis="t", measure_at={"c": 0, "z": 2})
    assert not job.step.measure_at
    assert not job.step.axis


def test_position_that_is_not_there(hyper_layer, timelapse):
    with pytest.raises(ValueError, match="c=5 is outside its 2 positions"):
        layers.register(hyper_layer, measure_at={"c": 5})
    with pytest.raises(ValueError, match="there is no loop 'q'"):
        layers.register(hyper_layer, measure_at={"q": 0})
    with pytest.raises(ValueError, match="along one axis only"):
        layers.register(timelapse, measure_at={"c": 0})


def test_chain_over_two_axes(hyper_layer, hyper):
    registered = layers.register(hyper_layer)
    image = layers.focus_stack(registered)[0]
    expected = hyper[0].along("t").map(ns.register).along("z").map(ns.focus_stack)
    np.testing.assert_array_equal(image.data[:, :, 0], expected.image)


def test_depth_of_one_channel_for_all(hyper, hyper_layer):
    stack, _ = hyper
    image, depth, _ = layers.focus_stack(hyper_layer, measure_at={"c": 0}, method="pyramid")
    expected = stack.map(ns.focus_stack, measure_at={"c": 0}, method="pyramid")
    np.testing.assert_array_equal(image.data[:, :, 0], expected.image)
    np.testing.assert_array_equal(depth.data[:, 0], depth.data[:, 1])
    assert image.axis_labels == hyper_layer.axis_labels
    assert image.units == hyper_layer.units
