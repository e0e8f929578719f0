"""Stacks shown as layers, and their contrast limits."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import layers


def test_stack_shown_as_a_layer(hyper):
    stack, _ = hyper
    layer = layers.to_layer(stack, "hyper")
    assert layer.axis_labels == ("t", "c", "z", "y", "x")
    np.testing.assert_allclose(layer.scale, (30, 1, 2, 0.25, 0.25))
    assert layers.prepare("focus_stack", layer).chain.data.frames is not None


@pytest.mark.parametrize("numbers", [(0, 0), (60000, 100)])
def test_limits_of_a_stack_come_from_several_frames(numbers):
    most, middle = numbers
    data = np.full((6, 8, 8), most, np.uint16)
    data[3] = middle
    layer = layers.to_layer(ns.Stack.wrap(data))
    assert tuple(layer.contrast_limits) == (middle, max(most, middle + 1))
    assert tuple(layer.contrast_limits_range) == (0, 65535)


def test_limits_leave_alpha_out_and_read_few_frames():
    reads = []

    class Plain:
        shape, dtype, ndim = (400, 8, 8, 4), np.dtype(np.uint16), 4

        def __getitem__(self, key):
            reads.append(key)
            frame = np.full((8, 8, 4), 65535, np.uint16)
            frame[..., :3] = 100
            frame[0, 0] = 7
            return frame

    assert layers.show_limits(ns.Stack.wrap(Plain(), rgb=True)) == (7, 100)
    assert len(reads) == 5


def test_limits_without_finite_values():
    assert layers.show_limits(ns.Stack.wrap(np.full((3, 8, 8), np.nan))) == (0, 1)
