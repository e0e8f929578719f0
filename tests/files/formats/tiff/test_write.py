"""TIFF as other programs see it."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_stack.core.axis import Axis
from napari_stack.files import read, read_recipe, write
from napari_stack.files.formats.tiff import write as tiff_write
from support.pixels import Noise

AXES = (Axis("t", 2.0, "s"), Axis("c", labels=("DAPI", "GFP & <co>")), Axis("z", 0.5, "um"),
        Axis("y", 0.1, "um"), Axis("x", 0.2, "um"))  # fmt: skip


PLANE = (Axis("y", 0.325, "µm"), Axis("x", 1 / 3, "µm"))


RECIPE = {"steps": [{"operator": "register", "reference": "müde"}]}


def test_imagej_sees_axes_and_pixel_sizes(tmp_path: Path, noise: Noise) -> None:
    axes = (Axis("t", 500, "ms"), Axis("c"), Axis("z", 0.4, "um"), *PLANE)
    pixels = noise(2, 3, 4, 9, 11)
    write(tmp_path / "a.tif", pixels, axes=axes)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        metadata = tif.imagej_metadata or {}
        np.testing.assert_array_equal(tif.series[0].asarray(), pixels.transpose(0, 2, 1, 3, 4))
        assert tif.series[0].axes == "TZCYX"
        assert tif.pages.first.get_resolution() == pytest.approx((3, 1 / 0.325))
    assert metadata["unit"] == "um"
    assert (metadata["spacing"], metadata["finterval"]) == (0.4, 0.5)


def test_other_programs_see_the_pixel_size_of_floats(tmp_path: Path, noise: Noise) -> None:
    write(tmp_path / "a.tif", noise(9, 11, dtype="float64"), axes=PLANE)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        page = tif.pages.first
        assert page.get_resolution("MICROMETER") == pytest.approx((3, 1 / 0.325))


def test_large_files_get_long_offsets(
    tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiff_write, "_BIG", 1000)
    pixels = noise(3, 2, 20, 30)
    axes = (Axis("z", 2, "um"), Axis("c"), *PLANE)
    write(tmp_path / "a.tif", pixels, axes=axes, recipe=RECIPE)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.is_bigtiff
    hyper = read(tmp_path / "a.tif")
    assert hyper.axes == axes
    np.testing.assert_array_equal(np.asarray(hyper), pixels)


def test_ome_says_the_same_to_others(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 2, 3, 9, 11)
    write(tmp_path / "a.ome.tif", pixels, axes=AXES, recipe={"steps": [1]})
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        assert tif.is_ome
        root = ElementTree.fromstring(tif.ome_metadata or "")
        np.testing.assert_array_equal(tif.series[0].asarray(), pixels)
    namespace = {"ome": root.tag.partition("}")[0][1:]}
    found = root.find(".//ome:Pixels", namespace)
    assert found is not None
    size = {key: found.get(f"PhysicalSize{key}") for key in "XYZ"}
    assert {key: float(value or 0) for key, value in size.items()} == {"X": 0.2, "Y": 0.1, "Z": 0.5}
    assert (found.get("PhysicalSizeXUnit"), found.get("TimeIncrement")) == ("µm", "2.0")
    names = [channel.get("Name") for channel in found.findall("ome:Channel", namespace)]
    assert names == ["DAPI", "GFP & <co>"]
    assert read_recipe(tmp_path / "a.ome.tif") == {"steps": [1]}


@pytest.mark.parametrize("compression", ["none", "zlib"])
def test_a_mask_is_bits_in_ome(tmp_path: Path, noise: Noise, compression: Any) -> None:
    mask = noise(3, 2, 20, 30, dtype="bool")
    write(tmp_path / "a.ome.tif", mask, axes=("t", "c", "y", "x"), compression=compression)
    found = read(tmp_path / "a.ome.tif")
    assert found.dtype == bool
    np.testing.assert_array_equal(np.asarray(found), mask)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.ome.tif"), mask)
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        assert 'Type="bit"' in (tif.ome_metadata or "")


def test_ome_holds_three_axes_of_frames(tmp_path: Path, noise: Noise) -> None:
    with pytest.raises(ValueError, match="OME-TIFF holds time, channel and z besides y and x"):
        write(tmp_path / "a.ome.tif", noise(1, 1, 1, 2, 4, 5), axes="tczqyx")
    write(tmp_path / "b.ome.tif", noise(4, 5), axes=(Axis("y", 2, "arb"), Axis("x", 2, "arb")))
    assert read(tmp_path / "b.ome.tif").axes[1] == Axis("y", 2, "arb")
    assert [path.name for path in tmp_path.iterdir()] == ["b.ome.tif"]


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float16"])
def test_types_that_ome_has_not_are_refused(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(ValueError, match=rf"OME-TIFF holds no {dtype} pixels: write a \.tif"):
        write(tmp_path / "a.ome.tif", np.zeros((2, 4, 5), dtype))
    write(tmp_path / "a.tif", np.ones((2, 4, 5), dtype))
    assert np.asarray(read(tmp_path / "a.tif")).dtype == dtype
