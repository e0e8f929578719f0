"""HDF5 that h5py wrote; IMS written in the layout that Imaris publishes."""

from pathlib import Path

import numpy as np
import pytest

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.look import Look
from napari_stack.core.stack import Stack
from napari_stack.files import read
from support.ims import write_ims
from support.pixels import Noise

h5py = pytest.importorskip("h5py")


def test_a_data_set(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.h5", noise(4, 20, 30, dtype=np.uint16)
    with h5py.File(path, "w") as file:
        file.create_dataset("group/data", data=pixels, chunks=(1, 5, 30), compression="gzip")
        file["times"] = np.arange(4)  # one axis: no image
    stack = read(path)
    assert isinstance(stack, Stack)
    assert stack.source.partial
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    np.testing.assert_array_equal(stack.render(2, slice(3, 9)), pixels[2, 3:9])


def test_axes_and_sizes_that_the_file_names(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.h5", noise(2, 3, 20, 30)
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", data=pixels)
        data.attrs["element_size_um"] = (4.0, 0.5, 0.25)
        for number, name in enumerate("tzyx"):
            data.dims[number].label = name
    data = read(path)
    assert isinstance(data, Hyperstack)
    t, z, y, x = data.axes
    assert (t.name, z.name, z.step, y.step, x.step, x.unit) == ("t", "z", 4.0, 0.5, 0.25, "um")


def test_data_sets_that_differ_are_named(tmp_path: Path, noise: Noise) -> None:
    path, raw, mask = tmp_path / "a.h5", noise(4, 20, 30), noise(10, 12)
    with h5py.File(path, "w") as file:
        file["raw"], file["mask"] = raw, mask
    with pytest.warns(UserWarning, match="'mask'.*'raw'"):
        read(path)
    np.testing.assert_array_equal(np.asarray(read(path, series="raw")), raw)


def test_data_in_another_file_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(600))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", (20, 30), "u1", external=[(str(tmp_path / "secret"), 0, 600)])
    with pytest.raises(ValueError, match=r"a\.h5.*lies in another file"):
        read(tmp_path / "a.h5")


def test_an_ims(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.ims", noise(3, 2, 4, 20, 30, dtype=np.uint16)
    write_ims(path, pixels)
    with h5py.File(path) as file:
        assert file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data"].shape == (6, 24, 36)
    data = read(path)
    assert isinstance(data, Hyperstack)
    assert data.dtype == pixels.dtype
    np.testing.assert_array_equal(data.frames.render(7, slice(5, 18)), pixels[0, 1, 3, 5:18])
    np.testing.assert_array_equal(np.asarray(data), pixels)
    t, c, z, y, x = data.axes
    assert (t.name, t.unit, t.positions) == ("t", "s", (0.0, 2.5, 10.0))
    assert c.labels == ("DAPI", "GFP")
    assert c.looks[0] == Look("", ("#000000", "#0000ff"), (5.0, 200.0))
    assert (z.step, y.step, x.step, x.unit) == (0.75, 0.5, 0.25, "um")


def test_an_ims_of_one_time_and_a_table_of_colours(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.ims", noise(1, 1, 4, 20, 30, dtype=np.float32)
    table = np.linspace(1, 0, 256)[:, np.newaxis] * (1, 0.5, 0)
    text = " ".join(f"{part:.3f}" for part in table.ravel())
    write_ims(path, pixels, ColorMode="TableColor", ColorTable=text)
    stack = read(path)
    assert isinstance(stack, Stack)
    np.testing.assert_array_equal(np.asarray(stack), pixels[0, 0])
    assert stack.look == Look("DAPI", ("#ff8000", "#000000"), (5.0, 200.0))
