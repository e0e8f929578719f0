"""HDF5 that h5py wrote; IMS written in the layout that Imaris publishes."""

from itertools import product
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


#: Of data sets of Imaris, which are padded to whole chunks.
CHUNKS = (3, 8, 12)


def _letters(text: str) -> Any:
    return np.frombuffer(text.encode(), "S1")


def _write_ims(path: Path, pixels: Any, **more: str) -> None:
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
            known = {"Name": name, "Color": colour, "ColorRange": "5.000 200.000", **more}
            for key, text in known.items():
                channel[key] = _letters(text)
        times = file.create_group("DataSetInfo/TimeInfo").attrs
        for t, second in enumerate(("00.000", "02.500", "10.000")):
            times[f"TimePoint{t + 1}"] = _letters(f"2020-01-01 12:00:{second}")
        levels = [pixels, pixels[..., ::2, ::2]]
        for (level, held), (t, c) in product(enumerate(levels), np.ndindex(pixels.shape[:2])):
            name = f"DataSet/ResolutionLevel {level}/TimePoint {t}/Channel {c}"
            padding = [
                (0, -side % chunk) for side, chunk in zip(held.shape[2:], CHUNKS, strict=True)
            ]
            data = np.pad(held[t, c], padding)
            file.create_dataset(f"{name}/Data", data=data, chunks=CHUNKS, compression="gzip")
            file[f"{name}/Histogram"] = np.zeros(256, np.uint64)
            for axis, size in zip("ZYX", held.shape[2:], strict=True):
                file[name].attrs[f"ImageSize{axis}"] = _letters(str(size))


def test_an_ims(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.ims", noise(3, 2, 4, 20, 30, dtype=np.uint16)
    _write_ims(path, pixels)
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
    _write_ims(path, pixels, ColorMode="TableColor", ColorTable=text)
    stack = read(path)
    assert isinstance(stack, Stack)
    np.testing.assert_array_equal(np.asarray(stack), pixels[0, 0])
    assert stack.look == Look("DAPI", ("#ff8000", "#000000"), (5.0, 200.0))
