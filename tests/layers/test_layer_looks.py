"""What a result carries over from its layer, and what it adds."""

import copy
import gc
import weakref

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from napari.layers._layer_actions import _duplicate_layer

import napari_stack as ns
from napari_stack import layers
from napari_stack.layers import provenance


def _same_place(result, source, kept):
    np.testing.assert_allclose(result.scale, np.asarray(source.scale)[kept])
    np.testing.assert_allclose(result.translate, np.asarray(source.translate)[kept])
    np.testing.assert_allclose(result.rotate, source.rotate[np.ix_(kept, kept)], atol=1e-12)
    matrix = source.affine.affine_matrix[np.ix_([*kept, -1], [*kept, -1])]
    np.testing.assert_allclose(result.affine.affine_matrix, matrix)
    assert result.units == tuple(source.units[axis] for axis in kept)
    assert result.axis_labels == tuple(source.axis_labels[axis] for axis in kept)
    # The same pixel lies at the same place in the world.
    at = np.arange(1.0, source.ndim + 1)
    np.testing.assert_allclose(
        result.data_to_world(at[kept]), np.asarray(source.data_to_world(at))[kept]
    )


def _same_colours(result, source):
    assert result.colormap.name == source.colormap.name
    assert tuple(result.contrast_limits) == tuple(source.contrast_limits)
    assert tuple(result.contrast_limits_range) == tuple(source.contrast_limits_range)
    for name in ("blending", "gamma", "interpolation2d", "rgb"):
        assert getattr(result, name) == getattr(source, name)


def test_frames_keep_place_and_colours(timelapse):
    registered = layers.register(timelapse)
    _same_place(registered, timelapse, [0, 1, 2])
    _same_colours(registered, timelapse)


@pytest.mark.parametrize("name", ["combine", "sigma_clip", "focus_stack"])
def test_images_keep_place_and_colours(name, timelapse):
    options = {"sigma": 1.5} if name == "sigma_clip" else {}
    image, *others = getattr(layers, name)(timelapse, **options)
    _same_place(image, timelapse, [1, 2])
    _same_colours(image, timelapse)
    for other in others:
        _same_place(other, timelapse, [1, 2])
        assert other.colormap.name != "gray"
        assert not other.visible, "it would hide the picture"


def test_view_that_begins_elsewhere_moves_the_layer(timelapse):
    common = layers.register(timelapse, transform="translation", framing="common")
    whole = layers.register(timelapse, transform="translation")
    assert common.data.shape != whole.data.shape
    corner = np.asarray(common.data_to_world((2, 0, 0)))
    y, x = np.rint(np.asarray(whole.world_to_data(corner))[1:]).astype(int)
    height, width = common.data.shape[1:]
    assert (y, x) != (0, 0)
    np.testing.assert_array_equal(
        np.asarray(common.data[2]), np.asarray(whole.data[2, y : y + height, x : x + width])
    )


def test_view_of_a_view_moves_the_layer_again(timelapse):
    options = {"transform": "translation", "framing": "common"}
    once = layers.register(timelapse, **options)
    twice = layers.register(once, **options)
    assert twice.data.shape < once.data.shape
    y, x = np.rint(np.asarray(once.world_to_data(twice.data_to_world((2, 0, 0))))[1:]).astype(int)
    height, width = twice.data.shape[1:]
    expected = np.asarray(once.data[2, y : y + height, x : x + width])
    np.testing.assert_array_equal(np.asarray(twice.data[2]), expected)


def test_resized_frames_lie_where_they_lay(timelapse):
    height, width = timelapse.data.shape[1:]
    options = {"crop": ns.Box(left=4, top=8, right=width, bottom=height)}
    half = layers.transform_frames(timelapse, **options, resize=ns.ByFactor(factor=0.5))
    np.testing.assert_allclose(half.scale, np.asarray(timelapse.scale) * [1, 2, 2])
    # Its first pixel lies between four: columns 4 and 5, rows 8 and 9.
    place = timelapse.world_to_data(half.data_to_world((2, 0, 0)))
    np.testing.assert_allclose(place, (2, 8.5, 4.5))
    again = layers.transform_frames(half, resize=ns.ByFactor(factor=0.5))
    place = half.world_to_data(again.data_to_world((2, 0, 0)))
    np.testing.assert_allclose(place, (2, 0.5, 0.5))


def test_sum_has_limits_of_its_own(timelapse):
    (total,) = layers.combine(timelapse, method="sum")
    assert tuple(total.contrast_limits) == (total.data.min(), total.data.max())


