"""Transforms applied to other layers: images, labels, points and shapes, and taken back."""

import numpy as np
import pytest
from napari.layers import Image, Labels, Points, Shapes, Vectors

import napari_stack as ns
from napari_stack import layers
from support.motion import SIZE, turning


@pytest.fixture(scope="module")
def measured():
    """Transforms of three frames; the middle one is the reference."""
    matrices = np.stack([turning(), np.eye(3), turning((-4.0, 6.0), -3.0, 0.97)])
    return ns.Transforms(matrices, size=SIZE)


@pytest.fixture
def registered(timelapse):
    """Five frames as `register` gives them, in a view of their own."""
    return layers.register(timelapse, transform="translation", framing="common")


def on_frames(transforms, points):
    """Where object points (x, y) of the reference lie on every frame, as (frame, y, x)."""
    whole = np.column_stack([points, np.ones(len(points))])
    rows = []
    for number, matrix in enumerate(transforms.matrices):
        at = whole @ matrix.T
        rows += [(number, y, x) for x, y in at[:, :2] / at[:, 2:]]
    return np.array(rows)


OBJECTS = np.array([[20.0, 30.0], [70.5, 41.25], [90.0, 80.0]])


def test_points_come_to_lie_on_the_reference_and_go_back(measured):
    dots = Points(on_frames(measured, OBJECTS), name="dots", size=7, features={"n": range(9)})
    moved = layers.apply_transforms(dots, measured)
    assert isinstance(moved, Points)
    assert moved.name == "dots - moved"
    np.testing.assert_allclose(moved.data[:, 0], dots.data[:, 0])
    for number in range(3):
        found = moved.data[moved.data[:, 0] == number][:, :0:-1]
        np.testing.assert_allclose(found, OBJECTS, atol=1e-9)
    assert (moved.size == 7).all()
    assert list(moved.features["n"]) == list(range(9))
    back = layers.apply_transforms(moved, measured, inverse=True)
    np.testing.assert_allclose(back.data, dots.data, atol=1e-9)
    assert len(layers.apply_transforms(Points(ndim=3), measured).data) == 0


def test_points_in_the_world_of_a_registered_layer(timelapse, registered, cells):
    """Scale, rotation, shear and the affine of the layer: a cell's point follows its pixels."""
    place = timelapse.data_to_world
    y, x = 50, 60
    transforms = layers.register(timelapse, transform="translation").metadata  # made for the truth
    assert transforms
    matrices = ns.register(ns.Stack.wrap(cells[0]), transform="translation").transforms.matrices
    world = []
    for number, matrix in enumerate(matrices):
        at = matrix @ [x, y, 1]
        world.append(place((number, at[1], at[0])))
    dots = Points(np.array(world), name="dots", units=timelapse.units)
    moved = layers.apply_transforms(dots, registered)
    expected = [place((number, y, x)) for number in range(len(matrices))]
    np.testing.assert_allclose(moved.data, expected, atol=1e-6)
    pixel = [registered.world_to_data(at) for at in moved.data]
    assert np.ptp(np.array(pixel)[:, 1:], axis=0).max() < 1e-6, "one pixel of the registered layer"
    back = layers.apply_transforms(moved, registered, inverse=True)
    np.testing.assert_allclose(back.data, dots.data, atol=1e-6)


def test_shapes_of_all_kinds(measured):
    box = np.array([[20.0, 20], [20, 60], [50, 60], [50, 20]])
    kinds = ["rectangle", "ellipse", "polygon", "line", "path"]
    data = [np.column_stack([np.full(len(b), 2.0), b]) for b in (box, box, box[:3], box[:2], box)]
    shapes = Shapes(data, shape_type=kinds, name="marks", edge_color="red")
    moved = layers.apply_transforms(shapes, measured)
    assert moved.shape_type == kinds
    assert moved.edge_color.tolist() == shapes.edge_color.tolist()
    inverse = np.linalg.inv(measured.matrices[2])
    for before, after in zip(data, moved.data, strict=True):
        expected = np.column_stack([before[:, :0:-1], np.ones(len(before))]) @ inverse.T
        np.testing.assert_allclose(after[:, :0:-1], expected[:, :2], atol=1e-6)
    back = layers.apply_transforms(moved, measured, inverse=True)
    for before, after in zip(data, back.data, strict=True):
        np.testing.assert_allclose(after, before, atol=1e-6)


