"""The reader: lists of frames as lazy layers."""

import numpy as np
import pytest
from napari.components import ViewerModel

import napari_stack as ns
from napari_stack import layers
from napari_stack.layers.contributions.reader import CLAIMED, SUFFIX, frames_of, get_reader


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


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_lists_as_other_programs_write_them(folder, encoding):
    path = folder.parent / "b.frames"
    (folder.parent / "~a.tif").touch()
    text = '# "ä"\r\n"series/frame0.tif"\r\n\'series/frame1.tif\' \r\n~a.tif\r\n'
    path.write_bytes(text.encode(encoding))
    names = [str(folder / "frame0.tif"), str(folder / "frame1.tif"), str(folder.parent / "~a.tif")]
    assert frames_of(path) == names


def test_the_manifest_names_what_is_claimed(plugin):
    import npe2

    (reader,) = npe2.PluginManager.instance().get_manifest(plugin).contributions.readers
    assert reader.filename_patterns == [f"*{suffix}" for suffix in (SUFFIX, *CLAIMED)]
    builtin = npe2.PluginManifest.from_distribution("napari").contributions.readers
    taken = {pattern.lower() for other in builtin for pattern in other.filename_patterns}
    assert "*.mp4" in taken
    assert not taken & set(reader.filename_patterns), "napari would ask at every drop"
    assert set(CLAIMED) <= set(ns.files.SUFFIXES)


def test_a_file_that_napari_does_not_open(tmp_path, noise, plugin):
    czi = pytest.importorskip("pylibCZIrw.czi")
    pixels = noise(3, 20, 30, dtype=np.uint16)
    with czi.create_czi(str(tmp_path / "cells.CZI")) as file:
        for z, plane in enumerate(pixels):
            file.write(plane[..., None], plane={"Z": z})
        file.write_metadata("made", scale_x=1e-7, scale_y=2e-7, scale_z=5e-7)
    (layer,) = ViewerModel().open(str(tmp_path / "cells.CZI"), plugin=plugin)
    assert layer.name == "cells"
    np.testing.assert_array_equal(np.asarray(layer.data), pixels)
    np.testing.assert_allclose(layer.scale, (0.5, 0.2, 0.1))


def test_images_of_a_file_that_differ_are_layers(tmp_path, noise, plugin):
    czi = pytest.importorskip("pylibCZIrw.czi")
    scenes = noise(20, 30), noise(10, 30)
    with czi.create_czi(str(tmp_path / "a.czi")) as file:
        for number, pixels in enumerate(scenes):
            file.write(pixels[..., None], location=(100 * number, 0), scene=number)
        file.write_metadata("made")
    found = ViewerModel().open(str(tmp_path / "a.czi"), plugin=plugin)
    for layer, pixels in zip(found, scenes, strict=True):
        np.testing.assert_array_equal(np.squeeze(np.asarray(layer.data)), pixels)


def test_a_list_may_name_addresses(tmp_path):
    listed = tmp_path / "a.frames"
    listed.write_text("https://a.org/b.zarr\nc.tif\n")
    assert frames_of(listed) == ["https://a.org/b.zarr", str(tmp_path / "c.tif")]
