"""Single images as frames."""

import numpy as np
import pytest
from napari.layers import Image, Labels

import napari_stack as ns
from napari_stack import Stack, layers
from napari_stack.layers.stacks.gather import alike_images, gathered, offered_images


@pytest.fixture
def images(noise):
    return [Image(noise(12, 16, dtype="uint8"), name=f"shot {n}") for n in (1, 2, 10)]


def test_only_images_that_are_alike(images):
    odd = Image(np.zeros((9, 9)), name="odd")
    labels = Labels(np.zeros((12, 16), int))
    assert alike_images([odd, *images, labels]) == images
    assert alike_images([odd, images[0]]) == []
    stack = Image(np.zeros((3, 12, 16), np.uint8))
    assert alike_images([stack, *images]) == images
    assert alike_images([*layers.combine(stack), *images[:1]]) == []


def test_what_is_selected_counts(images):
    assert offered_images(images, {images[2], images[0]}) == [images[0], images[2]]
    assert offered_images(images, {images[0]}) == images
    assert offered_images(images, set()) == images


def test_arrays_in_natural_order(images):
    images[0].scale, images[0].units = (0.5, 0.25), ("micrometer", "micrometer")
    data = gathered([images[2], images[0], images[1]])
    assert isinstance(data, Stack)
    np.testing.assert_array_equal(np.asarray(data), [image.data for image in images])
    assert [axis.step for axis in data.axes[1:]] == [0.5, 0.25]


def test_colours(noise):
    data = gathered([Image(noise(8, 9, 3, dtype="uint8"), name=str(n), rgb=True) for n in (0, 1)])
    assert data.rgb
    assert data.shape == (2, 8, 9, 3)


def opened(path):
    layer = Image(ns.read(path)[0], name=path.stem)
    object.__setattr__(layer, "_source", layer.source.model_copy(update={"path": str(path)}))
    return layer


def test_files_are_read_again_unless_changed(tmp_path, noise):
    for number in (2, 10):
        ns.write(tmp_path / f"a{number}.tif", noise(8, 9))
    made = [opened(tmp_path / f"a{number}.tif") for number in (10, 2)]
    data = gathered(made)
    assert data.source.file(0) == str(tmp_path / "a2.tif")
    np.testing.assert_array_equal(data[1], made[0].data)
    made[0].data = made[0].data + 1
    changed = gathered(made)
    assert changed.source.file(0) is None
    np.testing.assert_array_equal(changed[1], made[0].data)