def test_sum_of_floats_has_limits_of_its_own():
    layer = Image(np.full((4, 8, 8), 0.5) + np.eye(8) / 4, name="floats")
    (total,) = layers.combine(layer, method="sum")
    (mean,) = layers.combine(layer)
    assert tuple(total.contrast_limits) == (2, 3)
    assert tuple(mean.contrast_limits) == tuple(layer.contrast_limits)


def test_sum_of_colours_has_limits_of_the_colours(cells):
    data = np.full((4, 8, 8, 4), 255, np.uint8)
    data[..., :3] = 20
    data[:, 4:, :, 0] = 50
    (total,) = layers.combine(Image(data, rgb=True), method="sum")
    assert tuple(total.contrast_limits) == (0, 200)


def test_limits_of_a_big_endian_layer_are_kept():
    data = np.arange(4 * 8 * 8).reshape(4, 8, 8)
    layer = Image(data.astype(">u2"), contrast_limits=(10, 90), colormap="green")
    (mean,) = layers.combine(layer)
    assert tuple(mean.contrast_limits) == (10, 90)
    assert mean.colormap.name == "green"


@pytest.mark.parametrize("method", ["mean", "sum", "minimum", "maximum"])
def test_combined_layers_are_named_after_what_they_show(method, timelapse):
    assert layers.combine(timelapse, method=method)[0].name == f"cells - {method}"


def test_names_and_metadata(timelapse):
    registered = layers.register(timelapse, framing="common")
    image, rejected = layers.sigma_clip(registered, sigma=1.5)
    assert [registered.name, image.name, rejected.name] == [
        "cells - register",
        "cells - register - sigma clip",
        "cells - register - rejected",
    ]
    note = image.metadata["napari_stack"]
    assert note["source"] == "cells"
    assert [step["operator"] for step in note["recipe"]["steps"]] == ["register", "sigma_clip"]
    again = ns.Recipe.from_json(note["recipe"]).run(ns.Stack.wrap(timelapse.data))
    np.testing.assert_array_equal(again["sigma_clip"].image, image.data)


def test_chain_goes_on_only_while_the_data_is_what_was_made(timelapse):
    registered = layers.register(timelapse)
    assert len(layers.prepare("combine", registered).chain.steps) == 1
    twice = layers.prepare("register", registered)
    assert len(twice.compute().frames.corrections) == 1, "the two warps are one"
    registered.data = np.asarray(registered.data)
    fresh = layers.prepare("combine", registered).chain
    assert fresh.steps == ()
    assert fresh.source == registered.name


@pytest.mark.parametrize("source", ["timelapse", "hyper_layer"])
def test_chain_goes_on_in_a_copy_of_the_layer(source, request):
    registered = layers.register(request.getfixturevalue(source), framing="common")
    viewer = ViewerModel()
    viewer.add_layer(registered)
    _duplicate_layer(viewer.layers)
    assert len(viewer.layers) == 2
    viewer.layers.remove(registered)
    (other,) = viewer.layers
    del registered
    gc.collect()
    chain = layers.prepare("combine", other).chain
    assert [step.operator for step in chain.steps] == ["register"]
    other.data = other.data[1:]
    assert layers.prepare("combine", other).chain.steps == ()


def test_chain_lives_as_long_as_a_copy_of_the_array(timelapse):
    array = layers.register(timelapse).data
    name, another = array.name, copy.deepcopy(array)
    del array
    gc.collect()
    assert name in provenance._chains
    del another
    gc.collect()
    assert name not in provenance._chains


def test_chain_follows_axes_named_since(timelapse):
    registered = layers.register(timelapse)
    registered.axis_labels = ("z", "y", "x")
    assert layers.prepare("combine", registered, axis="z").data.axes[0].name == "z"


def test_failed_frames_along_another_axis_are_named(cells):
    data = np.stack([cells[0], cells[0]])
    data[:, 3] = 100
    layer = Image(data, rgb=False, axis_labels=("p", "t", "y", "x"))
    job = layers.prepare("register", layer, axis="t", transform="translation")
    assert job.remark(job.compute()) == ("1 of 5 frames failed and are left out of what follows: 3")


def test_failed_frames_are_named(cells):
    data = cells[0].copy()
    data[3] = 7
    job = layers.prepare("register", Image(data))
    computed = job.compute()
    assert job.remark(computed) == "1 of 5 frames failed and are left out of what follows: 3"


