"""Corrections measured on some frames, for others."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import layers, samples
from napari_stack.layers.jobs.recipe_job import (
    done_to,
    prepare_measured,
)
from napari_stack.layers.transfer import matching
from napari_stack.recipe import Step
from support.layers import image, run


@pytest.fixture(scope="module")
def cells():
    return np.asarray(samples.drifting_cells(5, (72, 88), shift=4.0, rotation=0, scale=0)[0])


def test_the_measured_values_for_another_channel(cells):
    source, other = image(cells), image(np.ascontiguousarray(4095 - cells), "other")
    moved = layers.balance(layers.register(source, transform="translation"))
    shown = prepare_measured(moved, other)
    stack = ns.Stack.wrap(cells)
    one = ns.register(stack, transform="translation")
    gains = ns.measure_gains(one)
    expected = ns.apply_gains(ns.apply_transforms(ns.Stack.wrap(other.data), one.transforms), gains)
    np.testing.assert_array_equal(np.asarray(shown.data), np.asarray(expected))
    assert shown.name == "other - as cells - aligned - balanced"
    np.testing.assert_allclose(shown.scale, other.scale)
    assert done_to(shown)[0] == done_to(moved)[0]
    mean = layers.combine(moved)[0]
    image_of_other = run(prepare_measured(mean, other, [Step("combine")]))[0]
    np.testing.assert_array_equal(image_of_other.data, ns.combine(expected))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d[:4], "for 5 frames along 't', and there are 4"),
        (lambda d: d[:, :60], "frames of 88 x 72 pixels, and these are 88 x 60"),
    ],
)
def test_values_that_do_not_fit_are_refused(change, message, cells):
    moved = layers.register(image(cells), transform="translation")
    with pytest.raises(ValueError, match=message):
        prepare_measured(moved, image(change(cells), "other"))


def test_frames_that_were_made_anew_hold_no_values_for_others(cells):
    means = layers.moving_average(image(cells))
    with pytest.raises(ValueError, match="a step made new frames"):
        prepare_measured(means, image(cells, "other"))
    with pytest.raises(ValueError, match="nothing was measured for 'cells'"):
        prepare_measured(image(cells), image(cells, "other"))


def test_axes_are_matched_by_name():
    np.testing.assert_array_equal(matching({"a": 3}, {"b": 3}), [0, 1, 2])
    np.testing.assert_array_equal(matching({"c": 2, "t": 3}, {"t": 3}), [0, 1, 2])
    np.testing.assert_array_equal(matching({"t": 2, "c": 2}, {"c": 2, "t": 2}), [0, 2, 1, 3])
    with pytest.raises(ValueError, match="name the axes alike"):
        matching({"a": 3}, {"b": 4})
