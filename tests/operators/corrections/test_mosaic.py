"""Mosaics of colours are told from grey frames."""

from dataclasses import replace

import numpy as np
import pytest

from napari_stack import Stack
from napari_stack.operators import HotPixels, apply_hot_pixels
from napari_stack.operators.corrections.mosaic import mosaic_step


def frames(gains):
    """Frames of a smooth scene in noise, seen through four filters."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:40, :48]
    scene = 500 + 200 * np.sin(x / 9) * np.cos(y / 11)
    filters = np.tile(np.array(gains).reshape(2, 2), (20, 24))
    return (scene * filters + rng.normal(0, 8, (4, 40, 48))).astype(np.uint16)


@pytest.mark.parametrize(("gains", "step"), [([0.5, 1, 1, 0.7], 2), ([1, 1, 1, 1], 1)])
def test_by_what_lies_next_but_one(gains, step):
    assert mosaic_step(Stack.wrap(frames(gains))) == step


def test_rows_that_alternate_are_no_mosaic():
    assert mosaic_step(Stack.wrap(frames([1, 1, 0.7, 0.7]))) == 1


def test_every_used_frame_has_to_be_one():
    data = frames([0.5, 1, 1, 0.7])
    data[0] = frames([1, 1, 1, 1])[0]
    stack = Stack.wrap(data)
    assert mosaic_step(stack) == 1
    assert mosaic_step(replace(stack, used=np.arange(4) > 0)) == 2


def test_frames_with_channels_are_none():
    assert mosaic_step(Stack.wrap(np.stack([frames([0.5, 1, 1, 0.7])] * 3, -1))) == 1


def test_a_mask_without_a_step_is_repaired_by_the_colours_of_the_frames(tmp_path):
    mosaic, grey = frames([0.5, 1, 1, 0.7]), frames([1, 1, 1, 1])
    mask = np.zeros(mosaic.shape[1:], bool)
    mask[20, 21] = True
    HotPixels(mask).save(tmp_path / "mask.npz")
    known = HotPixels.load(tmp_path / "mask.npz")
    for data, step in ((mosaic, 2), (grey, 1)):
        given = apply_hot_pixels(Stack.wrap(data), replace(known, step=step))
        np.testing.assert_array_equal(apply_hot_pixels(Stack.wrap(data), known)[0], given[0])
    by_others = apply_hot_pixels(Stack.wrap(mosaic), replace(known, step=1))[0]
    assert by_others[20, 21] != apply_hot_pixels(Stack.wrap(mosaic), known)[0][20, 21]
