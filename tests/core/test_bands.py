"""Bands of a pixel as frames along an axis of their own."""

import pickle

import numpy as np
import pytest

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.sources.bands import bands_apart
from napari_stack.core.stack import Stack
from napari_stack.operators.geometry.transform_frames import transform_frames
from support.pixels import Noise


@pytest.mark.parametrize("bands", [2, 4, 5])
def test_each_band_is_a_frame(noise: Noise, bands: int) -> None:
    pixels = noise(3, 8, 9, bands)
    apart = bands_apart(Stack.wrap(pixels, rgb=False))
    assert [axis.name for axis in apart.axes] == ["frame", "c", "y", "x"]
    np.testing.assert_array_equal(np.asarray(apart), np.moveaxis(pixels, -1, 1))
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(apart))), np.asarray(apart))
    np.testing.assert_array_equal(apart.frames.render(4, slice(2, 5)), apart.frames[4][2:5])


def test_corrected_frames_and_ticked_off_ones(noise: Noise) -> None:
    stack = Stack.wrap(noise(3, 8, 9, 2), rgb=False)
    turned = transform_frames(stack, rotate=90.0)
    apart = bands_apart(turned)
    np.testing.assert_array_equal(np.asarray(apart), np.moveaxis(np.asarray(turned), -1, 1))
    assert bands_apart(stack.select([0, 2])).frames.used.shape == (4,)


def test_grey_and_colours_stay_as_they_are(noise: Noise) -> None:
    for stack in (Stack.wrap(noise(3, 8, 9)), Stack.wrap(noise(3, 8, 9, 3))):
        assert bands_apart(stack) is stack


def test_bands_beside_channels_and_alpha(noise: Noise) -> None:
    hyper = Hyperstack.wrap(noise(2, 3, 8, 9, 2), axes="tcyx")
    apart = bands_apart(hyper)
    assert [axis.name for axis in apart.axes] == ["t", "c", "band", "y", "x"]
    alpha = Stack(Stack.wrap(noise(2, 8, 9, 2)).source, alpha=True)
    found = bands_apart(alpha)
    assert found.axes[1] == Axis("c", labels=("grey", "alpha"))
    assert found.frames.source.label(3) == "frame 1 band 2"