def test_shapes_that_do_not_stay_what_they_were():
    keystone = np.eye(3)
    keystone[2, 0] = 1e-3
    sheared = np.eye(3)
    sheared[0, 1] = 0.3
    box = np.array([[20.0, 20], [20, 60], [50, 60], [50, 20]])
    data = [np.column_stack([np.full(4, t), box]) for t in (0.0, 0.0, 1.0, 1.0)]
    shapes = Shapes(data, shape_type=["rectangle", "ellipse"] * 2)
    moved = layers.apply_transforms(shapes, ns.Transforms(np.stack([keystone, sheared])))
    assert moved.shape_type == ["polygon", "polygon", "polygon", "ellipse"]
    assert len(moved.data[1]) > 32


def test_labels_and_images_show_the_view_of_the_registered_frames(timelapse, registered, cells):
    seeds = Labels((cells[0] // 400).astype(np.int32), name="seeds")
    moved = layers.apply_transforms(seeds, registered)
    assert isinstance(moved, Labels)
    assert moved.data.shape == registered.data.shape
    assert moved.dtype == np.int32
    assert set(np.unique(np.asarray(moved.data[0]))) <= set(np.unique(seeds.data[0])), "no mixtures"
    np.testing.assert_array_equal(
        np.asarray(moved.data[2]),
        np.asarray(registered.data[2]) // 400,  # the reference itself
    )
    twin = Image(np.asarray(timelapse.data), name="twin", contrast_limits=(0, 4095))
    same = layers.apply_transforms(twin, registered)
    np.testing.assert_array_equal(np.asarray(same.data), np.asarray(registered.data))
    placed = layers.apply_transforms(
        Image(timelapse.data, **_place_of(timelapse), contrast_limits=(0, 4095)), registered
    )
    np.testing.assert_array_equal(np.asarray(placed.data), np.asarray(registered.data))
    np.testing.assert_allclose(placed.translate, registered.translate)
    assert placed.metadata["napari_stack"]["recipe"] is None


@pytest.mark.parametrize("inverse", [False, True])
def test_colours_and_layers_of_several_sizes(registered, cells, inverse):
    frames = cells[0]
    seeds = (frames // 400).astype(np.int32)
    colours = np.stack([frames // 16] * 3, axis=-1).astype(np.uint8)
    given = {
        "colours": Image(colours, rgb=True),
        "sizes": Image([frames, frames[:, ::2, ::2]], multiscale=True, contrast_limits=(0, 4095)),
        "seeds": Labels([seeds, seeds[:, ::2, ::2]], multiscale=True),
        "plain": Labels(seeds),
    }
    moved = {
        name: layers.apply_transforms(layer, registered, inverse=inverse)
        for name, layer in given.items()
    }
    size = frames.shape if inverse else registered.data.shape
    assert moved["colours"].rgb
    assert moved["colours"].data.shape == (*size, 3)
    assert moved["sizes"].data.shape == size
    np.testing.assert_array_equal(np.asarray(moved["seeds"].data), np.asarray(moved["plain"].data))
    assert set(np.unique(np.asarray(moved["seeds"].data))) <= set(np.unique(seeds))


def test_a_layer_of_half_the_pixels_lies_right(timelapse, registered, cells):
    half = cells[0].reshape(5, 48, 2, 56, 2).mean(axis=(2, 4))
    place = _place_of(timelapse)
    offset = timelapse._transforms["data2physical"].linear_matrix @ [0, 0.5, 0.5]
    place |= {
        "scale": np.array(place["scale"]) * [1, 2, 2],
        "translate": place["translate"] + offset,
    }
    moved = layers.apply_transforms(Image(half, **place, contrast_limits=(0, 4095)), registered)
    height, width = registered.data.shape[1:]
    assert np.abs(np.array(moved.data.shape[1:]) - [height / 2, width / 2]).max() <= 1
    # The same place in the world is as bright.
    at = [(2, 10.0, 11.0), (1, 20.0, 30.0), (4, 15.0, 25.0)]
    for number, y, x in at:
        where = registered.world_to_data(moved.data_to_world((number, y, x)))
        y0, x0 = (round(float(v)) for v in where[1:])
        around = np.asarray(registered.data[number, y0 - 1 : y0 + 2, x0 - 1 : x0 + 2])
        value = float(moved.data[number, int(y), int(x)])
        assert around.min() - 120 <= value <= around.max() + 120


def _place_of(layer):
    names = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
    return {name: getattr(layer, name) for name in names}


def test_taken_back_images_lie_where_they_were_recorded(timelapse, registered):
    mean = np.broadcast_to(np.asarray(registered.data).mean(axis=0), registered.data.shape)
    layer = Image(np.array(mean, np.float32), **_place_of(registered), contrast_limits=(0, 4095))
    back = layers.apply_transforms(layer, registered, inverse=True)
    assert back.data.shape == timelapse.data.shape

    def mean_at(seen):
        return np.resize(timelapse.data[2], seen.shape)

    np.testing.assert_allclose(back.translate, timelapse.translate)
    for number in (0, 4):
        found, recorded = np.asarray(back.data[number]), timelapse.data[number]
        seen = np.isfinite(found)
        assert seen.mean() > 0.5
        alike, unmoved = (
            np.corrcoef(image[seen], recorded[seen])[0, 1] for image in (found, mean_at(seen))
        )
        assert alike > 0.95 > unmoved + 0.05


def test_more_axes(hyper_layer):
    """Transforms of (t, c, z): a layer with fewer axes, or in another order, is moved alike."""
    registered = layers.register(hyper_layer, axis="t", transform="translation")
    matrices = layers.provenance.recall(registered).data.frames.transforms.matrices
    times = matrices.reshape(3, -1, 3, 3)[:, 0]
    dots = Points(
        [[t, 20.0, 30.0] for t in range(3)],
        axis_labels=["t", "y", "x"],
        name="dots",
        scale=hyper_layer.scale[[0, 3, 4]],
        units=hyper_layer.units[:1] + hyper_layer.units[3:],
    )
    moved = layers.apply_transforms(dots, registered)
    for number in range(3):
        at = np.linalg.inv(times[number]) @ [30, 20, 1]
        np.testing.assert_allclose(moved.data[number, 1:], at[1::-1], atol=1e-9)
    with pytest.raises(ValueError, match="lacks the axis 't'"):
        layers.apply_transforms(Points([[1.0, 2.0]], name="flat"), registered)


def test_frames_resized_after_they_were_registered(timelapse, registered):
    half = layers.transform_frames(registered, resize=ns.ByFactor(factor=0.5))
    dots = Points([[1, 40.0, 50.0]], **_place_of(timelapse))
    one, two = (layers.apply_transforms(dots, layer) for layer in (registered, half))
    np.testing.assert_allclose(one.data, two.data, atol=1e-9)


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (Vectors(np.zeros((1, 2, 3)), name="arrows"), "'arrows' is a Vectors layer: choose an Im"),
        (Points([[3, 1, 1]], name="late"), "reaches from 3 to 3 along .* from 0 to 2"),
        (Points([[1, 1]], name="flat"), "'flat' lacks the axis 'frames'"),
        (Labels(np.ones((4, 96, 112), int), name="four"), "reaches from 0 to 3"),
        (Labels(np.ones((96, 112), int), name="plane"), "lacks the axis"),
    ],
)
def test_layers_that_do_not_fit(layer, sentence, measured):
    with pytest.raises(ValueError, match=sentence):
        layers.apply_transforms(layer, measured)


def test_layers_that_were_not_registered(timelapse):
    dots = Points([[1, 1, 1]])
    with pytest.raises(ValueError, match="'cells' is no layer that register made"):
        layers.apply_transforms(dots, timelapse)
    with pytest.raises(ValueError, match="no layer that register made"):
        layers.apply_transforms(dots, dots)


def test_layers_turned_out_of_the_plane(measured):
    with pytest.warns(UserWarning, match="Non-orthogonal"):
        dots = Points([[1, 1, 1]], rotate=(0, 30, 0), name="tilted")
    with pytest.raises(ValueError, match="'tilted' is turned out of the plane"):
        layers.apply_transforms(dots, measured)
