"""The reader, the writer and the sample data that the manifest names."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from npe2 import PluginManifest
from PIL import Image as Picture

import napari_stack as ns
from napari_stack import layers
from napari_stack.core.axis import Axis
from napari_stack.layers.contributions import samples as sample_layers
from napari_stack.layers.contributions.reader import get_reader
from napari_stack.layers.contributions.writer import write_image


@pytest.fixture
def folder(tmp_path, cells):
    place = tmp_path / "series"
    place.mkdir()
    for number, frame in enumerate(cells[0]):
        ns.write(place / f"frame{number}.tif", frame)
    return place


@pytest.fixture
def listed(folder):
    path = folder.parent / "night.frames"
    path.write_text("# the good ones\n\nseries/frame[0-2].tif\nseries/frame4.tif\n")
    return str(path)


@pytest.fixture
def plugin(npe2pm):
    """The plugin as installed, and no other."""
    npe2pm.register(PluginManifest.from_distribution("napari-stack"))
    return "napari-stack"


def test_list_of_frames_is_one_lazy_layer(listed, cells, plugin):
    (layer,) = ViewerModel().open(listed, plugin=plugin)
    assert layer.name == "night"
    assert layer.data.chunks[0] == (1,) * 4
    np.testing.assert_array_equal(np.asarray(layer.data), cells[0][[0, 1, 2, 4]])
    chain = layers.prepare("combine", layer).chain
    assert not hasattr(chain.data.source, "data"), "it reads from the files"


@pytest.mark.parametrize("path", ["a.tif", ["a.tif", "b.tif"], [], "folder", "table.csv"])
def test_the_rest_is_left_to_napari(path):
    assert get_reader(path) is None


def test_list_without_frames(tmp_path):
    path = tmp_path / "none.frames"
    path.write_text("# nothing\n")
    with pytest.raises(ValueError, match=r"none\.frames: the list names no frames"):
        get_reader(str(path))(str(path))
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="a list of frames is a text"):
        get_reader(str(path))(str(path))


def test_stack_shown_as_a_layer(hyper):
    stack, _ = hyper
    layer = layers.to_layer(stack, "hyper")
    assert layer.axis_labels == ("t", "c", "z", "y", "x")
    np.testing.assert_allclose(layer.scale, (30, 1, 2, 0.25, 0.25))
    assert layers.prepare("focus_stack", layer).chain.data.frames is not None


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


@pytest.mark.parametrize("name", ["drifting_cells", "cosmic_rays", "focus_series", "hyperstack"])
def test_sample(name):
    ((data, attributes, kind),) = getattr(sample_layers, name)()
    layer = Image(data, **attributes)
    assert kind == "image"
    assert str(layer.units[-1]) == "micrometer"
    assert layer.axis_labels[-2:] == ("y", "x")
    assert layer.contrast_limits[0] == 0


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
