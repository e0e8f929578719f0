"""HDF5 that h5py wrote; IMS written in the layout that Imaris publishes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.look import Look
from napari_stack.core.stack import Stack
from napari_stack.files import read
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


def _letters(text: str) -> Any:
    return np.frombuffer(text.encode(), "S1")


def _write_ims(path: Path, pixels: Any) -> None:
    """Write (t, c, z, y, x): https://imaris.oxinst.com/support/imaris-file-format."""
    with h5py.File(path, "w") as file:
        image = file.create_group("DataSetInfo/Image").attrs
        for number, (name, size) in enumerate(zip("XYZ", pixels.shape[::-1], strict=False)):
            image[name] = _letters(str(size))
            image[f"ExtMin{number}"] = _letters("10")
            image[f"ExtMax{number}"] = _letters(str(10 + size * (number + 1) * 0.25))
        image["Unit"] = _letters("um")
        for c, (name, colour) in enumerate([("DAPI", "0.000 0.000 1.000"), ("GFP", "0 1 0")]):
            channel = file.create_group(f"DataSetInfo/Channel {c}").attrs
            channel["Name"], channel["Color"] = _letters(name), _letters(colour)
            channel["ColorRange"] = _letters("5.000 200.000")
        times = file.create_group("DataSetInfo/TimeInfo").attrs
        for t, second in enumerate(("00.000", "02.500", "10.000")):
            times[f"TimePoint{t + 1}"] = _letters(f"2020-01-01 12:00:{second}")
        padding = [(0, 2), (0, 4), (0, 6)]  # to whole chunks
        for t, c in np.ndindex(pixels.shape[:2]):
            name = f"DataSet/ResolutionLevel 0/TimePoint {t}/Channel {c}/Data"
            file.create_dataset(name, data=np.pad(pixels[t, c], padding), chunks=(2, 8, 12))


def test_an_ims(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.ims", noise(3, 2, 4, 20, 30, dtype=np.uint16)
    _write_ims(path, pixels)
    data = read(path)
    assert isinstance(data, Hyperstack)
    np.testing.assert_array_equal(np.asarray(data), pixels)
    t, c, z, y, x = data.axes
    assert (t.name, t.unit, t.positions) == ("t", "s", (0.0, 2.5, 10.0))
    assert c.labels == ("DAPI", "GFP")
    assert c.looks[0] == Look("", ("#000000", "#0000ff"), (5.0, 200.0))
    assert (z.step, y.step, x.step, x.unit) == (0.75, 0.5, 0.25, "um")
