"""Data that other libraries opened."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.files import read
from support.pixels import Noise


@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr"])
def test_arrays_are_frames(tmp_path: Path, noise: Noise, kind: str) -> None:
    pixels = noise(6, 20, 30, dtype=np.uint16)
    data = pixels
    if kind == "dask":
        data = pytest.importorskip("dask.array").from_array(pixels, chunks=(2, 20, 30))
    elif kind == "zarr":
        data = pytest.importorskip("zarr").create_array(tmp_path / "a.zarr", data=pixels)
    stack = read(data)
    assert isinstance(stack, Stack)
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    some = read(data, start=1, every=2)
    np.testing.assert_array_equal(np.asarray(some), pixels[1::2])
    np.testing.assert_array_equal(some.render(1, slice(3, 9)), pixels[3, 3:9])


def test_one_image(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(20, 30)
    data = pytest.importorskip("zarr").create_array(tmp_path / "a.zarr", data=pixels)
    for given in (pixels, data):
        np.testing.assert_array_equal(np.asarray(read(given)), pixels[np.newaxis])


def test_axes_without_names(noise: Noise) -> None:
    data = read(noise(2, 3, 4, 20, 30), axis=1, stop=2)
    assert isinstance(data, Hyperstack)
    assert (data.sizes, data.axis) == ((2, 2, 4), data.leading[1].name)


def test_a_group_of_zarr(tmp_path: Path, noise: Noise) -> None:
    zarr = pytest.importorskip("zarr")
    from napari_stack.files import write

    pixels = noise(2, 3, 20, 30)
    write(tmp_path / "a.zarr", pixels, axes=("c", "z", "y", "x"))
    data = read(zarr.open(tmp_path / "a.zarr", mode="r"))
    assert isinstance(data, Hyperstack)
    assert [axis.name for axis in data.axes] == ["c", "z", "y", "x"]
    np.testing.assert_array_equal(np.asarray(data), pixels)


def test_xarray_names_axes_and_places(noise: Noise) -> None:
    xarray = pytest.importorskip("xarray")
    pixels = noise(20, 30, 2, 3)
    moments = np.array(["2020-01-01T00:00:00", "2020-01-01T00:00:04", "2020-01-01T00:00:05"])
    array = xarray.DataArray(
        pixels, dims=("y", "x", "channel", "time"),
        coords={
            "channel": ["DAPI", "GFP"], "time": moments.astype("datetime64[ns]"),
            "y": ("y", 5 + 0.5 * np.arange(20), {"units": "mm"}), "x": 0.25 * np.arange(30),
        },
    )  # fmt: skip
    data = read(array)
    assert isinstance(data, Hyperstack)
    np.testing.assert_array_equal(np.asarray(data), pixels.transpose(2, 3, 0, 1))
    c, t, y, x = data.axes
    assert (c.name, c.labels) == ("c", ("DAPI", "GFP"))
    assert (t.name, t.unit, t.positions) == ("time", "s", (0.0, 4.0, 5.0))
    assert (y.step, y.unit, y.start) == (0.5, "mm", 5.0)
    assert (x.step, x.unit) == (0.25, "pixel")


def test_xarray_of_a_file_is_read_when_needed(tmp_path: Path, noise: Noise) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    pixels = noise(4, 20, 30)
    path = tmp_path / "a.zarr"
    xarray.Dataset({"image": (("z", "y", "x"), pixels)}).to_zarr(path, consolidated=False)
    with xarray.open_zarr(path, chunks=None, consolidated=False) as found:
        stack = read(found["image"])
        assert not found["image"].variable._in_memory
        np.testing.assert_array_equal(stack[2], pixels[2])
        assert not found["image"].variable._in_memory


def test_a_set_of_xarray_is_told_of(noise: Noise) -> None:
    xarray = pytest.importorskip("xarray")
    with pytest.raises(ValueError, match="Dataset holds no image: give one of its arrays"):
        read(xarray.Dataset({"a": (("y", "x"), noise(20, 30))}))


def test_bioio(noise: Noise) -> None:
    bioio = pytest.importorskip("bioio")
    from bioio_base.types import PhysicalPixelSizes

    pixels = noise(4, 2, 3, 20, 30, dtype=np.uint16)
    image = bioio.BioImage(
        pixels,
        channel_names=["DAPI", "GFP"],
        physical_pixel_sizes=PhysicalPixelSizes(2.0, 0.5, 0.25),
    )
    data = read(image)
    assert isinstance(data, Hyperstack)
    np.testing.assert_array_equal(np.asarray(data), pixels)
    _, c, z, y, x = data.axes
    assert [axis.name for axis in data.axes] == ["t", "c", "z", "y", "x"]
    assert c.labels == ("DAPI", "GFP")
    assert (z.step, y.step, x.step, x.unit) == (2.0, 0.5, 0.25, "um")


def test_scenes_of_bioio(noise: Noise) -> None:
    bioio = pytest.importorskip("bioio")
    first, second = noise(2, 3, 1, 1, 20, 30)
    image = bioio.BioImage([first, second])
    image.set_scene(1)
    data = read(image)
    assert isinstance(data, Hyperstack)
    assert [axis.name for axis in data.leading] == ["position", "t"]
    np.testing.assert_array_equal(np.asarray(data)[1], second[:, 0, 0])
    assert image.current_scene_index == 1
    stack = read(image, series=0)
    np.testing.assert_array_equal(np.asarray(stack), first[:, 0, 0])


def test_the_interval_of_bioio() -> None:
    from napari_stack.files.given_data import _seconds

    assert (_seconds(timedelta(milliseconds=1500)), _seconds(2), _seconds(None)) == (1.5, 2.0, 0.0)
