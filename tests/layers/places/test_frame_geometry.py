"""Where results lie whose frames begin elsewhere or have other pixels."""

import numpy as np
import pytest
from napari.layers import Image

import napari_stack as ns
from napari_stack import layers


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
