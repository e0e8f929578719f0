"""MRC that mrcfile wrote."""

from pathlib import Path

import numpy as np
import pytest

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.files import read
from support.pixels import Noise

mrcfile = pytest.importorskip("mrcfile")


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint16, np.float32])
def test_a_volume(tmp_path: Path, noise: Noise, dtype: type) -> None:
    path, pixels = tmp_path / "a.mrc", noise(4, 20, 30).astype(dtype)
    with mrcfile.new(path) as file:
        file.set_data(pixels)
        file.set_volume()
        file.voxel_size = (1.5, 2.5, 4.0)
    stack = read(path)
    assert isinstance(stack, Stack)
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    found = [(axis.name, axis.step, axis.unit) for axis in stack.axes]
    assert found == [("z", 4.0, "angstrom"), ("y", 2.5, "angstrom"), ("x", 1.5, "angstrom")]
    np.testing.assert_array_equal(stack.render(2, slice(3, 9)), pixels[2, 3:9])


def test_a_tilt_series_counts_frames(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.st", noise(5, 20, 30).astype(np.int16)
    with mrcfile.new(path) as file:
        file.set_data(pixels)
        file.set_image_stack()
    stack = read(path)
    assert [axis.name for axis in stack.axes] == ["frame", "y", "x"]
    np.testing.assert_array_equal(np.asarray(stack), pixels)


def test_a_stack_of_volumes(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.map", noise(2, 3, 20, 30).astype(np.float32)
    with mrcfile.new(path) as file:
        file.set_data(pixels)
    data = read(path)
    assert isinstance(data, Hyperstack)
    assert [axis.name for axis in data.axes] == ["volume", "z", "y", "x"]
    np.testing.assert_array_equal(np.asarray(data), pixels)


def test_one_image(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.mrc", noise(20, 30).astype(np.float32)
    with mrcfile.new(path) as file:
        file.set_data(pixels)
    np.testing.assert_array_equal(np.asarray(read(path)), pixels[np.newaxis])


def test_complex_pixels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    with mrcfile.new(path) as file:
        file.set_data(np.zeros((20, 30), np.complex64))
    with pytest.raises(ValueError, match=r"a\.mrc holds complex64 pixels.*magnitude"):
        read(path)
