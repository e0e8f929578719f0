"""`depth_surface`: the mesh lies where the layers lie, and the image lies on it."""

import numpy as np
import pytest
from napari.layers import Image, Surface

import napari_stack as ns
from napari_stack import layers
from napari_stack.layers import depth_surface

WARPED = {
    "translate": (5.0, -3.0),
    "rotate": 25.0,
    "shear": (0.2,),
    "affine": np.array([[1.5, 0.1, 4.0], [0.0, 0.8, 2.0], [0, 0, 1]]),
    "units": ("micrometer", "micrometer"),
    "axis_labels": ("y", "x"),
}


@pytest.fixture
def focused():
    """A series at 2 um steps that begins at 10 um, fused: image, depth and confidence layers."""
    stack, truth = ns.samples.focus_series(frames=5, size=(64, 80))
    series = Image(
        np.asarray(stack),
        name="series",
        scale=(2.0, 0.5, 0.5),
        translate=(10.0, 1.0, 2.0),
        units=("micrometer",) * 3,
        axis_labels=("z", "y", "x"),
    )
    return layers.focus_stack(series, method="pyramid"), truth


def test_a_surface_is_true_to_scale_where_distances_are_known(focused):
    (image, depth, _), truth = focused
    made = depth_surface(image, depth)
    assert isinstance(made, Surface)
    np.testing.assert_allclose(made.scale, [2.0, 0.5, 0.5])
    np.testing.assert_allclose(made.translate, [10.0, 1.0, 2.0])
    assert made.axis_labels == ("z", "y", "x")
    assert [str(unit) for unit in made.units] == ["micrometer"] * 3
    vertices, faces, _ = made.data
    assert vertices.shape == (64 * 80, 3)
    np.testing.assert_array_equal(vertices[:, 0].reshape(64, 80), depth.data)
    assert faces.max() == 64 * 80 - 1
    assert len(faces) == 2 * 63 * 79
    error = np.abs(vertices[:, 0].reshape(64, 80) - truth["depth"])[8:-8, 8:-8]
    assert np.median(error) < 0.6
    assert depth_surface(image, depth, exaggeration=3).scale[0] == 6.0


def test_the_image_lies_on_it_upright(focused):
    (image, depth, _), _ = focused
    made = depth_surface(image, depth)
    assert made.texture.shape == (64, 80, 3)
    low, high = image.contrast_limits
    shown = np.clip((image.data - low) / (high - low), 0, 1) * 255
    np.testing.assert_allclose(made.texture[..., 0], shown, atol=1)
    # The first vertex is the first pixel, which a texture holds at its upper left: x 0 and y 1.
    np.testing.assert_allclose(made.texcoords[0], [0.5 / 80, 1 - 0.5 / 64])
    np.testing.assert_allclose(made.texcoords[-1], [1 - 0.5 / 80, 0.5 / 64])


def test_it_lies_where_turned_layers_lie():
    rng = np.random.default_rng(0)
    image = Image(rng.integers(0, 255, (20, 30, 3)).astype(np.uint8), rgb=True, **WARPED)
    depth = Image(rng.random((20, 30)), scale=(0.5, 0.25), **WARPED)
    made = depth_surface(image, depth, exaggeration=1)
    np.testing.assert_array_equal(made.texture, image.data)
    for y, x in ((0, 0), (19, 0), (7, 21)):
        there = made.data_to_world((depth.data[y, x], y, x))
        np.testing.assert_allclose(there[1:], depth.data_to_world((y, x)), atol=1e-6)
        np.testing.assert_allclose(there[0], depth.data[y, x])


def test_an_unknown_distance_makes_a_relief_of_a_fifth_of_the_width():
    depth = Image(np.linspace(0, 4, 200).reshape(10, 20), scale=(0.1, 0.1))
    made = depth_surface(Image(np.zeros((10, 20))), depth)
    np.testing.assert_allclose(np.ptp(made.data[0][:, 0]) * made.scale[0], 0.2 * 20 * 0.1)
    flat = depth_surface(Image(np.zeros((10, 20))), Image(np.zeros((10, 20))))
    assert flat.scale[0] == 1


def test_large_maps_get_few_vertices_and_holes_are_filled():
    heights = np.tile(np.arange(1500, dtype=np.float32), (1200, 1))
    heights[3, 4] = np.nan
    made = depth_surface(Image(np.zeros((1200, 1500), np.uint8)), Image(heights))
    vertices, faces, _ = made.data
    assert len(vertices) <= 165_000
    assert np.isfinite(vertices).all()
    assert (vertices[:, 1:].max(axis=0) == (1199, 1499)).all()
    inner = (vertices[:, 2] > 20) & (vertices[:, 2] < 1480) & (vertices[:, 1] > 20)
    np.testing.assert_allclose(vertices[inner, 0], vertices[inner, 2], atol=1)
    assert faces.max() < len(vertices)


def test_a_place_on_more_axes(hyper_layer):
    image, depth, _ = layers.focus_stack(hyper_layer, method="pyramid")
    made = depth_surface(image, depth, position={0: 2, 1: 1})
    np.testing.assert_array_equal(made.data[0][:, 0].reshape(64, 80), depth.data[2, 1, 0])
    assert made.scale[0] == pytest.approx(hyper_layer.scale[2])
    assert made.axis_labels == ("z", "y", "x")


def test_layers_of_different_frames_are_refused():
    with pytest.raises(ValueError, match=r"they must be of the same frames"):
        depth_surface(Image(np.zeros((9, 9))), Image(np.zeros((9, 8))))
    with pytest.raises(ValueError, match="exaggeration must be a number in the range 0 to 1000"):
        depth_surface(Image(np.zeros((9, 9))), Image(np.zeros((9, 9))), exaggeration=-1)


def test_depth_as_a_distance(focused):
    (image, depth, _), _ = focused
    stack, _ = ns.samples.focus_series(frames=5, size=(64, 80))
    axes = {"scale": (2.0, 0.5, 0.5), "translate": (10.0, 1.0, 2.0), "axis_labels": ("z", "y", "x")}
    series = Image(np.asarray(stack), name="series", units=("micrometer",) * 3, **axes)
    _, far, _ = layers.focus_stack(series, method="pyramid", depth_unit="distance")
    np.testing.assert_allclose(far.data, 2 * depth.data)
    assert tuple(far.contrast_limits) == (0, 8)
    assert (depth.name, far.name) == ("series - fused - depth", "series - fused - depth (um)")
    assert [layer.colorbar.visible for layer in (image, depth, far)] == [False, True, True]
    by_frames, by_distance = depth_surface(image, depth), depth_surface(image, far)
    corners = [la.data_to_world(la.data[0][17]) for la in (by_frames, by_distance)]
    np.testing.assert_allclose(*corners, rtol=1e-5)
    bare = Image(np.asarray(stack), name="series", axis_labels=("z", "y", "x"))
    with pytest.raises(ValueError, match=r"apart along 'z' is not known.*scale and units"):
        layers.focus_stack(bare, depth_unit="distance")
