"""The writers: image layers as files, and several as one layered TIFF."""

import numpy as np
import pytest
from napari.components import ViewerModel
from PIL import Image as Picture

import napari_stack as ns
from napari_stack import layers
from napari_stack.core.axis import Axis
from napari_stack.layers.contributions.writer import write_image


@pytest.mark.parametrize("suffix", [".tif", ".png", ".ome.tif", ".zarr"])
def test_image_is_written(suffix, tmp_path, timelapse):
    (mean,) = layers.combine(timelapse)
    path = tmp_path / f"mean{suffix}"
    if suffix != ".zarr":
        path.write_bytes(b"old")
    data, attributes, _ = mean.as_layer_data_tuple()
    assert write_image(str(path), data, attributes) == [str(path)]
    np.testing.assert_array_equal(ns.files.load_image(path), mean.data)


def test_lazy_layer_is_written_with_axes_and_recipe(tmp_path, hyper_layer):
    registered = layers.register(hyper_layer, measure_at={"c": 1})
    path = tmp_path / "registered.tif"
    data, attributes, _ = registered.as_layer_data_tuple()
    write_image(str(path), data, attributes)
    back = ns.read(path)
    assert [axis.name for axis in back.axes] == ["t", "c", "z", "y", "x"]
    np.testing.assert_array_equal(np.asarray(back), np.asarray(registered.data))
    np.testing.assert_allclose([axis.step for axis in back.axes[2:]], (2, 0.25, 0.25))
    assert ns.files.read_recipe(path) == registered.metadata["napari_stack"]["recipe"]


def test_sentence_of_what_cannot_be_saved_comes_through(tmp_path, timelapse, plugin):
    viewer = ViewerModel()
    viewer.add_layer(timelapse)
    path = tmp_path / "series.png"
    with pytest.raises(ValueError, match="png") as by_engine:
        ns.write(path, ns.Stack.wrap(timelapse.data))
    with pytest.raises(OSError, match="png") as by_napari:
        viewer.layers.save(str(path), plugin=plugin)
    assert str(by_napari.value) == str(by_engine.value)
    assert not path.exists()


def test_napari_saves_with_it(tmp_path, timelapse, plugin):
    viewer = ViewerModel()
    viewer.add_layer(layers.register(timelapse))
    path = str(tmp_path / "saved.tif")
    assert viewer.layers.save(path, plugin=plugin) == [path]
    assert [axis.name for axis in ns.read(path).axes] == ["t", "y", "x"]


@pytest.mark.parametrize("name", ["a.jpg", "a.ome.tif", "a.zarr", "a.tif", "a.png"])
def test_napari_saves_every_format_with_it(name, tmp_path, plugin):
    axes = [Axis("y", 0.5, "um"), Axis("x", 0.25, "um")]
    image = np.full((24, 32, 3), 77, np.uint8) if name != "a.ome.tif" else np.ones((24, 32))
    viewer = ViewerModel()
    viewer.add_image(
        image, rgb=image.ndim == 3, scale=[0.5, 0.25], units=["um", "um"], axis_labels=["y", "x"]
    )
    assert viewer.layers.save(str(tmp_path / name), plugin=plugin) == [str(tmp_path / name)]
    found = ns.read(tmp_path / name)
    np.testing.assert_array_equal(found[0], image)
    assert [(a.name, a.step) for a in found.axes[1:]] == [(a.name, a.step) for a in axes]


@pytest.fixture
def photographs(tmp_path):
    """Three photographs; the first has moved."""
    place = tmp_path / "photographs"
    place.mkdir()
    pixels = np.random.default_rng(3).integers(0, 255, (96, 112), dtype=np.uint8)
    pixels = np.asarray(Picture.fromarray(pixels).resize((448, 384)))[..., np.newaxis]
    for number in range(3):
        exif = Picture.Exif()
        exif[272] = f"camera {number}"
        frame = np.roll(pixels, 3 * (number == 0), 1).repeat(3, 2)
        Picture.fromarray(frame).save(place / f"{number}.png", exif=exif)
    return place


def camera(path):
    with Picture.open(path) as image:
        return image.getexif().get(272)


def test_what_is_saved_has_the_exif_of_the_reference(tmp_path, photographs, plugin):
    frames = layers.to_layer(ns.read(photographs))
    registered = layers.register(frames, transform="translation", reference=0)
    (mean,) = layers.combine(registered)
    for layer, expected in [(frames, 1), (registered, 0), (mean, 0)]:
        assert layer.save(str(tmp_path / "a.tif"), plugin=plugin)
        assert camera(tmp_path / "a.tif") == f"camera {expected}"
    (photographs / "0.png").unlink()
    mean.save(str(tmp_path / "a.tif"), plugin=plugin)  # a file that is gone is none
    assert camera(tmp_path / "a.tif") is None


def test_layers_that_are_selected_become_a_layered_tiff(tmp_path, photographs, plugin):
    psdtags = pytest.importorskip("psdtags")
    viewer = ViewerModel()
    frames = viewer.add_layer(layers.to_layer(ns.read(photographs), "frames"))
    mean = viewer.add_layer(layers.combine(frames)[0])
    viewer.layers.selection = {frames, mean}
    path = tmp_path / "retouch.tif"
    assert viewer.layers.save(str(path), selected=True, plugin=plugin) == [str(path)]
    np.testing.assert_array_equal(ns.files.load_image(path), mean.data)
    found = psdtags.TiffImageSourceData.fromtiff(path)
    names = [layer.name for layer in found.layers]
    assert names == ["frames 2.png", "frames 1.png", "frames 0.png", "frames - mean"]
    shown = np.stack([channel.data for channel in found.layers[2].channels], axis=-1)
    np.testing.assert_array_equal(shown, np.asarray(frames.data)[0])
    assert camera(path) == "camera 1"
    depth = viewer.add_image(np.zeros((4, 5), np.uint8), name="depth", visible=False)
    viewer.layers.selection = {frames, mean, depth}
    with pytest.raises(OSError, match="the layer 'depth' has the shape"):
        viewer.layers.save(str(tmp_path / "b.tif"), selected=True, plugin=plugin)
    assert not (tmp_path / "b.tif").exists()
