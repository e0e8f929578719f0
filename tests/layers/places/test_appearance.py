"""What a result carries over from its layer, and what it adds."""

import numpy as np
import pytest
from napari.layers import Image

from napari_stack import layers, samples


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


def test_images_that_are_made_hidden_have_thumbnails():
    frames = layers.to_layer(samples.focus_series(3, (48, 56))[0])
    _, depth, confidence = layers.focus_stack(frames)
    assert not depth.visible
    assert not confidence.visible
    assert depth.thumbnail[..., :3].any()
    assert confidence.thumbnail[..., :3].any()
