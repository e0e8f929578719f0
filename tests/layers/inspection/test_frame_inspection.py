"""Frames ticked off: they count for the layer that they were ticked off in, and for no other."""

import numpy as np
import pytest
from napari.components import LayerList
from napari.layers import Image
from napari.layers._layer_actions import _duplicate_layer

import napari_stack as ns
from napari_stack import layers
from napari_stack.core.notices import FailedFrames
from napari_stack.layers.inspection.frame_inspection import outdated, table_of, tick
from napari_stack.layers.stacks.read_layer import read_layer


def used(layer):
    return np.flatnonzero(read_layer(layer).data.used).tolist()


@pytest.mark.parametrize("ticked", [0, 1])
def test_a_duplicate_of_a_lazy_layer_has_a_choice_of_its_own(ticked, cells):
    data = cells[0].copy()
    data[4] = 7  # it fails
    with pytest.warns(FailedFrames, match=r"^1 of 5 frames could not be registered: 4$"):
        lazy = layers.register(Image(data, rgb=False), transform="translation")
    pair = LayerList([lazy])
    pair.selection = {lazy}
    _duplicate_layer(pair)
    one, other = pair[ticked], pair[1 - ticked]
    assert used(one) == used(other) == [0, 1, 2, 3]
    mean = layers.combine(other)[0]
    tick(one, "-3", 1, False)
    assert used(one) == [0, 2, 3]
    assert used(other) == [0, 1, 2, 3]
    np.testing.assert_array_equal(layers.combine(other)[0].data, mean.data)
    assert np.any(layers.combine(one)[0].data != mean.data)
    assert outdated(other, [mean]) == []


def test_ticks_follow_what_is_made_of_the_layer(timelapse):
    lazy = layers.register(timelapse, transform="translation")
    tick(lazy, "t", 0, False)
    tick(lazy, "t", 3, False)
    assert used(layers.balance(lazy)) == [1, 2, 4]
    assert used(layers.compute_now(lazy)) == [1, 2, 4]
    tick(lazy, "t", 3, True)
    assert used(lazy) == [1, 2, 3, 4]


def test_values_of_a_hyperstack_are_those_of_the_position(hyper_layer, hyper):
    made = layers.sigma_clip(hyper_layer, axis="z", sigma=1.0)
    fractions = hyper[0].along("z").map(ns.sigma_clip, sigma=1.0).rejected_fraction
    assert fractions.shape == (3, 2, 4)
    for position in ({"t": 0, "c": 0}, {"t": 2, "c": 1}):
        table = table_of(hyper_layer, "z", position, made)
        expected = fractions[position["t"], position["c"]]
        np.testing.assert_array_equal(table.columns["rejected fraction"], expected)
    assert "rejected fraction" not in table_of(hyper_layer, "t", {"c": 0, "z": 0}, made).columns