def test_clipped_pixels_are_counted():
    data = np.full((2, 60, 80), [[[200]], [[100]]], np.uint8)
    data[1, 0, :3] = 180
    job = layers.prepare("balance", Image(data), reference="first", subsample=1)
    computed = job.compute()
    assert job.remark(computed) == ""
    assert job.note(computed).startswith("balancing clips 3 pixels in 1 frames, most in frame 1")
    other = layers.prepare("combine", Image(data))
    assert other.note(other.compute()) == ""


def test_nothing_stays_alive(cells):
    gc.collect()
    before = set(provenance._chains)
    layer = Image(cells[0].copy(), name="cells")
    source = weakref.ref(layer.data)
    registered = layers.register(layer)
    made = weakref.ref(registered.data)
    del layer, registered
    gc.collect()
    assert made() is None
    assert source() is None
    assert set(provenance._chains) <= before


def test_job_does_not_need_its_layer(timelapse):
    data = timelapse.data
    job = layers.prepare("combine", timelapse)
    timelapse.name, timelapse.scale = "other", (9, 9, 9)
    timelapse.data = np.zeros_like(data)
    (mean,) = job.finish(job.compute())
    assert mean.name == "cells - mean"
    np.testing.assert_allclose(mean.scale, (0.1, 0.1))
    np.testing.assert_array_equal(mean.data, ns.combine(ns.Stack.wrap(data)))


def test_a_turned_and_cropped_view_stays_where_it_was():
    """What is in the middle of the frame stays there, however the canvas grows or is cut."""
    data = np.zeros((2, 41, 61), np.uint8)
    source = Image(data, name="s", translate=(0, 7, 9), scale=(1, 0.5, 0.5), units=("", "um", "um"))
    middle = source.data_to_world((0, 20, 30))
    grown = layers.transform_frames(source, rotate=30.0, grow=True)
    centre = (0, (grown.data.shape[1] - 1) / 2, (grown.data.shape[2] - 1) / 2)
    np.testing.assert_allclose(grown.data_to_world(centre), middle)
    box = ns.Box(left=10, top=5, right=70, bottom=50)
    cropped = layers.transform_frames(source, rotate=30.0, grow=True, crop=box)
    np.testing.assert_allclose(cropped.data_to_world((0, 0, 0)), grown.data_to_world((0, 5, 10)))


@pytest.mark.parametrize("turn", [90.0, 180.0, 270.0])
@pytest.mark.parametrize("grow", [True, False])
@pytest.mark.parametrize("size", [None, ns.ByFactor(0.5)])
def test_pixels_that_are_not_square_turn_about_the_middle(turn, grow, size):
    source = Image(np.zeros((2, 40, 60), np.uint8), translate=(0, 7, 9), scale=(1, 0.5, 0.2))
    middle = source.data_to_world((0, 19.5, 29.5))
    more = {"resize": size} if size else {}
    turned = layers.transform_frames(source, rotate=turn, grow=grow, **more)
    centre = (0, (turned.data.shape[1] - 1) / 2, (turned.data.shape[2] - 1) / 2)
    np.testing.assert_allclose(turned.data_to_world(centre), middle)
    box = ns.Box(left=4, top=6, right=34, bottom=38)
    cropped = layers.transform_frames(source, rotate=turn, grow=grow, crop=box)
    whole = layers.transform_frames(source, rotate=turn, grow=grow)
    np.testing.assert_allclose(cropped.data_to_world((0, 0, 0)), whole.data_to_world((0, 6, 4)))


def test_slabs_lie_in_the_middle_of_their_frames(hyper_layer, timelapse):
    slabs = layers.focus_slabs(timelapse, frames=3, overlap=1)
    np.testing.assert_allclose(slabs.scale, [1.0, 0.1, 0.1])
    assert slabs.data.shape == (2, 96, 112)
    # Slab 0 is made of frames 0 to 2, slab 1 of 2 to 4.
    for slab, frame in ((0, 1), (1, 3)):
        np.testing.assert_allclose(
            slabs.data_to_world([slab, 5, 6]), timelapse.data_to_world([frame, 5, 6])
        )
    assert (slabs.units, slabs.axis_labels) == (timelapse.units, timelapse.axis_labels)
    slabs = layers.focus_slabs(hyper_layer, frames=2)
    assert slabs.data.shape == (3, 2, 2, 64, 80)
    np.testing.assert_allclose(
        slabs.data_to_world([1, 1, 1, 5, 6]), hyper_layer.data_to_world([1, 1, 2.5, 5, 6])
    )
    focused, depth, _ = layers.focus_stack(slabs, method="pyramid")
    assert focused.data.shape == depth.data.shape == (3, 2, 1, 64, 80)
    assert focused.axis_labels == hyper_layer.axis_labels
